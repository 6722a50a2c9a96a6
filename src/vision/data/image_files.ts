/**
 * Finding image files.
 *
 * @module
 */
import { extname, join } from "@std/path";
import { ConfigError, DataError } from "../../base/errors.ts";
import { complain } from "../../train/output.ts";
import { checkOptions, flag, texts } from "../../base/options.ts";

/** Endings of image files that can be read; fastai's list has some more, which {@link getImageFiles} tells of. */
export const IMAGE_EXTENSIONS: ReadonlySet<string> = new Set(
  ".avif .bmp .gif .ico .jfif .jpe .jpeg .jpg .pbm .pgm .png .pnm .ppm .svg .tif .tiff .webp".split(" "),
);

/** Endings of images that cannot be read. */
const UNREADABLE: ReadonlySet<string> = new Set(".heic .heif .ief .ras .rgb .xbm .xpm .xwd".split(" "));

/** Options of {@link getImageFiles}. */
export interface GetFilesOptions {
  /** Whether to look into folders inside; true by default. */
  readonly recurse?: boolean;
  /** Folders directly inside that are looked into; all by default. `"."` stands for the files of `path` itself. */
  readonly folders?: readonly string[];
}

/**
 * Image files in a folder that can be read, sorted by path. Links are followed, each folder is looked into once; names that
 * start with a dot are left out. Files of formats that cannot be read are counted on standard error.
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
  const files: string[] = [], seen = new Set<string>(), unreadable: string[] = [];
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
      } else if (inside === false && (!top || folders.length === 0 || folders.includes("."))) {
        const ending = extname(name).toLowerCase();
        if (IMAGE_EXTENSIONS.has(ending)) files.push(full);
        else if (UNREADABLE.has(ending)) unreadable.push(full);
      }
    }
  };
  await visit(root, true);
  if (files.length === 0) {
    const where = folders.length === 0 ? "" : ` (in the folders ${folders.join(", ")})`;
    const others = unreadable.length === 0
      ? ""
      : ` that can be read; ${unreadable.length} such as ${unreadable[0]} cannot, convert them to PNG or JPEG`;
    throw new DataError(`Cannot find images in ${root}${where}: no file has the ending of an image${others}`);
  }
  if (unreadable.length > 0) {
    const some = `${unreadable.length} ${unreadable.length === 1 ? "image" : "images"} such as ${unreadable.sort()[0]}`;
    complain(`${some} cannot be read and are left out: convert them to PNG or JPEG`);
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
