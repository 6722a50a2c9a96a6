/**
 * Float64 references of element-wise operations.
 *
 * @module
 */
import { erf as erfOf, roundHalfEven } from "./math.ts";
import { mapped, type Ref, zipped } from "./ref_core.ts";

type Unary = (x: Ref) => Ref;
type Binary = (a: Ref, b: Ref) => Ref;

const unary = (f: (v: number) => number): Unary => (x) => mapped(x, f);
const binary = (f: (a: number, b: number) => number): Binary => (a, b) => zipped(f, a, b);
const flag = (f: (a: number, b: number) => boolean): Binary => binary((a, b) => f(a, b) ? 1 : 0);

export const add: Binary = binary((a, b) => a + b);
export const sub: Binary = binary((a, b) => a - b);
export const mul: Binary = binary((a, b) => a * b);
export const div: Binary = binary((a, b) => a / b);
export const pow: Binary = binary(Math.pow);
export const maximum: Binary = binary(Math.max);
export const minimum: Binary = binary(Math.min);
export const eq: Binary = flag((a, b) => a === b);
export const ne: Binary = flag((a, b) => a !== b);
export const lt: Binary = flag((a, b) => a < b);
export const le: Binary = flag((a, b) => a <= b);
export const gt: Binary = flag((a, b) => a > b);
export const ge: Binary = flag((a, b) => a >= b);
export const and: Binary = flag((a, b) => a !== 0 && b !== 0);
export const or: Binary = flag((a, b) => a !== 0 || b !== 0);

/** `condition ? a : b`, broadcast. */
export function where(condition: Ref, a: Ref, b: Ref): Ref {
  return zipped((c, x, y) => c !== 0 ? x : y, condition, a, b);
}

/** log(1 + exp(v)) without overflow. */
const softplusOf = (v: number): number => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
const sigmoidOf = (v: number): number => v >= 0 ? 1 / (1 + Math.exp(-v)) : Math.exp(v) / (1 + Math.exp(v));
const clampOf = (v: number, low: number, high: number): number => Math.min(Math.max(v, low), high);

export const neg: Unary = unary((v) => -v);
export const exp: Unary = unary(Math.exp);
export const log: Unary = unary(Math.log);
export const log1p: Unary = unary(Math.log1p);
export const sqrt: Unary = unary(Math.sqrt);
export const rsqrt: Unary = unary((v) => 1 / Math.sqrt(v));
export const reciprocal: Unary = unary((v) => 1 / v);
export const abs: Unary = unary(Math.abs);
export const square: Unary = unary((v) => v * v);
export const sin: Unary = unary(Math.sin);
export const cos: Unary = unary(Math.cos);
export const tanh: Unary = unary(Math.tanh);
export const erf: Unary = unary(erfOf);
export const floor: Unary = unary(Math.floor);
export const ceil: Unary = unary(Math.ceil);
export const round: Unary = unary(roundHalfEven);
export const sign: Unary = unary(Math.sign);
export const not: Unary = unary((v) => v === 0 ? 1 : 0);
export const sigmoid: Unary = unary(sigmoidOf);
export const relu: Unary = unary((v) => Math.max(v, 0));
export const relu6: Unary = unary((v) => clampOf(v, 0, 6));
export const silu: Unary = unary((v) => v * sigmoidOf(v));
export const mish: Unary = unary((v) => v * Math.tanh(softplusOf(v)));
export const hardsigmoid: Unary = unary((v) => clampOf(v + 3, 0, 6) / 6);
export const hardswish: Unary = unary((v) => v * clampOf(v + 3, 0, 6) / 6);

/** x above 0, slope x below. */
export function leakyRelu(x: Ref, slope = 0.01): Ref {
  return mapped(x, (v) => v > 0 ? v : slope * v);
}

/** x above 0, alpha (exp(x) - 1) below. */
export function elu(x: Ref, alpha = 1): Ref {
  return mapped(x, (v) => v > 0 ? v : alpha * Math.expm1(v));
}

/** x times the normal distribution function, or its approximation by tanh. */
export function gelu(x: Ref, { approximate = "none" }: { approximate?: "none" | "tanh" } = {}): Ref {
  if (approximate === "none") return mapped(x, (v) => v / 2 * (1 + erfOf(v / Math.SQRT2)));
  return mapped(x, (v) => v / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))));
}

/** log(1 + exp(beta x)) / beta, and x where beta x is above the threshold. */
export function softplus(x: Ref, { beta = 1, threshold = 20 }: { beta?: number; threshold?: number } = {}): Ref {
  return mapped(x, (v) => beta * v > threshold ? v : softplusOf(beta * v) / beta);
}

/** x kept within [min, max]. */
export function clamp(x: Ref, { min = -Infinity, max = Infinity }: { min?: number; max?: number } = {}): Ref {
  return mapped(x, (v) => clampOf(v, min, max));
}
