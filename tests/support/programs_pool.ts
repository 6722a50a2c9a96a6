/**
 * Programs with short rows of reductions: pools over windows, small groups.
 *
 * @module
 */
import { contiguousStrides, sizeOf } from "../../src/base/shape.ts";
import type { ReduceKind } from "../../src/device/contract.ts";
import { fillF32, fillInts } from "./fill.ts";
import { type BodyBuilder, CaseBuilder, type ProgramCase, sumTolerance, TOLERANCE } from "./programs_builder.ts";

const { exact } = TOLERANCE;

/** All pool cases. */
export function poolCases(): ProgramCase[] {
  return [
    pool("sum", [2, 3], [7, 9], [3, 3], 1, 1),
    pool("max", [70, 1], [14, 13], [3, 3], 2, 1),
    pool("argmax", [9, 8], [8, 15], [2, 2], 2, 0),
    pool("min", [5, 13], [4, 5], [2, 2], 2, 0), // places 2 x 2: too few for vectors of their own
    pool("sum", [3, 4], [9, 8], [5, 4], 1, 2), // rows too long to be written out
    pool("prod", [80, 1], [3, 12], [1, 3], 3, 0),
    pool("sum", [1, 2], [2, 3], [2, 2], 1, 0), // no axis has four rows
    ...[[66, 7], [3, 5], [1, 4]].map(inPlace),
    ...[[65, 6], [4, 9]].map(softmax),
    integers(),
  ];
}

/** Stores per row, contiguous over the outer axes. */
function storeRow(b: BodyBuilder, slot: number, value: number, outer: readonly number[]): void {
  b.store(slot, value, { strides: [...contiguousStrides(outer), 0, 0].slice(0, b.shape.length), perRow: true });
}

/** Windows of images `[...lead, height, width]`; outside, elements are 0. */
function pool(
  kind: ReduceKind,
  lead: readonly [number, number],
  [h, w]: readonly [number, number],
  taps: readonly [number, number],
  stride: number,
  padding: number,
): ProgramCase {
  const places = [h, w].map((n, i) => Math.floor((n + 2 * padding - taps[i]) / stride) + 1);
  const outer = [...lead, ...places];
  const name = `reduce ${kind} of ${taps.join("x")} windows, ${outer.join("x")} of them`;
  const c = new CaseBuilder(name, kind === "sum" || kind === "prod" ? sumTolerance(taps[0] * taps[1]) : exact);
  const x = c.input(fillF32(230, sizeOf(lead) * h * w));
  const y = c.output(kind === "argmax" ? "i32" : "f32", sizeOf(outer));
  const strides = [lead[1] * h * w, h * w, stride * w, stride, w, 1];
  const guard = (axis: number, size: number) => {
    const own = [0, 0, 0, 0, 0, 0];
    [own[2 + axis], own[4 + axis]] = [stride, 1];
    return { offset: -padding, strides: own, size };
  };
  const guards = padding > 0 ? [guard(0, h), guard(1, w)] : undefined;
  return c.reduce(outer, taps, (b) => {
    const v = b.load(x, { strides, offset: -padding * (w + 1), guards });
    storeRow(b, y, b.reduce(kind, v), outer);
  }).build();
}

/** Each row's sum is added to an element that the row also loads. */
function inPlace(outer: readonly number[]): ProgramCase {
  const c = new CaseBuilder(`reduce short rows of [${outer}, 3], added in place`, sumTolerance(3));
  const [x, y] = [c.input(fillF32(231, sizeOf(outer) * 3)), c.inout(fillF32(232, sizeOf(outer)))];
  return c.reduce(outer, [3], (b) => {
    const old = b.load(y, { strides: [...contiguousStrides(outer), 0] });
    storeRow(b, y, b.binary("add", old, b.reduce("sum", b.load(x))), outer);
  }).build();
}

function softmax(outer: readonly number[]): ProgramCase {
  const c = new CaseBuilder(`reduce softmax of short rows of [${outer}, 3]`, sumTolerance(3));
  const size = sizeOf(outer) * 3;
  const [x, y] = [c.input(fillF32(233, size)), c.output("f32", size)];
  return c.reduce(outer, [3], (b) => {
    const v = b.load(x);
    const e = b.unary("exp", b.binary("sub", v, b.reduce("max", v)));
    b.store(y, b.binary("div", e, b.reduce("sum", e)));
  }).build();
}

function integers(): ProgramCase {
  const c = new CaseBuilder("reduce short rows of bytes: sums, and whether one is 7", exact);
  const [rows, n] = [131, 5];
  const [x, sum, any] = [
    c.input(Uint8Array.from(fillInts(234, rows * n, 9))),
    c.output("i32", rows),
    c.output("bool", rows),
  ];
  return c.reduce([rows], [n], (b) => {
    const v = b.cast(b.load(x), "i32");
    storeRow(b, sum, b.reduce("sum", v), [rows]);
    const seven = b.select(b.binary("eq", v, b.const(7, "i32")), b.const(1, "i32"), b.const(0, "i32"));
    storeRow(b, any, b.cast(b.reduce("max", seven), "bool"), [rows]);
  }).build();
}
