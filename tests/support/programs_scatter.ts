/**
 * Programs with scatterAdd and segmentSum, and one that holds a whole training step.
 *
 * @module
 */
import { fillF32, fillInts } from "./fill.ts";
import { CaseBuilder, type ProgramCase, sumTolerance, TOLERANCE } from "./programs_builder.ts";

/** All scatterAdd and segmentSum cases, and the training step. */
export function scatterCases(): ProgramCase[] {
  return [
    scatter("rows repeated", { outer: 1, n: 500, inner: 1, size: 20 }),
    scatter("along the middle", { outer: 6, n: 31, inner: 17, size: 9 }),
    scatter("many targets", { outer: 2, n: 40, inner: 3, size: 5000 }),
    scatter("one", { outer: 1, n: 1, inner: 1, size: 1 }),
    scatterOutside(),
    scatterInPlace(),
    scatterStrided(),
    scatterBytes(),
    scatterOrder(),
    segmentSums([0, 3, 3, 10, 4096, 5000], 7001),
    segmentSums([0], 1),
    segmentSums([0, 100000], 100003),
    segmentSums(Array.from({ length: 300 }, (_, i) => i * 7), 300 * 7),
    segmentNorms(),
    trainingStep(),
  ];
}

interface ScatterSize {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  readonly size: number;
}

function scatter(note: string, { outer, n, inner, size }: ScatterSize): ProgramCase {
  const c = new CaseBuilder(`scatterAdd ${note}`, sumTolerance(n));
  const [source, target] = [[outer, n, inner], [outer, size, inner]];
  const src = c.view(c.input(fillF32(140, outer * n * inner)), source);
  const index = c.view(c.input(fillInts(141, outer * n * inner, size)), source);
  const out = c.view(c.output("f32", outer * size * inner), target);
  return c.kernel({ op: "scatterAdd", outer, n, inner, size, src, index, out }).build();
}

function scatterOutside(): ProgramCase {
  const c = new CaseBuilder("scatterAdd ignores indices outside, and starts from init", sumTolerance(8));
  const [x, at] = [c.input(fillF32(142, 8)), c.input(Int32Array.of(-1, 0, 3, 4, 3, 2 ** 31 - 1, -(2 ** 31), 0))];
  const [init, y] = [c.input(fillF32(143, 4)), c.output("f32", 4)];
  return c.kernel({
    op: "scatterAdd",
    outer: 1,
    n: 8,
    inner: 1,
    size: 4,
    src: c.view(x, [1, 8, 1]),
    index: c.view(at, [1, 8, 1]),
    init: c.view(init, [1, 4, 1]),
    out: c.view(y, [1, 4, 1]),
  }).build();
}

function scatterInPlace(): ProgramCase {
  const [n, inner, size] = [64, 50, 10];
  const c = new CaseBuilder("scatterAdd in place, one index for a whole row", sumTolerance(n));
  const [x, at, y] = [
    c.input(fillF32(144, n * inner)),
    c.input(fillInts(145, n, size)),
    c.inout(fillF32(146, size * inner)),
  ];
  const out = c.view(y, [1, size, inner]);
  const index = c.view(at, [1, n, inner], { strides: [0, 1, 0] });
  const src = c.view(x, [1, n, inner]);
  return c.kernel({ op: "scatterAdd", outer: 1, n, inner, size, src, index, init: out, out }).build();
}

function scatterStrided(): ProgramCase {
  const { outer, n, inner, size } = { outer: 4, n: 12, inner: 5, size: 7 };
  const c = new CaseBuilder("scatterAdd with broadcast src, permuted out, u32 indices", sumTolerance(n));
  const word = c.words(Uint32Array.of(3));
  const [x, y] = [c.input(fillF32(147, 64)), c.output("f32", outer * size * inner + 2)];
  const at = c.input(Uint32Array.from(fillInts(148, n * outer, size)));
  return c.kernel({
    op: "scatterAdd",
    outer,
    n,
    inner,
    size,
    src: c.view(x, [], { strides: [n, 1, 0], dyn: word }),
    index: c.view(at, [], { strides: [1, outer, 0] }),
    out: c.view(y, [], { strides: [1, outer * inner, outer], offset: 2 }),
  }).build();
}

function scatterBytes(): ProgramCase {
  const c = new CaseBuilder("scatterAdd with u8 indices: a histogram", TOLERANCE.exact);
  const [one, y] = [c.input(Float32Array.of(1)), c.output("f32", 256)];
  const at = c.input(Uint8Array.from(fillInts(149, 1003, 256)));
  return c.kernel({
    op: "scatterAdd",
    outer: 1,
    n: 1003,
    inner: 1,
    size: 256,
    src: c.view(one, [], { strides: [0, 0, 0] }),
    index: c.view(at, [1, 1003, 1]),
    out: c.view(y, [1, 256, 1]),
  }).build();
}

function scatterOrder(): ProgramCase {
  const n = 3000;
  const c = new CaseBuilder("scatterAdd of 3000 rows into one, NaN kept out of the others", { rel: 1e-5, abs: 2e-4 });
  const data = fillF32(150, n * 4);
  data[4 * 77 + 2] = NaN;
  const [x, at, y] = [c.input(data), c.input(new Int32Array(n).fill(1).with(77, 2)), c.output("f32", 3 * 4)];
  return c.kernel({
    op: "scatterAdd",
    outer: 1,
    n,
    inner: 4,
    size: 3,
    src: c.view(x, [1, n, 4]),
    index: c.view(at, [1, n, 4], { strides: [0, 1, 0] }),
    out: c.view(y, [1, 3, 4]),
  }).build();
}

function segmentSums(starts: readonly number[], n: number): ProgramCase {
  const c = new CaseBuilder(`segmentSum of ${n} in ${starts.length} segments, two outs`, sumTolerance(n));
  const count = starts.length;
  const [x, y, z] = [c.input(fillF32(151, n)), c.output("f32", count), c.output("f32", 2 * count)];
  return c.segmentSum(n, starts, (b) => {
    const v = b.load(x);
    b.store(y, v, { strides: [1] });
    b.store(z, b.binary("mul", v, v), { strides: [-2], offset: 2 * count - 1 });
  }).build();
}

function segmentNorms(): ProgramCase {
  const starts = [0, 100, 1000, 1001];
  const n = 3000;
  const c = new CaseBuilder("segmentSum then a map in place: clip each segment's norm", { rel: 1e-5, abs: 1e-6 });
  const [g, norms] = [c.inout(fillF32(152, n)), c.temporary("f32", starts.length)];
  c.segmentSum(n, starts, (b) => {
    const v = b.load(g);
    b.store(norms, b.binary("mul", v, v), { strides: [1] });
  });
  return c.map([n], (b) => {
    const index = { value: b.segment(starts), stride: 1, size: starts.length };
    const norm = b.unary("sqrt", b.load(norms, { strides: [0], index }));
    const factor = b.binary("min", b.const(1), b.binary("div", b.const(2), b.binary("add", norm, b.const(1e-6))));
    b.store(g, b.binary("mul", b.load(g), factor));
  }).build();
}

function trainingStep(): ProgramCase {
  const [bs, features, classes] = [32, 50, 10];
  const c = new CaseBuilder("a training step of softmax regression: six kernels", { rel: 1e-5, abs: 2e-6 });
  const lr = c.words(Float32Array.of(0.1));
  const rows = c.words(fillInts(153, bs, 200));
  const data = c.input(Uint8Array.from(fillInts(154, 200 * features, 256)));
  const labels = c.input(Uint8Array.from(fillInts(155, 200, classes)));
  const [w, bias, losses] = [
    c.inout(fillF32(156, classes * features, 0.1)),
    c.inout(fillF32(157, classes)),
    c.output("f32", 1),
  ];
  const [x, logits, each] = [
    c.temporary("f32", bs * features),
    c.temporary("f32", bs * classes),
    c.temporary("f32", bs),
  ];
  const rowOf = (shape: readonly number[], strides: readonly number[]) =>
    ({ k: "load", view: c.view(0, shape, { strides, offset: rows, dtype: "i32" }) }) as const;
  c.map([bs, features], (b) => {
    b.body.push(rowOf([bs, features], [1, 0]));
    const pixel = b.load(data, { strides: [0, 1], index: { value: 0, stride: features, size: 200 } });
    b.store(x, b.binary("div", b.cast(pixel, "f32"), b.const(255)));
  });
  const forward = { m: bs, n: classes, k: features, a: c.view(x, [bs, features]) };
  c.matmul({ ...forward, b: c.view(w, [features, classes], { strides: [1, features] }) }, (b) => {
    b.store(logits, b.binary("add", b.acc(), b.load(bias, { strides: [0, 1] })));
  });
  c.reduce([bs], [classes], (b) => {
    b.body.push(rowOf([bs, classes], [1, 0]));
    const target = b.load(labels, { strides: [0, 0], index: { value: 0, stride: 1, size: 200 } });
    const v = b.load(logits);
    const most = b.reduce("max", v);
    const e = b.unary("exp", b.binary("sub", v, most));
    const sum = b.reduce("sum", e);
    const hit = b.cast(b.binary("eq", b.coord([0, 1]), target), "f32");
    const picked = b.reduce("sum", b.binary("mul", hit, v));
    b.store(each, b.binary("sub", b.binary("add", most, b.unary("log", sum)), picked), {
      strides: [1, 0],
      perRow: true,
    });
    b.store(logits, b.binary("mul", b.binary("sub", b.binary("div", e, sum), hit), b.const(1 / bs)));
  });
  c.reduce([], [bs], (b) => {
    b.store(losses, b.binary("div", b.reduce("sum", b.load(each)), b.const(bs)), { strides: [0], perRow: true });
  });
  const a = c.view(logits, [classes, bs], { strides: [1, classes] });
  c.matmul({ m: classes, n: features, k: bs, a, b: c.view(x, [bs, features]) }, (b) => {
    b.store(w, b.binary("sub", b.load(w), b.binary("mul", b.scalar(lr), b.acc())));
  });
  c.reduce([classes], [bs], (b) => {
    const gradient = b.reduce("sum", b.load(logits, { strides: [1, classes] }));
    const column = { strides: [1, 0] };
    b.store(bias, b.binary("sub", b.load(bias, column), b.binary("mul", b.scalar(lr), gradient)), {
      ...column,
      perRow: true,
    });
  });
  return c.build();
}
