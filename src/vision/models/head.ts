/**
 * The head that learners put onto a body.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { checkOptions, either, flag, func, num, nums, type OptionTable, orNull, other } from "../../base/options.ts";
import {
  AdaptiveAvgPool2d,
  AdaptiveConcatPool2d,
  BatchNorm1d,
  Dropout,
  Flatten,
  kaimingNormal,
  Linear,
  type Module,
  ReLU,
  Sequential,
  SigmoidRange,
  type WeightInit,
} from "../../nn/mod.ts";
import { aGenerator, type Rng } from "../../tensor/mod.ts";

/** Options of {@link createHead}; the defaults are fastai's. */
export interface HeadOptions {
  /** Sizes between the hidden layers; [512] by default. */
  readonly linFtrs?: readonly number[];
  /** Dropout before the last layer, 0.5 by default, and half of it before the others; or one number a layer. */
  readonly ps?: number | readonly number[];
  /** Whether the head begins with a pool; true by default. */
  readonly pool?: boolean;
  /** Whether the pool gives largest elements and means, not means alone; true by default. */
  readonly concatPool?: boolean;
  /** Whether the first linear layer is preceded by batch normalization; true by default. */
  readonly firstBn?: boolean;
  /** Whether the outputs are normalized; false by default. */
  readonly bnFinal?: boolean;
  /** Whether linear layers come before, not after, normalization and dropout; false by default. */
  readonly linFirst?: boolean;
  /** What the outputs are kept between, `[low, high]`; nothing by default. */
  readonly yRange?: readonly [low: number, high: number] | null;
  /** Draws the weights of linear layers; Kaiming's normal distribution by default. */
  readonly init?: WeightInit;
  /** Where the first weights come from; the default generator. */
  readonly rng?: Rng;
}

/** Bias of the head's normalizations at the start, as fastai has it. */
const FIRST_BIAS = 1e-3;

/** What the options of {@link createHead} may be. */
export const HEAD: OptionTable<HeadOptions> = {
  linFtrs: nums,
  ps: either(num, nums),
  pool: flag,
  concatPool: flag,
  firstBn: flag,
  bnFinal: flag,
  linFirst: flag,
  yRange: orNull(other("[low, high]", (v) => nums.holds(v) && (v as readonly number[]).length === 2)),
  init: func(),
  rng: aGenerator,
};

/**
 * Layers that make `nOut` outputs of images with `nf` channels: pool, and for each linear layer normalization, dropout, the
 * layer itself, without bias where it is normalized, and ReLU but for the last.
 *
 * @param nf Channels of the body's output.
 * @param nOut Number of outputs.
 */
export function createHead(nf: number, nOut: number, options: HeadOptions = {}): Sequential {
  checkOptions("make a head", options, HEAD);
  const { linFtrs = [512], ps = 0.5, pool = true, concatPool = true, firstBn = true, bnFinal = false } = options;
  const { linFirst = false, yRange = null, init = kaimingNormal(), rng } = options;
  const sizes = [pool && concatPool ? 2 * nf : nf, ...linFtrs, nOut];
  const count = sizes.length - 1;
  const drops = dropouts(ps, count);
  const act = new ReLU(); // one for all layers, as in fastai
  const drop = (p: number): Module[] => p === 0 ? [] : [new Dropout(p, rng === undefined ? {} : { rng })];
  const linear = (i: number, bias: boolean): Module => {
    const first = new Linear(sizes[i], sizes[i + 1], { init, bias, ...(rng === undefined ? {} : { rng }) });
    if (first.bias !== null) first.bias.assign(first.bias.mul(0));
    return first;
  };
  const norm = (n: number): Module => new BatchNorm1d(n, { firstBias: FIRST_BIAS });

  const layers: Module[] = [];
  if (pool) layers.push(concatPool ? new AdaptiveConcatPool2d() : new AdaptiveAvgPool2d(1), new Flatten());
  if (linFirst) layers.push(...drop(drops[0]));
  for (let i = 0; i < (linFirst ? count - 1 : count); i++) {
    const bn = i > 0 || firstBn;
    const lin = [linear(i, !bn), ...(i < count - 1 ? [act] : [])];
    const before = bn ? [norm(sizes[linFirst ? i + 1 : i])] : [];
    const rest = [...before, ...drop(drops[linFirst ? i + 1 : i])];
    layers.push(...(linFirst ? [...lin, ...rest] : [...rest, ...lin]));
  }
  if (linFirst) layers.push(linear(count - 1, true));
  if (bnFinal) layers.push(new BatchNorm1d(nOut, { momentum: 0.01 }));
  if (yRange !== null) layers.push(new SigmoidRange(...yRange));
  return new Sequential(...layers);
}

/** Dropout of each of `count` layers. */
function dropouts(ps: number | readonly number[], count: number): readonly number[] {
  const given = typeof ps === "number" ? [ps] : ps;
  if (given.some((p) => !(p >= 0 && p <= 1))) {
    throw new ConfigError(`Cannot make a head: ps are probabilities from 0 to 1, got ${given.join(", ")}`);
  }
  if (given.length === 1) return Array.from({ length: count }, (_, i) => i < count - 1 ? given[0] / 2 : given[0]);
  if (given.length !== count) {
    throw new ConfigError(`Cannot make a head: ${count} layers need one ps or ${count} of them, got ${given.length}`);
  }
  return given;
}
