/**
 * Classes by folder, and folders that are none.
 *
 * @module
 */
import { basename, dirname, relative } from "../base/path.ts";
import { DataError } from "../base/errors.ts";

/** Names of the parts of a data set: no class is called so where other images lie in folders inside of them. */
const PARTS: ReadonlySet<string> = new Set(["train", "valid", "val", "validation", "test"]);

/**
 * The folder that each image lies in, as its class.
 *
 * @throws {DataError} Where that folder is the root itself, or a part of the set ("test") beside images whose class lies
 * deeper; it names the folder and an image.
 */
export function folderLabels(root: string, files: readonly string[]): string[] {
  const folders = files.map((file) => relative(root, dirname(file)).split(/[\\/]/).filter((part) => part !== ""));
  const deepest = folders.reduce((most, { length }) => Math.max(most, length), 0);
  folders.forEach((parts, i) => {
    const name = parts.at(-1);
    const fix = "move such images away, or leave { validPct } out where train and valid hold a folder for each class";
    if (name === undefined) {
      const label = basename(root);
      throw new DataError(
        `Cannot take the folder "${label}" for a class: ${
          files[i]
        } lies in ${root} itself, not in a folder that is named ` +
          `as its class; ${fix}`,
      );
    }
    if (parts.length < deepest && PARTS.has(name.toLowerCase())) {
      throw new DataError(
        `Cannot take the folder "${name}" for a class: ${
          files[i]
        } lies in it, those of other classes in folders inside ` +
          `of such a one; ${fix}`,
      );
    }
  });
  return folders.map((parts) => parts[parts.length - 1]);
}

/** The error of folders for training and validation that hold nothing, with the way to load folders of classes alone. */
export function withWayToSplit(error: unknown): unknown {
  if (!(error instanceof DataError) || !error.message.startsWith("Cannot find ")) return error;
  const way = "where each folder is a class, give { validPct: 0.2 }, the share to validate on";
  return new DataError(`${error.message}; ${way}`, { cause: error });
}

/**
 * What is to be said where items are drawn at random from folders that already say which are validated on; null where the
 * folders don't.
 */
export function drawnFromBoth(root: string, paths: readonly string[], train: string, valid: string): string | null {
  const first = new Set(paths.map((path) => relative(root, path).split(/[\\/]/)[0]));
  if (!first.has(train) || !first.has(valid)) return null;
  return `${root} has the folders ${train} and ${valid}, and validPct draws from both alike: ` +
    `without it, those of ${valid} are validated on`;
}
