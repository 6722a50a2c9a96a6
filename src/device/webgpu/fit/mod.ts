/**
 * Kernels on memory that is larger than what an adapter binds at once (128 MiB on many): each becomes several, on parts of its
 * domain, that bind windows of the memory.
 *
 * @module
 */
import { DeviceError } from "../../../base/errors.ts";
import { bytesPerElement } from "../../../base/dtype.ts";
import type {
  ConvKernel,
  Inst,
  MapKernel,
  MatmulKernel,
  ReduceKernel,
  ScatterAddKernel,
  SegmentSumKernel,
  View,
} from "../../contract.ts";
import { sizeOf } from "../kernels/plan.ts";
import { storedApart } from "./apart.ts";
import { cut, dense, extentOf, type Outline, outline, type Reach, shiftBody } from "./outline.ts";
import { firstInner, reduceInParts } from "./reduce_parts.ts";
import { inWindows } from "./look_up.ts";
import { withoutMoving } from "./moving.ts";
import { mapViews, type PlainKernel, rewrite } from "./rewrite.ts";

/** What is known of the memory, and what can be had of it. */
export interface Room {
  /** Most bytes that can be bound at once. */
  readonly limit: number;
  /** Most slots that a kernel binds. */
  readonly count: number;
  /** Bytes of a slot. */
  bytesOf(slot: number): number;
  /** A slot that is the part `[offset, offset + bytes)` of another; `offset` is a multiple of {@link ALIGNMENT}. */
  window(slot: number, offset: number, bytes: number): number;
  /** A slot for at least so many bytes; every call another one. */
  scratch(bytes: number): number;
}

/** Where a binding may start, on every adapter. */
export const ALIGNMENT = 256;

/** Kernels that do what `kernel` does, of whose slots each can be bound: itself, mostly. */
export function fitBindings(kernel: PlainKernel, room: Room): PlainKernel[] {
  const { reaches } = outline(kernel);
  if (reaches.every(({ view }) => room.bytesOf(view.slot) <= room.limit)) return [kernel];
  // views are told apart by who uses them
  const own = mapViews(kernel, (view) => ({ ...view }));
  const still = withoutMoving(own, room);
  if (still !== null) return still.flatMap((part) => fitBindings(part, room));
  return own.op === "map" || own.op === "reduce"
    ? readFirst(own, room).flatMap((part) => fit(part, room))
    : fit(own, room);
}

/**
 * What is read from other places of a slot than are written is copied first: of a buffer that is written, one window is bound.
 */
function readFirst(kernel: MapKernel | ReduceKernel, room: Room): PlainKernel[] {
  const { sizes, reaches } = outline(kernel);
  const copies: PlainKernel[] = [];
  const body = kernel.body.map((inst, i): Inst => {
    if (inst.k !== "load" || inst.index !== undefined || room.bytesOf(inst.view.slot) <= room.limit) return inst;
    const stores = reaches.filter(({ view, written }) => written && view.slot === inst.view.slot);
    const own = extentOf(reaches.find((reach) => reach.inst === i)!, sizes);
    const apart = stores.every((store) => {
      const { first, end } = extentOf(store, sizes);
      return end <= own.first || own.end <= first;
    });
    if (stores.length === 0 || !apart) return inst;
    const view: View = {
      slot: room.scratch(sizeOf(sizes) * 4),
      dtype: inst.view.dtype,
      offset: 0,
      strides: dense(sizes),
    };
    const copy: View = view.dtype === "u8" ? { ...view, dtype: "i32" } : view;
    copies.push({ op: "map", shape: sizes, body: [inst], outs: [{ view: copy, value: 0 }] });
    return { k: "load", view: copy };
  });
  return copies.length === 0 ? [kernel] : [...copies.flatMap((copy) => fitBindings(copy, room)), { ...kernel, body }];
}

/** Views of one slot that are bound together, and the bytes that they touch. */
interface Group {
  readonly slot: number;
  readonly reaches: readonly Reach[];
  readonly first: number;
  readonly bytes: number;
}

function fit(kernel: PlainKernel, room: Room): PlainKernel[] {
  const lines = outline(kernel);
  const groups = groupsOf(lines, room);
  const worst = groups.reduce<Group | null>((a, b) => b.bytes > (a?.bytes ?? room.limit) ? b : a, null);
  if (worst === null) return [bound(kernel, groups, room)];
  const apart = storedApart(kernel, worst.slot, room);
  if (apart !== null) return apart.flatMap((part) => fitBindings(part, room));
  const longest = longestSteps(worst, lines, room);
  if (longest === null) {
    throw new DeviceError(
      `Cannot compute a kernel of the kind ${kernel.op}: what it takes of one tensor at once must fit ${room.limit} bytes, the ` +
        `adapter's maxStorageBufferBindingSize, got ${worst.bytes}`,
    );
  }
  const parts = Math.ceil(worst.bytes / room.limit);
  if (longest.axis === null) {
    const { reach } = longest, beside = besideIndex(reach, lines.sizes);
    return inWindows(kernel, { reach, sizes: lines.sizes, beside, room }).flatMap((part) => fitBindings(part, room));
  }
  return inParts(kernel, longest.axis, { parts, sizes: lines.sizes, room }).flatMap((part) => fitBindings(part, room));
}

/** What is bound together: all views of a slot, unless they only read and lie too far apart. */
function groupsOf({ sizes, reaches }: Outline, room: Room): Group[] {
  const large = [...new Set(reaches.map(({ view }) => view.slot))].filter((slot) => room.bytesOf(slot) > room.limit);
  return large.flatMap((slot) => {
    const own = reaches.filter(({ view }) => view.slot === slot);
    const together = groupOf(slot, own, sizes, room);
    if (together.bytes <= room.limit || own.some(({ written }) => written)) return [together];
    const views = [...new Set(own.map(({ view }) => view))];
    return views.map((view) => groupOf(slot, own.filter((reach) => reach.view === view), sizes, room));
  });
}

function groupOf(slot: number, reaches: readonly Reach[], sizes: readonly number[], room: Room): Group {
  const bytes = room.bytesOf(slot);
  let [first, end] = [bytes, 0];
  for (const reach of reaches) {
    const extent = extentOf(reach, sizes), each = bytesPerElement(reach.view.dtype);
    // guards keep off what lies outside
    first = Math.min(first, Math.max(0, extent.first * each));
    end = Math.max(end, Math.min(bytes, extent.end * each));
  }
  first = Math.floor(Math.min(first, end) / ALIGNMENT) * ALIGNMENT;
  return { slot, reaches, first, bytes: Math.min(bytes, Math.ceil(end / 16) * 16) - first };
}

/** The axis along which a group is longest, null for that of an index; null where all are of size 1. */
function longestSteps(
  { reaches }: Group,
  { sizes }: Outline,
  { limit }: Room,
): { axis: number | null; reach: Reach } | null {
  let [most, found]: [number, { axis: number | null; reach: Reach } | null] = [0, null];
  for (const reach of reaches) {
    const each = bytesPerElement(reach.view.dtype);
    const consider = (steps: number, axis: number | null) => {
      if (Math.abs(steps) * each > most) [most, found] = [Math.abs(steps) * each, { axis, reach }];
    };
    reach.view.strides.forEach((stride, i) => consider(stride * (sizes[reach.axes[i]] - 1), reach.axes[i]));
    // rows that are looked up come last: half a window is left to them
    if (reach.index !== undefined && besideIndex(reach, sizes) <= limit / 2) {
      consider(reach.index.stride * (reach.index.size - 1), null);
    }
  }
  return found;
}

/** Bytes that a view spans, but for what an index adds. */
function besideIndex(reach: Reach, sizes: readonly number[]): number {
  const { first, end } = extentOf({ ...reach, index: undefined }, sizes);
  return (end - first) * bytesPerElement(reach.view.dtype) + ALIGNMENT;
}

/** `kernel` with windows in place of slots that are too large. */
function bound(kernel: PlainKernel, groups: readonly Group[], room: Room): PlainKernel {
  const views = new Map<View, View>();
  for (const { slot, reaches, first, bytes } of groups) {
    const window = room.window(slot, first, Math.max(bytes, 16));
    for (const { view } of reaches) {
      views.set(view, { ...view, slot: window, offset: view.offset - first / bytesPerElement(view.dtype) });
    }
  }
  return mapViews(kernel, (view) => views.get(view) ?? view);
}

interface Cutting {
  readonly parts: number;
  readonly sizes: readonly number[];
  readonly room: Room;
}

/** `kernel` on parts of an axis: `parts` of them, or more. */
function inParts(kernel: PlainKernel, axis: number, { parts, sizes, room }: Cutting): PlainKernel[] {
  const scratch = (bytes: number) => room.scratch(bytes);
  if (kernel.op === "segmentSum") return segmentsInParts(kernel, parts, room);
  if (kernel.op === "reduce" && axis >= kernel.outer.length) {
    const first = firstInner(kernel);
    return reduceInParts(kernel, first, partOf(sizes[first], parts), scratch);
  }
  const ranges = rangesOf(sizes[axis], parts);
  if (kernel.op === "scatterAdd") {
    if (axis === 3) return ranges.flatMap((range) => rowsOf(kernel, range, room));
    if (axis === 1) {
      const { out } = kernel;
      return ranges.map((range, i) => ({ ...cut(kernel, axis, range), ...(i === 0 ? {} : { init: out }) }));
    }
  }
  const isTerm = kernel.op === "matmul"
    ? axis === kernel.batch.length + 2
    : kernel.op === "conv" && axis >= 2 + kernel.n.length;
  if (isTerm) return termsInParts(kernel as MatmulKernel | ConvKernel, axis, ranges, room);
  return ranges.map((range) => cut(kernel, axis, range));
}

/** Length of a part, such that vectors of four stay whole where there are many. */
function partOf(size: number, parts: number): number {
  const each = Math.ceil(size / Math.max(2, parts)), unit = each >= 64 ? 64 : each >= 4 ? 4 : 1;
  // a part is less than the whole
  return Math.min(Math.ceil(each / unit) * unit, size - 1);
}

function rangesOf(size: number, parts: number): [number, number][] {
  const per = partOf(size, parts), ranges: [number, number][] = [];
  for (let from = 0; from < size; from += per) ranges.push([from, Math.min(size, from + per)]);
  return ranges;
}

/** A product whose terms are added part by part: sums so far lie in scratch memory. */
function termsInParts(
  kernel: MatmulKernel | ConvKernel,
  axis: number,
  ranges: readonly (readonly [number, number])[],
  room: Room,
): PlainKernel[] {
  const shape = kernel.op === "matmul" ? [...kernel.batch, kernel.m, kernel.n] : [kernel.groups, kernel.m, ...kernel.n];
  const sum: View = { slot: room.scratch(sizeOf(shape) * 4), dtype: "f32", offset: 0, strides: dense(shape) };
  const more: Inst[] = [{ k: "acc" }, { k: "load", view: sum }, { k: "binary", op: "add", a: 1, b: 0 }];
  return ranges.map((range, i) => {
    const part = cut(kernel, axis, range) as MatmulKernel | ConvKernel;
    if (i === 0) return { ...part, body: [{ k: "acc" }], outs: [{ view: sum, value: 0 }] };
    if (i < ranges.length - 1) return { ...part, body: more, outs: [{ view: sum, value: 2 }] };
    const { body, at } = rewrite(part.body, (inst, append) => inst.k === "acc" ? 2 : append(inst), more);
    return { ...part, body, outs: part.outs.map((out) => ({ ...out, value: at[out.value] })) };
  });
}

/** Additions to some rows of the output: indices count from their first one. */
function rowsOf(kernel: ScatterAddKernel, [from, to]: readonly [number, number], room: Room): PlainKernel[] {
  const { outer, n, inner, index, init, out } = kernel;
  // the same index for all of a row is stored once
  const width = index.strides[2] === 0 ? 1 : inner, shape = [outer, n, width];
  const slot = room.scratch(sizeOf(shape) * 4);
  const own: View = { slot, dtype: "i32", offset: 0, strides: dense(shape) };
  const body: Inst[] = [
    { k: "load", view: index },
    { k: "cast", a: 0, type: "i32" },
    { k: "const", value: from, type: "i32" },
    { k: "binary", op: "sub", a: 1, b: 2 },
  ];
  const moved = (view: View): View => ({ ...view, offset: view.offset + from * view.strides[1] });
  return [
    { op: "map", shape, body, outs: [{ view: own, value: 3 }] },
    {
      ...kernel,
      size: to - from,
      index: { ...own, strides: [n * width, width, width === inner ? 1 : 0] },
      out: moved(out),
      ...(init === undefined ? {} : { init: moved(init) }),
    },
  ];
}

/** Most elements of a segment that is summed at once, where it has to be cut. */
const CHUNK = 8192;

/** Sums of segments by groups of them; long ones are cut into chunks first. */
function segmentsInParts(kernel: SegmentSumKernel, parts: number, room: Room): PlainKernel[] {
  const { n, starts, body, outs } = kernel, most = Math.max(1, Math.floor(n / Math.max(2, parts)));
  const ends = [...starts.slice(1), n];
  if (starts.length > 1 && starts.every((start, s) => ends[s] - start <= most)) {
    const groups: PlainKernel[] = [];
    for (let first = 0, next = 0; first < starts.length; first = next) {
      const from = starts[first];
      for (next = first + 1; next < starts.length && ends[next] - from <= most;) next++;
      const to = ends[next - 1];
      const moved = (view: View, by: number): View => ({ ...view, offset: view.offset + by * view.strides[0] });
      groups.push({
        op: "segmentSum",
        n: to - from,
        starts: starts.slice(first, next).map((start) => start - from),
        body: shiftBody(body, 0, from).map((inst) =>
          inst.k === "load" ? { ...inst, view: moved(inst.view, from) } : inst
        ),
        outs: outs.map(({ value, view }) => ({ value, view: moved(view, first) })),
      });
    }
    return groups;
  }
  const chunk = Math.min(CHUNK, most), chunkStarts: number[] = [];
  const firstChunks = starts.map((start, s) => {
    const first = chunkStarts.length;
    for (let at = start; at < ends[s]; at += chunk) chunkStarts.push(at);
    return first;
  });
  const count = chunkStarts.length, slot = room.scratch(outs.length * count * 4);
  const partial = (t: number): View => ({ slot, dtype: "f32", offset: t * count, strides: [1] });
  return [
    { ...kernel, starts: chunkStarts, outs: outs.map(({ value }, t) => ({ value, view: partial(t) })) },
    {
      op: "segmentSum",
      n: count,
      starts: firstChunks,
      body: outs.map((_, t) => ({ k: "load", view: partial(t) })),
      outs: outs.map(({ view }, t) => ({ view, value: t })),
    },
  ];
}
