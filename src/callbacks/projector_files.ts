/**
 * Embeddings for TensorBoard's projector: vectors, their labels, and pictures of what they stand for.
 *
 * @see https://www.tensorflow.org/tensorboard/tensorboard_projector_plugin
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { ConfigError, DataError } from "../base/errors.ts";
import { files, isMissing } from "../base/host_files.ts";
import { join } from "../base/path.ts";
import { fmtShape } from "../base/shape.ts";
import { inBlocks } from "../base/event_loop_yielder.ts";
import { writeAtomic, writeTextAtomic } from "../base/atomic.ts";
import { encodePng } from "../plot/encode_png.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { ProjectorOptions } from "./projector.ts";

/** Widest sprite that the page shows, in pixels. */
const MAX_SPRITE = 8192;

/** See `writeProjector`. */
export async function writeProjectorFiles(dir: string, vectors: Tensor, options: ProjectorOptions): Promise<void> {
  const { name = "embedding", labels, images } = options;
  if (!/^[\w .-]+$/.test(name) || /^\.+$/.test(name)) {
    throw new ConfigError(`Cannot name vectors "${name}": names have letters, digits, blanks, _, - and .`);
  }
  const { shape } = vectors, [n, d] = shape;
  if (shape.length !== 2 || n === 0 || d === 0) {
    throw new DataError(`Cannot project vectors of shape ${fmtShape(shape)}: they are [n, d], with n and d above 0`);
  }
  const columns = labels === undefined ? null : columnsOf(labels, n), sprite = images && await spriteOf(images, n);
  const folder = join(dir, name);
  await writeAtomic(join(folder, "tensors.tsv"), await rowsOf(await vectors.data(), n, d));
  if (columns !== null) {
    await writeTextAtomic(join(folder, "metadata.tsv"), tableOf(columns, n));
  }
  if (sprite) await writeAtomic(join(folder, "sprite.png"), [sprite.png]);
  await putEntry(join(dir, "projector_config.pbtxt"), name, [
    `  tensor_name: "${name}"`,
    `  tensor_path: "${name}/tensors.tsv"`,
    ...(columns === null ? [] : [`  metadata_path: "${name}/metadata.tsv"`]),
    ...(sprite
      ? [
        "  sprite {",
        `    image_path: "${name}/sprite.png"`,
        `    single_image_dim: ${sprite.width}`,
        `    single_image_dim: ${sprite.height}`,
        "  }",
      ]
      : []),
  ]);
}

async function rowsOf(values: ArrayLike<number>, n: number, d: number): Promise<Uint8Array[]> {
  const encoder = new TextEncoder(), parts: Uint8Array[] = [];
  await inBlocks(n, (from, to) => {
    let lines = "";
    for (let r = from; r < to; r++) {
      for (let c = 0; c < d; c++) {
        const value = Number(values[r * d + c]);
        if (!Number.isFinite(value)) throw new DataError(`Cannot project vector ${r}: element ${c} is ${value}`);
        lines += `${value}${c === d - 1 ? "\n" : "\t"}`;
      }
    }
    parts.push(encoder.encode(lines));
  }, 256);
  return parts;
}

function columnsOf(labels: NonNullable<ProjectorOptions["labels"]>, n: number): Record<string, readonly unknown[]> {
  const columns: Readonly<Record<string, readonly unknown[]>> = Array.isArray(labels)
    ? { "": labels }
    : labels as Readonly<Record<string, readonly unknown[]>>;
  for (const [name, column] of Object.entries(columns)) {
    if (Array.isArray(column) && column.length === n) continue;
    throw new DataError(
      `Cannot label ${n} vectors${name === "" ? "" : ` by "${name}"`}: there ${
        Array.isArray(column) ? `are ${column.length} labels` : "is no array of labels"
      }`,
    );
  }
  if (Object.keys(columns).length === 0) throw new DataError("Cannot label vectors: labels has no column");
  return columns;
}

/** A line for each vector; with a header where there are several columns, as the page wants it. */
function tableOf(columns: Readonly<Record<string, readonly unknown[]>>, n: number): string {
  const plain = (cell: unknown) => String(cell ?? "").replace(/[\t\r\n]+/g, " ") || " "; // an empty line would be no row
  const names = Object.keys(columns), one = names.length === 1;
  const lines = Array.from({ length: n }, (_, r) => names.map((name) => plain(columns[name][r])).join("\t"));
  return `${(one ? lines : [names.map(plain).join("\t"), ...lines]).join("\n")}\n`;
}

/** All pictures in one, side by side in a square. */
async function spriteOf(images: Tensor, n: number): Promise<{ png: Uint8Array; width: number; height: number }> {
  const [count, channels, height, width] = images.shape;
  if (images.shape.length !== 4 || channels !== 1 && channels !== 3) {
    throw new DataError(`Cannot show images of shape ${fmtShape(images.shape)}: they are [n, 1 or 3, height, width]`);
  }
  if (count !== n) throw new DataError(`Cannot show ${n} vectors by images: there are ${count}`);
  const side = Math.ceil(Math.sqrt(n));
  if (side * Math.max(width, height) > MAX_SPRITE) {
    throw new DataError(
      `Cannot show ${n} images of ${width} x ${height} pixels: ${side} side by side are more than ${MAX_SPRITE} pixels; ` +
        "make them smaller, or project fewer vectors",
    );
  }
  const values = await images.data(), scale = images.dtype === "u8" ? 1 : 255;
  const row = side * width * channels, data = new Uint8Array(side * height * row).fill(255);
  await inBlocks(n, (from, to) => {
    for (let i = from; i < to; i++) {
      const top = Math.floor(i / side) * height, left = (i % side) * width;
      for (let c = 0; c < channels; c++) {
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const value = Number(values[((i * channels + c) * height + y) * width + x]) * scale;
            data[(top + y) * row + (left + x) * channels + c] = Math.max(0, Math.min(255, Math.round(value)));
          }
        }
      }
    }
  }, 64);
  return { png: await encodePng({ data, width: side * width, height: side * height, channels }), width, height };
}

/** Puts an entry in place of that of the same name, beside the others. */
async function putEntry(path: string, name: string, lines: readonly string[]): Promise<void> {
  const before = await files.readTextFile(path).catch((error) => {
    if (isMissing(error)) return "";
    throw error;
  });
  const others = before.split(/^(?=embeddings \{)/m).filter((entry) =>
    entry.trim() !== "" && !entry.includes(`tensor_name: "${name}"\n`)
  );
  const text = [...others.map((entry) => entry.trimEnd()), `embeddings {\n${lines.join("\n")}\n}`].join("\n");
  await writeTextAtomic(path, `${text}\n`);
}
