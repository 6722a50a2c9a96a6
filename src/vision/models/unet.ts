/**
 * U-Nets over the bodies of known architectures: a class for each pixel.
 *
 * @see Ronneberger et al. 2015, arXiv:1505.04597; Shi et al. 2016, arXiv:1609.05158; Aitken et al. 2017, arXiv:1707.02937
 * @module
 */
import type { LayerJson } from "../../base/json.ts";
import { ConfigError, ShapeError } from "../../base/errors.ts";
import { checkOptions, flag, num, nums, type OptionTable, other } from "../../base/options.ts";
import { fmtShape } from "../../base/shape.ts";
import { layerJson } from "../../nn/containers.ts";
import {
  type AnyModule,
  BatchNorm2d,
  Conv2d,
  kaimingNormal,
  Module,
  PixelShuffle,
  ReLU,
  Sequential,
  SigmoidRange,
} from "../../nn/mod.ts";
import { evaluating } from "../../nn/modes.ts";
import { aGenerator, cat, noGrad, type Rng, type Tensor, zeros } from "../../tensor/mod.ts";
import type { ImageSize } from "../data/mod.ts";
import type { Arch, VisionModel } from "./arch.ts";
import { BODY, type BodyOptions, createBody, layersOf } from "./create_body.ts";
import { archOf } from "./named.ts";
import { ConvLayer, type ConvLayerOpts } from "./conv_layer.ts";
import { ResBlock } from "./xresnet.ts";

/** Options of {@link DynamicUnet}; names and defaults are fastai's. */
export interface UnetOptions {
  /** Channels of the images; 3 by default. */
  readonly nIn?: number;
  /** Whether images are averaged over 2 x 2 pixels after each enlargement, against checkerboards; false by default. */
  readonly blur?: boolean;
  /** Whether the last enlargement is averaged, too; true by default. */
  readonly blurFinal?: boolean;
  /** Whether the image itself goes into the last layers; true by default. */
  readonly lastCross?: boolean;
  /** Range of the outputs, through a sigmoid; by default they are free. */
  readonly yRange?: readonly [low: number, high: number];
  /** Where the first weights come from; the default generator. */
  readonly rng?: Rng;
}

/** What the options of {@link DynamicUnet} may be. */
export const UNET: OptionTable<UnetOptions> = {
  nIn: num,
  blur: flag,
  blurFinal: flag,
  lastCross: flag,
  yRange: other("two numbers", (v) => nums.holds(v) && (v as readonly number[]).length === 2),
  rng: aGenerator,
};

/** How the layers without normalization are drawn. */
function plain(rng: Rng | undefined): ConvLayerOpts {
  return { norm: false, init: kaimingNormal(), ...(rng === undefined ? {} : { rng }) };
}

/** Averages of 2 x 2 pixels, of images whose first row and column count twice: the size stays. */
class Blur extends Module {
  override forward(x: Tensor): Tensor {
    const wide = cat([x.slice([null, null, null, [0, 1]]), x], { axis: 3 });
    return cat([wide.slice([null, null, [0, 1]]), wide], { axis: 2 }).avgPool2d(2, { stride: 1 });
  }
}

/**
 * Twice as large images: a convolution makes four channels of one, which become 2 x 2 pixels. The four start alike, so
 * that the first images have no checkerboard in them.
 */
function pixelShuffle(cin: number, cout: number, blur: boolean, drawn: ConvLayerOpts): Sequential {
  const shuffle = new ConvLayer(cin, 4 * cout, { ...drawn, kernel: 1 });
  const conv = shuffle.at(0);
  if (conv instanceof Conv2d) {
    const one = conv.weight.slice([[0, cout]]).unsqueeze(1); // drawn as one would be
    conv.weight.assign(cat([one, one, one, one], { axis: 1 }).reshape(conv.weight.shape));
  }
  const layers: Module[] = [shuffle, new PixelShuffle(2)];
  if (blur) layers.push(new Blur());
  return new Sequential(...layers);
}

/** One step up: the image is enlarged, and what the body made of it at that size is put beside it. */
class UnetBlock extends Module<[x: Tensor, skip: Tensor], Tensor> {
  readonly shuf: Sequential;
  readonly bn: BatchNorm2d;
  readonly conv1: ConvLayer;
  readonly conv2: ConvLayer;
  readonly relu: ReLU = new ReLU();

  /**
   * Draws the first weights.
   *
   * @param up Channels from below.
   * @param across Channels of the body at this size.
   * @param last Whether the result has half as many channels.
   */
  constructor(up: number, across: number, last: boolean, blur: boolean, drawn: ConvLayerOpts) {
    super();
    const cin = Math.floor(up / 2) + across, cout = last ? Math.floor(cin / 2) : cin;
    this.shuf = pixelShuffle(up, Math.floor(up / 2), blur, drawn);
    this.bn = new BatchNorm2d(across);
    this.conv1 = new ConvLayer(cin, cout, drawn);
    this.conv2 = new ConvLayer(cout, cout, drawn);
  }

  /** `x` from below and `skip` of the body, `[n, up, h, w]` and `[n, across, 2 h, 2 w]`. */
  override forward(x: Tensor, skip: Tensor): Tensor {
    const large = resized(this.shuf.forward(x), skip);
    return this.conv2.forward(this.conv1.forward(this.relu.forward(cat([large, this.bn.forward(skip)], { axis: 1 }))));
  }
}

/** `x` at the size of `like`; pixels are repeated or left out. */
function resized(x: Tensor, like: Tensor): Tensor {
  const [height, width] = like.shape.slice(2);
  return x.shape[2] === height && x.shape[3] === width ? x : x.interpolate({ size: [height, width], mode: "nearest" });
}

/** A place in the list of layers where the net does something with the image it was given. */
class Marker extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}

/** Modules by number, as in PyTorch's `ModuleList`. */
class Layers extends Module {
  constructor(layers: readonly AnyModule[]) {
    super();
    layers.forEach((layer, i) => Object.defineProperty(this, i, { value: layer, enumerable: true }));
  }

  override forward(): never {
    throw new ConfigError("Cannot call the layers of a U-Net: the net takes each in its turn");
  }
}

/**
 * A U-Net over `encoder`: what the body makes of an image is enlarged step by step, beside what the body had at each size.
 * `[n, nIn, h, w]` gives `[n, nOut, h, w]`. Parameters have the names of fastai's `DynamicUnet`.
 */
export class DynamicUnet extends Module {
  /** All layers, with the numbers that fastai gives them. */
  readonly layers: AnyModule;
  readonly #encoder: Sequential;
  readonly #middle: readonly Module[];
  readonly #ups: readonly UnetBlock[];
  /** The body's layers whose outputs go across, the deepest first. */
  readonly #skips: readonly number[];
  /** Layers after the image has its size again: the residual block and the last convolution. */
  readonly #shuffle: Sequential | null;
  readonly #end: readonly Module[];
  readonly #json: UnetJson;

  /**
   * Draws the first weights.
   *
   * @param encoder The body, a chain of layers.
   * @param nOut Classes of a pixel, or numbers.
   * @param size Size of the images that the net is made for; others are possible, too.
   */
  constructor(encoder: Sequential, nOut: number, size: ImageSize, options: UnetOptions = {}) {
    super();
    checkOptions("make DynamicUnet", options, UNET);
    const { nIn = 3, blur = false, blurFinal = true, lastCross = true, yRange, rng } = options;
    if (!(encoder instanceof Sequential)) {
      throw new ConfigError("Cannot make DynamicUnet: the encoder is a Sequential of layers, as createBody gives it");
    }
    if (!Number.isInteger(nOut) || nOut < 1) {
      throw new ConfigError(`Cannot make DynamicUnet: nOut is a whole number from 1, got ${nOut}`);
    }
    const shapes = shapesOf(encoder, nIn, size), drawn = plain(rng);
    this.#skips = shapes.flatMap(([, , , w], i) => i + 1 < shapes.length && shapes[i + 1][3] !== w ? [i] : [])
      .reverse();
    if (this.#skips.length === 0) {
      throw new ConfigError("Cannot make DynamicUnet: no layer of the encoder makes images smaller");
    }
    let channels = shapes[shapes.length - 1][1];
    const middle = new Sequential(
      new ConvLayer(channels, 2 * channels, drawn),
      new ConvLayer(2 * channels, channels, drawn),
    );
    this.#encoder = encoder;
    this.#middle = [new BatchNorm2d(channels), new ReLU(), middle];
    this.#ups = this.#skips.map((at, i) => {
      const last = i === this.#skips.length - 1, across = shapes[at][1];
      const block = new UnetBlock(channels, across, last, blur && (!last || blurFinal), drawn);
      const width = Math.floor(channels / 2) + across;
      channels = last ? Math.floor(width / 2) : width;
      return block;
    });
    const layers: AnyModule[] = [encoder, ...this.#middle, ...this.#ups];
    const smaller = shapes[0][2] !== size.height || shapes[0][3] !== size.width;
    this.#shuffle = smaller ? pixelShuffle(channels, channels, false, drawn) : null;
    if (this.#shuffle !== null) layers.push(this.#shuffle);
    layers.push(new Marker()); // to the size of the image
    const end: Module[] = [];
    if (lastCross) {
      channels += nIn;
      const block = new ResBlock(1, channels, channels, 1, drawn);
      layers.push(new Marker(), block); // the image beside it
      end.push(block);
    }
    end.push(new ConvLayer(channels, nOut, { ...drawn, kernel: 1, act: false }));
    if (yRange !== undefined) end.push(new SigmoidRange(...yRange));
    layers.push(...end.slice(lastCross ? 1 : 0));
    this.#end = end;
    this.layers = new Layers(layers);
    const all = { nIn, blur, blurFinal, lastCross, yRange: yRange ?? null };
    this.#json = { nOut, size: { width: size.width, height: size.height }, options: all };
  }

  /** The body. */
  get encoder(): Sequential {
    return this.#encoder;
  }

  /** All layers but the body. */
  get decoder(): readonly AnyModule[] {
    return this.layers.children().slice(1);
  }

  /** `[n, nIn, h, w]` gives `[n, nOut, h, w]`. */
  override forward(x: Tensor): Tensor {
    const { nIn, lastCross } = this.#json.options;
    if (x.shape.length !== 4 || x.shape[1] !== nIn) {
      throw new ShapeError(`Cannot segment ${fmtShape(x.shape)}: a U-Net takes images [n, ${nIn}, h, w]`);
    }
    const skips = new Map<number, Tensor>();
    let y = x;
    layersOf(this.#encoder).forEach((layer, i) => {
      y = layer.forward(y);
      if (this.#skips.includes(i)) skips.set(i, y);
    });
    for (const layer of this.#middle) y = layer.forward(y);
    this.#ups.forEach((up, i) => y = up.forward(y, skips.get(this.#skips[i])!));
    if (this.#shuffle !== null) y = this.#shuffle.forward(y);
    y = resized(y, x);
    if (lastCross) y = cat([y, x], { axis: 1 });
    for (const layer of this.#end) y = layer.forward(y);
    return y;
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const encoder = layerJson(this.#encoder);
    if (encoder === null) return null;
    const { nOut, size: { width, height }, options: { yRange, ...options } } = this.#json;
    return {
      kind: "DynamicUnet",
      encoder,
      nOut,
      size: [height, width],
      ...options,
      ...(yRange === null ? {} : { yRange }),
    };
  }
}

/** What a net says of itself. */
interface UnetJson {
  readonly nOut: number;
  readonly size: ImageSize;
  readonly options: Required<Omit<UnetOptions, "rng" | "yRange">> & {
    readonly yRange: readonly [number, number] | null;
  };
}

/** Shapes of what each layer makes of one image. Nothing is computed. */
function shapesOf(encoder: Sequential, nIn: number, { width, height }: ImageSize): readonly (readonly number[])[] {
  const modes = evaluating(encoder);
  try {
    return noGrad(() => {
      let x: Tensor = zeros([1, nIn, height, width]);
      return layersOf(encoder).map((layer) => (x = layer.forward(x)).shape);
    });
  } finally {
    modes();
  }
}

/** Options of {@link createUnetModel}: those of the body, and of the net. */
export interface UnetModelOptions extends BodyOptions, UnetOptions {}

/** What the options of {@link createUnetModel} may be. */
export const UNET_MODEL: OptionTable<UnetModelOptions> = { ...BODY, ...UNET };

/**
 * A U-Net whose body is that of an architecture, or of the one of that name.
 *
 * @param nOut Classes of a pixel.
 * @param size Pixels of both sides of the images, or `[height, width]`.
 */
export async function createUnetModel(
  kind: Arch | string,
  nOut: number,
  size: number | readonly [height: number, width: number],
  options: UnetModelOptions = {},
): Promise<DynamicUnet> {
  checkOptions("make a U-Net", options, UNET_MODEL);
  const arch = archOf(kind);
  const { nIn = 3, pretrained, weights, cut, init, rng, ...net } = options;
  const body: VisionModel = await createBody(arch, {
    nIn,
    ...(pretrained === undefined ? {} : { pretrained }),
    ...(weights === undefined ? {} : { weights }),
    ...(cut === undefined ? {} : { cut }),
    ...(init === undefined ? {} : { init }),
    ...(rng === undefined ? {} : { rng }),
  });
  if (!(body instanceof Sequential)) {
    throw new ConfigError(`Cannot make a U-Net of ${arch.name}: its body is no chain of layers`);
  }
  const [height, width] = typeof size === "number" ? [size, size] : size;
  return new DynamicUnet(body, nOut, { width, height }, { nIn, ...net, ...(rng === undefined ? {} : { rng }) });
}
