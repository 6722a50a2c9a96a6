/**
 * Element-wise programs: views, every instruction, chains of kernels.
 *
 * @module
 */
import type { HostArray } from "../../src/base/dtype.ts";
import { sizeOf } from "../../src/base/shape.ts";
import type { BinaryOp, UnaryOp } from "../../src/device/contract.ts";
import { fillF32, fillInts } from "./fill.ts";
import { BINARY, BINARY_RULES, UNARY_RULES } from "./operations.ts";
import { CaseBuilder, type ProgramCase, TOLERANCE, type Tolerance } from "./programs_builder.ts";

const { exact } = TOLERANCE;

/** Element-wise cases that are about where elements lie. */
export function viewCases(): ProgramCase[] {
  return [
    ...[[], [1], [7], [1000, 37], [70000], [3, 5, 7, 2], [2, 1, 65], [65537, 3]].map(addCase),
    permuted(),
    reversed(),
    broadcast(),
    strided(),
    guarded(),
    guardedTwoAxes(),
    gatherRows(),
    gatherOutside(),
    gatherElements(),
    dynamicOffsets(),
    dynamicRows(),
    bytesNormalized(),
    bytesUnaligned(),
    batchFromParams(),
    inPlace(),
    disjointRanges(),
    chain(),
    manyOuts(),
    fiveAxes(),
  ];
}

/** One case for every instruction, and some for what IEEE 754 and wrapping ask. */
export function instructionCases(): ProgramCase[] {
  return [
    ...unaryCases(),
    ...binaryCases(),
    ...castCases(),
    select(),
    boolLogic(),
    coords(),
    segments(),
    scalars(),
    ...(["bits", "uniform", "normal"] as const).map(random),
    dropout(),
    adam(),
  ];
}

function addCase(shape: readonly number[]): ProgramCase {
  const n = sizeOf(shape);
  const c = new CaseBuilder(`map add [${shape}]`, exact);
  const [x, y, z] = [c.input(fillF32(1, n)), c.input(fillF32(2, n)), c.output("f32", n)];
  return c.map(shape, (b) => b.store(z, b.binary("add", b.load(x), b.load(y)))).build();
}

function permuted(): ProgramCase {
  const c = new CaseBuilder("map permuted copy [67, 3, 129] from [129, 67, 3]", exact);
  const [x, y] = [c.input(fillF32(3, 67 * 3 * 129)), c.output("f32", 67 * 3 * 129)];
  return c.map([67, 3, 129], (b) => b.store(y, b.load(x, { strides: [3, 1, 201] }))).build();
}

function reversed(): ProgramCase {
  const c = new CaseBuilder("map negative strides", exact);
  const [x, y] = [c.input(fillF32(4, 300)), c.output("f32", 300)];
  const flipped = { strides: [-30, -1], offset: 299 };
  c.map([10, 30], (b) => b.store(y, b.unary("neg", b.load(x)), flipped));
  const z = c.output("f32", 300);
  return c.map([10, 30], (b) => b.store(z, b.load(x, { strides: [30, -1], offset: 29 }))).build();
}

function broadcast(): ProgramCase {
  const c = new CaseBuilder("map broadcast row and column", exact);
  const [row, column, y] = [c.input(fillF32(5, 37)), c.input(fillF32(6, 41)), c.output("f32", 41 * 37)];
  return c.map([41, 37], (b) => {
    b.store(y, b.binary("mul", b.load(row, { strides: [0, 1] }), b.load(column, { strides: [1, 0] })));
  }).build();
}

function strided(): ProgramCase {
  const c = new CaseBuilder("map store with steps leaves the rest alone", exact);
  const [x, y] = [c.input(fillF32(7, 100)), c.output("f32", 1000)];
  return c.map([10, 10], (b) => b.store(y, b.load(x), { strides: [90, 3], offset: 5 })).build();
}

function guarded(): ProgramCase {
  const c = new CaseBuilder("map guard: pad [10] to [17]", exact);
  const [x, y] = [c.input(fillF32(8, 10)), c.output("f32", 17)];
  return c.map([17], (b) => {
    b.store(y, b.load(x, { offset: -4, guards: [{ offset: -4, strides: [1], size: 10 }] }));
  }).build();
}

function guardedTwoAxes(): ProgramCase {
  const c = new CaseBuilder("map guards: windows 3x3 of [5, 6], padding 1, integers", exact);
  const [x, y] = [c.input(fillInts(9, 30, 100)), c.output("i32", 5 * 6 * 9)];
  const guards = [{ offset: -1, strides: [1, 0, 1, 0], size: 5 }, { offset: -1, strides: [0, 1, 0, 1], size: 6 }];
  return c.map([5, 6, 3, 3], (b) => b.store(y, b.load(x, { strides: [6, 1, 6, 1], offset: -7, guards }))).build();
}

function gatherRows(): ProgramCase {
  const c = new CaseBuilder("map gather rows", exact);
  const [x, index] = [c.input(fillF32(10, 50 * 33)), c.input(fillInts(11, 200, 50))];
  const y = c.output("f32", 200 * 33);
  return c.map([200, 33], (b) => {
    const value = b.load(index, { strides: [1, 0] });
    b.store(y, b.load(x, { strides: [0, 1], index: { value, stride: 33, size: 50 } }));
  }).build();
}

function gatherOutside(): ProgramCase {
  const c = new CaseBuilder("map gather outside gives NaN, and 0 for integers; guards come first", exact);
  const [x, index] = [c.input(fillF32(12, 4)), c.input(Int32Array.of(0, 3, 4, -1, 2 ** 31 - 1, -(2 ** 31), 1, 2))];
  const [whole, y, z] = [c.input(fillInts(13, 4, 9)), c.output("f32", 16), c.output("i32", 8)];
  c.map([8], (b) => {
    const gather = { strides: [0], index: { value: b.load(index), stride: 1, size: 4 } };
    b.store(y, b.load(x, gather));
    b.store(y, b.load(x, { ...gather, guards: [{ offset: -3, strides: [1], size: 4 }] }), { offset: 8 });
    b.store(z, b.load(whole, gather));
  });
  return c.build();
}

function gatherElements(): ProgramCase {
  const c = new CaseBuilder("map gather along the last axis, offsets and negative stride", exact);
  const [x, index, y] = [c.input(fillF32(14, 60)), c.input(fillInts(15, 45, 10)), c.output("f32", 30)];
  return c.map([6, 5], (b) => {
    const value = b.load(index, { offset: 15 });
    b.store(y, b.load(x, { strides: [10, 0], offset: 9, index: { value, stride: -1, size: 10 } }));
  }).build();
}

function dynamicOffsets(): ProgramCase {
  const c = new CaseBuilder("map dynamic offsets of a load and a store", exact);
  const [x, y] = [c.input(fillF32(16, 100)), c.output("f32", 64)];
  const word = c.words(Uint32Array.of(9, 33, 20));
  return c.map([5, 3], (b) => {
    b.store(y, b.load(x, { dyn: word + 1, offset: 2 }), { dyn: word + 2, strides: [3, 1], offset: 1 });
  }).build();
}

function dynamicRows(): ProgramCase {
  const c = new CaseBuilder("map gather of rows from the last to the first, at a dynamic offset, some outside", exact);
  const [x, y] = [c.input(fillF32(18, 100)), c.output("f32", 24)];
  const index = c.input(Int32Array.of(0, 3, 4, -1, 8, 9, 10, -(2 ** 31)));
  const word = c.words(Uint32Array.of(5));
  return c.map([8, 3], (b) => {
    const value = b.load(index, { strides: [1, 0] });
    const rows = { strides: [0, 1], offset: 45, index: { value, stride: -5, size: 10 } };
    b.store(y, b.load(x, { ...rows, dyn: word }));
  }).build();
}

const bytes = (n: number): Uint8Array => Uint8Array.from(fillInts(17, n, 256));

function bytesNormalized(): ProgramCase {
  const c = new CaseBuilder("map u8 to f32, scaled", TOLERANCE.rounded);
  const [x, y] = [c.input(bytes(4 * 783)), c.output("f32", 4 * 783)];
  return c.map([4, 783], (b) => {
    const centred = b.binary("sub", b.cast(b.load(x), "f32"), b.const(33.3));
    b.store(y, b.binary("mul", centred, b.const(1 / 78.5)));
  }).build();
}

function bytesUnaligned(): ProgramCase {
  const c = new CaseBuilder("map u8 with odd offset and strides, reversed", exact);
  const [x, y] = [c.input(bytes(203)), c.output("i32", 99)];
  return c.map([33, 3], (b) => b.store(y, b.load(x, { strides: [-6, 2], offset: 197 }))).build();
}

function batchFromParams(): ProgramCase {
  const c = new CaseBuilder("map gather u8 rows by indices in the parameters", TOLERANCE.rounded);
  const [x, y] = [c.input(bytes(20 * 49)), c.output("f32", 8 * 49)];
  c.words(Float32Array.of(0.25));
  const first = c.words(Int32Array.of(3, 19, 0, 7, 7, 11, 2, 18));
  return c.map([8, 49], (b) => {
    const row = b.owner.view(0, [8, 49], { strides: [1, 0], offset: first, dtype: "i32" });
    b.body.push({ k: "load", view: row });
    const pixel = b.load(x, { strides: [0, 1], index: { value: 0, stride: 49, size: 20 } });
    b.store(y, b.binary("mul", b.cast(pixel, "f32"), b.scalar(0)));
  }).build();
}

function inPlace(): ProgramCase {
  const c = new CaseBuilder("map in place with momentum", TOLERANCE.rounded);
  const [p, v, g] = [c.inout(fillF32(18, 5001)), c.inout(fillF32(19, 5001)), c.input(fillF32(20, 5001))];
  const [lr, mom] = [c.words(Float32Array.of(0.1)), c.words(Float32Array.of(0.9))];
  return c.map([5001], (b) => {
    const moved = b.binary("add", b.binary("mul", b.load(v), b.scalar(mom)), b.load(g));
    b.store(v, moved);
    b.store(p, b.binary("sub", b.load(p), b.binary("mul", moved, b.scalar(lr))));
  }).build();
}

function disjointRanges(): ProgramCase {
  const c = new CaseBuilder("map loads one range of a slot and stores another", exact);
  const x = c.inout(fillF32(21, 6000));
  return c.map([3000], (b) => b.store(x, b.unary("neg", b.load(x)), { offset: 3000 })).build();
}

function chain(): ProgramCase {
  const c = new CaseBuilder("map chain through two temporaries, one of them reused", exact);
  const [x, s, t] = [c.input(fillF32(22, 2000)), c.temporary("f32", 2000), c.temporary("f32", 2000)];
  const y = c.output("f32", 2000);
  c.map([2000], (b) => b.store(s, b.binary("add", b.load(x), b.const(1))));
  c.map([2000], (b) => b.store(t, b.load(s, { strides: [-1], offset: 1999 })));
  c.map([2000], (b) => b.store(s, b.binary("mul", b.load(s), b.load(t))));
  return c.map([2000], (b) => b.store(y, b.binary("sub", b.load(s), b.load(t)))).build();
}

function manyOuts(): ProgramCase {
  const c = new CaseBuilder("map with four outs of three types, and a shared subexpression", exact);
  const [x, y, z] = [c.input(fillF32(23, 513)), c.output("f32", 513), c.output("bool", 513)];
  const [w, v] = [c.output("i32", 513), c.output("f32", 27 * 19)];
  return c.map([27, 19], (b) => {
    const value = b.load(x);
    const negative = b.binary("lt", value, b.const(0));
    const relu = b.select(negative, b.const(0), value);
    b.store(y, relu);
    b.store(z, negative);
    b.store(w, b.coord());
    b.store(v, relu, { strides: [1, 27] });
  }).build();
}

function fiveAxes(): ProgramCase {
  const c = new CaseBuilder("map over six axes of mixed strides", exact);
  const [x, y] = [c.input(fillF32(24, 4000)), c.output("f32", 2 * 3 * 4 * 3 * 2 * 5)];
  return c.map([2, 3, 4, 3, 2, 5], (b) => {
    b.store(y, b.load(x, { strides: [7, 500, -100, 31, 0, 2], offset: 1000 }));
  }).build();
}

function unaryCases(): ProgramCase[] {
  const whole = Int32Array.of(0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 17, -40000);
  return UNARY_RULES.flatMap(([op, { range, tolerance, edges, integers = false }]) => {
    const cases: ProgramCase[] = [];
    if (range !== null) {
      const drawn = fillF32(30, 500, range.scale).map((v) => v + (range.offset ?? 0));
      cases.push(unaryCase(op, Float32Array.of(...edges, ...drawn), tolerance));
    }
    if (integers) cases.push(unaryCase(op, whole, exact));
    return cases;
  });
}

function unaryCase(op: UnaryOp, data: Float32Array | Int32Array, tolerance: Tolerance): ProgramCase {
  const type = data instanceof Float32Array ? "f32" : "i32";
  const c = new CaseBuilder(`map unary ${op} ${type}`, tolerance);
  const [x, y] = [c.input(data), c.output(type, data.length)];
  return c.map([data.length], (b) => b.store(y, b.unary(op, b.load(x)))).build();
}

/** Every pair of `a` and `b`, as two arrays. */
function pairs<A extends HostArray>(a: A, b: A): [A, A] {
  const [left, right] = [hostArrayLike(a, a.length * b.length), hostArrayLike(a, a.length * b.length)];
  for (let i = 0; i < left.length; i++) {
    left[i] = a[Math.floor(i / b.length)];
    right[i] = b[i % b.length];
  }
  return [left, right];
}

function hostArrayLike<A extends HostArray>(a: A, length: number): A {
  return new (a.constructor as unknown as { new (length: number): A })(length);
}

function binaryCases(): ProgramCase[] {
  const reals = Float32Array.of(0, -0, NaN, Infinity, -Infinity, 1, -1, 2.5, -3.25, 1e20, ...fillF32(31, 10, 3));
  const whole = Int32Array.of(0, 1, -1, 7, -7, 3, 65536, 123456789, 2 ** 31 - 1, -(2 ** 31));
  const natural = Uint32Array.of(0, 1, 2, 7, 31, 65537, 123456789, 2 ** 31, 2 ** 32 - 1);
  const shifts = Uint32Array.of(0, 1, 5, 16, 31);
  return BINARY_RULES.flatMap(([op, { f32, integers }]) => {
    const operands = f32 === null ? [] : f32.operands ?? [[reals, reals] as const];
    const cases = operands.map(([a, b], i) =>
      binaryCase(op, ...pairs(a, b), f32!.tolerance, i === 0 ? "" : `(${i + 1})`)
    );
    if (integers === "shifts") cases.push(binaryCase(op, ...pairs(natural, shifts), exact));
    if (integers === "all") {
      cases.push(binaryCase(op, ...pairs(whole, whole), exact), binaryCase(op, ...pairs(natural, natural), exact));
    }
    return cases;
  });
}

function binaryCase<A extends Float32Array | Int32Array | Uint32Array>(
  op: BinaryOp,
  a: A,
  b: A,
  tolerance: Tolerance,
  note = "",
): ProgramCase {
  const type = a instanceof Float32Array ? "f32" : a instanceof Int32Array ? "i32" : "u32";
  const c = new CaseBuilder(`map binary ${op} ${type} ${note}`.trim(), tolerance);
  const [x, y, z] = [c.input(a), c.input(b), c.output(BINARY[op].compares === true ? "bool" : type, a.length)];
  return c.map([a.length], (body) => body.store(z, body.binary(op, body.load(x), body.load(y)))).build();
}

function castCases(): ProgramCase[] {
  const reals = Float32Array.of(
    0,
    -0,
    NaN,
    Infinity,
    -Infinity,
    0.9,
    -0.9,
    1.5,
    -1.5,
    3e9,
    -3e9,
    5e9,
    2147483520,
    1e-30,
  );
  const whole = Int32Array.of(0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 16777217, 40);
  const natural = Uint32Array.of(0, 1, 2 ** 31, 2 ** 32 - 1, 16777217);
  return ([["f32", reals], ["i32", whole], ["u32", natural], ["bool", Uint32Array.of(0, 1, 1, 0)]] as const).map(
    ([from, data]) => {
      const c = new CaseBuilder(`map casts from ${from}`, exact);
      const x = c.input(data, from);
      const targets = (["f32", "i32", "u32", "bool"] as const).map((to) => ({ to, slot: c.output(to, data.length) }));
      return c.map([data.length], (b) => {
        const value = b.load(x);
        for (const { to, slot } of targets) b.store(slot, b.cast(value, to));
      }).build();
    },
  );
}

function select(): ProgramCase {
  const c = new CaseBuilder("map select of f32, i32 and bool, NaN in the branch not taken", exact);
  const flags = Uint32Array.from(fillInts(34, 300, 2));
  const [cond, x] = [c.input(flags, "bool"), c.input(fillF32(35, 300))];
  const [y, z, w] = [c.output("f32", 300), c.output("i32", 300), c.output("bool", 300)];
  return c.map([300], (b) => {
    const [take, value] = [b.load(cond), b.load(x)];
    b.store(y, b.select(take, value, b.binary("mul", b.const(NaN), value)));
    b.store(z, b.select(take, b.coord(), b.const(-5, "i32")));
    b.store(w, b.select(take, b.binary("gt", value, b.const(0)), b.const(1, "bool")));
  }).build();
}

function boolLogic(): ProgramCase {
  const c = new CaseBuilder("map and, or, xor, not, eq, ne of bool", exact);
  const [x, y] = [c.input(Uint32Array.of(0, 0, 1, 1), "bool"), c.input(Uint32Array.of(0, 1, 0, 1), "bool")];
  const z = c.output("bool", 24);
  return c.map([4], (b) => {
    const [p, q] = [b.load(x), b.load(y)];
    (["and", "or", "xor", "eq", "ne"] as const).forEach((op, i) => b.store(z, b.binary(op, p, q), { offset: 4 * i }));
    b.store(z, b.unary("not", p), { offset: 20 });
  }).build();
}

function coords(): ProgramCase {
  const c = new CaseBuilder("map coord: a lower triangle", exact);
  const [x, y, z] = [c.input(fillF32(36, 50 * 60)), c.output("f32", 3000), c.output("i32", 3000)];
  return c.map([50, 60], (b) => {
    const below = b.coord([1, -1], 3); // row - column + 3
    b.store(y, b.select(b.binary("ge", below, b.const(0, "i32")), b.load(x), b.const(0)));
    b.store(z, below);
  }).build();
}

function segments(): ProgramCase {
  const starts = [0, 5, 5, 6, 900, 4096, 4097];
  const c = new CaseBuilder("map segment, one of them empty, with a table lookup", exact);
  const [table, y, z] = [c.input(fillF32(37, starts.length)), c.output("f32", 5000), c.output("i32", 5000)];
  return c.map([5000], (b) => {
    const value = b.segment(starts);
    b.store(z, value);
    b.store(y, b.load(table, { strides: [0], index: { value, stride: 1, size: starts.length } }));
  }).build();
}

function scalars(): ProgramCase {
  const c = new CaseBuilder("map scalars of every type", exact);
  const words = [
    c.words(Float32Array.of(-1.5)),
    c.words(Int32Array.of(-7)),
    c.words(Uint32Array.of(2 ** 32 - 1)),
    c.words(Uint32Array.of(1)),
  ];
  return (["f32", "i32", "u32", "bool"] as const).reduce((builder, type, i) => {
    const y = builder.output(type, 3);
    return builder.map([3], (b) => b.store(y, b.scalar(words[i], type)));
  }, c).build();
}

function random(dist: "bits" | "uniform" | "normal"): ProgramCase {
  const c = new CaseBuilder(`map random ${dist}`, dist === "normal" ? TOLERANCE.normal : exact);
  const seed = c.words(Uint32Array.of(0xdeadbeef, 0x12345678, 7));
  const y = c.output(dist === "bits" ? "u32" : "f32", 200 * 101);
  return c.map([200, 101], (b) => b.store(y, b.random(dist, seed, seed + 2, b.coord()))).build();
}

function dropout(): ProgramCase {
  const c = new CaseBuilder("map dropout: mask from random, transposed input, index from 2^31", TOLERANCE.rounded);
  const seed = c.words(Uint32Array.of(1, 2, 2 ** 32 - 1));
  const [x, y] = [c.input(fillF32(38, 64 * 100)), c.output("f32", 6400)];
  return c.map([64, 100], (b) => {
    const u = b.random("uniform", seed, seed + 2, b.coord([100, 1], -(2 ** 31)));
    const kept = b.binary("div", b.load(x, { strides: [1, 64] }), b.const(0.7));
    b.store(y, b.select(b.binary("ge", u, b.const(0.3)), kept, b.const(0)));
  }).build();
}

function adam(): ProgramCase {
  const starts = [0, 784, 785, 4000, 4010];
  const [n, beta1, beta2] = [5003, 0.9, 0.99];
  const c = new CaseBuilder("map adam in place over segments, tables in the parameters", TOLERANCE.rounded);
  const active = c.words(Int32Array.of(1, 1, 0, 1, 1));
  const step = c.words(Float32Array.of(1e-3, 2e-3, 1e-3, 5e-3, 1e-3));
  const wd = c.words(Float32Array.of(0.01));
  const p = c.inout(fillF32(39, n));
  const [avg, sqr] = [c.inout(fillF32(40, n, 0.1)), c.inout(fillF32(41, n).map((v) => v * v))];
  const g = c.input(fillF32(42, n));
  return c.map([n], (b) => {
    const segment = b.segment(starts);
    const lookup = (first: number, dtype: "f32" | "i32"): number =>
      b.body.push({
        k: "load",
        view: b.owner.view(0, [n], { strides: [0], offset: first, dtype }),
        index: { value: segment, stride: 1, size: starts.length },
      }) - 1;
    const on = b.cast(lookup(active, "i32"), "bool");
    const [old, grad, m, v] = [b.load(p), b.load(g), b.load(avg), b.load(sqr)];
    const mix = (a: number, w: number, x: number): number =>
      b.binary("add", b.binary("mul", a, b.const(w)), b.binary("mul", x, b.const(1 - w)));
    const newM = mix(m, beta1, grad);
    const newV = mix(v, beta2, b.binary("mul", grad, grad));
    const decayed = b.binary(
      "mul",
      old,
      b.binary("sub", b.const(1), b.binary("mul", lookup(step, "f32"), b.scalar(wd))),
    );
    const denominator = b.binary("add", b.unary("sqrt", newV), b.const(1e-5));
    const change = b.binary("mul", lookup(step, "f32"), b.binary("div", newM, denominator));
    b.store(p, b.select(on, b.binary("sub", decayed, change), old));
    b.store(avg, b.select(on, newM, m));
    b.store(sqr, b.select(on, newV, v));
  }).build();
}
