/**
 * Loops of epilogues: what happens to a block of a product while it is in the cache.
 *
 * @module
 */
import { VectorWriter } from "./vector_writer.ts";
import { Fn, OP, T } from "./code.ts";
import type { Context } from "./context.ts";
import { decode, sweep } from "./loops.ts";
import { type Domain, mergeAxes } from "./merge.ts";

/**
 * A function of (slot table, address of the block, group, first row, rows, first column, columns) over a domain
 * `[groups, m, ...n]`; the block's rows are `pitch` elements apart.
 */
export function blockLoop(context: Context, domain: Domain, pitch: number): number {
  const { shape, body, outs } = mergeAxes(domain, 2);
  const f = new Fn([T.i32, T.i32, T.i32, T.i32, T.i32, T.i32, T.i32]);
  const axes = shape.map((_, i) => i), inner = shape.length - 1, length = shape[inner];
  const w = new VectorWriter(f, context, body, {
    sizes: shape,
    vector: inner,
    inner,
    outer: new Set(axes.slice(0, -1)),
  });
  const views = outs.map((o) => o.view), all = () => true;
  w.prologue(views);
  w.emit(0, 4, all, views);
  const end = f.local(T.i32), last = f.local(T.i32), column = f.local(T.i32), line = f.local(T.i32);
  const stop = f.local(T.i32), row = w.coords[1];
  w.acc = f.local(T.i32);
  f.get(2).set(w.coords[0]).get(3).set(row);
  f.get(3).get(4).op(OP.i32Add).set(end);
  f.get(5).get(6).op(OP.i32Add).set(last);
  f.loop(row, () => f.get(end), 1, () => {
    f.get(5).set(column);
    f.doWhile(() => {
      f.get(column).i32(length).op(OP.i32DivU).set(line);
      decode(w, axes.slice(2, -1), line);
      f.get(column).get(line).i32(length).op(OP.i32Mul).op(OP.i32Sub).i32(2).op(OP.i32Shl).set(w.position);
      // as far as this line or the block goes
      f.get(last).get(line).i32(length).op(OP.i32Mul).op(OP.i32Sub).set(stop);
      f.get(stop).i32(length).op(OP.i32GtS).if(() => f.i32(length).set(stop));
      f.get(1).get(row).get(3).op(OP.i32Sub).i32(pitch).op(OP.i32Mul);
      f.get(column).op(OP.i32Add).get(5).op(OP.i32Sub).i32(2).op(OP.i32Shl).op(OP.i32Add);
      f.get(w.position).op(OP.i32Sub).set(w.acc);
      f.get(line).i32(length).op(OP.i32Mul).get(stop).op(OP.i32Add).set(column);
      f.get(stop).i32(2).op(OP.i32Shl).set(stop);
      w.emit(1, 4, all, views);
      w.emit(2, 4, all, views);
      sweep(w, () => f.get(stop), (lanes) => {
        w.emit(3, lanes, all);
        outs.forEach((o) => w.store(o.view, o.value, lanes));
      });
    }, () => f.get(column).get(last).op(OP.i32LtS));
  });
  return context.module.add(f);
}
