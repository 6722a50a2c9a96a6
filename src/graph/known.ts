/**
 * What the host knows of whole numbers before a device has computed them: bounds that travel with views, and the numbers
 * themselves where they came from the host and were only moved about since. It is what indices and labels are checked by.
 *
 * @module
 */
import { bytesPerElement } from "../base/dtype.ts";
import { roundToHalf } from "../base/half.ts";
import { CAST } from "./elementwise.ts";
import { ARRAY, CONST, COORD, LEAF, SCALAR } from "./leaves.ts";
import type { Node } from "./node.ts";
import { GATHER } from "./products.ts";
import { EXPAND, PERMUTE, RESHAPE, SLICE } from "./views.ts";

/** The most elements that are looked at: more would cost a step more than it computes. */
const MOST_LOOKED_AT = 2 ** 16;

/** A question that only the device can answer: whether all elements of `node` are in `[0, size)`, or `except`. */
export interface Unanswered {
  readonly node: Node;
  readonly size: number;
  readonly except: number | null;
}

/** Where such questions are noted; null while nobody listens. */
export const unanswered: { list: Unanswered[] | null } = { list: null };

/**
 * Whether all elements of `node` are in `[0, size)`, or `except`: true and false where that is known, the offender in the
 * second case; null where only the device can tell. Of a tensor without elements all are.
 */
export function allBelow(node: Node, size: number, except: number | null = null): true | { bad: number } | null {
  if (node.size === 0) return true;
  const fits = (v: number) => v >= 0 && v < size || v === except;
  const { bounds, tight } = node;
  if (bounds !== null) {
    const [low, high] = bounds;
    if (low >= 0 && high < size) return true;
    // both ends are elements only where the bounds are tight
    if (tight && !(fits(low) && fits(high))) return { bad: fits(low) ? high : low };
  }
  const values = node.size <= MOST_LOOKED_AT
    ? valuesAt(node, Int32Array.from({ length: node.size }, (_, i) => i))
    : null;
  if (values === null) {
    unanswered.list?.push({ node, size, except });
    return null;
  }
  const bad = values.find((v) => !fits(v));
  return bad === undefined ? true : { bad };
}

/** The elements at row-major `places` of whole numbers that lie on the host as well; null where they do not. */
function valuesAt(node: Node, places: Int32Array): Float64Array | null {
  const all = (f: (place: number) => number) => Float64Array.from(places, f);
  const { op, storage, shape, attr, inputs } = node;
  if (storage !== null || op === LEAF) {
    const known = storage !== null && storage.version === 0 ? storage.known : null;
    // two types in one storage do not happen, but would be read wrongly
    if (known === null || known.BYTES_PER_ELEMENT !== bytesPerElement(node.dtype)) return null;
    return all((i) => known[node.offset + i]);
  }
  if (op === ARRAY) return all((i) => node.array![i]);
  if (op === CONST || op === SCALAR) return all(() => node.value);
  if (op === COORD) {
    const axis = attr[0], step = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    return all((i) => Math.floor(i / step) % shape[axis]);
  }
  if (op === RESHAPE) return valuesAt(inputs[0], places);
  if (op === CAST) {
    const values = valuesAt(inputs[0], places);
    return values === null ? null : castTo(values, node);
  }
  if (op === PERMUTE || op === EXPAND || op === SLICE) return valuesAt(inputs[0], moved(node, places));
  if (op === GATHER) return lookedUp(node, places);
  return null;
}

/** As the devices cast: integers keep their bits, f32 is cut off and saturates. */
function castTo(values: Float64Array, { dtype, inputs: [x] }: Node): Float64Array {
  if (dtype === "f32") return values.map(Math.fround);
  if (dtype === "f16") return values.map(roundToHalf);
  if (dtype === "bool") return values.map((v) => v === 0 ? 0 : 1);
  const [low, high] = dtype === "i32" ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
  if (x.dtype === "f32") return values.map((v) => Math.trunc(Math.min(high, Math.max(low, v))));
  return values.map((v) => dtype === "i32" ? v | 0 : v >>> 0);
}

/** Row-major strides of a shape. */
function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  for (let i = shape.length - 1, step = 1; i >= 0; step *= shape[i--]) strides[i] = step;
  return strides;
}

/** Places of the result as sums over its coordinates, from `start` on. */
function places(of: Int32Array, shape: readonly number[], strides: readonly number[], start = 0): Int32Array {
  return of.map((place) => {
    let at = start;
    for (let i = shape.length - 1; i >= 0; i--) {
      at += (place % shape[i]) * strides[i];
      place = Math.floor(place / shape[i]);
    }
    return at;
  });
}

/** Places of a view's elements in what it is a view of. */
function moved({ op, shape, attr, inputs: [x] }: Node, at: Int32Array): Int32Array {
  const own = stridesOf(x.shape);
  if (op === PERMUTE) return places(at, shape, attr.map((axis) => own[axis]));
  if (op === EXPAND) return places(at, shape, broadcastStrides(x.shape, shape.length));
  const d = shape.length, starts = attr.slice(0, d), steps = attr.slice(d);
  return places(at, shape, own.map((s, i) => s * steps[i]), starts.reduce((sum, n, i) => sum + n * own[i], 0));
}

/** Strides of a tensor that is repeated to `rank` axes. */
function broadcastStrides(shape: readonly number[], rank: number): number[] {
  const own = stridesOf(shape).map((s, i) => shape[i] === 1 ? 0 : s);
  return [...new Array<number>(rank - shape.length).fill(0), ...own];
}

function lookedUp({ shape, attr: [axis], inputs: [x, index] }: Node, at: Int32Array): Float64Array | null {
  const rows = valuesAt(index, places(at, shape, broadcastStrides(index.shape, shape.length)));
  if (rows === null || rows.some((r) => r < 0 || r >= x.shape[axis])) return null;
  const own = stridesOf(x.shape);
  const others = places(at, shape, own.map((s, i) => i === axis ? 0 : s));
  return valuesAt(x, others.map((place, i) => place + rows[i] * own[axis]));
}
