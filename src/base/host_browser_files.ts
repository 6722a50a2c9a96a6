/**
 * The files of a page's origin: the file system that browsers keep for each (OPFS), shared by its pages and workers.
 *
 * @module
 */
import { BrowserFile, type FileHandle } from "./host_browser_file.ts";
import type { FileInfo, FolderEntry, HostFile, HostFiles, OpenOptions } from "./host_files_interface.ts";

/** What is used of a `FileSystemDirectoryHandle`. */
interface FolderHandle {
  readonly kind: "directory";
  readonly name: string;
  getDirectoryHandle(name: string, options?: { readonly create?: boolean }): Promise<FolderHandle>;
  getFileHandle(name: string, options?: { readonly create?: boolean }): Promise<FileHandle>;
  removeEntry(name: string, options?: { readonly recursive?: boolean }): Promise<void>;
  values(): AsyncIterable<FolderHandle | FileHandle>;
}

/** An error as browsers give them, for what they do not have. */
function fault(name: "NotFoundError" | "TypeMismatchError" | "NotSupportedError", text: string): DOMException {
  return new DOMException(text, name);
}

function partsOf(path: string | URL): string[] {
  const out: string[] = [];
  for (const part of String(path instanceof URL ? path.pathname : path).split("/")) {
    if (part === "..") out.pop();
    else if (part !== "" && part !== ".") out.push(part);
  }
  return out;
}

async function root(): Promise<FolderHandle> {
  const { storage } = navigator as { storage?: { getDirectory?(): Promise<unknown> } };
  if (storage?.getDirectory === undefined) {
    throw fault("NotSupportedError", "this page has no files: they need a secure page, https: or localhost");
  }
  return await storage.getDirectory() as FolderHandle;
}

async function folderOf(parts: readonly string[], create = false): Promise<FolderHandle> {
  let folder = await root();
  for (const part of parts) folder = await folder.getDirectoryHandle(part, { create });
  return folder;
}

/** The file or folder of this path. */
async function entryOf(path: string | URL): Promise<FolderHandle | FileHandle> {
  const parts = partsOf(path), name = parts.pop();
  const folder = await folderOf(parts);
  if (name === undefined) return folder;
  try {
    return await folder.getFileHandle(name);
  } catch (error) {
    if ((error as Error).name !== "TypeMismatchError") throw error;
    return await folder.getDirectoryHandle(name);
  }
}

async function fileOf(path: string | URL, create = false): Promise<FileHandle> {
  const parts = partsOf(path), name = parts.pop();
  if (name === undefined) throw fault("TypeMismatchError", `${path} is a folder`);
  return await (await folderOf(parts)).getFileHandle(name, { create });
}

async function stat(path: string): Promise<FileInfo> {
  const entry = await entryOf(path);
  if (entry.kind === "directory") return { isFile: false, isDirectory: true, size: 0, mtime: null };
  const { size, lastModified } = await entry.getFile();
  return { isFile: true, isDirectory: false, size, mtime: new Date(lastModified) };
}

async function open(path: string, options: OpenOptions = {}): Promise<HostFile> {
  const { create = false, createNew = false, truncate = false, write = false } = options;
  if (createNew && await fileOf(path).then(() => true, () => false)) {
    throw Object.assign(new Error(`${path} is there already`), { code: "EEXIST" });
  }
  const file = await BrowserFile.open(await fileOf(path, create || createNew), write);
  if (truncate) await file.truncate(0);
  return file;
}

async function writeFile(path: string, bytes: Uint8Array, { append = false } = {}): Promise<void> {
  const file = await BrowserFile.open(await fileOf(path, true), true);
  try {
    if (append) await file.seek((await file.stat()).size);
    else await file.truncate(0);
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
    await file.syncData();
  } finally {
    await file.close();
  }
}

async function readFile(path: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await (await fileOf(path)).getFile()).arrayBuffer());
}

/** Moves a file over another one; where the browser cannot, copies it. */
async function rename(from: string, to: string): Promise<void> {
  const entry = await entryOf(from);
  const parts = partsOf(to), name = parts.pop();
  if (entry.kind === "directory" || name === undefined) {
    throw fault("NotSupportedError", `${from} is a folder, which browsers do not rename`);
  }
  try {
    if (entry.move === undefined) throw fault("NotSupportedError", "no file is moved");
    await entry.move(await folderOf(parts), name);
  } catch {
    await writeFile(to, await readFile(from));
    await remove(from);
  }
}

async function remove(path: string, { recursive = false } = {}): Promise<void> {
  const parts = partsOf(path), name = parts.pop();
  if (name === undefined) throw fault("NotSupportedError", "the folder of all files cannot be removed");
  await (await folderOf(parts)).removeEntry(name, { recursive });
}

/** What is used of the locks that pages and workers of an origin share. */
interface Locks {
  request(
    name: string,
    options: { readonly ifAvailable: boolean },
    body: (lock: unknown) => Promise<void> | void,
  ): Promise<unknown>;
}

/** Locks that are being given back. */
const releasing = new Map<string, Promise<void>>();

/** Files in a browser. Links do not exist there, and nobody else sees the files: a page downloads them. */
export function browserFiles(): HostFiles {
  const noLinks = (): Promise<never> => Promise.reject(fault("NotSupportedError", "a browser's files have no links"));
  return {
    movesFolders: false,
    readFile,
    readTextFile: async (path) => await (await (await fileOf(path)).getFile()).text(),
    writeFile,
    writeTextFile: (path, text, options) => writeFile(path, new TextEncoder().encode(text), options),
    stream: async (path) => (await (await fileOf(path)).getFile()).stream(),
    open,
    stat,
    lstat: stat,
    mkdir: async (path, { recursive = false } = {}) => {
      const parts = partsOf(path);
      if (recursive) return void await folderOf(parts, true);
      const name = parts.pop()!, folder = await folderOf(parts);
      const there = await folder.getDirectoryHandle(name).then(() => true, () => false);
      if (there) throw Object.assign(new Error(`${path} is there already`), { code: "EEXIST" });
      await folder.getDirectoryHandle(name, { create: true });
    },
    readDir: async function* (path): AsyncGenerator<FolderEntry> {
      for await (const { kind, name } of (await folderOf(partsOf(path))).values()) {
        yield { name, isFile: kind === "file", isDirectory: kind === "directory", isSymlink: false };
      }
    },
    rename,
    remove,
    realPath: (path) => Promise.resolve(`/${partsOf(path).join("/")}`),
    link: noLinks,
    symlink: noLinks,
    flushFolder: () => Promise.resolve(),
    lock: async (path, { wait = false } = {}) => {
      const { locks } = navigator as { locks?: Locks };
      if (locks === undefined) return { release: () => {} };
      const name = `anneal:/${partsOf(path).join("/")}`;
      await releasing.get(name); // this page's own, which the browser may not have taken back yet
      return await new Promise((resolve, reject) => {
        const held = locks.request(name, { ifAvailable: !wait }, (lock) => {
          if (lock === null) return resolve(null);
          return new Promise<void>((free) => {
            resolve({
              release: () => {
                releasing.set(name, held.then(() => void releasing.delete(name)));
                free();
              },
            });
          });
        });
        held.catch(reject);
      });
    },
  };
}
