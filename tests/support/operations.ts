/**
 * The one- and two-operand instructions: what each means in float64, and where it is tried how closely. The reference device,
 * the programs that every device runs, the tests of accuracy and those of gradients read it; an instruction that is missing
 * here does not compile.
 *
 * @module
 */
import { roundToHalf } from "../../src/base/half.ts";
import type { BinaryOp, UnaryOp } from "../../src/device/contract.ts";
import { fillF32 } from "./fill.ts";
import { erf, powC, roundHalfEven } from "./math.ts";
import { TOLERANCE, type Tolerance } from "./programs_builder.ts";

/** Numbers in [offset - scale, offset + scale). */
interface Range {
  readonly scale: number;
  readonly offset?: number;
}

/** A one-operand instruction. */
export interface UnaryRule {
  /** In float64. */
  readonly ref: (x: number) => number;
  /** Arguments of programs; null: no f32. */
  readonly range: Range | null;
  /** What programs may be off. */
  readonly tolerance: Tolerance;
  /** Further arguments: where the domain ends, and where digits are lost. */
  readonly edges: readonly number[];
  /** Whether it takes i32 too. */
  readonly integers?: boolean;
  /** Where the CPU computes it by a polynomial. */
  readonly cpu?: {
    /** Largest error in ulp, or in absolute numbers. */
    readonly most: { readonly ulps: number } | { readonly abs: number };
    /** Ends of ranges that are swept evenly, and powers of 2 between which sizes are, of both signs unless positive. */
    readonly sweep: readonly (readonly [number, number])[];
    readonly exponents?: readonly (readonly [low: number, high: number, positive?: boolean])[];
  };
  /** What WebGPU may be off, relative and absolute, for arguments in [-scale, scale); where it writes it itself. */
  readonly gpu?: { readonly rel: number; readonly abs: number; readonly scale: number; readonly angle?: boolean };
  /** Arguments of its gradient; "flat": it has none, and is multiplied by its argument; null: not for numbers. */
  readonly gradient: Range | "flat" | null;
}

const { exact } = TOLERANCE;
const SPECIAL = [0, -0, NaN, Infinity, -Infinity];
const POSITIVE: Range = { scale: 0.8, offset: 1.2 };
const unit: Range = { scale: 1 };

/** What every device computes of one operand. */
export const UNARY: Record<UnaryOp, UnaryRule> = {
  neg: { ref: (x) => -x, range: { scale: 5 }, tolerance: exact, edges: SPECIAL, integers: true, gradient: unit },
  abs: { ref: Math.abs, range: { scale: 5 }, tolerance: exact, edges: SPECIAL, integers: true, gradient: unit },
  sign: { ref: Math.sign, range: { scale: 5 }, tolerance: exact, edges: SPECIAL, integers: true, gradient: "flat" },
  exp: {
    ref: Math.exp,
    range: { scale: 10 },
    tolerance: TOLERANCE.exponential,
    edges: [...SPECIAL, 200, -200],
    cpu: { most: { ulps: 2 }, sweep: [[-87.3, 88.72], [-1, 1]], exponents: [[-126, 6]] },
    gpu: { rel: 4e-7, abs: 1e-37, scale: 80 },
    gradient: { scale: 3 },
  },
  log: {
    ref: Math.log,
    range: { scale: 50, offset: 50.001 },
    tolerance: TOLERANCE.logarithm,
    edges: [...SPECIAL, -1, 1, 1e-30, 1e30],
    cpu: { most: { ulps: 3 }, sweep: [[0.5, 2], [0.99, 1.01], [1e-3, 1000]], exponents: [[-149, 127, true]] },
    gpu: { rel: 4e-7, abs: 1e-7, scale: 100 },
    gradient: POSITIVE,
  },
  log1p: {
    ref: Math.log1p,
    range: { scale: 0.9 },
    tolerance: TOLERANCE.nearZero,
    edges: [...SPECIAL, -1, -2, 1e-5, -1e-5, 1e-9, 1e10],
    cpu: { most: { ulps: 3 }, sweep: [[-0.9999, 2], [-0.01, 0.01]], exponents: [[-126, -1], [-126, 127, true]] },
    gpu: { rel: 6e-7, abs: 1e-9, scale: 1 },
    gradient: { scale: 0.8 },
  },
  sqrt: {
    ref: Math.sqrt,
    range: { scale: 50, offset: 50 },
    tolerance: TOLERANCE.division,
    edges: [...SPECIAL, -1],
    gpu: { rel: 2e-7, abs: 0, scale: 100 },
    gradient: POSITIVE,
  },
  rsqrt: {
    ref: (x) => 1 / Math.sqrt(x),
    range: { scale: 50, offset: 50.001 },
    tolerance: TOLERANCE.division,
    edges: [0, NaN, Infinity, -1],
    gpu: { rel: 3e-7, abs: 0, scale: 100 },
    gradient: POSITIVE,
  },
  reciprocal: {
    ref: (x) => 1 / x,
    range: { scale: 5 },
    tolerance: TOLERANCE.division,
    edges: SPECIAL,
    gradient: POSITIVE,
  },
  sin: {
    ref: Math.sin,
    range: { scale: 10 },
    tolerance: TOLERANCE.absolute,
    edges: [0, NaN],
    cpu: { most: { abs: 1.5e-7 }, sweep: [[-1e4, 1e4], [-7, 7], [9990, 10000]] },
    gpu: { rel: 0, abs: 1e-6, scale: 1e4, angle: true },
    gradient: { scale: 4 },
  },
  cos: {
    ref: Math.cos,
    range: { scale: 10 },
    tolerance: TOLERANCE.absolute,
    edges: [0, NaN],
    cpu: { most: { abs: 1.5e-7 }, sweep: [[-1e4, 1e4], [-7, 7], [9990, 10000]] },
    gpu: { rel: 0, abs: 1e-6, scale: 1e4, angle: true },
    gradient: { scale: 4 },
  },
  atan: {
    ref: Math.atan,
    range: { scale: 4 },
    tolerance: TOLERANCE.nearZero,
    edges: [...SPECIAL, 1e-5, -1e-3, 1, -1, Math.tan(Math.PI / 8), Math.tan(-3 * Math.PI / 8), 30, -3e30, 3e38],
    cpu: { most: { ulps: 3 }, sweep: [[-10, 10], [-1, 1], [2.3, 2.5]], exponents: [[-126, 127]] },
    gpu: { rel: 4e-7, abs: 1e-37, scale: 10 },
    gradient: { scale: 4 },
  },
  tanh: {
    ref: Math.tanh,
    range: { scale: 4 },
    tolerance: TOLERANCE.nearZero,
    edges: [...SPECIAL, 1e-5, -1e-3, 30, -300],
    cpu: { most: { ulps: 3 }, sweep: [[-10, 10], [-1, 1]], exponents: [[-126, 127]] },
    gpu: { rel: 4e-7, abs: 1e-9, scale: 10 },
    gradient: { scale: 3 },
  },
  erf: {
    ref: erf,
    range: { scale: 4 },
    tolerance: TOLERANCE.absolute,
    edges: [...SPECIAL, 1e-5, 30],
    cpu: { most: { ulps: 4 }, sweep: [[-5, 5], [-1.2, 1.2]], exponents: [[-125, 127]] },
    gpu: { rel: 5e-7, abs: 1e-9, scale: 4 },
    gradient: { scale: 2 },
  },
  floor: { ref: Math.floor, range: { scale: 5 }, tolerance: exact, edges: [...SPECIAL, -1, 2.5e9], gradient: "flat" },
  ceil: { ref: Math.ceil, range: { scale: 5 }, tolerance: exact, edges: [...SPECIAL, -1, 2.5e9], gradient: "flat" },
  round: {
    ref: roundHalfEven,
    range: { scale: 5 },
    tolerance: exact,
    edges: [...SPECIAL, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 2.5e9, 0.49999997],
    gradient: "flat",
  },
  half: {
    ref: roundToHalf,
    range: { scale: 5 },
    tolerance: exact,
    edges: [
      ...SPECIAL,
      65504,
      65519.99,
      65520,
      -1e6,
      2049,
      2051,
      -2049.5,
      2 ** -14,
      3e-5,
      2 ** -25,
      2.9e-8,
      -1e-7,
      1e-40,
      0.1,
    ],
    gpu: { rel: 0, abs: 0, scale: 3 },
    gradient: null,
  },
  not: { ref: (x) => 1 - x, range: null, tolerance: exact, edges: [], gradient: null },
};

/** The instructions of one operand, with their rules. */
export const UNARY_RULES = Object.entries(UNARY) as [UnaryOp, UnaryRule][];

type Fold = (a: number, b: number) => number;

/** A two-operand instruction. */
export interface BinaryRule {
  /** In float64. */
  readonly ref: Fold;
  /** Of integers, the low 32 bits of which are kept; where that is something else. */
  readonly integer?: Fold;
  /** Whether it gives bool. */
  readonly compares?: boolean;
  /** What programs on f32 may be off, and their operands, each with each, where those are special; null: no f32. */
  readonly f32: {
    readonly tolerance: Tolerance;
    readonly operands?: readonly (readonly [Float32Array, Float32Array])[];
  } | null;
  /** Integers that programs try it on. */
  readonly integers: "all" | "shifts" | null;
}

const flag = (f: (a: number, b: number) => boolean): Fold => (a, b) => f(a, b) ? 1 : 0;
const plain = { f32: { tolerance: exact }, integers: "all" } as const;
const compared = { ...plain, compares: true } as const;

/** What every device computes of two operands. */
export const BINARY: Record<BinaryOp, BinaryRule> = {
  add: { ref: (a, b) => a + b, ...plain },
  sub: { ref: (a, b) => a - b, ...plain },
  mul: { ref: (a, b) => a * b, integer: Math.imul, ...plain },
  div: {
    ref: (a, b) => a / b,
    integer: (a, b) => b === 0 ? 0 : Math.trunc(a / b),
    f32: { tolerance: TOLERANCE.division },
    integers: "all",
  },
  mod: {
    ref: (a, b) => a % b,
    integer: (a, b) => b === 0 ? 0 : a % b,
    // WGSL lets x - y trunc(x / y) round in every step
    f32: { tolerance: { rel: 0, abs: 4e-6 }, operands: [[fillF32(32, 20, 9), Float32Array.of(1, 2.5, -0.75, 4)]] },
    integers: "all",
  },
  pow: {
    ref: powC,
    integer: () => NaN,
    f32: {
      tolerance: TOLERANCE.power,
      operands: [
        [
          Float32Array.of(0, 1, 2, 0.1, 9.5, ...fillF32(33, 10, 4).map((v) => v + 4.01)),
          Float32Array.of(0, 1, 2, 0.5, -1, 3, -2.5, 12),
        ],
        [Float32Array.of(-2, -0.5, -3, -0, NaN), Float32Array.of(0, 1, 2, 3, 0.5, -1)],
      ],
    },
    integers: null,
  },
  max: { ref: Math.max, ...plain },
  min: { ref: Math.min, ...plain },
  eq: { ref: flag((a, b) => a === b), ...compared },
  ne: { ref: flag((a, b) => a !== b), ...compared },
  lt: { ref: flag((a, b) => a < b), ...compared },
  le: { ref: flag((a, b) => a <= b), ...compared },
  gt: { ref: flag((a, b) => a > b), ...compared },
  ge: { ref: flag((a, b) => a >= b), ...compared },
  and: { ref: (a, b) => a & b, f32: null, integers: "all" },
  or: { ref: (a, b) => a | b, f32: null, integers: "all" },
  xor: { ref: (a, b) => a ^ b, f32: null, integers: "all" },
  shl: { ref: (a, b) => a << b, f32: null, integers: "shifts" },
  shr: { ref: (a, b) => a >>> b, f32: null, integers: "shifts" },
};

/** The instructions of two operands, with their rules. */
export const BINARY_RULES = Object.entries(BINARY) as [BinaryOp, BinaryRule][];
