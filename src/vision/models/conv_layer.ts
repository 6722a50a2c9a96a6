/**
 * Convolution, normalization and activation in a row.
 *
 * @module
 */
import { BatchNorm2d, Conv2d, kaimingNormal, type Module, ReLU, Sequential, type WeightInit } from "../../nn/mod.ts";
import { type Rng, zeros } from "../../tensor/mod.ts";

/** Options of {@link ConvLayer}. */
export interface ConvLayerOpts {
  /** Rows and columns of a window; 3 by default. The padding keeps sizes at stride 1. */
  readonly kernel?: number;
  /** Distance between windows; 1 by default. */
  readonly stride?: number;
  /** Parts that the channels fall into; 1 by default. */
  readonly groups?: number;
  /** Whether ReLU follows; true by default. */
  readonly act?: boolean;
  /** Whether batch normalization follows; true by default. Without it the convolution has a bias, which starts at 0. */
  readonly norm?: boolean;
  /** Weight of the normalization at the start; 1 by default. */
  readonly firstWeight?: number;
  /** Draws the weight; Kaiming's normal distribution by default. */
  readonly init?: WeightInit;
  /** Where the first weights come from; the default generator. */
  readonly rng?: Rng;
}

/** A convolution, batch normalization, and ReLU: names "0", "1" and "2" in the state. */
export class ConvLayer extends Sequential {
  /**
   * Draws the first weights.
   *
   * @param cin Channels of the input.
   * @param cout Channels of the output.
   */
  constructor(cin: number, cout: number, options: ConvLayerOpts = {}) {
    const { kernel = 3, stride = 1, groups = 1, act = true, norm = true, firstWeight = 1 } = options;
    const { init = kaimingNormal(), rng } = options;
    const drawn = { init, ...(rng === undefined ? {} : { rng }) };
    const conv = new Conv2d(cin, cout, kernel, { stride, padding: kernel >> 1, groups, bias: !norm, ...drawn });
    conv.bias?.assign(zeros([cout]));
    const layers: Module[] = norm ? [conv, new BatchNorm2d(cout, { firstWeight })] : [conv];
    if (act) layers.push(new ReLU());
    super(...layers);
  }
}
