/**
 * Loops of reductions.
 *
 * @module
 */
import type { ReduceKernel, View } from "../../contract.ts";
import { neededInPass } from "../../data_flow.ts";
import { rowPasses, rowRoots } from "../../rows.ts";
import { type Nest, VectorWriter } from "./vector_writer.ts";
import { Fn, OP, T } from "./code.ts";
import type { Context } from "./context.ts";
import { columnLoop, isColumns } from "./column_loop.ts";
import { Folds } from "./folds.ts";
import { CHUNK, decode, product, run, sweep, type Work } from "./loops.ts";

/** Lines of the inner axes below this many elements are too short for vectors of their own. */
const SHORT = 8;
/** Rows of at most this many elements are written out, element by element. */
const UNROLLED = 16;
/** Lines of neighbouring rows that are enough for threads to share; where there are fewer, they share the vectors of a line. */
const ENOUGH = 64;

/** The outer axis whose neighbours share a vector; -1 if vectors lie along the row. */
function besideAxis({ outer, inner, body }: ReduceKernel): number {
  const last = outer.length - 1, along = outer.length + inner.length - 1;
  const views = body.flatMap((i) => i.k === "load" ? [i.view] : []);
  const awkward = (axis: number) => views.filter((v) => v.strides[axis] !== 0 && v.strides[axis] !== 1).length;
  if (last >= 0 && outer[last] >= 4 && awkward(along) > awkward(last)) return last;
  if (inner[inner.length - 1] >= SHORT) return -1;
  for (let axis = last; axis >= 0; axis--) if (outer[axis] >= 4) return axis;
  return -1;
}

/** Rows of reductions: vectors along the row, or along neighbouring rows. */
export function reduceLoop(context: Context, kernel: ReduceKernel): Work {
  const { outer, inner, body, outs } = kernel;
  if (besideAxis(kernel) === 0 && isColumns(kernel)) return columnLoop(context, kernel);
  const f = new Fn([T.i32, T.i32, T.i32]);
  const sizes = [...outer, ...inner];
  const rowAxes = outer.map((_, i) => i);
  const axis = besideAxis(kernel), beside = axis >= 0;
  const nest: Nest = {
    sizes,
    vector: beside ? axis : sizes.length - 1,
    inner: sizes.length - 1,
    outer: new Set(rowAxes),
  };
  const w = new VectorWriter(f, context, body, nest);
  const stored = outs.map((o) => o.view);
  w.prologue(stored);
  w.emit(0, 4, () => true, stored);
  if (!beside) {
    const row = f.local(T.i32);
    f.get(1).set(row);
    f.loop(row, () => f.get(2), 1, () => {
      decode(w, rowAxes, row);
      oneRow(w, kernel, 4, false);
    });
    return { index: context.module.add(f), items: product(outer) };
  }
  const width = sizes[axis], blocks = Math.ceil(width / 4), along = w.coords[axis];
  const others = rowAxes.filter((i) => i !== axis), lines = product(others.map((i) => sizes[i]));
  const whole = lines >= ENOUGH; // a work item is a line of rows, not a vector of them
  const slots = new Set(outs.map((o) => o.view.slot));
  const again = body.every((i) => i.k !== "load" || !slots.has(i.view.slot));
  /** Four rows from `along`, or what is left of them: the last four once more, or one by one if that would show. */
  const four = () => {
    if (width % 4 === 0) oneRow(w, kernel, 4, true);
    else if (again) {
      f.get(along).i32(width - 4).op(OP.i32GtS).if(() => f.i32(width - 4).set(along));
      oneRow(w, kernel, 4, true);
    } else {
      f.get(along).i32(width - 4).op(OP.i32GtS).if(() => {
        f.loop(along, () => f.i32(width), 1, () => oneRow(w, kernel, 1, true));
      }, () => oneRow(w, kernel, 4, true));
    }
  };
  const item = f.local(T.i32);
  f.get(1).set(item);
  f.loop(item, () => f.get(2), 1, () => {
    if (whole) {
      decode(w, others, item);
      f.i32(0).set(along);
      f.loop(along, () => f.i32(width), 4, four);
      return;
    }
    const block = f.local(T.i32);
    f.get(item).i32(blocks).op(OP.i32DivU).set(block);
    decode(w, others, block);
    f.get(item).i32(blocks).op(OP.i32RemU).i32(2).op(OP.i32Shl).set(along);
    four();
    f.release(block);
  });
  return { index: context.module.add(f), items: whole ? lines : lines * blocks };
}

/** One row, or four side by side: a pass for each depth of folds, and one for what is stored element by element. */
function oneRow(w: VectorWriter, kernel: ReduceKernel, lanes: 4 | 1, beside: boolean): void {
  const { f } = w;
  const { outer, inner, body, outs } = kernel;
  const lead = outer.length;
  const { level, passes } = rowPasses(kernel);
  const stored = outs.map((o) => o.view);
  const wanted = neededInPass(body, rowRoots(outs, passes));
  const rowLevel = (pass: number) => w.emit(1, lanes, (i) => wanted(i) && level[i] === pass, pass === 0 ? stored : []);
  const otherAxes = inner.map((_, i) => lead + i).slice(0, -1);
  const length = inner[inner.length - 1];

  /** Sets the coordinates of element `n` of the row. */
  const settle = (n: number) => {
    let rest = n;
    for (let i = inner.length - 1; i >= 0; i--) {
      const c = rest % inner[i];
      rest = (rest - c) / inner[i];
      f.i32(i === inner.length - 1 ? c * 4 : c).set(i === inner.length - 1 ? w.position : w.coords[lead + i]);
    }
  };
  /** Goes over the whole row; `body` is what happens at each position. */
  const over = (
    want: (i: number) => boolean,
    body: (lanes: 4 | 1) => void,
    atEnd: () => void,
    views: readonly View[],
  ) => {
    if (beside && product(inner) <= UNROLLED) {
      for (let n = 0; n < product(inner); n++) {
        settle(n);
        w.emit(2, lanes, want, views);
        body(lanes);
      }
      atEnd();
      return;
    }
    const line = f.local(T.i32);
    const one = () => {
      w.emit(2, lanes, want, views);
      f.i32(0).set(w.position);
      const limit = f.local(T.i32);
      const chunk = CHUNK * 4 * (beside ? 1 : 4);
      f.i32(0).set(limit);
      f.doWhile(() => { // chunk by chunk
        f.get(limit).i32(chunk).op(OP.i32Add).set(limit);
        f.get(limit).i32(length * 4).op(OP.i32GtS).if(() => f.i32(length * 4).set(limit));
        if (beside) run(w, () => f.get(limit), 1, () => body(lanes));
        else sweep(w, () => f.get(limit), body);
        atEnd();
      }, () => f.get(limit).i32(length * 4).op(OP.i32LtS));
      f.release(limit);
    };
    if (otherAxes.length === 0) one();
    else {
      f.i32(0).set(line);
      f.loop(line, () => f.i32(product(inner.slice(0, -1))), 1, () => {
        decode(w, otherAxes, line);
        one();
      });
    }
    f.release(line);
  };
  /** Pushes the row-major numbers of the current elements within the row. */
  const number = (spread: boolean) => () => {
    let first = true;
    otherAxes.forEach((axis, i) => {
      f.get(w.coords[axis]).i32(product(inner.slice(i + 1))).op(OP.i32Mul);
      if (!first) f.op(OP.i32Add);
      first = false;
    });
    f.get(w.position).i32(2).op(OP.i32ShrU);
    if (!first) f.op(OP.i32Add);
    f.op(OP.i32x4Splat);
    if (!spread && !beside) f.v128([0, 1, 2, 3]).op(OP.i32x4Add);
  };
  rowLevel(0);
  passes.forEach((now, pass) => {
    const folds = new Folds(w, now);
    const want = neededInPass(body, now.map(({ a }) => a));
    folds.begin();
    over(
      want,
      (own) => {
        w.emit(3, own, want);
        folds.take(!beside && own === 1, number(own === 1));
      },
      () => folds.chunk(),
      [],
    );
    folds.end(!beside);
    rowLevel(pass + 1);
  });
  for (const o of outs) {
    if (!o.perRow) continue;
    f.i32(0).set(w.position);
    w.store(o.view, o.value, beside ? lanes : 1);
  }
  const full = outs.filter((o) => !o.perRow);
  if (full.length === 0) return;
  const want = neededInPass(body, full.map((o) => o.value));
  over(
    want,
    (own) => {
      w.emit(3, own, want);
      full.forEach((o) => w.store(o.view, o.value, own));
    },
    () => {},
    full.map((o) => o.view),
  );
}
