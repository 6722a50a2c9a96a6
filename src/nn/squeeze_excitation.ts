/**
 * Channels weighted by what the whole image has of them.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { checkOptions, func, objectWith, type OptionTable } from "../base/options.ts";
import { aGenerator, type Rng, type Tensor } from "../tensor/mod.ts";
import { ReLU, Sigmoid } from "./activations.ts";
import { layerJson } from "./containers.ts";
import { Conv2d } from "./conv.ts";
import { checkSizes } from "./linear.ts";
import { Module } from "./module.ts";
import { AdaptiveAvgPool2d } from "./pool.ts";
import type { WeightInit } from "./weight_init.ts";

/** Options of {@link SqueezeExcitation}. */
export interface SqueezeExcitationOptions {
  /** Behind the first convolution; `ReLU` by default. */
  readonly activation?: Module;
  /** Makes the factors, behind the second convolution; `Sigmoid` by default. */
  readonly scaleActivation?: Module;
  /** Draws the weights; as `Conv2d` does by default. */
  readonly init?: WeightInit;
  /** Where the first weights come from; the default generator. */
  readonly rng?: Rng;
}

const SQUEEZE_EXCITATION: OptionTable<SqueezeExcitationOptions> = {
  activation: objectWith("a module", "forward"),
  scaleActivation: objectWith("a module", "forward"),
  init: func(),
  rng: aGenerator,
};

/**
 * Multiplies each channel by a factor that two small layers make of the means of all channels. Names and order are
 * torchvision's: `fc1` and `fc2`, convolutions of 1 x 1.
 *
 * @see Hu et al. 2017, arXiv:1709.01507, figure 1
 */
export class SqueezeExcitation extends Module {
  /** The mean of each channel. */
  readonly avgpool: AdaptiveAvgPool2d = new AdaptiveAvgPool2d(1);
  /** From `inputChannels` to `squeezeChannels`. */
  readonly fc1: Conv2d;
  /** And back. */
  readonly fc2: Conv2d;
  /** Between the two. */
  readonly activation: Module;
  /** Behind them. */
  readonly scaleActivation: Module;

  /**
   * Draws the first weights.
   *
   * @param inputChannels Channels of the images.
   * @param squeezeChannels Channels between the two layers.
   */
  constructor(
    readonly inputChannels: number,
    readonly squeezeChannels: number,
    options: SqueezeExcitationOptions = {},
  ) {
    super();
    const { activation, scaleActivation, ...drawn } = checkOptions(
      "make SqueezeExcitation",
      options,
      SQUEEZE_EXCITATION,
    );
    checkSizes("SqueezeExcitation", { inputChannels, squeezeChannels });
    this.fc1 = new Conv2d(inputChannels, squeezeChannels, 1, drawn);
    this.fc2 = new Conv2d(squeezeChannels, inputChannels, 1, drawn);
    this.activation = activation ?? new ReLU();
    this.scaleActivation = this.named("scale_activation", scaleActivation ?? new Sigmoid());
  }

  /** `[n, inputChannels, h, w]` of the same shape, each channel times its factor. */
  override forward(x: Tensor): Tensor {
    const squeezed = this.activation.forward(this.fc1.forward(this.avgpool.forward(x)));
    return this.scaleActivation.forward(this.fc2.forward(squeezed)).mul(x);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { inputChannels, squeezeChannels } = this;
    const activation = layerJson(this.activation), scaleActivation = layerJson(this.scaleActivation);
    if (activation === null || scaleActivation === null) return null;
    return { kind: "SqueezeExcitation", inputChannels, squeezeChannels, activation, scaleActivation };
  }
}
