/**
 * Programs with rows of reductions.
 *
 * @module
 */
import { sizeOf } from "../../src/base/shape.ts";
import type { ReduceKind } from "../../src/device/contract.ts";
import { fillF32, fillInts } from "./fill.ts";
import { type BodyBuilder, CaseBuilder, type ProgramCase, sumTolerance, TOLERANCE } from "./programs_builder.ts";

const { exact } = TOLERANCE;

/** All reduce cases. */
export function reduceCases(): ProgramCase[] {
  return [
    ...[1, 7, 64, 255, 256, 257, 1000, 4097, 300000].map(fullSum),
    ...[[1000, 37], [300, 512], [64, 10], [1, 5], [5, 1], [70000, 3]].map(columnSum),
    ...[[5, 1000], [70000, 4], [3, 1], [1, 3], [2, 70001]].map(rowSum),
    middleAxis(),
    channelMoments(),
    ...kinds(),
    integerSum(),
    maxWithNan(),
    maxOfNegatives(),
    argTies("argmax"),
    argTies("argmin"),
    argNan("argmax"),
    argNan("argmin"),
    argTwoAxes(),
    argLong(),
    ...[[64, 10], [5, 1000], [3, 5000], [1, 1], [70000, 2]].map(softmax),
    softmaxInPlace(),
    softmaxGrad(),
    crossEntropy(),
    layerNorm(),
    batchNormTransposed(),
    variance(),
    maxPool(),
    gatherAndSum(),
    twoFullOuts(),
    overwriteRow(),
    anyTrue(),
  ];
}

/** Stores per row, contiguous over the outer axes. */
function storeRow(b: BodyBuilder, slot: number, value: number, outer: readonly number[]): void {
  const strides = b.shape.map((_, i) => i < outer.length ? sizeOf(outer.slice(i + 1)) : 0);
  b.store(slot, value, { strides, perRow: true });
}

function fullSum(n: number): ProgramCase {
  const c = new CaseBuilder(`reduce sum of ${n}`, sumTolerance(n));
  const [x, y] = [c.input(fillF32(50, n)), c.output("f32", 1)];
  return c.reduce([], [n], (b) => storeRow(b, y, b.reduce("sum", b.load(x)), [])).build();
}

function columnSum([n, m]: readonly number[]): ProgramCase {
  const c = new CaseBuilder(`reduce column sums of [${n}, ${m}]`, sumTolerance(n));
  const [x, y] = [c.input(fillF32(51, n * m)), c.output("f32", m)];
  return c.reduce([m], [n], (b) => storeRow(b, y, b.reduce("sum", b.load(x, { strides: [1, m] })), [m])).build();
}

function rowSum([n, m]: readonly number[]): ProgramCase {
  const c = new CaseBuilder(`reduce row sums of squares of [${n}, ${m}]`, sumTolerance(m));
  const [x, y] = [c.input(fillF32(52, n * m)), c.output("f32", n)];
  return c.reduce([n], [m], (b) => {
    const v = b.load(x);
    storeRow(b, y, b.reduce("sum", b.binary("mul", v, v)), [n]);
  }).build();
}

function middleAxis(): ProgramCase {
  const c = new CaseBuilder("reduce sum over the middle axis of [6, 31, 20], mean in the epilogue", sumTolerance(31));
  const [x, y] = [c.input(fillF32(53, 6 * 31 * 20)), c.output("f32", 120)];
  return c.reduce([6, 20], [31], (b) => {
    const sum = b.reduce("sum", b.load(x, { strides: [620, 1, 20] }));
    storeRow(b, y, b.binary("mul", sum, b.const(1 / 31)), [6, 20]);
  }).build();
}

function channelMoments(): ProgramCase {
  const [n, ch, hw] = [8, 5, 49];
  const c = new CaseBuilder("reduce mean and variance of each channel, two inner axes", sumTolerance(n * hw, 0.01));
  const [x, mean, variance] = [c.input(fillF32(54, n * ch * hw)), c.output("f32", ch), c.output("f32", ch)];
  return c.reduce([ch], [n, hw], (b) => {
    const v = b.load(x, { strides: [hw, ch * hw, 1] });
    const scale = b.const(1 / (n * hw));
    const m = b.binary("mul", b.reduce("sum", v), scale);
    const centred = b.binary("sub", v, m);
    storeRow(b, mean, m, [ch]);
    storeRow(b, variance, b.binary("mul", b.reduce("sum", b.binary("mul", centred, centred)), scale), [ch]);
  }).build();
}

function kinds(): ProgramCase[] {
  return (["prod", "max", "min", "argmax", "argmin"] as const).flatMap((kind) =>
    [[13, 19], [3, 1027]].map(([n, m]) => {
      // a product's relative error grows with the number of factors
      const tolerance = kind === "prod" ? { rel: 1e-7 * m, abs: 0 } : exact;
      const c = new CaseBuilder(`reduce ${kind} of [${n}, ${m}]`, tolerance);
      const data = fillF32(55, n * m).map((v) => kind === "prod" ? 1 + v / 20 : v);
      const [x, y] = [c.input(data), c.output(kind.startsWith("arg") ? "i32" : "f32", n)];
      return c.reduce([n], [m], (b) => storeRow(b, y, b.reduce(kind, b.load(x)), [n])).build();
    })
  );
}

function integerSum(): ProgramCase {
  const c = new CaseBuilder("reduce sum, prod, max, min of i32 and u32, wrapping", exact);
  const data = fillInts(56, 4 * 300, 2 ** 31 - 1).map((v, i) => i % 3 === 0 ? -v : v | 1);
  const [x, u] = [c.input(data), c.input(new Uint32Array(data.buffer.slice(0)))];
  const outputs = (["sum", "prod", "max", "min"] as const).map((kind) => ({ kind, slot: c.output("i32", 4) }));
  c.reduce([4], [300], (b) => {
    const v = b.load(x);
    for (const { kind, slot } of outputs) storeRow(b, slot, b.reduce(kind, v), [4]);
  });
  const [most, argmin] = [c.output("u32", 4), c.output("i32", 4)];
  c.reduce([4], [300], (b) => {
    const v = b.load(u);
    storeRow(b, most, b.reduce("max", v), [4]);
    storeRow(b, argmin, b.reduce("argmin", v), [4]);
  });
  return c.build();
}

function maxWithNan(): ProgramCase {
  const c = new CaseBuilder("reduce max and min: a NaN wins, infinities count", exact);
  const [n, m] = [4, 700];
  const data = fillF32(57, n * m);
  data[3] = NaN;
  data[m + 600] = Infinity;
  data[2 * m + 699] = -Infinity;
  const [x, high, low] = [c.input(data), c.output("f32", n), c.output("f32", n)];
  return c.reduce([n], [m], (b) => {
    const v = b.load(x);
    storeRow(b, high, b.reduce("max", v), [n]);
    storeRow(b, low, b.reduce("min", v), [n]);
  }).build();
}

function maxOfNegatives(): ProgramCase {
  const c = new CaseBuilder("reduce max of negatives and of -infinity alone", exact);
  const data = fillF32(58, 70).map((v, i) => i < 35 ? v - 2 : -Infinity);
  const [x, y] = [c.input(data), c.output("f32", 2)];
  return c.reduce([2], [35], (b) => storeRow(b, y, b.reduce("max", b.load(x)), [2])).build();
}

function argTies(kind: ReduceKind): ProgramCase {
  const c = new CaseBuilder(`reduce ${kind} with ties gives the first`, exact);
  const data = Float32Array.from(fillInts(59, 10 * 600, 4));
  const [x, y] = [c.input(data), c.output("i32", 10)];
  return c.reduce([10], [600], (b) => storeRow(b, y, b.reduce(kind, b.load(x)), [10])).build();
}

function argNan(kind: ReduceKind): ProgramCase {
  const c = new CaseBuilder(`reduce ${kind}: the first NaN wins`, exact);
  const data = fillF32(60, 3 * 500);
  data[123] = data[20] = data[500 + 499] = NaN;
  data[1000 + 77] = kind === "argmax" ? Infinity : -Infinity;
  const [x, y] = [c.input(data), c.output("i32", 3)];
  return c.reduce([3], [500], (b) => storeRow(b, y, b.reduce(kind, b.load(x)), [3])).build();
}

function argTwoAxes(): ProgramCase {
  const c = new CaseBuilder("reduce argmax over two inner axes, row-major whatever the strides", exact);
  const data = Float32Array.from(fillInts(61, 4 * 9 * 11, 3));
  const [x, y] = [c.input(data), c.output("i32", 4)];
  return c.reduce([4], [9, 11], (b) => {
    storeRow(b, y, b.reduce("argmax", b.load(x, { strides: [1, 4, 36] })), [4]);
  }).build();
}

function argLong(): ProgramCase {
  const c = new CaseBuilder("reduce argmax of 100000 equal numbers but one", exact);
  const [x, y] = [c.input(new Float32Array(100000).fill(-3).with(70001, -2)), c.output("i32", 2)];
  return c.reduce([], [100000], (b) => {
    const v = b.load(x);
    b.store(y, b.reduce("argmax", v), { strides: [0], perRow: true });
    b.store(y, b.reduce("argmin", v), { strides: [0], offset: 1, perRow: true });
  }).build();
}

function writeSoftmax(b: BodyBuilder, x: number): { y: number; logSum: number } {
  const most = b.reduce("max", x);
  const e = b.unary("exp", b.binary("sub", x, most));
  const sum = b.reduce("sum", e);
  return { y: b.binary("div", e, sum), logSum: b.binary("add", most, b.unary("log", sum)) };
}

function softmax([n, m]: readonly number[]): ProgramCase {
  const c = new CaseBuilder(`reduce softmax of [${n}, ${m}]`, { rel: 1e-5, abs: 1e-7 });
  const [x, y] = [c.input(fillF32(62, n * m, 4)), c.output("f32", n * m)];
  return c.reduce([n], [m], (b) => b.store(y, writeSoftmax(b, b.load(x)).y)).build();
}

function softmaxInPlace(): ProgramCase {
  const c = new CaseBuilder("reduce softmax in place, and its log-sum per row", { rel: 1e-5, abs: 1e-6 });
  const [x, l] = [c.inout(fillF32(63, 33 * 300, 40)), c.output("f32", 33)];
  return c.reduce([33], [300], (b) => {
    const { y, logSum } = writeSoftmax(b, b.load(x));
    b.store(x, y);
    storeRow(b, l, logSum, [33]);
  }).build();
}

function softmaxGrad(): ProgramCase {
  const c = new CaseBuilder("reduce softmax's gradient", { rel: 1e-5, abs: 1e-6 });
  const [n, m] = [40, 101];
  const [y, dy, dx] = [c.input(fillF32(64, n * m)), c.input(fillF32(65, n * m)), c.output("f32", n * m)];
  return c.reduce([n], [m], (b) => {
    const [p, g] = [b.load(y), b.load(dy)];
    b.store(dx, b.binary("mul", p, b.binary("sub", g, b.reduce("sum", b.binary("mul", p, g)))));
  }).build();
}

function crossEntropy(): ProgramCase {
  const c = new CaseBuilder("reduce cross entropy: loss per row and gradient, target by index", {
    rel: 1e-5,
    abs: 2e-6,
  });
  const [n, m] = [64, 10];
  const [x, target] = [c.input(fillF32(66, n * m, 5)), c.input(fillInts(67, n, m))];
  const [loss, dx] = [c.output("f32", n), c.output("f32", n * m)];
  return c.reduce([n], [m], (b) => {
    const { y, logSum } = writeSoftmax(b, b.load(x));
    const value = b.load(target, { strides: [1, 0] });
    const picked = b.load(x, { strides: [m, 0], index: { value, stride: 1, size: m } });
    storeRow(b, loss, b.binary("sub", logSum, picked), [n]);
    const hit = b.cast(b.binary("eq", b.coord([0, 1]), value), "f32");
    b.store(dx, b.binary("mul", b.binary("sub", y, hit), b.const(1 / n)));
  }).build();
}

function layerNorm(): ProgramCase {
  const c = new CaseBuilder("reduce layer norm with weight and bias", { rel: 1e-5, abs: 2e-6 });
  const [n, m] = [37, 384];
  const [x, w, bias] = [c.input(fillF32(68, n * m, 3)), c.input(fillF32(69, m)), c.input(fillF32(70, m))];
  const [y, rstd] = [c.output("f32", n * m), c.output("f32", n)];
  return c.reduce([n], [m], (b) => {
    const [v, scale] = [b.load(x), b.const(1 / m)];
    const centred = b.binary("sub", v, b.binary("mul", b.reduce("sum", v), scale));
    const variance = b.binary("mul", b.reduce("sum", b.binary("mul", centred, centred)), scale);
    const r = b.unary("rsqrt", b.binary("add", variance, b.const(1e-5)));
    const columns = { strides: [0, 1] };
    const scaled = b.binary("mul", b.binary("mul", centred, r), b.load(w, columns));
    b.store(y, b.binary("add", scaled, b.load(bias, columns)));
    storeRow(b, rstd, r, [n]);
  }).build();
}

function batchNormTransposed(): ProgramCase {
  const c = new CaseBuilder("reduce batch norm over rows of [100, 70], running mean in place", {
    rel: 1e-5,
    abs: 2e-6,
  });
  const [n, m] = [100, 70];
  const mom = c.words(Float32Array.of(0.1));
  const [x, running, y] = [c.input(fillF32(71, n * m)), c.inout(fillF32(72, m)), c.output("f32", n * m)];
  return c.reduce([m], [n], (b) => {
    const [v, scale] = [b.load(x, { strides: [1, m] }), b.const(1 / n)];
    const mean = b.binary("mul", b.reduce("sum", v), scale);
    const centred = b.binary("sub", v, mean);
    const variance = b.binary("mul", b.reduce("sum", b.binary("mul", centred, centred)), scale);
    b.store(y, b.binary("mul", centred, b.unary("rsqrt", b.binary("add", variance, b.const(1e-5)))), {
      strides: [1, m],
    });
    const old = b.load(running, { strides: [1, 0] });
    const moved = b.binary("add", old, b.binary("mul", b.scalar(mom), b.binary("sub", mean, old)));
    b.store(running, moved, { strides: [1, 0], perRow: true });
  }).build();
}

function variance(): ProgramCase {
  const c = new CaseBuilder("reduce variance far from 0: two passes, not a difference of squares", {
    rel: 1e-4,
    abs: 0,
  });
  const [n, m] = [3, 2049];
  const [x, y] = [c.input(fillF32(73, n * m).map((v) => v + 1000)), c.output("f32", n)];
  return c.reduce([n], [m], (b) => {
    const v = b.load(x);
    const centred = b.binary("sub", v, b.binary("div", b.reduce("sum", v), b.const(m)));
    storeRow(b, y, b.binary("div", b.reduce("sum", b.binary("mul", centred, centred)), b.const(m - 1)), [n]);
  }).build();
}

function maxPool(): ProgramCase {
  const c = new CaseBuilder("reduce max pool 3x3, stride 2, padding 1, with its argmax", exact);
  const [n, h, w] = [6, 9, 11];
  const [x, y, at] = [c.input(fillF32(74, n * h * w)), c.output("f32", n * 5 * 6), c.output("i32", n * 5 * 6)];
  return c.reduce([n, 5, 6], [3, 3], (b) => {
    const guards = [
      { offset: -1, strides: [0, 2, 0, 1, 0], size: h },
      { offset: -1, strides: [0, 0, 2, 0, 1], size: w },
    ];
    const row = b.coord([0, 2, 0, 1, 0], -1);
    const column = b.coord([0, 0, 2, 0, 1], -1);
    const inside = (v: number, size: number): number =>
      b.binary("and", b.binary("ge", v, b.const(0, "i32")), b.binary("lt", v, b.const(size, "i32")));
    const v = b.load(x, { strides: [h * w, 2 * w, 2, w, 1], offset: -w - 1, guards });
    const padded = b.select(b.binary("and", inside(row, h), inside(column, w)), v, b.const(-Infinity));
    storeRow(b, y, b.reduce("max", padded), [n, 5, 6]);
    storeRow(b, at, b.reduce("argmax", padded), [n, 5, 6]);
  }).build();
}

function gatherAndSum(): ProgramCase {
  const c = new CaseBuilder("reduce sum of gathered rows (embedding bag), bytes as indices", sumTolerance(12));
  const [table, index] = [c.input(fillF32(75, 200 * 16)), c.input(Uint8Array.from(fillInts(76, 30 * 12, 200)))];
  const y = c.output("f32", 30 * 16);
  return c.reduce([30, 16], [12], (b) => {
    const value = b.load(index, { strides: [12, 0, 1] });
    const v = b.load(table, { strides: [0, 1, 0], index: { value, stride: 16, size: 200 } });
    storeRow(b, y, b.reduce("sum", v), [30, 16]);
  }).build();
}

function twoFullOuts(): ProgramCase {
  const c = new CaseBuilder("reduce with full outs of f32 and bool, and a per-row out of bool", {
    rel: 1e-5,
    abs: 1e-6,
  });
  const [n, m] = [21, 130];
  const [x, y, top] = [c.input(fillF32(77, n * m)), c.output("f32", n * m), c.output("bool", n * m)];
  const positive = c.output("bool", n);
  return c.reduce([n], [m], (b) => {
    const v = b.load(x);
    const [most, sum] = [b.reduce("max", v), b.reduce("sum", v)];
    b.store(y, b.binary("div", v, b.binary("add", b.unary("abs", sum), b.const(1))), { strides: [1, n] });
    b.store(top, b.binary("eq", v, most));
    storeRow(b, positive, b.binary("gt", most, b.const(0.99)), [n]);
  }).build();
}

function overwriteRow(): ProgramCase {
  const c = new CaseBuilder("reduce a chain: row maxima, then their sum, through a temporary", sumTolerance(500));
  const [x, t, y] = [c.input(fillF32(78, 500 * 60)), c.temporary("f32", 500), c.output("f32", 1)];
  c.reduce([500], [60], (b) => storeRow(b, t, b.reduce("max", b.load(x)), [500]));
  return c.reduce([], [500], (b) => storeRow(b, y, b.reduce("sum", b.load(t)), [])).build();
}

function anyTrue(): ProgramCase {
  const c = new CaseBuilder("reduce any and count of flags, as i32", exact);
  const flags = Uint32Array.from(fillInts(79, 9 * 400, 30), (v, i) => v === 0 && i > 800 ? 1 : 0);
  const [x, any, count] = [c.input(flags, "bool"), c.output("bool", 9), c.output("i32", 9)];
  return c.reduce([9], [400], (b) => {
    const v = b.cast(b.load(x), "i32");
    storeRow(b, any, b.cast(b.reduce("max", v), "bool"), [9]);
    storeRow(b, count, b.reduce("sum", v), [9]);
  }).build();
}
