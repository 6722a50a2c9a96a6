/**
 * The block of mobile nets: wide inside, narrow outside.
 *
 * @see Sandler et al. 2018, arXiv:1801.04381
 * @module
 */
import type { LayerJson } from "../../base/json.ts";
import { layerJson } from "../../nn/containers.ts";
import {
  type BatchNormOptions,
  Module,
  type Module as AnyLayer,
  Sequential,
  SqueezeExcitation,
  StochasticDepth,
} from "../../nn/mod.ts";
import { type Tensor, zeros } from "../../tensor/mod.ts";
import { convNormAct, type Drawn } from "./feature_classifier.ts";

/** A chain of layers, and the input added to what they give where that has its shape. */
export class InvertedResidual extends Module {
  readonly stochasticDepth: StochasticDepth | null;

  /**
   * Takes the layers.
   *
   * @param block The chain.
   * @param residual Whether the input is added.
   * @param drop Probability that an item leaves the chain out in training, where the input is added.
   */
  constructor(
    readonly block: Sequential,
    readonly residual: boolean,
    readonly drop: number,
    drawn: Pick<Drawn, "rng">,
  ) {
    super();
    const { rng } = drawn;
    this.stochasticDepth = residual && drop > 0
      ? new StochasticDepth(drop, "row", rng === undefined ? {} : { rng })
      : null;
  }

  /** `[n, cin, h, w]` gives `[n, cout, h / stride, w / stride]`. */
  override forward(x: Tensor): Tensor {
    const y = this.block.forward(x);
    if (!this.residual) return y;
    return (this.stochasticDepth === null ? y : this.stochasticDepth.forward(y)).add(x);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { residual, drop } = this, block = layerJson(this.block);
    return block === null ? null : { kind: "InvertedResidual", block, residual, drop };
  }
}

/** What {@link invertedResidual} is made of. */
export interface InvertedResidualSizes {
  readonly cin: number;
  /** Channels inside. */
  readonly wide: number;
  readonly cout: number;
  readonly kernel: number;
  readonly stride: number;
  /** Channels that the weights of channels pass through, and what makes them; null for no such weights. */
  readonly squeeze: { readonly channels: number; readonly activation: AnyLayer; readonly scale: AnyLayer } | null;
  /** Makes an activation. */
  readonly act: () => AnyLayer;
  readonly norm: BatchNormOptions;
  readonly drop: number;
}

/** A 1 x 1 convolution to more channels, one of each channel by itself, weights of channels, and a 1 x 1 convolution to `cout`. */
export function invertedResidual(sizes: InvertedResidualSizes, drawn: Drawn): InvertedResidual {
  const { cin, wide, cout, kernel, stride, squeeze, act, norm, drop } = sizes;
  const layers: Module[] = wide === cin ? [] : [convNormAct(cin, wide, { norm, act: act() }, drawn)];
  layers.push(convNormAct(wide, wide, { kernel, stride, groups: wide, norm, act: act() }, drawn));
  if (squeeze !== null) {
    const { channels, activation, scale: scaleActivation } = squeeze;
    const layer = new SqueezeExcitation(wide, channels, { activation, scaleActivation, ...drawn });
    for (const { bias } of [layer.fc1, layer.fc2]) bias?.assign(zeros(bias.shape));
    layers.push(layer);
  }
  layers.push(convNormAct(wide, cout, { norm }, drawn));
  return new InvertedResidual(new Sequential(...layers), stride === 1 && cin === cout, drop, drawn);
}
