/**
 * Reductions of few long rows: threads share the parts of a row, whose folds are combined afterwards in their order.
 *
 * @module
 */
import type { ReduceKernel, View } from "../../contract.ts";
import { VectorWriter } from "./vector_writer.ts";
import { Fn, MEM, OP, T } from "./code.ts";
import type { Context } from "./context.ts";
import { FOLD_BYTES, Folds } from "./folds.ts";
import { CHUNK, decode, product, sweep, type Work } from "./loops.ts";
import { neededInPass } from "../../data_flow.ts";
import { rowPasses, rowRoots } from "../../rows.ts";

/** Rows that are enough for threads to share, and parts that are. */
const FEW_ROWS = 8, PARTS = 16;
/** The fewest elements of a part. */
const LEAST = 8192;

/** How many parts each row of a kernel is cut into, by its shape alone; 1 if it is better left whole. */
export function partsOfRow(kernel: ReduceKernel): number {
  const { outer, inner, outs } = kernel;
  const rows = product(outer);
  const simple = outs.every((o) => o.perRow) && inner[inner.length - 1] >= 16 && rowPasses(kernel).passes.length === 1;
  if (!simple || rows >= FEW_ROWS) return 1;
  return Math.max(1, Math.min(Math.ceil(PARTS / rows), Math.floor(product(inner) / LEAST)));
}

/** Two functions, for the parts and for the rows, and the bytes of `scratch` that lie between them. */
export function splitReduce(context: Context, kernel: ReduceKernel, parts: number, scratch: number) {
  const [folds] = rowPasses(kernel).passes;
  const from: View = { slot: scratch, dtype: "f32", offset: 0, strides: [] };
  return {
    parts: partsLoop(context, kernel, parts, from),
    rows: rowsLoop(context, kernel, parts, from),
    bytes: product(kernel.outer) * parts * folds.length * FOLD_BYTES,
  };
}

/** What both functions begin with: a writer for the body, the folds, and what a row computes before its elements. */
function begin(context: Context, kernel: ReduceKernel, stored: readonly View[]) {
  const { outer, inner, body, outs } = kernel;
  const f = new Fn([T.i32, T.i32, T.i32]);
  const sizes = [...outer, ...inner], rowAxes = outer.map((_, i) => i);
  const w = new VectorWriter(f, context, body, {
    sizes,
    vector: sizes.length - 1,
    inner: sizes.length - 1,
    outer: new Set(rowAxes),
  });
  w.prologue(stored);
  w.emit(0, 4, () => true, stored);
  const { level, passes: [now] } = rowPasses(kernel);
  const wanted = neededInPass(body, rowRoots(outs, [now]));
  const rowLevel = (after: number, views: readonly View[]) =>
    w.emit(1, 4, (i) => wanted(i) && level[i] === after, views);
  return { f, w, rowAxes, folds: new Folds(w, now), elements: neededInPass(body, now.map(({ a }) => a)), rowLevel };
}

/** Pushes the address of a part's folds. */
function pushPart(f: Fn, scratch: View, part: number, folds: Folds): void {
  f.get(0).mem(MEM.i32Load, scratch.slot * 4).get(part).i32(folds.list.length * FOLD_BYTES).op(OP.i32Mul).op(OP.i32Add);
}

function partsLoop(context: Context, kernel: ReduceKernel, parts: number, scratch: View): Work {
  const { outer, inner } = kernel;
  const { f, w, rowAxes, folds, elements, rowLevel } = begin(context, kernel, []);
  const [item, row, line, lines, start, end, limit] = [0, 0, 0, 0, 0, 0, 0].map(() => f.local(T.i32));
  const otherAxes = inner.map((_, i) => outer.length + i).slice(0, -1);
  const length = inner[inner.length - 1], count = product(inner.slice(0, -1));
  const byLines = count >= 2 * parts;
  const share = Math.ceil((byLines ? count : length) / parts);
  /** `from, to`: what part `row` has of `whole` pieces, in `unit` bytes. */
  const cut = (from: number, to: number, whole: number, unit: number) => {
    f.get(item).i32(parts).op(OP.i32RemU).i32(share * unit).op(OP.i32Mul).set(from);
    f.get(from).i32(share * unit).op(OP.i32Add).set(to);
    f.get(to).i32(whole * unit).op(OP.i32GtS).if(() => f.i32(whole * unit).set(to));
  };
  const number = (spread: boolean) => () => {
    if (otherAxes.length > 0) f.get(line).i32(length).op(OP.i32Mul);
    f.get(w.position).i32(2).op(OP.i32ShrU);
    if (otherAxes.length > 0) f.op(OP.i32Add);
    f.op(OP.i32x4Splat);
    if (!spread) f.v128([0, 1, 2, 3]).op(OP.i32x4Add);
  };
  f.get(1).set(item);
  f.loop(item, () => f.get(2), 1, () => {
    f.get(item).i32(parts).op(OP.i32DivU).set(row);
    decode(w, rowAxes, row);
    rowLevel(0, []);
    folds.begin();
    f.i32(0).set(line).i32(count).set(lines).i32(0).set(start).i32(length * 4).set(end);
    if (byLines) cut(line, lines, count, 1);
    else cut(start, end, length, 4);
    f.loop(line, () => f.get(lines), 1, () => {
      decode(w, otherAxes, line);
      w.emit(2, 4, elements);
      f.get(start).tee(w.position).set(limit);
      f.get(limit).get(end).op(OP.i32LtS).if(() =>
        f.doWhile(() => { // chunk by chunk
          f.bump(limit, CHUNK * 16).get(limit).get(end).op(OP.i32GtS).if(() => f.get(end).set(limit));
          sweep(w, () => f.get(limit), (lanes) => {
            w.emit(3, lanes, elements);
            folds.take(lanes === 1, number(lanes === 1));
          });
          folds.chunk();
        }, () => f.get(limit).get(end).op(OP.i32LtS))
      );
    });
    folds.save(() => pushPart(f, scratch, item, folds));
  });
  return { index: context.module.add(f), items: product(outer) * parts };
}

function rowsLoop(context: Context, kernel: ReduceKernel, parts: number, scratch: View): Work {
  const { outer, outs } = kernel;
  const views = outs.map((o) => o.view);
  const { f, w, rowAxes, folds, rowLevel } = begin(context, kernel, views);
  const [row, part, last] = [0, 0, 0].map(() => f.local(T.i32));
  f.get(1).set(row);
  f.loop(row, () => f.get(2), 1, () => {
    decode(w, rowAxes, row);
    rowLevel(0, views);
    folds.begin();
    f.get(row).i32(parts).op(OP.i32Mul).tee(part).i32(parts).op(OP.i32Add).set(last);
    f.loop(part, () => f.get(last), 1, () => folds.absorb(() => pushPart(f, scratch, part, folds)));
    folds.end(true);
    rowLevel(1, []);
    f.i32(0).set(w.position);
    for (const o of outs) w.store(o.view, o.value, 1);
  });
  return { index: context.module.add(f), items: product(outer) };
}
