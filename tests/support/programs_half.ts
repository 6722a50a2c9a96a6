/**
 * Programs with memory of f16: every kind of kernel reads it, and what computes values stores it. Sums are of small whole
 * numbers, so that the bits of every device are the same.
 *
 * @module
 */
import { floatToHalf } from "../../src/base/half.ts";
import { fillF32, fillInts } from "./fill.ts";
import { type BodyBuilder, CaseBuilder, type ProgramCase, TOLERANCE } from "./programs_builder.ts";

/** All cases with f16. */
export function halfCases(): ProgramCase[] {
  return [
    ...[1, 13, 64, 300].map(toHalf),
    ...[1, 13, 64].map(inPlace),
    specialNumbers(),
    transposed(),
    guarded(),
    lookedUp(),
    rows(),
    longRow(),
    ...(["NN", "NT", "TN"] as const).flatMap((layout) =>
      [[3, 10, 7], [70, 66, 40], [1, 9, 33]].map((s) => product(layout, s))
    ),
    batchedProduct(),
    convolution(),
    scattered(),
    temporaries(),
    attention(),
  ];
}

const halves = (seed: number, n: number, scale = 3): Uint16Array => floatToHalf(fillF32(seed, n, scale));
const wholes = (seed: number, n: number): Uint16Array => floatToHalf(small(seed, n));
const small = (seed: number, n: number): Float32Array => Float32Array.from(fillInts(seed, n, 9), (v) => v - 4);
const half = (b: BodyBuilder, a: number): number => b.unary("half", a);

function toHalf(n: number): ProgramCase {
  const c = new CaseBuilder(`f16 from f32 and back, ${n}`, TOLERANCE.exact);
  const [x, y, z] = [c.input(fillF32(900, n)), c.output("f16", n), c.output("f32", n)];
  return c.map([n], (b) => b.store(y, half(b, b.load(x)))).map([n], (b) => b.store(z, b.load(y))).build();
}

function inPlace(n: number): ProgramCase {
  const c = new CaseBuilder(`f16 in place, ${n}`, TOLERANCE.exact);
  const [x, s] = [c.inout(halves(901, n)), c.input(halves(902, n))];
  return c.map([n], (b) => b.store(x, half(b, b.binary("add", b.load(x), b.load(s))))).build();
}

function specialNumbers(): ProgramCase {
  const bits = Uint16Array.from([
    0,
    0x8000,
    1,
    0x8001,
    0x3ff,
    0x400,
    0x7bff,
    0xfbff,
    0x7c00,
    0xfc00,
    0x7e00,
    0x3555,
    0x3c01,
  ]);
  const c = new CaseBuilder("f16 special numbers", TOLERANCE.exact);
  const [x, y, z] = [c.input(bits), c.output("f32", bits.length), c.output("f16", bits.length)];
  return c.map([bits.length], (b) => {
    const v = b.load(x);
    b.store(y, v);
    b.store(z, v);
  }).build();
}

function transposed(): ProgramCase {
  const c = new CaseBuilder("f16 transposed, every second", TOLERANCE.exact);
  const [x, y] = [c.input(halves(903, 8 * 12)), c.output("f16", 2 * 8 * 12)];
  return c.map([12, 8], (b) => b.store(y, b.load(x, { strides: [1, 12] }), { strides: [16, 2], offset: 1 })).build();
}

function guarded(): ProgramCase {
  const c = new CaseBuilder("f16 guarded", TOLERANCE.exact);
  const [x, y] = [c.input(halves(904, 9)), c.output("f16", 13)];
  return c.map([13], (b) => {
    b.store(y, b.load(x, { offset: -2, strides: [1], guards: [{ offset: -2, strides: [1], size: 9 }] }));
  }).build();
}

function lookedUp(): ProgramCase {
  const c = new CaseBuilder("f16 looked up", TOLERANCE.exact);
  const index = Int32Array.from([3, 0, -1, 4, 5, 2, 1]);
  const [x, i, y] = [c.input(halves(905, 5 * 6)), c.input(index), c.output("f16", 7 * 6)];
  return c.map([7, 6], (b) => {
    const row = b.load(i, { strides: [1, 0] });
    b.store(y, half(b, b.load(x, { strides: [0, 1], index: { value: row, stride: 6, size: 5 } })));
  }).build();
}

function rows(): ProgramCase {
  const c = new CaseBuilder("f16 rows of reductions", TOLERANCE.exact);
  const [x, y, z] = [c.input(wholes(906, 5 * 24)), c.output("f16", 5), c.output("f16", 5 * 24)];
  return c.reduce([5], [24], (b) => {
    const v = b.load(x), sum = b.reduce("sum", v);
    b.store(y, half(b, sum), { strides: [1, 0], perRow: true });
    b.store(z, half(b, b.binary("sub", v, sum)));
  }).build();
}

function longRow(): ProgramCase {
  const n = 20000;
  const c = new CaseBuilder("f16 long row", TOLERANCE.exact);
  const [x, y] = [c.input(wholes(907, n)), c.output("f16", 1)];
  return c.reduce([], [n], (b) => {
    b.store(y, half(b, b.reduce("sum", b.load(x))), { strides: [0], perRow: true });
  }).build();
}

function product(layout: "NN" | "NT" | "TN", [m, n, k]: readonly number[]): ProgramCase {
  const c = new CaseBuilder(`f16 matmul ${layout} m ${m} n ${n} k ${k}`, TOLERANCE.exact);
  const [x, w, y] = [c.input(wholes(908, m * k + 3)), c.input(wholes(909, k * n)), c.output("f16", m * n)];
  const a = c.view(x, [m, k], { strides: layout[0] === "N" ? [k, 1] : [1, m], offset: 3 });
  const b = c.view(w, [k, n], { strides: layout[1] === "N" ? [n, 1] : [1, k] });
  return c.matmul({ m, n, k, a, b }, (body) => body.store(y, half(body, body.acc()))).build();
}

function batchedProduct(): ProgramCase {
  const [count, m, n, k] = [3, 5, 9, 6];
  const c = new CaseBuilder("f16 matmul batched, one operand f32", TOLERANCE.exact);
  const x = c.input(wholes(910, count * m * k)), w = c.input(small(911, k * n));
  const y = c.output("f32", count * m * n);
  const a = c.view(x, [count, m, k]), b = c.view(w, [count, k, n], { strides: [0, n, 1] });
  return c.matmul({ batch: [count], m, n, k, a, b }, (body) => body.store(y, body.acc())).build();
}

/** Two images of 4 channels, 6 x 5, by 3 x 3 with a padding of 1. */
function convolution(): ProgramCase {
  const [batch, cin, h, w, m] = [2, 4, 6, 5, 7];
  const c = new CaseBuilder("f16 convolution, padded", TOLERANCE.exact);
  const x = c.input(wholes(912, batch * cin * h * w)), weight = c.input(wholes(913, m * cin * 9));
  const y = c.output("f16", batch * m * h * w);
  const guard = (axis: number, size: number) => ({
    offset: -1,
    strides: [0, ...[0, 1, 2].map((a) => a === axis ? 1 : 0), ...[0, 1, 2].map((a) => a === axis ? 1 : 0)],
    size,
  });
  const b = { slot: x, dtype: "f16" as const, offset: -w - 1, strides: [0, h * w, w, 1, cin * h * w, w, 1] };
  return c.conv({
    groups: 1,
    m,
    k: [cin, 3, 3],
    n: [batch, h, w],
    a: c.view(weight, [1, m, cin, 3, 3]),
    b,
    guards: [guard(1, h), guard(2, w)],
  }, (body) => body.store(y, half(body, body.acc()), { strides: [0, h * w, m * h * w, w, 1] })).build();
}

function scattered(): ProgramCase {
  const [n, size] = [40, 7];
  const c = new CaseBuilder("f16 scattered", TOLERANCE.exact);
  const src = c.input(wholes(914, n)), index = c.input(Int32Array.from(fillInts(915, n, size)));
  const y = c.output("f32", size);
  return c.kernel({
    op: "scatterAdd",
    outer: 1,
    n,
    inner: 1,
    size,
    src: c.view(src, [1, n, 1]),
    index: c.view(index, [1, n, 1]),
    out: c.view(y, [1, size, 1]),
  }).build();
}

function temporaries(): ProgramCase {
  const n = 37;
  const c = new CaseBuilder("f16 temporaries", TOLERANCE.exact);
  const [x, t, u, y] = [c.input(halves(916, n)), c.temporary("f16", n), c.temporary("f16", n), c.output("f16", n)];
  return c.map([n], (b) => b.store(t, half(b, b.binary("mul", b.load(x), b.load(x)))))
    .map([n], (b) => b.store(u, b.load(t, { offset: n - 1, strides: [-1] })))
    .map([n], (b) => b.store(y, half(b, b.binary("sub", b.load(t), b.load(u))))).build();
}

/** One key a row, so that its weight is 1 and the result is a value. */
function attention(): ProgramCase {
  const [heads, n, d] = [2, 5, 8];
  const c = new CaseBuilder("f16 attention", TOLERANCE.rounded);
  const [q, k, v] = [
    c.input(halves(917, heads * n * d)),
    c.input(halves(918, heads * d)),
    c.input(halves(919, heads * d)),
  ];
  const y = c.output("f32", heads * n * (d + 1));
  return c.kernel({
    op: "attention",
    batch: 1,
    heads,
    kvHeads: heads,
    n,
    m: 1,
    d,
    dv: d,
    scale: 0.25,
    causal: false,
    q: c.view(q, [1, heads, n, d]),
    k: c.view(k, [1, heads, 1, d]),
    v: c.view(v, [1, heads, 1, d]),
    out: c.view(y, [heads * n * (d + 1)]),
  }).build();
}
