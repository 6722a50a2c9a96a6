/**
 * Views whose offset only a run knows, in memory of which a part is bound: what is read is looked up, operands are copied first, and
 * what is stored is put where it belongs afterwards.
 *
 * @module
 */
import { bytesPerElement } from "../../../base/dtype.ts";
import type { Inst, MapKernel, View } from "../../contract.ts";
import { extentOf, outline, type Reach } from "./outline.ts";
import { type Append, mapViews, type PlainKernel, rewrite } from "./rewrite.ts";

/** What is known of the memory, and what can be had of it. */
export interface MovingRoom {
  readonly limit: number;
  bytesOf(slot: number): number;
  scratch(bytes: number): number;
}

/** Kernels that do what `kernel` does, without dynamic offsets into memory that is too large to be bound; null where there are none. */
export function withoutMoving(kernel: PlainKernel, room: MovingRoom): PlainKernel[] | null {
  const { sizes, reaches } = outline(kernel);
  const isMoving = ({ slot, dyn }: View) => dyn !== undefined && room.bytesOf(slot) > room.limit;
  if (!reaches.some(({ view }) => isMoving(view))) return null;
  const before: PlainKernel[] = [], after: PlainKernel[] = [], still = new Map<View, View>();
  for (const { view, axes, written, inst } of reaches) {
    if (!isMoving(view) || inst !== undefined) continue;
    const { first, end } = extentOf({ view: at(view, view.offset), axes, written }, sizes), n = end - first;
    const dtype = view.dtype === "u8" ? "i32" : view.dtype, slot = room.scratch(n * 4);
    const own: View = { slot, dtype, offset: 0, strides: [1] }, moved: View = { ...view, offset: first, strides: [1] };
    still.set(view, { ...own, offset: view.offset - first, strides: view.strides });
    // between what is stored, the rest is what it was
    if (!written || storedBy({ view, axes }, sizes) < n) {
      const copy: MapKernel = {
        op: "map",
        shape: [n],
        body: [{ k: "load", view: moved }],
        outs: [{ view: own, value: 0 }],
      };
      before.push(...withoutMoving(copy, room)!);
    }
    if (written) after.push(putBack(own, moved, n, Math.floor(room.bytesOf(view.slot) / bytesPerElement(view.dtype))));
  }
  const rest = mapViews(kernel, (view) => still.get(view) ?? view);
  return [...before, looking(rest, (view) => isMoving(view), room), ...after];
}

/** The view without its dynamic offset. */
function at({ slot, dtype, strides }: View, offset: number): View {
  return { slot, dtype, offset, strides };
}

/** How many elements a view has, each counted once. */
function storedBy({ view, axes }: Pick<Reach, "view" | "axes">, sizes: readonly number[]): number {
  return view.strides.reduce((n, stride, i) => stride === 0 ? n : n * sizes[axes[i]], 1);
}

/** Stores `n` elements at `to`, by going over all that its slot has. */
function putBack(from: View, to: View, n: number, all: number): MapKernel {
  const old = at(to, 0), body: Inst[] = [];
  const add: Append = (inst) => body.push(inst) - 1;
  const start = startOf(to.dyn!, add), first = add({ k: "const", value: to.offset, type: "i32" });
  const own = add({ k: "coord", offset: 0, strides: [1] });
  const place = sum(add, "sub", sum(add, "sub", own, start), first);
  const inside = within(place, n, add);
  const index = { value: place, stride: 1, size: n };
  const value = add({ k: "load", view: { ...from, strides: [0] }, index });
  const kept = add({ k: "load", view: old });
  const chosen = add({ k: "select", cond: inside, a: value, b: kept });
  return { op: "map", shape: [all], body, outs: [{ view: old, value: chosen }] };
}

/** `kernel` with look-ups in place of loads of views that move. */
function looking(kernel: PlainKernel, isMoving: (view: View) => boolean, room: MovingRoom): PlainKernel {
  if (kernel.op === "scatterAdd") return kernel;
  const { body, at: now } = rewrite(kernel.body, (inst, append) => {
    if (inst.k !== "load" || !isMoving(inst.view)) return append(inst);
    const { view, index } = inst, start = startOf(view.dyn!, append);
    const all = Math.floor(room.bytesOf(view.slot) / bytesPerElement(view.dtype));
    if (index === undefined) {
      return append({ ...inst, view: at(view, view.offset), index: { value: start, stride: 1, size: all } });
    }
    // counted from the lowest of the rows
    const low = Math.min(0, index.stride * (index.size - 1));
    const number = (value: number) => append({ k: "const", value, type: "i32" });
    const steps = sum(append, "sub", sum(append, "mul", index.value, number(index.stride)), number(low));
    const inside = within(index.value, index.size, append), from = sum(append, "add", steps, start);
    const value = append({ k: "select", cond: inside, a: from, b: number(-1) });
    return append({ ...inst, view: at(view, view.offset + low), index: { value, stride: 1, size: all } });
  });
  const moved = <T extends { readonly value: number }>(outs: readonly T[]): T[] =>
    outs.map((out) => ({ ...out, value: now[out.value] }));
  return kernel.op === "reduce"
    ? { ...kernel, body, outs: moved(kernel.outs) }
    : { ...kernel, body, outs: moved(kernel.outs) };
}

function startOf(word: number, append: Append): number {
  return append({ k: "cast", a: append({ k: "scalar", word, type: "u32" }), type: "i32" });
}

function sum(append: Append, op: "add" | "sub" | "mul", a: number, b: number): number {
  return append({ k: "binary", op, a, b });
}

/** Whether `value` lies in `[0, size)`. */
function within(value: number, size: number, append: Append): number {
  const [zero, end] = [0, size].map((bound) => append({ k: "const", value: bound, type: "i32" }));
  const above = append({ k: "binary", op: "ge", a: value, b: zero });
  return append({ k: "binary", op: "and", a: above, b: append({ k: "binary", op: "lt", a: value, b: end }) });
}
