/**
 * Where a kernel reads and writes, by the axes of its domain, and the same kernel on a part of an axis.
 *
 * @module
 */
import type { Inst, Store, View } from "../../contract.ts";
import { sizeOf } from "../kernels/plan.ts";
import { mapViews, type PlainKernel } from "./rewrite.ts";

/** A view that a kernel uses: stride `i` belongs to axis `axes[i]` of the kernel. */
export interface Reach {
  readonly view: View;
  readonly axes: readonly number[];
  readonly written: boolean;
  /** What an index may add to the address: `size - 1` times `stride` elements. */
  readonly index?: { readonly stride: number; readonly size: number };
  /** The instruction that loads it, if one does. */
  readonly inst?: number;
}

/** Sizes of all axes of a kernel, and what it uses. */
export interface Outline {
  readonly sizes: readonly number[];
  readonly reaches: readonly Reach[];
}

const range = (n: number, first = 0) => Array.from({ length: n }, (_, i) => first + i);

/**
 * The outline of `kernel`. Axes of a product are `[...batch, m, n, k]`, of a convolution `[groups, m, ...n, ...k]`, of scattered
 * additions `[outer, n, inner, size]`, of sums of segments `[n, segments]`.
 */
export function outline(kernel: PlainKernel): Outline {
  switch (kernel.op) {
    case "map":
      return { sizes: kernel.shape, reaches: bodyReaches(kernel, range(kernel.shape.length)) };
    case "reduce": {
      const sizes = [...kernel.outer, ...kernel.inner];
      return { sizes, reaches: bodyReaches(kernel, range(sizes.length)) };
    }
    case "matmul": {
      const { batch, m, n, k, a, b } = kernel, nb = batch.length;
      const before = range(nb);
      return {
        sizes: [...batch, m, n, k],
        reaches: [
          { view: a, axes: [...before, nb, nb + 2], written: false },
          { view: b, axes: [...before, nb + 2, nb + 1], written: false },
          ...bodyReaches(kernel, [...before, nb, nb + 1]),
        ],
      };
    }
    case "conv": {
      const { groups, m, n, k, a, b } = kernel;
      const [places, terms] = [range(n.length, 2), range(k.length, 2 + n.length)];
      return {
        sizes: [groups, m, ...n, ...k],
        reaches: [
          { view: a, axes: [0, 1, ...terms], written: false },
          { view: b, axes: [0, ...terms, ...places], written: false },
          ...bodyReaches(kernel, [0, 1, ...places]),
        ],
      };
    }
    case "scatterAdd": {
      const { outer, n, inner, size, src, index, init, out } = kernel;
      return {
        sizes: [outer, n, inner, size],
        reaches: [
          { view: src, axes: [0, 1, 2], written: false },
          { view: index, axes: [0, 1, 2], written: false },
          ...(init === undefined ? [] : [{ view: init, axes: [0, 3, 2], written: false }]),
          { view: out, axes: [0, 3, 2], written: true },
        ],
      };
    }
    case "segmentSum": {
      const { n, starts, body, outs } = kernel;
      return {
        sizes: [n, starts.length],
        reaches: [
          ...bodyReaches({ body, outs: [] }, [0]),
          ...outs.map(({ view }) => ({ view, axes: [1], written: true })),
        ],
      };
    }
  }
}

function bodyReaches(
  { body, outs }: { readonly body: readonly Inst[]; readonly outs: readonly Store[] },
  axes: readonly number[],
): Reach[] {
  return [
    ...body.flatMap((inst, i): Reach[] =>
      inst.k === "load" ? [{ view: inst.view, axes, written: false, index: inst.index, inst: i }] : []
    ),
    ...outs.map(({ view }) => ({ view, axes, written: true })),
  ];
}

/** The first element that a view touches, and the one behind the last; with a dynamic offset, no end is known. */
export function extentOf({ view, axes, index }: Reach, sizes: readonly number[]): { first: number; end: number } {
  let [first, end] = [view.offset, view.offset + 1];
  const add = (steps: number) => steps < 0 ? first += steps : end += steps;
  view.strides.forEach((stride, i) => add(stride * (sizes[axes[i]] - 1)));
  if (index !== undefined) add(index.stride * (index.size - 1));
  return { first, end: view.dyn === undefined ? end : Infinity };
}

/** Elements from `from` to `to` of axis `axis`, as a kernel of the same kind. Not for axes that {@link outline} gives none of the views. */
export function cut(kernel: PlainKernel, axis: number, [from, to]: readonly [number, number]): PlainKernel {
  const { reaches } = outline(kernel);
  const moved = new Map<View, View>();
  for (const { view, axes } of reaches) {
    const at = axes.indexOf(axis);
    if (at >= 0) moved.set(view, { ...view, offset: view.offset + from * view.strides[at] });
  }
  const shifted = mapViews(kernel, (view) => moved.get(view) ?? view);
  const length = to - from;
  const sized = (sizes: readonly number[], first = 0) => sizes.map((size, i) => first + i === axis ? length : size);
  switch (shifted.op) {
    case "map":
      return { ...shifted, shape: sized(shifted.shape), body: shiftBody(shifted.body, axis, from) };
    case "reduce": {
      const { outer, inner, body } = shifted;
      return { ...shifted, outer: sized(outer), inner: sized(inner, outer.length), body: shiftBody(body, axis, from) };
    }
    case "matmul": {
      const { batch, m, n, k, body } = shifted;
      const [rows, columns, terms] = sized([m, n, k], batch.length);
      return {
        ...shifted,
        ...{ batch: sized(batch), m: rows, n: columns, k: terms },
        body: axis === batch.length + 2 ? body : shiftBody(body, axis, from),
      };
    }
    case "conv": {
      const { groups, m, n, k, body, guards } = shifted;
      const [count, rows] = sized([groups, m]);
      const places = 2 + n.length;
      // guards lie as b does: [groups, ...k, ...n]
      const at = axis === 0 ? 0 : axis >= places ? 1 + axis - places : axis >= 2 ? 1 + k.length + axis - 2 : -1;
      return {
        ...shifted,
        ...{ groups: count, m: rows, n: sized(n, 2), k: sized(k, places) },
        body: axis >= places ? body : shiftBody(body, axis, from),
        guards: at < 0 ? guards : guards.map((guard) => shiftForm(guard, at, from)),
      };
    }
    case "scatterAdd": {
      const [outer, n, inner] = sized([shifted.outer, shifted.n, shifted.inner]);
      return { ...shifted, outer, n, inner };
    }
    case "segmentSum":
      throw new TypeError("sums of segments are cut between segments");
  }
}

type Form = { readonly offset: number; readonly strides: readonly number[] };

function shiftForm<T extends Form>(form: T, axis: number, by: number): T {
  return { ...form, offset: form.offset + by * form.strides[axis] };
}

/** The instructions of a domain whose axis `axis` begins `by` elements later; views have been moved. */
export function shiftBody(body: readonly Inst[], axis: number, by: number): Inst[] {
  return body.map((inst): Inst => {
    if (inst.k === "load" && inst.guards !== undefined) {
      return { ...inst, guards: inst.guards.map((guard) => shiftForm(guard, axis, by)) };
    }
    if (inst.k === "coord") return shiftForm(inst, axis, by);
    // of several segments that begin together, the last one counts
    return inst.k === "segment" ? { ...inst, starts: inst.starts.map((start) => Math.max(0, start - by)) } : inst;
  });
}

/** Strides of contiguous memory. */
export function dense(shape: readonly number[]): number[] {
  return shape.map((_, i) => sizeOf(shape.slice(i + 1)));
}
