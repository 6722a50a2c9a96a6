/**
 * Finding image files.
 *
 * @module
 */
import { extname, join } from "@std/path";
import { ConfigError, DataError } from "../../base/errors.ts";
import { checkOptions, flag, texts } from "../../base/options.ts";

/** Endings of image files: those of `image/*` in Python's table of types, as in fastai. */
export const IMAGE_EXTENSIONS: ReadonlySet<string> = new Set(
  (".avif .bmp .gif .heic .heif .ico .ief .jpe .jpeg .jpg .pbm .pgm .png .pnm .ppm .ras .rgb .svg .tif .tiff .webp .xbm " +
    ".xpm .xwd").split(" "),
);

/** Options of {@link getImageFiles}. */
export interface GetFilesOptions {
  /** Whether to look into folders inside; true by default. */
  readonly recurse?: boolean;
  /** Folders directly inside that are looked into; all by default. `"."` stands for the files of `path` itself. */
  readonly folders?: readonly string[];
}

/**
 * Image files in a folder, sorted by path. Links are followed, each folder is looked into once; names that start with a
 * dot are left out.
 *
 * @param path A folder.
 * @throws {DataError} If a folder is missing or can't be read, or there is no image at all.
 */
export async function getImageFiles(path: string | URL, options: GetFilesOptions = {}): Promise<string[]> {
  const { recurse = true, folders = [] } = checkOptions("look for images", options, { recurse: flag, folders: texts });
  const root = path instanceof URL ? decodeURIComponent(path.pathname) : path;
  if ((await Deno.permissions.query({ name: "read", path: root })).state !== "granted") {
    throw new ConfigError(`Cannot look for images in ${root}: reading it is not allowed, run again with --allow-read`);
  }
  const files: string[] = [], seen = new Set<string>();
  const visit = async (folder: string, top: boolean): Promise<void> => {
    const real = await orRefuse(folder, () => Deno.realPath(folder));
    if (seen.has(real)) return;
    seen.add(real);
    const entries = await orRefuse(folder, () => Array.fromAsync(Deno.readDir(folder)));
    for (const { name, isDirectory, isSymlink } of entries) {
      if (name.startsWith(".")) continue;
      const full = join(folder, name);
      // a link that leads nowhere is no file
      const inside = isSymlink ? (await Deno.stat(full).catch(() => null))?.isDirectory ?? null : isDirectory;
      if (inside === true) {
        if (recurse && (!top || folders.length === 0 || folders.includes(name))) await visit(full, false);
      } else if (inside === false && IMAGE_EXTENSIONS.has(extname(name).toLowerCase())) {
        if (!top || folders.length === 0 || folders.includes(".")) files.push(full);
      }
    }
  };
  await visit(root, true);
  if (files.length === 0) {
    const where = folders.length === 0 ? "" : ` (in the folders ${folders.join(", ")})`;
    throw new DataError(`Cannot find images in ${root}${where}: no file has the ending of an image`);
  }
  return files.sort((a, b) => a < b ? -1 : a > b ? 1 : 0);
}

async function orRefuse<T>(folder: string, body: () => Promise<T>): Promise<T> {
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
    throw new DataError(`Cannot look for images in ${folder}: ${reason}`, { cause: error });
  }
}
