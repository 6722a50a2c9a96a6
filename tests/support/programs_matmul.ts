/**
 * Programs with matrix products.
 *
 * @module
 */
import { sizeOf } from "../../src/base/shape.ts";
import { fillF32, fillInts } from "./fill.ts";
import { CaseBuilder, type ProgramCase, sumTolerance, TOLERANCE } from "./programs_builder.ts";

/** All matmul cases. */
export function matmulCases(): ProgramCase[] {
  const sizes = [[1, 1, 1], [3, 10, 1], [1, 64, 100], [64, 1, 100], [3, 3, 3], [10, 64, 513], [64, 100, 10], [
    100,
    513,
    64,
  ]];
  return [
    ...(["NN", "NT", "TN", "TT"] as const).flatMap((layout) => sizes.map((size) => plain(layout, size))),
    plain("NN", [64, 512, 784]),
    plain("TN", [784, 512, 64]),
    plain("NN", [513, 64, 3]),
    plain("NN", [2, 3, 5000]),
    ...[[2], [3, 4], [1]].map((batch) => batched(batch)),
    broadcastBatch(),
    stridedBatch(),
    negativeStrides(),
    dynamicOperands(),
    linear(),
    linearGrad(),
    accumulate(),
    unusedProduct(),
    epilogueTypes(),
    transposedOut(),
    notFinite(),
    ...(["NN", "NT", "TN"] as const).flatMap((layout) =>
      [[1, 41, 23], [41, 1, 23], [2, 700, 301], [300, 2, 37]].map((size) => thin(layout, size))
    ),
    thinBatched(),
    twoProducts(),
    operandChanges(),
    convolution(),
  ];
}

function plain(layout: "NN" | "NT" | "TN" | "TT", [m, n, k]: readonly number[]): ProgramCase {
  const c = new CaseBuilder(`matmul ${layout} m ${m} n ${n} k ${k}`, sumTolerance(k));
  const [x, w, y] = [c.input(fillF32(100, m * k)), c.input(fillF32(101, k * n)), c.output("f32", m * n)];
  const a = c.view(x, [m, k], { strides: layout[0] === "N" ? [k, 1] : [1, m] });
  const b = c.view(w, [k, n], { strides: layout[1] === "N" ? [n, 1] : [1, k] });
  return c.matmul({ m, n, k, a, b }, (body) => body.store(y, body.acc())).build();
}

function batched(batch: readonly number[]): ProgramCase {
  const [count, m, n, k] = [sizeOf(batch), 17, 33, 20];
  const c = new CaseBuilder(`matmul batched [${batch}]`, sumTolerance(k));
  const [x, w, y] = [
    c.input(fillF32(102, count * m * k)),
    c.input(fillF32(103, count * k * n)),
    c.output("f32", count * m * n),
  ];
  const [a, b] = [c.view(x, [...batch, m, k]), c.view(w, [...batch, k, n])];
  return c.matmul({ batch, m, n, k, a, b }, (body) => body.store(y, body.acc())).build();
}

function broadcastBatch(): ProgramCase {
  const [p, q, m, n, k] = [3, 4, 9, 10, 11];
  const c = new CaseBuilder("matmul batches broadcast by strides of 0", sumTolerance(k));
  const [x, w, y] = [
    c.input(fillF32(104, q * m * k)),
    c.input(fillF32(105, p * k * n)),
    c.output("f32", p * q * m * n),
  ];
  const a = c.view(x, [p, q, m, k], { strides: [0, m * k, k, 1] });
  const b = c.view(w, [p, q, k, n], { strides: [k * n, 0, n, 1] });
  return c.matmul({ batch: [p, q], m, n, k, a, b }, (body) => body.store(y, body.acc())).build();
}

function stridedBatch(): ProgramCase {
  const [heads, t, d] = [4, 30, 8];
  const c = new CaseBuilder("matmul of attention heads inside [t, heads, d], scaled", sumTolerance(d));
  const [q, y] = [c.input(fillF32(106, 2 * t * heads * d)), c.output("f32", heads * t * t)];
  const a = c.view(q, [heads, t, d], { strides: [d, heads * d, 1] });
  const b = c.view(q, [heads, d, t], { strides: [d, 1, heads * d], offset: t * heads * d });
  return c.matmul({ batch: [heads], m: t, n: t, k: d, a, b }, (body) => {
    body.store(y, body.binary("mul", body.acc(), body.const(1 / Math.sqrt(d))));
  }).build();
}

function negativeStrides(): ProgramCase {
  const [m, n, k] = [20, 21, 22];
  const c = new CaseBuilder("matmul with reversed and repeated operands", sumTolerance(k));
  const [x, w, y] = [c.input(fillF32(107, m * k)), c.input(fillF32(108, k)), c.output("f32", m * n)];
  const a = c.view(x, [m, k], { strides: [-k, -1], offset: m * k - 1 });
  const b = c.view(w, [k, n], { strides: [1, 0] });
  return c.matmul({ m, n, k, a, b }, (body) => body.store(y, body.acc())).build();
}

function dynamicOperands(): ProgramCase {
  const [m, n, k] = [5, 6, 7];
  const c = new CaseBuilder("matmul with dynamic offsets of operands and output", sumTolerance(k));
  const word = c.words(Uint32Array.of(70, 3, 11));
  const [x, w, y] = [c.input(fillF32(109, 200)), c.input(fillF32(110, 100)), c.output("f32", 64)];
  const [a, b] = [c.view(x, [m, k], { dyn: word }), c.view(w, [k, n], { dyn: word + 1 })];
  return c.matmul({ m, n, k, a, b }, (body) => body.store(y, body.acc(), { dyn: word + 2 })).build();
}

function linear(): ProgramCase {
  const [m, n, k] = [64, 130, 100];
  const c = new CaseBuilder("matmul epilogue: bias, relu, and its mask as a second out", sumTolerance(k));
  const [x, w, bias] = [c.input(fillF32(111, m * k)), c.input(fillF32(112, n * k)), c.input(fillF32(113, n))];
  const [y, mask] = [c.output("f32", m * n), c.output("bool", m * n)];
  const [a, b] = [c.view(x, [m, k]), c.view(w, [k, n], { strides: [1, k] })];
  return c.matmul({ m, n, k, a, b }, (body) => {
    const v = body.binary("add", body.acc(), body.load(bias, { strides: [0, 1] }));
    const on = body.binary("gt", v, body.const(0));
    body.store(y, body.select(on, v, body.const(0)));
    body.store(mask, on);
  }).build();
}

function linearGrad(): ProgramCase {
  const [m, n, k] = [33, 65, 10];
  const c = new CaseBuilder(
    "matmul epilogue: mask of another layout, random dropout, column scale",
    sumTolerance(k, 2),
  );
  const seed = c.words(Uint32Array.of(5, 6, 7));
  const [dy, w] = [c.input(fillF32(114, m * k)), c.input(fillF32(115, k * n))];
  const [mask, scale, dx] = [
    c.input(Uint32Array.from(fillInts(116, m * n, 2)), "bool"),
    c.input(fillF32(117, m)),
    c.output("f32", m * n),
  ];
  return c.matmul({ m, n, k, a: c.view(dy, [m, k]), b: c.view(w, [k, n]) }, (body) => {
    const u = body.random("uniform", seed, seed + 2, body.coord());
    const keep = body.binary("and", body.load(mask, { strides: [1, m] }), body.binary("lt", u, body.const(0.8)));
    const scaled = body.binary("mul", body.acc(), body.load(scale, { strides: [1, 0] }));
    body.store(dx, body.select(keep, scaled, body.const(0)));
  }).build();
}

function accumulate(): ProgramCase {
  const [m, n, k] = [50, 40, 64];
  const c = new CaseBuilder("matmul accumulates in place: c = c + a b", sumTolerance(k));
  const [x, w, y] = [c.input(fillF32(118, k * m)), c.input(fillF32(119, k * n)), c.inout(fillF32(120, m * n))];
  const a = c.view(x, [m, k], { strides: [1, m] });
  return c.matmul({ m, n, k, a, b: c.view(w, [k, n]) }, (body) => {
    body.store(y, body.binary("add", body.load(y), body.acc()));
  }).build();
}

function unusedProduct(): ProgramCase {
  const [m, n, k] = [7, 9, 5];
  const c = new CaseBuilder("matmul whose product goes out twice, once through tanh", { rel: 1e-5, abs: 3e-6 });
  const [x, w, y, z] = [
    c.input(fillF32(121, m * k)),
    c.input(fillF32(122, k * n)),
    c.output("f32", m * n),
    c.output("f32", m * n),
  ];
  return c.matmul({ m, n, k, a: c.view(x, [m, k]), b: c.view(w, [k, n]) }, (body) => {
    const product = body.acc();
    body.store(y, body.unary("tanh", product));
    body.store(z, product);
  }).build();
}

function epilogueTypes(): ProgramCase {
  const [m, n, k] = [12, 13, 14];
  const c = new CaseBuilder("matmul of whole numbers, rounded to i32 in the epilogue", TOLERANCE.exact);
  const whole = (seed: number, length: number): Float32Array => Float32Array.from(fillInts(seed, length, 9));
  const [x, w, y] = [c.input(whole(123, m * k)), c.input(whole(124, k * n)), c.output("i32", m * n)];
  return c.matmul({ m, n, k, a: c.view(x, [m, k]), b: c.view(w, [k, n]) }, (body) => {
    body.store(y, body.binary("sub", body.cast(body.acc(), "i32"), body.coord([0, 1])));
  }).build();
}

function transposedOut(): ProgramCase {
  const [m, n, k] = [70, 45, 30];
  const c = new CaseBuilder("matmul stores transposed, inside a larger slot", sumTolerance(k));
  const [x, w, y] = [c.input(fillF32(125, m * k)), c.input(fillF32(126, k * n)), c.output("f32", 100 * n)];
  return c.matmul({ m, n, k, a: c.view(x, [m, k]), b: c.view(w, [k, n]) }, (body) => {
    body.store(y, body.acc(), { strides: [1, 100], offset: 20 });
  }).build();
}

function notFinite(): ProgramCase {
  const [m, n, k] = [20, 20, 40];
  const c = new CaseBuilder("matmul carries NaN and infinity, zero times infinity is NaN", sumTolerance(k));
  const data = fillF32(127, m * k);
  [data[5], data[3 * k + 7], data[4 * k + 1]] = [NaN, Infinity, 0];
  const other = fillF32(128, k * n);
  other[1 * n + 2] = Infinity;
  const [x, w, y] = [c.input(data), c.input(other), c.output("f32", m * n)];
  return c.matmul({ m, n, k, a: c.view(x, [m, k]), b: c.view(w, [k, n]) }, (body) => body.store(y, body.acc())).build();
}

/** Few rows or columns, infinities at the last of the inner axis, and an epilogue that tells rows from columns. */
function thin(layout: "NN" | "NT" | "TN", [m, n, k]: readonly number[]): ProgramCase {
  const c = new CaseBuilder(`matmul ${layout} of few rows or columns, ${m} x ${n} x ${k}`, sumTolerance(k));
  const [left, right] = [fillF32(120, m * k), fillF32(121, k * n)];
  left[m * k - 1] = Infinity;
  right[layout[1] === "N" ? (k - 1) * n : k - 1] = -Infinity;
  const [x, w, bias, y] = [c.input(left), c.input(right), c.input(fillF32(122, n)), c.output("f32", m * n)];
  const a = c.view(x, [m, k], { strides: layout[0] === "N" ? [k, 1] : [1, m] });
  const b = c.view(w, [k, n], { strides: layout[1] === "N" ? [n, 1] : [1, k] });
  return c.matmul({ m, n, k, a, b }, (body) => {
    const row = body.cast(body.coord([1, 0]), "f32");
    const inside = body.load(bias, { strides: [0, 1], guards: [{ offset: -1, strides: [0, 1], size: n - 1 }] });
    body.store(y, body.binary("add", body.binary("add", body.acc(), inside), row));
  }).build();
}

function thinBatched(): ProgramCase {
  const [heads, d, t] = [6, 40, 90];
  const c = new CaseBuilder("matmul of one row a matrix, batched", sumTolerance(d));
  const [q, keys, y] = [
    c.input(fillF32(123, heads * d)),
    c.input(fillF32(124, heads * t * d)),
    c.output("f32", heads * t),
  ];
  const [a, b] = [c.view(q, [heads, 1, d]), c.view(keys, [heads, d, t], { strides: [t * d, 1, d] })];
  return c.matmul({ batch: [heads], m: 1, n: t, k: d, a, b }, (body) => {
    body.store(y, body.binary("mul", body.acc(), body.const(0.125)));
  }).build();
}

function twoProducts(): ProgramCase {
  const [m, n, k] = [30, 40, 50];
  const c = new CaseBuilder("matmul chain through a temporary, relu between", { rel: 1e-5, abs: 3e-5 });
  const [x, w1, w2] = [c.input(fillF32(129, m * k)), c.input(fillF32(130, k * n)), c.input(fillF32(131, n * 10))];
  const [t, y] = [c.temporary("f32", m * n), c.output("f32", m * 10)];
  c.matmul({ m, n, k, a: c.view(x, [m, k]), b: c.view(w1, [k, n]) }, (body) => {
    body.store(t, body.binary("max", body.acc(), body.const(0)));
  });
  const second = { m, n: 10, k: n, a: c.view(t, [m, n]), b: c.view(w2, [n, 10]) };
  return c.matmul(second, (body) => body.store(y, body.acc())).build();
}

/** Two products take the same memory, which something else is stored to between them. */
function operandChanges(): ProgramCase {
  const [m, n, k] = [64, 128, 96];
  const c = new CaseBuilder("matmul of memory that changes between two products", sumTolerance(k));
  const [x, w] = [c.input(fillF32(134, m * k)), c.input(fillF32(135, k * n))];
  const [t, first, second] = [c.temporary("f32", m * k), c.output("f32", m * n), c.output("f32", m * n)];
  for (const [factor, y] of [[1, first], [-3, second]]) {
    c.map([m * k], (body) => body.store(t, body.binary("mul", body.load(x), body.const(factor))));
    const product = { m, n, k, a: c.view(t, [m, k]), b: c.view(w, [k, n]) };
    c.matmul(product, (body) => body.store(y, body.acc()));
  }
  return c.build();
}

function convolution(): ProgramCase {
  const [n, h, taps, out] = [3, 40, 5, 6];
  const c = new CaseBuilder("matmul over overlapping windows: a 1d convolution", sumTolerance(taps));
  const length = h - taps + 1;
  const [x, w, y] = [
    c.input(fillF32(132, n * h)),
    c.input(fillF32(133, out * taps)),
    c.output("f32", n * out * length),
  ];
  const a = c.view(w, [n, out, taps], { strides: [0, taps, 1] });
  const b = c.view(x, [n, taps, length], { strides: [h, 1, 1] });
  return c.matmul({ batch: [n], m: out, n: length, k: taps, a, b }, (body) => body.store(y, body.acc())).build();
}
