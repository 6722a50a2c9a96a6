/**
 * Code for element-wise kernels, and for the epilogues of products.
 *
 * @module
 */
import type { Inst, MapKernel, Store } from "../../contract.ts";
import { levelsOf, neededBy, permuteInst, permuteView } from "./body.ts";
import { chooseLanes } from "./choose.ts";
import { Fn, MEM, T } from "./code.ts";
import type { Context, Phase } from "./context.ts";
import { BodyEmitter } from "./emitter.ts";
import { type Lanes, type Limit, Nest, type UnitAxis } from "./nest.ts";
import { hasSegments, segmentTable } from "./segments.ts";
import { mapCost } from "./cost.ts";

/** Most elements along the lanes in one unit of work; a multiple of 4. */
const CHUNK = 4096;
/** A unit takes in further axes up to about this many elements. */
const UNIT = 2048;

/** Writes a `map` kernel. */
export function emitMap(context: Context, kernel: MapKernel): Phase {
  if (hasSegments(kernel.body)) return emitSegmentedMap(context, kernel);
  const { shape, body, outs } = normalized(kernel);
  const last = shape.length - 1, width = shape[last];
  const fn = new Fn([T.i32, T.i32]);
  const loops = new MapLoops(context, fn, shape, body, outs);
  const inner: number[] = []; // axes inside a unit, outermost first
  let outer = last, elements = Math.min(width, CHUNK);
  while (outer > 0 && elements * shape[outer - 1] <= UNIT) inner.unshift(--outer), elements *= shape[outer];
  const units: UnitAxis[] = shape.slice(0, outer).map((size, axis) => ({ size, axes: [{ axis, step: 1 }] }));
  const chunks = Math.ceil(width / CHUNK);
  if (chunks > 1) units.push({ size: chunks, axes: [{ axis: last, step: CHUNK }] });
  loops.write({ units, inner, limit: (at) => chunks > 1 ? { local: loops.nest.chunkLimit(at.at(-1)!, CHUNK, width) } : width });
  return { fn: context.module.add(fn), units: product(units.map(({ size }) => size)), cost: mapCost(shape, body) };
}

/**
 * Writes the epilogue of a product over `[...batch, m, n]` as a function `(row0, row1, column0, column1)`; rows count
 * through all of `[...batch, m]`. `acc` is where the product lies.
 */
export function emitEpilogue(context: Context, kernel: MapKernel, acc: Store["view"]): number {
  const { shape, body, outs } = kernel;
  const fn = new Fn([T.i32, T.i32, T.i32, T.i32]);
  const last = shape.length - 1;
  const loops = new MapLoops(context, fn, shape, body, outs, acc);
  const units = shape.slice(0, last).map((size, axis) => ({ size, axes: [{ axis, step: 1 }] }));
  loops.write({
    units,
    inner: [],
    limit: () => {
      const count = fn.local(T.i32);
      fn.get(3).get(2).op(0x6b).set(count);
      for (const { local, strides } of loops.emitter.forms) {
        if (strides[last] !== 0) fn.get(2).i32(strides[last]).op(0x6c).get(local).op(0x6a).set(local);
      }
      return { local: count };
    },
  });
  return context.module.add(fn);
}

// `segment`: one unit is a run of coordinates with the same segment numbers
function emitSegmentedMap(context: Context, { shape, body, outs }: MapKernel): Phase {
  const [n] = shape;
  const table = segmentTable(n, body, [], CHUNK);
  const address = context.arena.constant(table.words);
  const fn = new Fn([T.i32, T.i32]);
  const row = fn.local(T.i32);
  const loops = new MapLoops(context, fn, shape, body, outs, undefined, (i) => {
    fn.get(row).mem(MEM.v128Load32Splat, 8 + 4 * table.column(i));
  });
  loops.write({
    units: [{ size: table.rows, axes: [] }],
    inner: [],
    limit: (at) => table.enter(loops.nest, loops.emitter.forms, address, at[0], row),
  });
  return { fn: context.module.add(fn), units: table.rows, cost: mapCost(shape, body) };
}

/** The domain with at least one axis, the axis of the lanes last. */
function normalized({ shape, body, outs }: MapKernel): { shape: number[]; body: readonly Inst[]; outs: readonly Store[] } {
  if (shape.length === 0) return normalized({ op: "map", shape: [1], body: body.map(addAxis), outs: outs.map(addOutAxis) });
  const lanes = chooseLanes(shape, body, outs);
  const order = [...shape.keys()].filter((axis) => axis !== lanes);
  order.push(lanes);
  return {
    shape: order.map((axis) => shape[axis]),
    body: body.map((inst) => permuteInst(inst, order)),
    outs: outs.map((out) => ({ ...out, view: permuteView(out.view, order) })),
  };
}

/** The same instruction with one more axis, of size 1, at the end. */
export function addAxis(inst: Inst): Inst {
  if (inst.k === "coord") return { ...inst, strides: [...inst.strides, 0] };
  if (inst.k !== "load") return inst;
  return {
    ...inst,
    view: { ...inst.view, strides: [...inst.view.strides, 0] },
    guards: inst.guards?.map((guard) => ({ ...guard, strides: [...guard.strides, 0] })),
  };
}

function addOutAxis(out: Store): Store {
  return { ...out, view: { ...out.view, strides: [...out.view.strides, 0] } };
}

export function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}

interface LoopPlan {
  readonly units: readonly UnitAxis[];
  /** Axes with a loop inside a unit, outermost first. */
  readonly inner: readonly number[];
  /** Called at the start of a unit. */
  readonly limit: (at: number[]) => Limit;
}

/** The loops of an element-wise kernel: units, then axes inside a unit, then lanes along the last axis. */
class MapLoops {
  readonly nest: Nest;
  readonly emitter: BodyEmitter;

  constructor(
    context: Context,
    readonly fn: Fn,
    readonly shape: readonly number[],
    readonly body: readonly Inst[],
    readonly outs: readonly Store[],
    acc?: Store["view"],
    segment?: (i: number) => void,
  ) {
    this.nest = new Nest(fn);
    const needed = neededBy(body, outs.map(({ value }) => value));
    this.emitter = new BodyEmitter(this.nest, context, {
      body,
      outs,
      lanesAxis: shape.length - 1,
      axes: shape.length,
      needed,
      segment,
      acc,
      givenVaries: true,
    });
  }

  write({ units, inner, limit }: LoopPlan): void {
    const { nest, emitter, body, shape } = this;
    const last = shape.length - 1, deepest = inner.length + 2;
    const levelOf = (axis: number) => axis === last ? deepest : inner.includes(axis) ? inner.indexOf(axis) + 2 : 1;
    const levels = levelsOf(
      body,
      levelOf,
      (inst) => inst.k === "acc" ? deepest : inst.k === "segment" ? 1 : undefined,
    );
    const emitLevel = (level: number, lanes: Lanes) => {
      body.forEach((_, i) => emitter.options.needed[i] && levels[i] === level && emitter.emit(i, lanes));
    };
    const step = (depth: number, end: Limit): void => {
      if (depth < inner.length) {
        nest.axis(inner[depth], shape[inner[depth]], emitter.forms, () => {
          emitLevel(depth + 2, 4);
          step(depth + 1, end);
        });
        return;
      }
      nest.vector(last, end, emitter.forms, (lanes) => {
        emitLevel(deepest, lanes);
        this.outs.forEach((_, o) => emitter.store(o, lanes));
      });
    };
    emitLevel(0, 4);
    nest.units(0, 1, units, emitter.forms, (at) => {
      const end = limit(at);
      emitLevel(1, 4);
      step(0, end);
    });
  }
}
