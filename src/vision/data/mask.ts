/**
 * Masks: the class of each pixel.
 *
 * @module
 */
import { ConfigError, DataError } from "../../base/errors.ts";
import { checkOptions, nums, other, shown } from "../../base/options.ts";
import type { TargetBlock } from "../../block/target.ts";
import type { ItemPart } from "../../data/mod.ts";
import type { Label } from "../../data/labels.ts";
import { CrossEntropyLoss, type Loss } from "../../nn/mod.ts";
import type { PixelImage } from "../../plot/mod.ts";
import type { Tensor } from "../../tensor/mod.ts";
import { type ImageSource, nameOf } from "./read_image.ts";
import { applyOpsNearest } from "./pixel_ops.ts";
import type { ImageHistory, SpatialTarget, Warp } from "./spatial.ts";

/** Options of {@link MaskBlock}. */
export interface MaskBlockOptions {
  /** Names of the classes, in the order of their numbers. */
  readonly codes: readonly Label[];
  /**
   * The grey value of each class's pixels, such as `[0, 255]` for black and white; by default the number of the class.
   */
  readonly values?: readonly number[];
}

/** A class for each pixel: i32 `[n, h, w]`. The loss is cross-entropy over `[n, c, h, w]`. */
export class MaskTarget implements SpatialTarget<ImageSource> {
  /** See {@link SpatialTarget.kind}. */
  readonly kind = "mask";
  /** Masks of a batch, before they become i32. */
  readonly dtype = "u8";
  /** Names of the classes. */
  readonly vocab: readonly Label[];
  /** The class of each grey value; 255 for none. */
  readonly #classOf = new Uint8Array(256).fill(255);

  /**
   * Masks with these classes.
   *
   * @param vocab Names of the classes.
   * @param values The grey value of each.
   */
  constructor(vocab: readonly Label[], values: readonly number[] = vocab.map((_, i) => i)) {
    if (vocab.length < 2 || vocab.length > 255) {
      throw new ConfigError(`Cannot read masks of ${vocab.length} classes: there are 2 to 255`);
    }
    if (values.length !== vocab.length || new Set(values).size !== values.length) {
      throw new ConfigError(
        `Cannot read masks: values has a grey value of its own for each of ${vocab.length} classes, got ${
          shown(values)
        }`,
      );
    }
    const bad = values.find((v) => !Number.isInteger(v) || v < 0 || v > 255);
    if (bad !== undefined) throw new ConfigError(`Cannot read masks: grey values go from 0 to 255, got ${bad}`);
    this.vocab = vocab;
    values.forEach((value, code) => this.#classOf[value] = code);
  }

  /** Number of classes. */
  get c(): number {
    return this.vocab.length;
  }

  /** See `Target.lossFunc`. */
  lossFunc(): Loss {
    return new CrossEntropyLoss({ axis: 1 });
  }

  /** Masks have no numbers without their image: see {@link MaskTarget.place}. */
  encode(_label: ImageSource, of: string): never {
    throw new ConfigError(`Cannot read the mask of ${of} without its image`);
  }

  /** Reads a mask, and does to it what was done to its image; pixels are taken, not mixed. */
  async place(label: ImageSource, { size, steps, load }: ImageHistory, of: string): Promise<ItemPart> {
    if (typeof label !== "string" && !(label instanceof URL) && !(label instanceof Uint8Array)) {
      throw new DataError(`Cannot read the mask of ${of}: it is a path, a URL or a file's bytes, got ${shown(label)}`);
    }
    const mask = await load(label), where = nameOf(label);
    if (mask.width !== size.width || mask.height !== size.height) {
      throw new DataError(
        `Cannot use the mask ${where} of ${of}: both have one size, got ${mask.width} x ${mask.height} and ` +
          `${size.width} x ${size.height}`,
      );
    }
    const codes = applyOpsNearest({ ...mask, data: this.#codes(mask, where), channels: 1 }, steps);
    return { data: codes.data, shape: [codes.height, codes.width] };
  }

  #codes({ data, width }: PixelImage, where: string): Uint8Array {
    const out = new Uint8Array(data.length / 3);
    for (let i = 0; i < out.length; i++) {
      const grey = data[3 * i];
      if (data[3 * i + 1] !== grey || data[3 * i + 2] !== grey) {
        throw new DataError(
          `Cannot read the mask ${where}: it is colored at (${i % width}, ${Math.floor(i / width)}), masks are grey ` +
            "pictures with the class of each pixel; write the numbers of the palette's colors as a grey PNG",
        );
      }
      out[i] = this.#classOf[grey];
      if (out[i] === 255) {
        throw new DataError(
          `Cannot read the mask ${where}: the grey value ${grey} at (${i % width}, ${
            Math.floor(i / width)
          }) is none of ` +
            `${this.c} classes; give { values }, the grey value of each class, such as [0, 255] for black and white`,
        );
      }
    }
    return out;
  }

  /** See {@link SpatialTarget.warp}. */
  warp(y: Tensor, { grid, paddingMode }: Warp): Tensor {
    const codes = y.cast("f32").unsqueeze(1).gridSample(grid, { mode: "nearest", paddingMode, alignCorners: true });
    return codes.squeeze(1).cast("i32");
  }

  /** How much of the image each class covers, those that occur. */
  caption(numbers: ArrayLike<number>): string {
    const counts = new Array<number>(this.c).fill(0);
    for (let i = 0; i < numbers.length; i++) counts[numbers[i]]++;
    const share = (n: number) => `${Math.round(100 * n / numbers.length)} %`;
    return counts.flatMap((n, i) => n === 0 ? [] : [`${this.vocab[i]} ${share(n)}`]).join(", ");
  }
}

/**
 * The block of masks: a label is the path, the `file:` URL or the bytes of a grey picture of the image's size, whose values
 * are the classes of its pixels.
 */
export function MaskBlock(options: MaskBlockOptions): TargetBlock<ImageSource> {
  const { codes, values } = checkOptions("make MaskBlock", options, {
    codes: other("names of the classes", Array.isArray),
    values: nums,
  });
  if (codes === undefined) throw new ConfigError("Cannot make MaskBlock: it needs { codes }, the names of the classes");
  const target = new MaskTarget(codes, values);
  return { name: "MaskBlock", setup: () => target };
}
