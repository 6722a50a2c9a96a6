/**
 * Loops of maps.
 *
 * @module
 */
import type { Inst, MapKernel, View } from "../../contract.ts";
import { type Nest, VectorWriter } from "./vector_writer.ts";
import { Fn, MEM, OP, T } from "./code.ts";
import type { Context } from "./context.ts";
import { decode, product, sweep, type Work } from "./loops.ts";

/** Elements of a work item of a map over one axis. */
const UNIT = 64;
/** Lines below this many elements are worked on several at a time; shorter ones than a vector are written out. */
const SHORT = 16, VECTOR = 4;
/** Lines by the several that are enough for threads to share. */
const ENOUGH = 64;

/** A map: rows of the outer axes, vectors along the last one. */
export function mapLoop(context: Context, { shape, body, outs }: MapKernel): Work {
  const f = new Fn([T.i32, T.i32, T.i32]);
  const rank = shape.length;
  const segments = rank !== 1 ? undefined : body.find((i): i is Extract<Inst, { k: "segment" }> => i.k === "segment");
  const short = rank > 2 && shape[rank - 1] < SHORT && product(shape.slice(0, -2)) >= ENOUGH;
  const outer = shape.map((_, i) => i).slice(0, short ? -2 : -1);
  const nest: Nest = {
    sizes: shape,
    vector: rank - 1,
    inner: rank - 1,
    outer: new Set(outer),
    ...(segments ? { segments: segments.starts } : {}),
  };
  const w = new VectorWriter(f, context, body, nest);
  const views = outs.map((o) => o.view);
  const all = () => true;
  w.prologue(views);
  const inner = (lanes: 4 | 1) => {
    w.emit(3, lanes, all);
    outs.forEach((o) => w.store(o.view, o.value, lanes));
  };
  if (rank === 0) {
    f.i32(0).set(w.position);
    for (const level of [0, 1, 2, 3] as const) w.emit(level, 1, all, views);
    outs.forEach((o) => w.store(o.view, o.value, 1));
    return { index: context.module.add(f), items: 1 };
  }
  const n = shape[rank - 1];
  w.emit(0, 4, all, views);
  if (rank > 1) {
    const row = f.local(T.i32), line = w.coords[rank - 2];
    const oneLine = () => {
      w.emit(2, 4, all, views);
      if (n >= VECTOR) {
        f.i32(0).set(w.position);
        sweep(w, () => f.i32(n * 4), inner);
        return;
      }
      for (let i = 0; i < n; i++) {
        f.i32(i * 4).set(w.position);
        inner(1);
      }
    };
    f.get(1).set(row);
    f.loop(row, () => f.get(2), 1, () => {
      decode(w, outer, row);
      w.emit(1, 4, all, views);
      if (!short) return oneLine();
      f.i32(0).set(line);
      f.loop(line, () => f.i32(shape[rank - 2]), 1, oneLine);
    });
    return { index: context.module.add(f), items: product(outer.map((i) => shape[i])) };
  }
  const end = f.local(T.i32);
  f.get(1).i32(UNIT * 4).op(OP.i32Mul).set(w.position);
  clampEnd(f, end, n);
  if (segments === undefined) {
    w.emit(1, 4, all, views);
    w.emit(2, 4, all, views);
    sweep(w, () => f.get(end), inner);
  } else segmentLoop(w, context, segments.starts, n, end, inner, views);
  return { index: context.module.add(f), items: Math.ceil(n / UNIT) };
}

/** `end = min(4 n, items' end in bytes)` */
function clampEnd(f: Fn, end: number, n: number): void {
  f.get(2).i32(UNIT * 4).op(OP.i32Mul).set(end);
  f.get(end).i32(n * 4).op(OP.i32GtS).if(() => f.i32(n * 4).set(end));
}

/** The part of each segment that lies in the range, its number being the same for all of it. */
function segmentLoop(
  w: VectorWriter,
  context: Context,
  starts: readonly number[],
  n: number,
  end: number,
  inner: (lanes: 4 | 1) => void,
  views: readonly View[],
): void {
  const { f } = w;
  const table = context.place([...starts, n].map((s) => s * 4));
  const begin = f.local(T.i32), stop = f.local(T.i32);
  f.get(w.position).set(begin);
  w.segment = f.local(T.i32);
  f.i32(0).set(w.segment);
  f.loop(w.segment, () => f.i32(starts.length), 1, () => {
    const entry = (k: number) =>
      f.get(w.segment).i32(2).op(OP.i32Shl).i32(table + k * 4).op(OP.i32Add).mem(MEM.i32Load);
    entry(0).set(w.position);
    f.get(w.position).get(begin).op(OP.i32LtS).if(() => f.get(begin).set(w.position));
    entry(1).set(stop);
    f.get(stop).get(end).op(OP.i32GtS).if(() => f.get(end).set(stop));
    f.get(w.position).get(stop).op(OP.i32LtS).if(() => {
      w.emit(1, 4, () => true, views);
      w.emit(2, 4, () => true, views);
      sweep(w, () => f.get(stop), inner);
    });
  });
}
