/**
 * Numbers that change from step to step: they travel with a launch, and are no part of its program, which need not be
 * compiled anew for others of them.
 *
 * @module
 */
import { type Dtype, type HostArray, hostArray } from "../base/dtype.ts";
import { checkOptions, nums } from "../base/options.ts";
import type { Shape } from "../base/shape.ts";
import { array, fromHost, MAX_ARRAY, scalar } from "../graph/leaves.ts";
import { aDtype } from "./fn/option_tables.ts";
import { type Nested, toHost, type TypedArray } from "./nested.ts";
import { Tensor } from "./tensor.ts";

/** Options of {@link stepInput}. */
export interface StepInputOptions {
  /** Sizes of the axes; by default those of the nesting, or `[length]`. */
  readonly shape?: Shape;
  /** Element type; by default the data's own, as `tensor()` has it. */
  readonly dtype?: Dtype;
}

/**
 * A tensor of numbers that are other ones in every step: shares that items are mixed by, a permutation of a batch, a mask.
 * Like `tensor()`, but the numbers travel with the launch that uses them, in its one write, instead of lying in memory of
 * their own. Steps with other such numbers of the same shape and type run the same program, and a learner replays them.
 *
 * For some thousands of numbers: more than 16,384, and `u8` and `bool`, lie in memory as those of `tensor()` do.
 *
 * @param data A number, nested arrays, or a typed array; copied.
 * @example
 * ```ts ignore
 * const order = stepInput(rng.permutation(n)); // i32 [n]
 * const share = stepInput(0.3); // f32 []
 * learn.xb = learn.xb.map((x) => x.mul(share).add(x.indexSelect(order).mul(stepInput(0.7))));
 * ```
 */
export function stepInput(data: Nested | TypedArray, options: StepInputOptions = {}): Tensor {
  checkOptions("make an input of a step", options, { shape: nums, dtype: aDtype });
  const { data: host, shape, dtype } = toHost(data, options.dtype, options.shape);
  if (dtype === "f16") return new Tensor(fromHost(host, shape, dtype)); // runs carry words
  return travelling(host as HostArray, shape, dtype);
}

/** As {@link stepInput}, of an array that nobody changes: it is not copied. */
export function travelling(data: HostArray, shape: Shape, dtype: Exclude<Dtype, "f16">): Tensor {
  if (data.length > MAX_ARRAY || data.length === 0 || dtype === "u8" || dtype === "bool") {
    return new Tensor(fromHost(data, shape, dtype));
  }
  return new Tensor(shape.length === 0 ? scalar(data[0], dtype) : array(data, shape, dtype));
}

/** Numbers of an expression that is launched again and again, each time with others: the host sets them before. */
export class HostNumbers {
  /** f32 `[]` or `[n]`. */
  readonly tensor: Tensor;

  /** One number, or `n` in a vector; 0 at first. */
  constructor(n: number | null) {
    this.tensor = new Tensor(n === null ? scalar(0) : array(hostArray("f32", n), [n], "f32"));
  }

  /** Sets the number, or the `i`-th. */
  set(value: number, i: number = 0): void {
    const { node } = this.tensor;
    if (node.array === null) node.value = value;
    else node.array[i] = value;
  }
}
