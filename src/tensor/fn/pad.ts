/**
 * Padding.
 *
 * @module
 */
import { ShapeError } from "../../base/errors.ts";
import { shown } from "../../base/options.ts";
import { fmtShape } from "../../base/shape.ts";
import { abs, add, and, ge, lt, maximum, minimum, mod, sub, where } from "../../graph/elementwise.ts";
import { constant, coord } from "../../graph/leaves.ts";
import type { Node } from "../../graph/node.ts";
import { gather } from "../../graph/products.ts";
import { pad as zeros, slice } from "../../graph/views.ts";
import { numberLike } from "./number.ts";

/** Options of `pad`. */
export interface PadOptions {
  /**
   * What comes around: `"constant"` (the default) numbers, the tensor mirrored at its edge elements (`"reflect"`), its
   * edge elements repeated (`"replicate"`), or the tensor repeated (`"circular"`).
   */
  readonly mode?: "constant" | "reflect" | "replicate" | "circular";
  /** The number for mode `"constant"`; 0 if left out. */
  readonly value?: number;
}

/** `x` with `[before, after]` elements around each axis; negative numbers cut elements off. */
export function pad(
  x: Node,
  widths: readonly (readonly [number, number])[],
  { mode = "constant", value = 0 }: PadOptions,
): Node {
  if (!Array.isArray(widths) || widths.length !== x.shape.length) {
    const got = Array.isArray(widths) ? `${widths.length} pairs` : shown(widths);
    throw new ShapeError(
      `Cannot pad ${fmtShape(x.shape)} by ${got}: each axis needs [before, after], [0, 0] for none`,
    );
  }
  const before = widths.map(([b]) => b), after = widths.map(([, a]) => a);
  const bad = [...before, ...after].find((n) => !Number.isInteger(n));
  if (bad !== undefined) throw new ShapeError(`Cannot pad by ${bad}: widths are whole numbers`);
  const inner = crop(x, before, after);
  const front = before.map((n) => Math.max(0, n)), back = after.map((n) => Math.max(0, n));
  if (mode === "constant") return constantPad(inner, front, back, value);
  let y = inner;
  for (let a = 0; a < front.length; a++) {
    if (front[a] > 0 || back[a] > 0) y = indexedPad(y, a, front[a], back[a], mode);
  }
  return y;
}

/** `x` without the elements that negative widths cut off. */
function crop(x: Node, before: readonly number[], after: readonly number[]): Node {
  const starts = before.map((n) => Math.max(0, -n));
  const shape = x.shape.map((n, i) => n - starts[i] - Math.max(0, -after[i]));
  if (shape.some((n) => n < 0)) {
    throw new ShapeError(
      `Cannot cut [${before.join(", ")}] and [${after.join(", ")}] off ${fmtShape(x.shape)}: it is smaller`,
    );
  }
  return slice(x, starts, shape);
}

function constantPad(x: Node, before: readonly number[], after: readonly number[], value: number): Node {
  const y = zeros(x, before, after);
  if (value === 0 || y === x) return y;
  let inside: Node | null = null;
  for (let a = 0; a < before.length; a++) {
    if (before[a] === 0 && after[a] === 0) continue;
    const c = coord(y.shape.map((n, i) => i === a ? n : 1), a);
    const here = and(ge(c, constant(before[a], "i32")), lt(c, constant(before[a] + x.shape[a], "i32")));
    inside = inside === null ? here : and(inside, here);
  }
  return where(inside!, y, numberLike(value, x.dtype));
}

/** Pads one axis by elements of the tensor itself. */
function indexedPad(x: Node, axis: number, before: number, after: number, mode: string): Node {
  const n = x.shape[axis];
  const most = mode === "reflect" ? n - 1 : mode === "circular" ? n : n === 0 ? 0 : Infinity;
  if (before > most || after > most) {
    throw new ShapeError(
      `Cannot pad axis ${axis} of ${
        fmtShape(x.shape)
      } by [${before}, ${after}] in mode "${mode}": at most ${most} on a side`,
    );
  }
  const shape = x.shape.map((m, i) => i === axis ? m + before + after : m);
  const place = coord(shape.map((m, i) => i === axis ? m : 1), axis);
  const last = constant(n - 1, "i32");
  let index: Node;
  if (mode === "circular") index = mod(add(place, constant(n - before, "i32")), constant(n, "i32"));
  else {
    const moved = sub(place, constant(before, "i32"));
    index = mode === "replicate"
      ? minimum(maximum(moved, constant(0, "i32")), last)
      : sub(last, abs(sub(last, abs(moved)))); // mirrored at 0, then at the last element
  }
  return gather(x, index, axis, shape);
}
