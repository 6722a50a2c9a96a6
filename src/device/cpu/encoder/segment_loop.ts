/**
 * Loops of sums over segments.
 *
 * @module
 */
import type { Inst, SegmentSumKernel, View } from "../../contract.ts";
import { type Nest, VectorWriter } from "./vector_writer.ts";
import { Fn, MEM, OP, T } from "./code.ts";
import type { Context } from "./context.ts";
import { Folds } from "./folds.ts";
import { CHUNK, sweep, type Work } from "./loops.ts";

/** One sum a segment. */
export function segmentSumLoop(context: Context, { n, starts, body, outs }: SegmentSumKernel): Work {
  const f = new Fn([T.i32, T.i32, T.i32]);
  const same = body.find((i) => i.k === "segment" && i.starts.join() === starts.join()) as
    | Extract<Inst, { k: "segment" }>
    | undefined;
  const nest: Nest = { sizes: [n], vector: 0, inner: 0, outer: new Set(), segments: same?.starts ?? starts };
  const first = body.length;
  const whole: Inst[] = [...body, ...outs.map((o): Inst => ({ k: "reduce", kind: "sum", a: o.value }))];
  const w = new VectorWriter(f, context, whole, nest);
  const views = outs.map((o): View => ({ ...o.view, strides: [0] }));
  w.prologue(views);
  const own = (i: number) => i < first;
  w.emit(0, 4, own, views);
  const table = context.place([...starts, n].map((s) => s * 4));
  const stop = f.local(T.i32), limit = f.local(T.i32);
  w.segment = f.local(T.i32);
  f.get(1).set(w.segment);
  f.loop(w.segment, () => f.get(2), 1, () => {
    const entry = (k: number) =>
      f.get(w.segment).i32(2).op(OP.i32Shl).i32(table + k * 4).op(OP.i32Add).mem(MEM.i32Load);
    entry(0).tee(w.position).set(limit);
    entry(1).set(stop);
    w.emit(1, 4, own, views);
    w.emit(2, 4, own, views);
    const folds = new Folds(w, outs.map((o, i) => ({ id: first + i, kind: "sum", a: o.value })));
    folds.begin();
    f.get(limit).get(stop).op(OP.i32LtS).if(() =>
      f.doWhile(() => {
        f.get(limit).i32(CHUNK * 16).op(OP.i32Add).set(limit);
        f.get(limit).get(stop).op(OP.i32GtS).if(() => f.get(stop).set(limit));
        sweep(w, () => f.get(limit), (lanes) => {
          w.emit(3, lanes, own);
          folds.take(lanes === 1, () => {});
        });
        folds.chunk();
      }, () => f.get(limit).get(stop).op(OP.i32LtS))
    );
    folds.end(true);
    outs.forEach((o, i) => {
      f.get(w.segment).i32(o.view.strides[0] * 4).op(OP.i32Mul).set(w.position);
      w.storeAt(views[i], first + i);
    });
  });
  return { index: context.module.add(f), items: starts.length };
}
