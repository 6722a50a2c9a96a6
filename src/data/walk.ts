/**
 * Files in folders.
 *
 * @module
 */
import { host } from "../base/host.ts";
import { fileFault, files, type FolderEntry, isMissing } from "../base/host_files.ts";
import { join } from "../base/path.ts";
import { ConfigError, DataError } from "../base/errors.ts";
import { checkPath } from "../base/options.ts";

/** Where {@link walkFiles} looks. */
export interface WalkOptions {
  /** Whether to look into folders inside. */
  readonly recurse: boolean;
  /** Folders directly inside that are looked into; all where it is empty. `"."` stands for the files of the folder itself. */
  readonly folders: readonly string[];
  /** What is looked for, for errors. */
  readonly what: string;
}

/** A folder's path. */
export function folderPath(path: string | URL): string {
  const folder = path instanceof URL && path.protocol === "file:" ? decodeURIComponent(path.pathname) : path;
  checkPath("look into a folder", folder);
  return folder;
}

/**
 * Files in a folder, sorted by path. Links are followed, each folder is looked into once; names that start with a dot are
 * left out.
 *
 * @throws DataError If a folder is missing or cannot be read; ConfigError without the permission to.
 */
export async function walkFiles(root: string, { recurse, folders, what }: WalkOptions): Promise<string[]> {
  if (!host.granted("read", root)) {
    throw new ConfigError(`Cannot look for ${what} in ${root}: reading it is not allowed, run again with --allow-read`);
  }
  const found: string[] = [], seen = new Set<string>();
  const visit = async (folder: string, top: boolean): Promise<void> => {
    const real = await orRefuse(folder, what, () => files.realPath(folder));
    if (seen.has(real)) return;
    seen.add(real);
    const entries = await orRefuse(folder, what, () => listed(folder));
    for (const { name, isDirectory, isSymlink } of entries) {
      if (name.startsWith(".")) continue;
      const full = join(folder, name);
      // a link that leads nowhere is no file
      const inside = isSymlink ? (await files.stat(full).catch(() => null))?.isDirectory ?? null : isDirectory;
      if (inside === true) {
        if (recurse && (!top || folders.length === 0 || folders.includes(name))) await visit(full, false);
      } else if (inside === false && (!top || folders.length === 0 || folders.includes("."))) found.push(full);
    }
  };
  await visit(root, true);
  return found.sort((a, b) => a < b ? -1 : a > b ? 1 : 0);
}

async function listed(folder: string): Promise<FolderEntry[]> {
  const entries: FolderEntry[] = [];
  for await (const entry of files.readDir(folder)) entries.push(entry);
  return entries;
}

async function orRefuse<T>(folder: string, what: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    const reason = isMissing(error)
      ? "there is no such folder"
      : fileFault(error) === "denied"
      ? "reading it is not permitted"
      : fileFault(error) === "no folder"
      ? "it is no folder"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new DataError(`Cannot look for ${what} in ${folder}: ${reason}`, { cause: error });
  }
}
