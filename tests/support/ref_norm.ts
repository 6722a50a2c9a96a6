/**
 * Float64 references of normalisation. Inputs are [n, c, ...]; weights and biases have one entry a channel, but for layerNorm.
 *
 * @module
 */
import { mapped, type Ref, zipped } from "./ref_core.ts";
import { mean, variance } from "./ref_reduce.ts";
import { reshape } from "./ref_shape.ts";

/** Scale and shift after normalisation, and what keeps the root from 0. */
export interface NormOptions {
  readonly weight?: Ref;
  readonly bias?: Ref;
  readonly eps?: number;
}

/** `(x - mean) / sqrt(variance + eps) * weight + bias`, all broadcast. */
function normalized(x: Ref, centre: Ref, spread: Ref, { weight, bias, eps = 1e-5 }: NormOptions): Ref {
  const y = zipped((v, m, s) => (v - m) / Math.sqrt(s + eps), x, centre, spread);
  const scaled = weight ? zipped((v, w) => v * w, y, weight) : y;
  return bias ? zipped((v, b) => v + b, scaled, bias) : scaled;
}

/** [c] as [c, 1, 1, ...], which broadcasts over [n, c, ...]. */
function perChannel(v: Ref | undefined, x: Ref): Ref | undefined {
  return v && reshape(v, [-1, ...x.shape.slice(2).map(() => 1)]);
}

/** Normalises over the last axes, as many as `dims` says; weight and bias have their shape. */
export function layerNorm(x: Ref, dims: number, options: NormOptions = {}): Ref {
  const axis = x.shape.map((_, i) => i).slice(-dims);
  return normalized(x, mean(x, { axis, keepdim: true }), variance(x, { axis, correction: 0, keepdim: true }), options);
}

/** Normalises groups of channels of each sample. */
export function groupNorm(x: Ref, groups: number, { weight, bias, eps }: NormOptions = {}): Ref {
  const grouped = reshape(x, [x.shape[0], groups, -1]);
  const y = reshape(layerNorm(grouped, 1, { eps }), x.shape);
  return normalized(y, ZERO, ONE, { weight: perChannel(weight, x), bias: perChannel(bias, x), eps: 0 });
}

const ZERO: Ref = { shape: [], data: Float64Array.of(0) };
const ONE: Ref = { shape: [], data: Float64Array.of(1) };

/** Normalises each channel of each sample. */
export function instanceNorm(x: Ref, options: NormOptions = {}): Ref {
  return groupNorm(x, x.shape[1], options);
}

/** Running statistics, one entry a channel. */
export interface RunningStats {
  readonly mean: Ref;
  readonly variance: Ref;
}

/**
 * Normalises each channel over all samples; with `training` by the batch's statistics, whose unbiased variance moves the
 * running one.
 */
export function batchNorm(
  x: Ref,
  running: RunningStats,
  { training = true, momentum = 0.1, weight, bias, eps = 1e-5 }: NormOptions & {
    training?: boolean;
    momentum?: number;
  } = {},
): { y: Ref; running: RunningStats } {
  const axis = x.shape.map((_, i) => i).filter((i) => i !== 1);
  const stats = training ? { mean: mean(x, { axis }), variance: variance(x, { axis, correction: 0 }) } : running;
  const spread = (v: Ref): Ref => perChannel(v, x) ?? v;
  const affine = { weight: perChannel(weight, x), bias: perChannel(bias, x), eps };
  const y = normalized(x, spread(stats.mean), spread(stats.variance), affine);
  if (!training) return { y, running };
  const move = (old: Ref, now: Ref): Ref => zipped((a, b) => (1 - momentum) * a + momentum * b, old, now);
  const n = x.data.length / x.shape[1];
  const unbiased = mapped(stats.variance, (v) => v * n / (n - 1));
  return { y, running: { mean: move(running.mean, stats.mean), variance: move(running.variance, unbiased) } };
}
