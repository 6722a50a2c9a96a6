/**
 * A small net for small images.
 *
 * @module
 */
import { checkOptions, nums } from "../../base/options.ts";
import { AdaptiveAvgPool2d, Flatten, Linear, Sequential } from "../../nn/mod.ts";
import { ARCH, type Arch, type ArchOptions, defineArch } from "./arch.ts";
import { ConvLayer } from "./conv_layer.ts";

/** Options of {@link SimpleCnn}. */
export interface SimpleCnnOptions extends ArchOptions {
  /** Channels after each convolution; each halves the image. */
  readonly filters?: readonly number[];
}

/** Convolutions of stride 2, each with normalization and ReLU, the mean of each channel, and a linear layer. */
export class SimpleCnn extends Sequential {
  /** Draws the first weights. */
  constructor(options: SimpleCnnOptions = {}) {
    checkOptions("make SimpleCnn", options, { ...ARCH, filters: nums });
    const { filters = [32, 64, 128, 256], nOut = 1000, nIn = 3, init, rng } = options;
    const drawn = { ...(init === undefined ? {} : { init }), ...(rng === undefined ? {} : { rng }) };
    super(
      ...filters.map((cout, i) => new ConvLayer(i === 0 ? nIn : filters[i - 1], cout, { stride: 2, ...drawn })),
      new AdaptiveAvgPool2d(1),
      new Flatten(),
      new Linear(filters.at(-1) ?? nIn, nOut, rng === undefined ? {} : { rng }),
    );
  }
}

/** Four convolutions, 32 to 256 channels: 0.4 million parameters and as many outputs as asked for. */
export const simpleCnn: Arch = defineArch("simpleCnn", (options) => new SimpleCnn(options));
