/**
 * Folds down the columns of a matrix, such as the gradients of biases: several vectors of columns at a time, a cache line of each row.
 *
 * @module
 */
import type { ReduceKernel } from "../../contract.ts";
import { neededInPass } from "../../data_flow.ts";
import { rowPasses, rowRoots } from "../../rows.ts";
import { Fn, OP, T } from "./code.ts";
import type { Context } from "./context.ts";
import { Folds } from "./folds.ts";
import { CHUNK, run, type Work } from "./loops.ts";
import { VectorWriter } from "./vector_writer.ts";

/** Vectors of columns side by side, and columns that threads can still share by so many. */
const VECTORS = 4, ENOUGH = 128;
/** Shorter columns lie in the first cache anyway. */
const LONG = 64;
/** Columns from which on a row of several folds would wait for memory more than it gains. */
const WIDE = 1024;

/** Whether the columns of `kernel` are worked on several vectors at a time, by its shape alone. */
export function isColumns(kernel: ReduceKernel): boolean {
  const { outer, inner, outs } = kernel;
  if (outer.length !== 1 || inner.length !== 1 || inner[0] < LONG) return false;
  if (outer[0] < ENOUGH || outer[0] % (4 * VECTORS) !== 0 || outs.some((o) => !o.perRow)) return false;
  const { passes } = rowPasses(kernel);
  return passes.length === 1 && (passes[0].length === 1 || outer[0] < WIDE) &&
    passes[0].every(({ kind }) => kind !== "argmax" && kind !== "argmin");
}

/** The loop; each column is folded in the order in which `reduceLoop` folds it. */
export function columnLoop(context: Context, kernel: ReduceKernel): Work {
  const { outer: [width], inner: [length], body, outs } = kernel;
  const f = new Fn([T.i32, T.i32, T.i32]);
  const nest = { sizes: [width, length], vector: 0, inner: 1, outer: new Set([0]) };
  const writers = Array.from({ length: VECTORS }, () => new VectorWriter(f, context, body, nest));
  const stored = outs.map((o) => o.view);
  const { level, passes: [now] } = rowPasses(kernel);
  const folds = writers.map((w) => new Folds(w, now));
  const row = neededInPass(body, rowRoots(outs, [now])), elements = neededInPass(body, now.map(({ a }) => a));
  for (const w of writers) {
    w.prologue(stored);
    w.emit(0, 4, () => true, stored);
  }
  const [item, limit] = [f.local(T.i32), f.local(T.i32)], { position } = writers[0];
  f.get(1).set(item);
  f.loop(item, () => f.get(2), 1, () => {
    writers.forEach((w, v) => {
      f.get(item).i32(VECTORS).op(OP.i32Mul).i32(v).op(OP.i32Add).i32(2).op(OP.i32Shl).set(w.coords[0]);
      w.emit(1, 4, (i) => row(i) && level[i] === 0, stored);
      w.emit(2, 4, elements);
      folds[v].begin();
    });
    f.i32(0).set(position).i32(0).set(limit);
    f.doWhile(() => { // chunk by chunk
      f.bump(limit, CHUNK * 4).get(limit).i32(length * 4).op(OP.i32GtS).if(() => f.i32(length * 4).set(limit));
      run(writers[0], () => f.get(limit), 1, () =>
        writers.forEach((w, v) => {
          if (v > 0) f.get(position).set(w.position);
          w.emit(3, 4, elements);
          folds[v].take(false, () => {});
        }));
      folds.forEach((fold) => fold.chunk());
    }, () => f.get(limit).i32(length * 4).op(OP.i32LtS));
    writers.forEach((w, v) => {
      folds[v].end(false);
      w.emit(1, 4, (i) => row(i) && level[i] === 1);
      f.i32(0).set(w.position);
      for (const o of outs) w.store(o.view, o.value, 4);
    });
  });
  return { index: context.module.add(f), items: width / (4 * VECTORS) };
}
