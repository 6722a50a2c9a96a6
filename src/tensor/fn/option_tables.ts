/**
 * What the options of operations may be.
 *
 * @module
 */
import type { Dtype } from "../../base/dtype.ts";
import {
  either,
  flag,
  integer,
  num,
  nums,
  oneOf,
  type OptionKind,
  type OptionTable,
  other,
} from "../../base/options.ts";
import type { ClampOptions, GeluOptions, SoftplusOptions } from "./activation.ts";
import type { PerAxis } from "./conv.ts";
import type { GridSampleOptions, InterpolateOptions } from "./image.ts";
import type { PadOptions } from "./pad.ts";
import type { AvgPoolOptions, MaxPoolOptions } from "./pool.ts";
import type { AxisOptions } from "./softmax.ts";
import type { ArgOptions, ReduceOptions, VarOptions } from "./statistics.ts";

/** One number for all axes, or one an axis. */
export const perAxisKind: OptionKind<PerAxis> = either(num, nums);
/** An element type. */
export const aDtype: OptionKind<Dtype> = oneOf("f32", "f16", "i32", "u32", "bool", "u8");

const PAIR: OptionKind<number | readonly [number, number]> = other(
  "a number or two numbers",
  (v) => num.holds(v) || (nums.holds(v) && (v as readonly number[]).length === 2),
);

/** One axis. */
export const AXIS: OptionTable<AxisOptions> = { axis: integer };
/** One axis or several. */
export const AXES: OptionTable<{ readonly axis?: number | readonly number[] }> = { axis: perAxisKind };
/** Of reductions. */
export const REDUCE: OptionTable<ReduceOptions> = { axis: perAxisKind, keepdim: flag };
/** Of searches. */
export const ARG: OptionTable<ArgOptions> = { axis: integer, keepdim: flag };
/** Of variance and deviation. */
export const VAR: OptionTable<VarOptions> = { ...REDUCE, correction: num };
/** Of `gelu`. */
export const GELU: OptionTable<GeluOptions> = { approximate: oneOf("none", "tanh") };
/** Of `softplus`. */
export const SOFTPLUS: OptionTable<SoftplusOptions> = { beta: num, threshold: num };
/** Of `clamp`. */
export const CLAMP: OptionTable<ClampOptions> = { min: num, max: num };
/** Of `pad`. */
export const PAD: OptionTable<PadOptions> = { mode: oneOf("constant", "reflect", "replicate", "circular"), value: num };
/** Of `maxPool2d`. */
export const MAX_POOL: OptionTable<MaxPoolOptions> = {
  stride: perAxisKind,
  padding: perAxisKind,
  ceilMode: flag,
  dilation: perAxisKind,
};
/** Of `avgPool2d`. */
export const AVG_POOL: OptionTable<AvgPoolOptions> = {
  stride: perAxisKind,
  padding: perAxisKind,
  ceilMode: flag,
  countIncludePad: flag,
};
/** Of `interpolate`. */
export const INTERPOLATE: OptionTable<InterpolateOptions> = {
  size: PAIR,
  scale: PAIR,
  mode: oneOf("nearest", "bilinear"),
  alignCorners: flag,
};
/** Of `gridSample`. */
export const GRID_SAMPLE: OptionTable<GridSampleOptions> = {
  mode: oneOf("bilinear", "nearest"),
  paddingMode: oneOf("zeros", "border", "reflection"),
  alignCorners: flag,
};
/** Of `affineGrid`. */
export const ALIGN: OptionTable<{ readonly alignCorners?: boolean }> = { alignCorners: flag };
