/**
 * One case or more for every operation of the table: how to build it, and what it computes, in plain float64.
 *
 * @module
 */
import { attention } from "../../src/graph/attention.ts";
import { gradients } from "../../src/graph/autodiff.ts";
import { binaryCrossEntropy } from "../../src/graph/binary_cross_entropy.ts";
import * as el from "../../src/graph/elementwise.ts";
import * as fn from "../../src/graph/functions.ts";
import { constant, coord } from "../../src/graph/leaves.ts";
import { momentsOf } from "../../src/graph/moments.ts";
import type { Node } from "../../src/graph/node.ts";
import { inverseDeviation } from "../../src/graph/normalized.ts";
import { cat, gather, matmul, scatterAdd } from "../../src/graph/products.ts";
import { CONV, conv } from "../../src/graph/conv.ts";
import { productOfRows } from "../../src/graph/row_products.ts";
import { reduce, reduceFirst } from "../../src/graph/reduce.ts";
import { expand, pad, permute, reshape, slice } from "../../src/graph/views.ts";
import { foldWindows, windows } from "../../src/graph/windows.ts";
import { normalizeWithStats, Tensor, tensor } from "../../src/tensor/mod.ts";
import { fill } from "../support/fill.ts";
import { erf, powC } from "../support/math.ts";
import { UNARY_RULES } from "../support/operations.ts";
import { refConv, refConvWeight, refPlaces, type RefWindows, refWindows } from "../support/ref.ts";

const zero = constant(0);

/** An operation on f32 inputs whose values are `fill(seed, n) * scale + offset`. */
export interface GradientCase {
  /** The name in the table. */
  readonly op: string;
  readonly shapes: readonly (readonly number[])[];
  readonly build: (...xs: Node[]) => Node;
  /** The flat result in float64. */
  readonly ref: (...xs: Float64Array[]) => ArrayLike<number>;
  readonly scale?: number;
  readonly offset?: number;
}

type Scalar = (x: number) => number;
type Pair = (a: number, b: number) => number;

function unary(
  op: string,
  build: (x: Node) => Node,
  f: Scalar,
  at: { scale?: number; offset?: number } = {},
): GradientCase {
  return { op, shapes: [[3, 5]], build, ref: (x) => x.map(f), ...at };
}

/** Shapes `[3, 5]` and `[5]`: the second is broadcast. */
function binary(op: string, build: (a: Node, b: Node) => Node, f: Pair, at: { scale?: number; offset?: number } = {}) {
  return {
    op,
    shapes: [[3, 5], [5]],
    build,
    ref: (a: Float64Array, b: Float64Array) => a.map((v, i) => f(v, b[i % 5])),
    ...at,
  };
}

const positive = { scale: 0.8, offset: 1.2 };
const index = (values: number[], shape: number[]) => tensor(Int32Array.from(values), { shape }).node;
const sigmoid: Scalar = (x) => 1 / (1 + Math.exp(-x));

const ZEROED = [6, 10, 13]; // elements that are brought to 0: rows with no zero, one and two
const FIRST = fill(100, 15, 0.8).map((v) => Math.fround(v + 1.2));
const zeroed = tensor(FIRST.map((v, i) => ZEROED.includes(i) ? v : 0), { shape: [3, 5] }).node;

/** Rows of length `n` folded by `f`. */
function rows(x: Float64Array, n: number, f: (row: Float64Array) => number): number[] {
  return Array.from({ length: x.length / n }, (_, i) => f(x.subarray(i * n, i * n + n)));
}

/** Instructions of one operand. */
const instructions = UNARY_RULES.flatMap(([op, { ref, gradient }]) => {
  if (gradient === null) return [];
  const build: (x: Node) => Node = el[op];
  if (gradient !== "flat") return [unary(op, build, ref, gradient)];
  return [unary(op, (x) => el.mul(x, build(x)), (x) => x * ref(x), { scale: 3 })];
});

/** The cases; comparisons and the like are multiplied by an input, whose gradient shows their value. */
export const GRADIENT_CASES: readonly GradientCase[] = [
  binary("add", el.add, (a, b) => a + b),
  binary("sub", el.sub, (a, b) => a - b),
  binary("mul", el.mul, (a, b) => a * b),
  binary("div", el.div, (a, b) => a / b, positive),
  binary("pow", el.pow, powC, positive),
  binary("maximum", el.maximum, Math.max),
  binary("minimum", el.minimum, Math.min),
  binary("eq", (a, b) => el.mul(a, el.eq(el.sign(a), el.sign(b))), (a, b) => Math.sign(a) === Math.sign(b) ? a : 0),
  binary("ne", (a, b) => el.mul(a, el.ne(el.sign(a), el.sign(b))), (a, b) => Math.sign(a) !== Math.sign(b) ? a : 0),
  binary("lt", (a, b) => el.mul(a, el.lt(a, b)), (a, b) => a < b ? a : 0),
  binary("le", (a, b) => el.mul(a, el.le(a, b)), (a, b) => a <= b ? a : 0),
  binary("gt", (a, b) => el.mul(a, el.gt(a, b)), (a, b) => a > b ? a : 0),
  binary("ge", (a, b) => el.mul(a, el.ge(a, b)), (a, b) => a >= b ? a : 0),
  binary("and", (a, b) => el.mul(a, el.and(el.gt(a, zero), el.gt(b, zero))), (a, b) => a > 0 && b > 0 ? a : 0),
  binary("or", (a, b) => el.mul(a, el.or(el.gt(a, zero), el.gt(b, zero))), (a, b) => a > 0 || b > 0 ? a : 0),
  binary("where", (a, b) => el.where(el.gt(a, zero), el.mul(a, a), b), (a, b) => a > 0 ? a * a : b),
  unary("not", (x) => el.mul(x, el.not(el.gt(x, zero))), (x) => x > 0 ? 0 : x),
  {
    op: "mod",
    shapes: [[5]],
    build: (x) => el.mul(x, el.mod(coord([5], 0), constant(3, "i32"))),
    ref: (x) => x.map((v, i) => v * (i % 3)),
  },
  ...instructions,
  unary("square", el.square, (x) => x * x),
  unary("expm1", fn.expm1, Math.expm1, { scale: 3 }),
  unary("log2", fn.log2, Math.log2, { scale: 0.8, offset: 1.2 }),
  unary("asin", fn.asin, Math.asin, { scale: 0.9 }),
  unary("acos", fn.acos, Math.acos, { scale: 0.9 }),
  unary("expm1Low", fn.expm1Low, Math.expm1, { scale: 2, offset: -2 }),
  unary("relu", el.relu, (x) => Math.max(x, 0)),
  unary("sigmoid", el.sigmoid, sigmoid, { scale: 4 }),
  unary("softplus", el.softplus, (x) => Math.log1p(Math.exp(x)), { scale: 4 }),
  unary("silu", el.silu, (x) => x * sigmoid(x), { scale: 4 }),
  unary("gelu", el.gelu, (x) => x * 0.5 * (1 + erf(x * Math.SQRT1_2)), { scale: 3 }),
  unary("cast", (x) => el.mul(x, el.cast(el.cast(x, "i32"), "f32")), (x) => x * Math.trunc(x), { scale: 3 }),
  {
    op: "normalized",
    shapes: [[4, 3, 2]],
    offset: 3,
    build: (x) => normalizeWithStats(new Tensor(x), [0, 2], 1e-5).y.node,
    ref: (x) => {
      const channel = (i: number) => Math.floor(i / 2) % 3;
      return x.map((v, i) => {
        const own = x.filter((_, j) => channel(j) === channel(i));
        const mean = own.reduce((a, b) => a + b) / own.length;
        return (v - mean) / Math.sqrt(own.reduce((a, b) => a + (b - mean) ** 2, 0) / own.length + 1e-5);
      });
    },
  },
  {
    op: "inverseDeviation",
    shapes: [[4, 3, 2]],
    offset: 3,
    build: (x) => {
      const { near, above, variance } = momentsOf(x, [0, 2]);
      const factor = el.rsqrt(variance);
      return inverseDeviation(factor, el.mul(el.sub(el.sub(x, near), above), factor), x, [0, 2]);
    },
    ref: (x) =>
      x.map((_, i) => {
        const own = x.filter((_, j) => Math.floor(j / 2) % 3 === Math.floor(i / 2) % 3);
        const mean = own.reduce((a, b) => a + b) / own.length;
        return 1 / Math.sqrt(own.reduce((a, b) => a + (b - mean) ** 2, 0) / own.length);
      }),
  },
  {
    op: "binaryCrossEntropy",
    shapes: [[3, 5], [3, 5]],
    scale: 0.4,
    offset: 0.5,
    build: binaryCrossEntropy,
    ref: (p, t) => p.map((v, i) => -t[i] * Math.log(v) - (1 - t[i]) * Math.log(1 - v)),
  },
  { op: "coord", shapes: [[5]], build: (x) => el.mul(x, coord([5], 0)), ref: (x) => x.map((v, i) => v * i) },
  {
    op: "reshape",
    shapes: [[3, 4]],
    build: (x) => el.mul(reshape(x, [2, 6]), coord([6], 0)),
    ref: (x) => x.map((v, i) => v * (i % 6)),
  },
  {
    op: "permute",
    shapes: [[2, 3, 2]],
    build: (x) => permute(x, [2, 0, 1]),
    ref: (x) => Float64Array.from({ length: 12 }, (_, i) => x[(i % 6) * 2 + Math.floor(i / 6)]),
  },
  {
    op: "expand",
    shapes: [[1, 3]],
    build: (x) => expand(x, [2, 4, 3]),
    ref: (x) => Float64Array.from({ length: 24 }, (_, i) => x[i % 3]),
  },
  { op: "slice", shapes: [[9]], build: (x) => slice(x, [1], [3], [3]), ref: (x) => [x[1], x[4], x[7]] },
  { op: "slice", shapes: [[9]], build: (x) => slice(x, [8], [4], [-2]), ref: (x) => [x[8], x[6], x[4], x[2]] },
  { op: "pad", shapes: [[3]], build: (x) => pad(x, [1], [2]), ref: (x) => [0, ...x, 0, 0] },
  {
    op: "reduce",
    shapes: [[3, 5]],
    build: (x) => reduce("sum", x, [1]),
    ref: (x) => rows(x, 5, (r) => r.reduce((a, b) => a + b)),
  },
  {
    op: "reduce",
    shapes: [[3, 5]],
    build: (x) => reduce("max", x, [1]),
    ref: (x) => rows(x, 5, (r) => Math.max(...r)),
  },
  {
    op: "reduce",
    shapes: [[3, 5]],
    build: (x) => reduce("min", x, [1]),
    ref: (x) => rows(x, 5, (r) => Math.min(...r)),
  },
  {
    op: "reduce",
    shapes: [[3, 5]],
    build: (x) => reduce("prod", x, [1]),
    ref: (x) => rows(x, 5, (r) => r.reduce((a, b) => a * b)),
    ...positive,
  },
  {
    op: "reduce",
    shapes: [[3, 5]],
    build: (x) => reduce("prod", el.sub(x, zeroed), [1]),
    ref: (x) => rows(x.map((v, i) => ZEROED.includes(i) ? v - FIRST[i] : v), 5, (r) => r.reduce((a, b) => a * b)),
    ...positive,
  },
  {
    op: "matmul",
    shapes: [[2, 3, 4], [4, 5]],
    build: matmul,
    ref: (a, b) =>
      Float64Array.from({ length: 30 }, (_, o) => {
        let s = 0;
        for (let k = 0; k < 4; k++) s += a[Math.floor(o / 5) * 4 + k] * b[k * 5 + o % 5];
        return s;
      }),
  },
  {
    op: "gather",
    shapes: [[4, 3]],
    build: (x) => gather(x, index([2, 0, 2, 3, 2], [5, 1]), 0, [5, 3]),
    ref: (x) => [2, 0, 2, 3, 2].flatMap((r) => [...x.subarray(r * 3, r * 3 + 3)]),
  },
  {
    op: "rowProduct",
    shapes: [[2, 3], [3, 2]],
    build: (x, b) => productOfRows(gather(x, index([1, 0, 1, 1, 0], [5, 1]), 0, [5, 3]), b)!,
    ref: (x, b) =>
      Float64Array.from({ length: 10 }, (_, o) => {
        const row = [1, 0, 1, 1, 0][o >> 1] * 3;
        return x[row] * b[o % 2] + x[row + 1] * b[2 + o % 2] + x[row + 2] * b[4 + o % 2];
      }),
  },
  {
    op: "scatterAdd",
    shapes: [[5, 3]],
    build: (x) => scatterAdd(x, index([2, 0, 2, 3, 2], [5, 1]), 0, 4),
    ref: (x) => {
      const y = new Float64Array(12);
      [2, 0, 2, 3, 2].forEach((r, i) => [0, 1, 2].forEach((c) => y[r * 3 + c] += x[i * 3 + c]));
      return y;
    },
  },
  {
    op: "cat",
    shapes: [[2, 3], [2, 2]],
    build: (a, b) => cat([a, b], 1),
    ref: (a, b) => [a[0], a[1], a[2], b[0], b[1], a[3], a[4], a[5], b[2], b[3]],
  },
  {
    op: "reduceFirst",
    shapes: [[2, 3, 4, 2]],
    build: (x) => reduceFirst("max", x, [1, 3]),
    ref: (x) =>
      [0, 1].flatMap((i) =>
        [0, 1, 2, 3].map((j) =>
          Math.max(...[0, 1, 2].flatMap((k) => [0, 1].map((l) => x[((i * 3 + k) * 4 + j) * 2 + l])))
        )
      ),
  },
  ...windowCases(),
  ...attentionCases(),
  ...convCases(),
];

/** Windows that overlap, leave gaps, hang over, and skip elements. */
function windowCases(): GradientCase[] {
  const specs: [number[], number[], RefWindows][] = [
    [[7], [3], { stride: [2], padding: [1], dilation: [1] }],
    [[7], [2], { stride: [3], padding: [0], dilation: [1] }],
    [[9], [3], { stride: [2], padding: [2], dilation: [4] }],
    [[8], [2], { stride: [4], padding: [1], dilation: [6] }],
    [[5, 6], [3, 2], { stride: [1, 2], padding: [1, 1], dilation: [1, 2] }],
  ];
  const cases = specs.map(([size, taps, w]): GradientCase => {
    const places = refPlaces(size, taps, w);
    const spec = { ...w, before: w.padding };
    return {
      op: "windows",
      shapes: [[2, ...size]],
      build: (x) => windows(x, spec, places, taps),
      ref: (x) => refWindows({ shape: [2, ...size], data: x }, places, taps, w).data,
    };
  });
  const [places, taps, size] = [6, 3, 11];
  const spec = { stride: [2], before: [1], dilation: [1] };
  const fold: GradientCase = {
    op: "shear", // what a fold is made of
    shapes: [[2, places, taps]],
    build: (dy) => foldWindows(dy, spec, [size]),
    ref: (dy) => {
      const y = new Float64Array(2 * size);
      for (let i = 0; i < dy.length; i++) {
        const [n, o, k] = [Math.floor(i / (places * taps)), Math.floor(i / taps) % places, i % taps];
        const at = 2 * o + k - 1;
        if (at >= 0 && at < size) y[n * size + at] += dy[i];
      }
      return y;
    },
  };
  return [...cases, fold];
}

/** Heads that share keys, rows that see no more than those before them, and one tensor as keys and values. */
function attentionCases(): GradientCase[] {
  const [h, g, n, m, d, dv] = [2, 1, 5, 4, 3, 3], scale = 0.8;
  const options = { causal: true, scale };
  const shapes = [[1, h, n, d], [1, g, m, d], [1, g, m, dv]];
  /** For each row of queries the weights, and what is added to the gradients of its scores by `dy`. */
  const rows = (q: Float64Array, k: Float64Array, v: Float64Array, dy: Float64Array = new Float64Array(h * n * dv)) =>
    Array.from({ length: h * n }, (_, row) => {
      const dot = (a: Float64Array, at: number, b: Float64Array, from: number) =>
        Array.from({ length: d }, (_, c) => a[at * d + c] * b[from * d + c]).reduce((x, y) => x + y);
      const e = Array.from({ length: m }, (_, j) => j <= row % n ? Math.exp(scale * dot(q, row, k, j)) : 0);
      const p = e.map((x) => x / e.reduce((a, b) => a + b));
      const dp = p.map((_, j) => dot(dy, row, v, j)), delta = p.reduce((sum, x, j) => sum + x * dp[j], 0);
      return { p, ds: p.map((x, j) => x * (dp[j] - delta) * scale) };
    });
  const times = (weights: number[][], x: Float64Array) =>
    weights.flatMap((p) => Array.from({ length: d }, (_, c) => p.reduce((sum, w, j) => sum + w * x[j * d + c], 0)));
  return [{
    op: "attention",
    shapes,
    build: (q, k, v) => attention(q, k, v, options),
    ref: (q, k, v) => times(rows(q, k, v).map(({ p }) => p), v),
  }, {
    op: "attention",
    shapes: shapes.slice(0, 2),
    build: (q, k) => attention(q, k, k, options),
    ref: (q, k) => times(rows(q, k, k).map(({ p }) => p), k),
  }, {
    op: "attentionGrad", // with respect to the queries
    shapes: [...shapes, [1, h, n, dv]],
    build: (q, k, v, dy) => gradients(attention(q, k, v, options), [q], dy)[0]!,
    ref: (q, k, v, dy) => times(rows(q, k, v, dy).map(({ ds }) => ds), k),
  }, {
    op: "attentionGrad", // keys that are values too
    shapes: [...shapes.slice(0, 2), [1, h, n, dv]],
    build: (q, k, dy) => gradients(attention(q, k, k, options), [q], dy)[0]!,
    ref: (q, k, dy) => times(rows(q, k, k, dy).map(({ ds }) => ds), k),
  }];
}

function convCases(): GradientCase[] {
  const specs: [number[], number[], RefWindows][] = [
    [[2, 4, 7], [6, 4, 3], { stride: [2], padding: [1], dilation: [1] }],
    [[2, 4, 7], [6, 2, 2], { stride: [3], padding: [0], dilation: [2], groups: 2 }],
    [[2, 3, 5, 6], [4, 3, 3, 3], { stride: [1, 1], padding: [1, 1], dilation: [1, 1] }],
    [[2, 3, 5, 6], [4, 3, 3, 2], { stride: [2, 2], padding: [1, 0], dilation: [1, 1] }],
    [[1, 4, 6, 5], [4, 2, 2, 3], { stride: [2, 1], padding: [2, 1], dilation: [2, 2], groups: 2 }],
    [[1, 2, 5, 4], [3, 2, 1, 1], { stride: [2, 3], padding: [0, 0], dilation: [1, 1] }],
  ];
  return specs.flatMap(([image, weight, w]): GradientCase[] => {
    const { groups = 1 } = w;
    const spec = { ...w, before: w.padding };
    const taps = weight.slice(2), size = image.slice(2);
    const places = refPlaces(size, taps, w);
    const split = [groups, weight[0] / groups, ...weight.slice(1)];
    const result = [image[0], weight[0], ...places];
    return [{
      op: "conv",
      shapes: [image, weight],
      build: (x, k) => conv(x, reshape(k, split), spec, places),
      ref: (x, k) => refConv({ shape: image, data: x }, { shape: weight, data: k }, w).data,
    }, {
      op: "convWeight", // a sum over places of the result's gradient by the window there
      shapes: [image, result],
      build: (x, dy) => {
        const k = tensor(new Float32Array(weight.reduce((a, b) => a * b)), { shape: split }).node;
        return CONV.vjp!(dy, conv(x, k, spec, places))[1]!;
      },
      ref: (x, dy) => refConvWeight({ shape: image, data: x }, { shape: result, data: dy }, weight, w).data,
    }];
  });
}

/** Operations without inputs to differentiate by, with the reason. */
export const NOT_DIFFERENTIABLE: Readonly<Record<string, string>> = {
  leaf: "memory",
  scalar: "a number from the host",
  array: "numbers from the host",
  const: "a constant",
  segment: "a counter",
  random: "counter-based numbers",
  assign: "an effect, not a value",
  segmentSum: "used by optimizers only, on gradients",
  given: "its rule is the caller's: tests/distrib/same_numbers_test.ts",
  retainGrad: "passes the gradient on: tests/distrib/same_numbers_test.ts",
};
