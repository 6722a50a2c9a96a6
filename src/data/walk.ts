/**
 * Files in folders.
 *
 * @module
 */
import { join } from "@std/path";
import { ConfigError, DataError } from "../base/errors.ts";

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
  return path instanceof URL ? decodeURIComponent(path.pathname) : path;
}

/**
 * Files in a folder, sorted by path. Links are followed, each folder is looked into once; names that start with a dot are
 * left out.
 *
 * @throws DataError If a folder is missing or cannot be read; ConfigError without the permission to.
 */
export async function walkFiles(root: string, { recurse, folders, what }: WalkOptions): Promise<string[]> {
  if ((await Deno.permissions.query({ name: "read", path: root })).state !== "granted") {
    throw new ConfigError(`Cannot look for ${what} in ${root}: reading it is not allowed, run again with --allow-read`);
  }
  const files: string[] = [], seen = new Set<string>();
  const visit = async (folder: string, top: boolean): Promise<void> => {
    const real = await orRefuse(folder, what, () => Deno.realPath(folder));
    if (seen.has(real)) return;
    seen.add(real);
    const entries = await orRefuse(folder, what, () => Array.fromAsync(Deno.readDir(folder)));
    for (const { name, isDirectory, isSymlink } of entries) {
      if (name.startsWith(".")) continue;
      const full = join(folder, name);
      // a link that leads nowhere is no file
      const inside = isSymlink ? (await Deno.stat(full).catch(() => null))?.isDirectory ?? null : isDirectory;
      if (inside === true) {
        if (recurse && (!top || folders.length === 0 || folders.includes(name))) await visit(full, false);
      } else if (inside === false && (!top || folders.length === 0 || folders.includes("."))) files.push(full);
    }
  };
  await visit(root, true);
  return files.sort((a, b) => a < b ? -1 : a > b ? 1 : 0);
}

async function orRefuse<T>(folder: string, what: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "there is no such folder"
      : error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable
      ? "reading it is not permitted"
      : error instanceof Deno.errors.NotADirectory
      ? "it is no folder"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new DataError(`Cannot look for ${what} in ${folder}: ${reason}`, { cause: error });
  }
}
