/**
 * Files in Node and Bun.
 *
 * @module
 */
import type { FileInfo, FolderEntry, HostFile, HostFiles, HostLock, OpenOptions } from "./host_files_interface.ts";

interface NodeStats {
  isFile(): boolean;
  isDirectory(): boolean;
  readonly size: number;
  readonly mtime: Date;
}

interface NodeHandle {
  read(into: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }>;
  truncate(bytes: number): Promise<void>;
  stat(): Promise<NodeStats>;
  sync(): Promise<void>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/** What is used of `node:fs/promises`. */
interface NodePromises {
  readFile(path: string | URL): Promise<Uint8Array<ArrayBuffer>>;
  writeFile(path: string, data: Uint8Array | string): Promise<void>;
  appendFile(path: string, data: Uint8Array | string): Promise<void>;
  open(path: string, flags: string | number): Promise<NodeHandle>;
  stat(path: string): Promise<NodeStats>;
  lstat(path: string): Promise<NodeStats>;
  mkdir(path: string, options: { readonly recursive?: boolean }): Promise<unknown>;
  readdir(path: string, options: { readonly withFileTypes: true }): Promise<
    readonly { readonly name: string; isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean }[]
  >;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { readonly recursive?: boolean }): Promise<void>;
  rmdir(path: string): Promise<void>;
  realpath(path: string): Promise<string>;
  link(from: string, to: string): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  readonly constants: { readonly [flag: string]: number };
}

interface NodeProcess {
  readonly pid: number;
  readonly platform: string;
  kill(pid: number, signal: 0): void;
  getBuiltinModule(name: "node:fs/promises"): NodePromises;
  getBuiltinModule(name: "node:fs"): { rmSync(path: string, options: { readonly force: true }): void };
}

const PIECE = 1 << 16;

function infoOf(stats: NodeStats): FileInfo {
  return { isFile: stats.isFile(), isDirectory: stats.isDirectory(), size: stats.size, mtime: stats.mtime };
}

class NodeFile implements HostFile {
  readonly #handle: NodeHandle;
  #at = 0;

  constructor(handle: NodeHandle) {
    this.#handle = handle;
  }

  async read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    if (into.length === 0) return 0;
    const { bytesRead } = await this.#handle.read(into, 0, into.length, this.#at);
    this.#at += bytesRead;
    return bytesRead === 0 ? null : bytesRead;
  }

  async write(bytes: Uint8Array): Promise<number> {
    const { bytesWritten } = await this.#handle.write(bytes, 0, bytes.length, this.#at);
    this.#at += bytesWritten;
    return bytesWritten;
  }

  seek(offset: number): Promise<void> {
    this.#at = offset;
    return Promise.resolve();
  }

  truncate(bytes = 0): Promise<void> {
    return this.#handle.truncate(bytes);
  }

  stat(): Promise<{ readonly size: number }> {
    return this.#handle.stat();
  }

  sync(): Promise<void> {
    return this.#handle.sync();
  }

  syncData(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): void {
    this.#handle.close().catch(() => {}); // nothing waits in it
  }
}

/** Milliseconds between two looks at a lock that is waited for. */
const LOCK_MS = 50;

/** Node's own functions, and locks by files that name the process that has them. */
export function nodeFiles(): HostFiles {
  const { process: node } = globalThis as unknown as { process: NodeProcess };
  const fs = node.getBuiltinModule("node:fs/promises"), { rmSync } = node.getBuiltinModule("node:fs");
  const { constants } = fs;
  const own = new Set<string>();

  const flagsOf = ({ read, write, create, createNew, truncate }: OpenOptions): number =>
    (write ? read ? constants.O_RDWR : constants.O_WRONLY : constants.O_RDONLY) |
    (create || createNew ? constants.O_CREAT : 0) | (createNew ? constants.O_EXCL : 0) |
    (truncate ? constants.O_TRUNC : 0);
  const open = async (path: string, options: OpenOptions = {}): Promise<HostFile> =>
    new NodeFile(await fs.open(path, flagsOf(options)));
  const runs = (pid: number): boolean => {
    try {
      node.kill(pid, 0);
      return true;
    } catch (error) {
      return (error as { code?: string }).code === "EPERM"; // another user's
    }
  };
  const tryLock = async (path: string): Promise<HostLock | null> => {
    const file = `${path}.pid`; // the file itself is what Deno locks, and leaves there
    for (let tries = 0; tries < 2; tries++) {
      try {
        const handle = new NodeFile(await fs.open(file, "wx"));
        await handle.write(new TextEncoder().encode(String(node.pid)));
        handle.close();
        own.add(file);
        return {
          release: () => {
            if (own.delete(file)) rmSync(file, { force: true });
          },
        };
      } catch (error) {
        if ((error as { code?: string }).code !== "EEXIST") throw error;
        const pid = Number(new TextDecoder().decode(await fs.readFile(file).catch(() => new Uint8Array(0))));
        if (pid === node.pid ? own.has(file) : pid > 0 && runs(pid)) return null;
        rmSync(file, { force: true }); // whoever had it was killed
      }
    }
    return null;
  };

  return {
    movesFolders: true,
    readFile: async (path) => {
      const { buffer, byteOffset, byteLength } = await fs.readFile(path);
      return new Uint8Array(buffer, byteOffset, byteLength).slice(); // small ones lie in a shared pool
    },
    readTextFile: async (path) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(await fs.readFile(path)),
    writeFile: (path, bytes, { append = false } = {}) =>
      append ? fs.appendFile(path, bytes) : fs.writeFile(path, bytes),
    writeTextFile: (path, text, { append = false } = {}) =>
      append ? fs.appendFile(path, text) : fs.writeFile(path, text),
    stream: async (path) => {
      const file = await open(path);
      return new ReadableStream({
        pull: async (controller) => {
          const piece = new Uint8Array(PIECE), n = await file.read(piece);
          if (n !== null) return controller.enqueue(piece.subarray(0, n));
          controller.close();
          await file.close();
        },
        cancel: () => file.close(),
      });
    },
    open,
    stat: async (path) => infoOf(await fs.stat(path)),
    lstat: async (path) => infoOf(await fs.lstat(path)),
    mkdir: async (path, { recursive = false } = {}) => void await fs.mkdir(path, { recursive }),
    readDir: async function* (path): AsyncGenerator<FolderEntry> {
      for (const entry of await fs.readdir(path, { withFileTypes: true })) {
        const { name } = entry;
        yield {
          name,
          isFile: entry.isFile(),
          isDirectory: entry.isDirectory(),
          isSymlink: entry.isSymbolicLink(),
        };
      }
    },
    rename: (from, to) => fs.rename(from, to),
    remove: async (path, { recursive = false } = {}) => {
      if (!recursive && (await fs.lstat(path)).isDirectory()) return await fs.rmdir(path);
      await fs.rm(path, { recursive });
    },
    realPath: (path) => fs.realpath(path),
    link: (from, to) => fs.link(from, to),
    symlink: (from, to) => fs.symlink(from, to),
    flushFolder: async (path) => {
      if (node.platform === "win32") return;
      const handle = await fs.open(path, "r");
      await handle.sync().finally(() => handle.close());
    },
    lock: async (path, { wait = false } = {}) => {
      for (;;) {
        const lock = await tryLock(path);
        if (lock !== null || !wait) return lock;
        await new Promise((resolve) => setTimeout(resolve, LOCK_MS));
      }
    },
  };
}
