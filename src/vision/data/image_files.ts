/**
 * Finding image files.
 *
 * @module
 */
import { extname } from "../../base/path.ts";
import { DataError } from "../../base/errors.ts";
import { complain } from "../../train/output.ts";
import { checkOptions, flag, texts } from "../../base/options.ts";
import { folderPath, walkFiles } from "../../data/walk.ts";

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
  const root = folderPath(path), files: string[] = [], unreadable: string[] = [];
  for (const file of await walkFiles(root, { recurse, folders, what: "images" })) {
    const ending = extname(file).toLowerCase();
    if (IMAGE_EXTENSIONS.has(ending)) files.push(file);
    else if (UNREADABLE.has(ending)) unreadable.push(file);
  }
  if (files.length === 0) {
    const where = folders.length === 0 ? "" : ` (in the folders ${folders.join(", ")})`;
    const others = unreadable.length === 0
      ? ""
      : ` that can be read; ${unreadable.length} such as ${unreadable[0]} cannot, convert them to PNG or JPEG`;
    throw new DataError(`Cannot find images in ${root}${where}: no file has the ending of an image${others}`);
  }
  if (unreadable.length > 0) {
    const some = `${unreadable.length} ${unreadable.length === 1 ? "image" : "images"} such as ${unreadable[0]}`;
    complain(`${some} cannot be read and are left out: convert them to PNG or JPEG`);
  }
  return files;
}
