/**
 * Loops over the domains of maps, reductions and segmented sums. Each function takes the slot table and a range of work items,
 * and gives the same bits whatever the range is cut into.
 *
 * @module
 */
import type { Inst, MapKernel, ReduceKernel, ReduceKind, SegmentSumKernel, View } from "../../contract.ts";
import { BodyWriter, type Nest, operandsOf } from "./body.ts";
import { Fn, MEM, OP, T } from "./code.ts";
import type { Context } from "./context.ts";

/** A function, and the number of work items that it can be cut into. */
export interface Work {
  readonly index: number;
  readonly items: number;
  /** Whether it also takes the address of the thread's own working memory. */
  readonly wide?: boolean;
}

/** Elements of a work item of a map over one axis. */
const UNIT = 64;
/** Iterations whose sum is formed before it is added to the total: long sums stay accurate. */
const CHUNK = 128;

const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);

/** Sets the coordinates of `axes` from the row-major number in local `from`. */
function decode(w: BodyWriter, axes: readonly number[], from: number): void {
  const { f, nest } = w;
  if (axes.length === 0) return;
  const rest = f.local(T.i32);
  f.get(from).set(rest);
  for (let i = axes.length - 1; i >= 0; i--) {
    const n = nest.sizes[axes[i]];
    if (i === 0) f.get(rest).set(w.coords[axes[i]]);
    else {
      f.get(rest).i32(n).op(OP.i32RemU).set(w.coords[axes[i]]);
      f.get(rest).i32(n).op(OP.i32DivU).set(rest);
    }
  }
  f.release(rest);
}

/** `while (position < limit) { body; position += 4 lanes }`; both in bytes. */
function run(w: BodyWriter, limit: () => void, lanes: 4 | 1, body: () => void): void {
  w.f.loop(w.position, limit, lanes * 4, body);
}

/** The innermost loop from the current position to `end` bytes: vectors, then single elements. */
function sweep(w: BodyWriter, end: () => void, body: (lanes: 4 | 1) => void): void {
  const { f } = w;
  run(
    w,
    () => {
      end();
      f.i32(12).op(OP.i32Sub);
    },
    4,
    () => body(4),
  );
  run(w, end, 1, () => body(1));
}

/** A map: rows of the outer axes, vectors along the last one. */
export function mapLoop(context: Context, { shape, body, outs }: MapKernel): Work {
  const f = new Fn([T.i32, T.i32, T.i32]);
  const rank = shape.length;
  const segments = rank !== 1 ? undefined : body.find((i): i is Extract<Inst, { k: "segment" }> => i.k === "segment");
  const nest: Nest = {
    sizes: shape,
    vector: rank - 1,
    inner: rank - 1,
    outer: new Set(shape.map((_, i) => i).slice(0, -1)),
    ...(segments ? { segments: segments.starts } : {}),
  };
  const w = new BodyWriter(f, context, body, nest);
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
    const row = f.local(T.i32);
    f.get(1).set(row);
    f.loop(row, () => f.get(2), 1, () => {
      decode(w, shape.map((_, i) => i).slice(0, -1), row);
      w.emit(1, 4, all, views);
      w.emit(2, 4, all, views);
      f.i32(0).set(w.position);
      sweep(w, () => f.i32(n * 4), inner);
    });
    return { index: context.module.add(f), items: product(shape.slice(0, -1)) };
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
  w: BodyWriter,
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

/** One fold: its accumulator, and what goes with it. */
interface Fold {
  readonly inst: number;
  readonly kind: ReduceKind;
  readonly a: number;
  readonly acc: number;
  readonly total: number;
}

const START: Readonly<Record<string, readonly [number, number, number]>> = {
  // f32, i32, u32 bits
  sum: [0, 0, 0],
  prod: [0x3f800000, 1, 1],
  max: [0xff800000 | 0, -0x80000000, 0],
  min: [0x7f800000, 0x7fffffff, -1],
};

class Folds {
  readonly list: readonly Fold[];
  readonly #w: BodyWriter;

  constructor(w: BodyWriter, insts: readonly number[]) {
    this.#w = w;
    this.list = insts.map((inst) => {
      const { kind, a } = w.body[inst] as Extract<Inst, { k: "reduce" }>;
      return { inst, kind, a, acc: w.f.local(T.v128), total: w.f.local(T.v128) };
    });
  }

  #start(fold: Fold): readonly [number, number, number, number] {
    const type = this.#w.types[fold.a];
    const kind = fold.kind === "argmax" ? "max" : fold.kind === "argmin" ? "min" : fold.kind;
    const bits = START[kind][type === "f32" ? 0 : type === "i32" ? 1 : 2];
    return [bits, bits, bits, bits];
  }

  begin(): void {
    const { f } = this.#w;
    for (const fold of this.list) {
      f.v128(this.#start(fold)).set(fold.acc);
      f.v128(isArg(fold.kind) ? [-1, -1, -1, -1] : this.#start(fold)).set(fold.total);
    }
  }

  /** Moves chunks' sums to the totals. */
  chunk(): void {
    const { f } = this.#w;
    for (const fold of this.list) {
      if (fold.kind !== "sum") continue;
      f.get(fold.total).get(fold.acc).op(this.#add(fold)).set(fold.total);
      f.v128([0, 0, 0, 0]).set(fold.acc);
    }
  }

  #add(fold: Fold): number {
    return this.#w.types[fold.a] === "f32" ? OP.f32x4Add : OP.i32x4Add;
  }

  /** Takes in the current values; `spread` says that a single value stands in all lanes. `number` pushes their indices. */
  take(spread: boolean, number: () => void): void {
    const { f } = this.#w;
    for (const fold of this.list) {
      const value = this.#w.value(fold.a);
      if (isArg(fold.kind)) {
        this.#takeArg(fold, value, number);
        continue;
      }
      if (spread && (fold.kind === "sum" || fold.kind === "prod")) {
        const alone = f.local(T.v128);
        f.get(value).v128(this.#start(fold)).v128([-1, 0, 0, 0]).op(OP.v128Bitselect).set(alone);
        this.#combine(fold, fold.acc, alone);
        f.release(alone);
      } else this.#combine(fold, fold.acc, value);
      f.set(fold.acc);
    }
  }

  #combine(fold: Fold, a: number, b: number): void {
    const { f } = this.#w;
    const float = this.#w.types[fold.a] === "f32", unsigned = this.#w.types[fold.a] === "u32";
    f.get(a).get(b);
    switch (fold.kind) {
      case "sum":
        f.op(this.#add(fold));
        return;
      case "prod":
        f.op(float ? OP.f32x4Mul : OP.i32x4Mul);
        return;
      case "max":
        f.op(float ? OP.f32x4Max : unsigned ? OP.i32x4MaxU : OP.i32x4MaxS);
        return;
      default:
        f.op(float ? OP.f32x4Min : unsigned ? OP.i32x4MinU : OP.i32x4MinS);
    }
  }

  /** Pushes the mask of lanes in which `b` beats `a`: it is larger (smaller), or the first NaN. */
  #beats(fold: Fold, a: number, b: number): void {
    const { f } = this.#w;
    const max = fold.kind === "argmax";
    const type = this.#w.types[fold.a];
    f.get(b).get(a);
    if (type === "f32") {
      f.op(max ? OP.f32x4Gt : OP.f32x4Lt);
      f.get(b).get(b).op(OP.f32x4Ne).get(a).get(a).op(OP.f32x4Eq).op(OP.v128And).op(OP.v128Or);
    } else if (type === "u32") f.op(max ? OP.i32x4GtU : OP.i32x4LtU);
    else f.op(max ? OP.i32x4GtS : OP.i32x4LtS);
  }

  #takeArg(fold: Fold, value: number, number: () => void): void {
    const { f } = this.#w;
    const mask = f.local(T.v128);
    this.#beats(fold, fold.acc, value);
    // the first element of all is taken whatever it is
    f.get(fold.total).v128([-1, -1, -1, -1]).op(OP.i32x4Eq).op(OP.v128Or).set(mask);
    f.get(value).get(fold.acc).get(mask).op(OP.v128Bitselect).set(fold.acc);
    number();
    f.get(fold.total).get(mask).op(OP.v128Bitselect).set(fold.total);
    f.release(mask);
  }

  /** Leaves results in the instructions' locals; `across` folds the lanes of a vector first. */
  end(across: boolean): void {
    const { f } = this.#w;
    this.chunk();
    for (const fold of this.list) {
      const out = this.#w.value(fold.inst);
      const at = fold.kind === "sum" ? fold.total : fold.acc;
      if (across) { for (const shift of [2, 1]) this.#across(fold, at, shift); }
      f.get(isArg(fold.kind) ? fold.total : at).set(out);
      if (across) f.get(out).get(out).shuffle([0, 0, 0, 0]).set(out);
    }
  }

  #across(fold: Fold, at: number, shift: number): void {
    const { f } = this.#w;
    const other = f.local(T.v128);
    const lanes = [shift, (1 + shift) & 3, (2 + shift) & 3, (3 + shift) & 3] as const;
    f.get(at).get(at).shuffle(lanes).set(other);
    if (!isArg(fold.kind)) {
      this.#combine(fold, at, other);
      f.set(at);
    } else {
      const index = f.local(T.v128), mask = f.local(T.v128), back = f.local(T.v128);
      f.get(fold.total).get(fold.total).shuffle(lanes).set(index);
      // the other lane wins if it beats this one, or, neither beating the other, if it comes first
      this.#beats(fold, at, other);
      f.set(mask);
      this.#beats(fold, other, at);
      f.set(back);
      f.get(mask).get(back).op(OP.v128Not).get(index).get(fold.total).op(OP.i32x4LtU).op(OP.v128And).op(OP.v128Or).set(
        mask,
      );
      // lanes that saw nothing hold index -1, the largest of all
      f.get(index).v128([-1, -1, -1, -1]).op(OP.i32x4Eq).op(OP.v128Not).get(mask).op(OP.v128And);
      f.get(fold.total).v128([-1, -1, -1, -1]).op(OP.i32x4Eq).op(OP.v128Or).set(mask);
      f.get(other).get(at).get(mask).op(OP.v128Bitselect).set(at);
      f.get(index).get(fold.total).get(mask).op(OP.v128Bitselect).set(fold.total);
      for (const l of [index, mask, back]) f.release(l);
    }
    f.release(other);
  }
}

const isArg = (kind: ReduceKind) => kind === "argmax" || kind === "argmin";

/** How many folds lie below each instruction. */
function depths(body: readonly Inst[]): number[] {
  const depth: number[] = [];
  for (const inst of body) {
    const below = operandsOf(inst).reduce((m, a) => Math.max(m, depth[a]), 0);
    depth.push(inst.k === "reduce" ? below + 1 : below);
  }
  return depth;
}

/** Instructions that `roots` need, themselves included. */
function needed(body: readonly Inst[], roots: readonly number[]): (i: number) => boolean {
  const want = new Uint8Array(body.length);
  const visit = (i: number) => {
    if (want[i]) return;
    want[i] = 1;
    if (body[i].k !== "reduce") operandsOf(body[i]).forEach(visit);
  };
  roots.forEach(visit);
  return (i) => want[i] === 1;
}

/** Rows of reductions: vectors along the row, or along neighbouring rows where their elements lie side by side. */
export function reduceLoop(context: Context, kernel: ReduceKernel): Work {
  const { outer, inner, body, outs } = kernel;
  const f = new Fn([T.i32, T.i32, T.i32]);
  const sizes = [...outer, ...inner];
  const rank = sizes.length, lead = outer.length;
  const rowAxes = sizes.map((_, i) => i).slice(0, lead);
  const views = body.flatMap((i) => i.k === "load" ? [i.view] : []);
  const awkward = (axis: number) => views.filter((v) => v.strides[axis] !== 0 && v.strides[axis] !== 1).length;
  const beside = lead > 0 && sizes[lead - 1] >= 4 && awkward(rank - 1) > awkward(lead - 1);
  const nest: Nest = { sizes, vector: beside ? lead - 1 : rank - 1, inner: rank - 1, outer: new Set(rowAxes) };
  const w = new BodyWriter(f, context, body, nest);
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
  const width = sizes[lead - 1], blocks = Math.ceil(width / 4);
  const item = f.local(T.i32), along = w.coords[lead - 1];
  f.get(1).set(item);
  f.loop(item, () => f.get(2), 1, () => {
    const block = f.local(T.i32);
    f.get(item).i32(blocks).op(OP.i32DivU).set(block);
    decode(w, rowAxes.slice(0, -1), block);
    f.get(item).i32(blocks).op(OP.i32RemU).i32(2).op(OP.i32Shl).set(along);
    f.get(along).i32(width - 4).op(OP.i32GtS).if(() => {
      f.loop(along, () => f.i32(width), 1, () => oneRow(w, kernel, 1, true));
    }, () => oneRow(w, kernel, 4, true));
    f.release(block);
  });
  return { index: context.module.add(f), items: product(outer.slice(0, -1)) * blocks };
}

/** One row, or four side by side: a pass for each depth of folds, and one for what is stored element by element. */
function oneRow(w: BodyWriter, { outer, inner, body, outs }: ReduceKernel, lanes: 4 | 1, beside: boolean): void {
  const { f } = w;
  const lead = outer.length;
  const depth = depths(body);
  const passes = Math.max(...depth);
  const stored = outs.map((o) => o.view);
  const wanted = needed(body, [
    ...outs.map((o) => o.value),
    ...body.flatMap((i, n) => i.k === "reduce" ? [n, i.a] : []),
  ]);
  const rowLevel = (pass: number) => w.emit(1, lanes, (i) => wanted(i) && depth[i] === pass, pass === 0 ? stored : []);
  const otherAxes = inner.map((_, i) => lead + i).slice(0, -1);
  const length = inner[inner.length - 1];

  /** Goes over the whole row; `body` is what happens at each position. */
  const over = (
    want: (i: number) => boolean,
    body: (lanes: 4 | 1) => void,
    atEnd: () => void,
    views: readonly View[],
  ) => {
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
  for (let pass = 1; pass <= passes; pass++) {
    const insts = body.flatMap((i, n) => i.k === "reduce" && depth[n] === pass ? [n] : []);
    const folds = new Folds(w, insts);
    const want = needed(body, insts.map((n) => (body[n] as Extract<Inst, { k: "reduce" }>).a));
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
    rowLevel(pass);
  }
  for (const o of outs) {
    if (!o.perRow) continue;
    f.i32(0).set(w.position);
    w.store(o.view, o.value, beside ? lanes : 1);
  }
  const full = outs.filter((o) => !o.perRow);
  if (full.length === 0) return;
  const want = needed(body, full.map((o) => o.value));
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

/** One sum a segment. */
export function segmentSumLoop(context: Context, { n, starts, body, outs }: SegmentSumKernel): Work {
  const f = new Fn([T.i32, T.i32, T.i32]);
  const same = body.find((i) => i.k === "segment" && i.starts.join() === starts.join()) as
    | Extract<Inst, { k: "segment" }>
    | undefined;
  const nest: Nest = { sizes: [n], vector: 0, inner: 0, outer: new Set(), segments: same?.starts ?? starts };
  const first = body.length;
  const whole: Inst[] = [...body, ...outs.map((o): Inst => ({ k: "reduce", kind: "sum", a: o.value }))];
  const w = new BodyWriter(f, context, whole, nest);
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
    const folds = new Folds(w, outs.map((_, i) => first + i));
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
