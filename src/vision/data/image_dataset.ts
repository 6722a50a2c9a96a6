/**
 * Images and their labels as a data set: got one by one, decoded and brought to one size.
 *
 * @module
 */
import { DataError } from "../../base/errors.ts";
import { textHash } from "../../base/checksum.ts";
import type { Target } from "../../block/target.ts";
import type { Dataset, ItemPart } from "../../data/mod.ts";
import type { PixelImage } from "../../plot/mod.ts";
import { type Dtype, Rng } from "../../tensor/mod.ts";
import type { ImageSource } from "./read_image.ts";
import { filesFacts } from "./files_facts.ts";
import type { ImageStore } from "./image_store.ts";
import type { ItemContext, ItemTransform } from "./item_tfms.ts";
import { applyOps, type PixelOp } from "./pixel_ops.ts";
import { isSpatial, type SpatialTarget } from "./spatial.ts";

/** An image after its transforms, in their order. */
export function transformed(image: PixelImage, tfms: readonly ItemTransform[], context: ItemContext): PixelImage {
  return withSteps(image, tfms, context).image;
}

/** The same, with what was done. */
function withSteps(
  image: PixelImage,
  tfms: readonly ItemTransform[],
  context: ItemContext,
): { readonly image: PixelImage; readonly steps: readonly PixelOp[] } {
  const steps: PixelOp[] = [];
  for (const tfm of tfms) {
    const ops = tfm.plan(image, context);
    image = applyOps(image, ops);
    steps.push(...ops);
  }
  return { image, steps };
}

/** Whether every transform gives an image like this one the same pixels each time. */
export function steady(image: PixelImage, tfms: readonly ItemTransform[]): boolean {
  const context = { training: false, rng: new Rng() };
  for (const tfm of tfms) {
    if (!tfm.steady(image)) return false;
    image = applyOps(image, tfm.plan(image, context));
  }
  return true;
}

/** Images of a set, and what each is paired with. */
export interface LabelledImages {
  /** Paths of the images. */
  readonly files: readonly string[];
  /** The label of each, as the data has it; null for images without labels. */
  readonly labels: readonly unknown[] | null;
  /** The numbers of each label; empty where they depend on the image, as those of masks and points. */
  readonly parts: readonly ItemPart[];
}

/** Labels as numbers, but for those that depend on their images. */
export function labelled(
  files: readonly string[],
  labels: readonly unknown[] | null,
  target: Target | null,
): LabelledImages {
  const early = labels === null || target === null || isSpatial(target);
  return { files, labels, parts: early ? [] : labels.map((label, i) => target.encode(label, files[i])) };
}

/** What an {@link ImageDataset} is made of. */
export interface ImageDatasetOptions extends LabelledImages {
  /** What labels are. */
  readonly target: Target;
  /** Transforms, in order. */
  readonly itemTfms: readonly ItemTransform[];
  /** Whether the images are trained on. */
  readonly training: boolean;
  /** Where images are changed as in training, but predicted on: the seed of these changes. */
  readonly augment?: number;
  /** Where images come from. */
  readonly store: ImageStore;
}

/** Items are the image, u8 `[height, width, 3]`, and its label, where there is one. */
export class ImageDataset implements Dataset {
  readonly #options: ImageDatasetOptions;
  #shape: { readonly image: PixelImage; readonly file: string } | null = null;

  /** @param options See {@link ImageDatasetOptions}. */
  constructor(options: ImageDatasetOptions) {
    this.#options = options;
  }

  /** See {@link Dataset.dtypes}. */
  get dtypes(): readonly Dtype[] {
    return ["u8", this.#options.target.dtype];
  }

  /** See {@link Dataset.evaluation}. */
  get evaluation(): Dataset {
    return this.#options.training && this.#options.augment === undefined
      ? new ImageDataset({ ...this.#options, training: false })
      : this;
  }

  /** Number of images. */
  get length(): number {
    return this.#options.files.length;
  }

  /** Names, sizes and order of the files, their labels, and what is in them; see {@link filesFacts}. */
  async fingerprint(): Promise<Readonly<Record<string, string>>> {
    const { files, labels, parts, target } = this.#options;
    const facts = await filesFacts(files);
    if (labels === null) return { ...facts, labels: "none" };
    if (target.kind === "mask") {
      const paths = labels.filter((label) => typeof label === "string");
      const masks = paths.length === labels.length ? await filesFacts(paths) : {};
      return { ...facts, ...Object.fromEntries(Object.entries(masks).map(([name, v]) => [`${name} of masks`, v])) };
    }
    const text = parts.length > 0 ? parts.map(textOf).join() : JSON.stringify(labels);
    return { ...facts, labels: `#${textHash(text)}` };
  }

  /** The image of item `i` after its transforms. */
  async image(i: number, rng: Rng): Promise<PixelImage> {
    return (await this.#load(i, rng)).image;
  }

  async #load(i: number, rng: Rng): Promise<{ image: PixelImage; source: PixelImage; steps: readonly PixelOp[] }> {
    const { files, store, itemTfms, training, augment } = this.#options;
    if (augment !== undefined) rng = mixed(rng, augment);
    const source = await store.load(files[i]);
    const { image, steps } = withSteps(source, itemTfms, { training, rng });
    const first = this.#shape ??= { image, file: files[i] };
    if (first.image.width !== image.width || first.image.height !== image.height) {
      const size = (x: PixelImage) => `${x.width} x ${x.height}`;
      throw new DataError(
        `Cannot put ${first.file} and ${files[i]} into one batch: images must have one size, got ` +
          `${size(first.image)} and ${size(image)}; use itemTfms: [new Resize(224)]`,
      );
    }
    return { image, source, steps };
  }

  /** See {@link Dataset.get}. */
  async get(i: number, rng: Rng): Promise<readonly ItemPart[]> {
    const { labels, parts, target, files, store } = this.#options;
    const { image: { data, width, height }, source, steps } = await this.#load(i, rng);
    const pixels = { data, shape: [height, width, 3] };
    if (labels === null) return [pixels];
    if (!isSpatial(target)) return [pixels, parts[i]];
    const load = (other: ImageSource) => typeof other === "string" ? store.load(other) : store.decode(other);
    return [pixels, await (target as SpatialTarget).place(labels[i], { size: source, steps, load }, files[i])];
  }
}

/** Random numbers that differ from seed to seed, of a generator that does not. */
export function mixed(rng: Rng, seed: number): Rng {
  return new Rng((rng.integer(2 ** 31) ^ Math.imul(seed + 1, 0x9e3779b1)) >>> 0);
}

function textOf(part: ItemPart): string {
  return typeof part === "number" ? String(part) : (part as Float32Array).join(" ");
}
