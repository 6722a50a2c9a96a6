/**
 * Making tensors.
 *
 * @module
 */
import { type Dtype, type HostArray, hostArray, isFloat, valueType } from "../base/dtype.ts";
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, num, nums, type OptionTable, shown } from "../base/options.ts";
import { checkShape, type Shape, sizeOf } from "../base/shape.ts";
import { cast, where as choose } from "../graph/elementwise.ts";
import { array, constant, coord, fromHost, random, scalar } from "../graph/leaves.ts";
import type { Node } from "../graph/node.ts";
import { expand } from "../graph/views.ts";
import { oneHot as encode } from "./fn/lookup.ts";
import { numberLike, WHOLE } from "./fn/number.ts";
import { aDtype, AXIS } from "./fn/option_tables.ts";
import { cat as join, stack as pile } from "./fn/shape.ts";
import { type Nested, toHost, type TypedArray } from "./nested.ts";
import { nodeOf } from "./operand.ts";
import { aGenerator, defaultRng, type Rng } from "./rng.ts";
import { Tensor } from "./tensor.ts";

/** Options of {@link tensor}. */
export interface TensorOptions {
  /** Sizes of the axes; by default those of the nesting, or `[length]`. */
  readonly shape?: Shape;
  /** Element type; by default the data's own. */
  readonly dtype?: Dtype;
}

/** Options of {@link zeros}, {@link ones} and {@link full}. */
export interface DtypeOptions {
  /** Element type; f32 if left out. */
  readonly dtype?: Dtype;
}

/** Options of {@link rand} and {@link randn}. */
export interface RandomOptions {
  /** The source of the numbers; the default generator, see `setSeed`, if left out. */
  readonly rng?: Rng;
}

const DTYPE: OptionTable<DtypeOptions> = { dtype: aDtype };
const RANDOM: OptionTable<RandomOptions> = { rng: aGenerator };

/**
 * A tensor of given elements, which are copied. Numbers become f32, booleans bool, `Float64Array` f32, `Uint8Array` u8
 * (storage only: computing with it gives i32), 64-bit integers i32 if they fit.
 *
 * @param data A number, nested arrays, or a typed array.
 * @example
 * ```ts ignore
 * const a = tensor([[1, 2], [3, 4]]);
 * const b = tensor(new Uint8Array(784), { shape: [28, 28] });
 * ```
 */
export function tensor(data: Nested | TypedArray, options: TensorOptions = {}): Tensor {
  checkOptions("make a tensor", options, { shape: nums, dtype: aDtype });
  const { data: host, shape, dtype } = toHost(data, options.dtype, options.shape);
  return new Tensor(fromHost(host, shape, dtype));
}

/** Zeros. */
export function zeros(shape: Shape, options: DtypeOptions = {}): Tensor {
  checkOptions("make zeros", options, DTYPE);
  return filled(shape, 0, options.dtype ?? "f32", constant);
}

/** Ones. */
export function ones(shape: Shape, options: DtypeOptions = {}): Tensor {
  checkOptions("make ones", options, DTYPE);
  return filled(shape, 1, options.dtype ?? "f32", constant);
}

/** One number everywhere. */
export function full(shape: Shape, value: number, options: DtypeOptions = {}): Tensor {
  checkOptions("fill a tensor", options, DTYPE);
  return filled(shape, value, options.dtype ?? "f32", scalar);
}

function filled(
  shape: Shape,
  value: number,
  dtype: Dtype,
  leaf: (value: number, dtype: "f32" | "i32" | "u32" | "bool") => Node,
): Tensor {
  checkShape(shape, "fill a tensor of");
  if (dtype === "u8") return new Tensor(fromHost(hostArray("u8", sizeOf(shape)).fill(value), shape, "u8"));
  if (dtype === "bool") value = value !== 0 ? 1 : 0;
  if (dtype === "i32" || dtype === "u32") checkWhole(value, dtype, "fill");
  const node = cast(expand(leaf(value, valueType(dtype)), shape), dtype);
  if (!isFloat(dtype)) {
    node.bounds = [value, value];
    node.tight = true;
  }
  return new Tensor(node);
}

/** Refuses a number that `dtype` does not reach. */
function checkWhole(value: number, dtype: "i32" | "u32", what: string): void {
  const [low, high] = WHOLE[dtype];
  if (!(Math.trunc(value) >= low && Math.trunc(value) <= high)) {
    throw new DataError(`Cannot ${what} with ${value} as ${dtype}: whole numbers from ${low} to ${high} fit`);
  }
}

/** Options of {@link arange}. */
export interface ArangeOptions {
  /** Distance of two neighbours; 1 if left out. */
  readonly step?: number;
  /** Element type; i32 if all numbers are whole, else f32. */
  readonly dtype?: Dtype;
}

/**
 * `[0, 1, ..., stop - 1]`, or from `start` in steps up to, not including, `stop`: `arange(5)`, `arange(2, 5)`,
 * `arange(0, 1, { step: 0.25 })`.
 */
export function arange(stop: number, options?: ArangeOptions): Tensor;
/** From `start` up to, not including, `stop`. */
export function arange(start: number, stop: number, options?: ArangeOptions): Tensor;
export function arange(first: number, second?: number | ArangeOptions, third?: ArangeOptions): Tensor {
  const [start, stop] = typeof second === "number" ? [first, second] : [0, first];
  const options = (typeof second === "number" ? third : second) ?? {};
  const { step = 1, dtype } = checkOptions<ArangeOptions>("count", options, { step: num, dtype: aDtype });
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!Number.isFinite(count) || step === 0) {
    throw new ConfigError(`Cannot count from ${start} to ${stop} in steps of ${step}: it would never end`);
  }
  const type = dtype ?? (Number.isInteger(start) && Number.isInteger(step) ? "i32" : "f32");
  if (type === "i32" && start === 0 && step === 1) {
    const node = coord([count], 0);
    node.bounds = [0, Math.max(0, count - 1)];
    node.tight = true;
    return new Tensor(node);
  }
  if ((type === "i32" || type === "u32") && count > 0) {
    for (const end of [start, start + (count - 1) * step]) checkWhole(end, type, "count");
  }
  const host: HostArray = hostArray(type === "f16" ? "f32" : type, count);
  for (let i = 0; i < count; i++) host[i] = start + i * step;
  const counted = new Tensor(fromHost(host, [count], type === "f16" ? "f32" : type));
  return type === "f16" ? counted.half() : counted;
}

/** Uniform random numbers in [0, 1). Their place in the stream is drawn now, not when they are computed. */
export function rand(shape: Shape, options: RandomOptions = {}): Tensor {
  checkOptions("draw random numbers", options, RANDOM);
  return new Tensor(randomNode(shape, "uniform", options.rng ?? defaultRng()));
}

/** Random numbers of the standard normal distribution. Their place in the stream is drawn now, not when they are computed. */
export function randn(shape: Shape, options: RandomOptions = {}): Tensor {
  checkOptions("draw random numbers", options, RANDOM);
  return new Tensor(randomNode(shape, "normal", options.rng ?? defaultRng()));
}

/**
 * Random numbers as a node, for layers that build graphs of their own.
 *
 * @internal
 */
export function randomNode(shape: Shape, dist: "bits" | "uniform" | "normal", rng: Rng): Node {
  checkShape(shape, "draw random numbers of");
  return random(shape, dist, array(rng.key, [2], "u32"), scalar(rng.nextStream(), "u32"));
}

/**
 * Vectors of 0 with a 1 where `indices` says, along a new last axis of size `classes`. An index that is no class is a
 * ShapeError where the host knows the indices; where only the device does, its vector is NaN (-2^31 for i32, 2^32 - 1 for u32, false for bool).
 */
export function oneHot(indices: Tensor, classes: number, options: DtypeOptions = {}): Tensor {
  checkOptions("oneHot", options, DTYPE);
  return new Tensor(encode(indices.node, classes, options.dtype ?? "f32"));
}

/** Options of {@link cat} and {@link stack}. */
export interface JoinOptions {
  /** The axis to join along; 0 if left out. */
  readonly axis?: number;
}

function nodes(what: string, tensors: readonly Tensor[]): Node[] {
  if (Array.isArray(tensors)) return tensors.map(nodeOf);
  throw new ConfigError(`Cannot ${what} ${shown(tensors)}: tensors stand in an array, as in ${what}([a, b])`);
}

/** Tensors after each other along an axis. */
export function cat(tensors: readonly Tensor[], options: JoinOptions = {}): Tensor {
  checkOptions("cat", options, AXIS);
  return new Tensor(join(nodes("cat", tensors), options.axis ?? 0));
}

/** Tensors of one shape next to each other along a new axis. */
export function stack(tensors: readonly Tensor[], options: JoinOptions = {}): Tensor {
  checkOptions("stack", options, AXIS);
  return new Tensor(pile(nodes("stack", tensors), options.axis ?? 0));
}

/** `a` where `condition` is not 0, `b` elsewhere; all three broadcast. */
export function where(condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor {
  const x = typeof a === "number" ? (typeof b === "number" ? scalar(a) : numberLike(a, nodeOf(b).dtype)) : nodeOf(a);
  const y = typeof b === "number" ? (typeof a === "number" ? scalar(b) : numberLike(b, nodeOf(a).dtype)) : nodeOf(b);
  return new Tensor(choose(nodeOf(condition), x, y));
}
