/**
 * Mean and variance over axes in one pass over the data, whatever the data.
 *
 * The elements are taken in chunks of at most {@link CHUNK}. Within a chunk the sums are of distances from one of its own
 * elements, the median of three: an element `d` away from the others adds `d^2` to the squares itself, so that the digits
 * that the subtraction of the two sums costs are bounded by the chunk's size, and what lies far from everything costs none
 * where it is no majority. The chunks' moments are then put together (Chan, Golub and LeVeque 1979).
 *
 * @module
 */
import { sizeOf } from "../base/shape.ts";
import { add, gt, maximum, minimum, mul, square, sub, where } from "./elementwise.ts";
import { array, constant } from "./leaves.ts";
import type { Node } from "./node.ts";
import { cat } from "./products.ts";
import { reduce } from "./reduce.ts";
import { detach, permute, reshape, slice } from "./views.ts";

/** Elements of a chunk, at most, where the axes can be cut so. */
const CHUNK = 16384;

/** Smaller ones are not worth their place in memory. */
const LEAST = 32;

/** Moments over axes; all with size 1 along them. No gradient flows through them. */
export interface Moments {
  /** A number near the mean, to f32's precision. */
  readonly near: Node;
  /** What the mean is above `near`: together they are the mean with digits to spare where it is large. */
  readonly above: Node;
  /** Biased variance. */
  readonly variance: Node;
}

/** Sums of the chunks of `x`, `[rows, chunks]`. */
interface Chunks {
  /** Element from which distances were taken. */
  readonly from: Node;
  /** Mean distance. */
  readonly distance: Node;
  /** Sum of the squares of the distances from the chunk's mean. */
  readonly squares: Node;
  /** Elements of a chunk. */
  readonly size: number;
}

const LARGEST = constant(3.4028234663852886e38);
const zero = constant(0);

/** Mean and biased variance of f32 `x` over `axes` (ascending, at least one element along them). */
export function momentsOf(x: Node, axes: readonly number[]): Moments {
  const wide = x.shape.map((n, i) => axes.includes(i) ? 1 : n);
  const shaped = (v: Node) => reshape(v, wide);
  const parts = cutUp(detach(x), axes).map(([piece, outer, inner]) => chunksOf(piece, outer, inner));
  const n = sizeOf(x.shape) / sizeOf(wide);
  const all = (pick: (c: Chunks) => Node) => parts.length === 1 ? pick(parts[0]) : cat(parts.map(pick), 1);
  const from = all((c) => c.from), distance = all((c) => c.distance), squares = all((c) => c.squares);
  const [rows, chunks] = from.shape;
  const shares = parts.flatMap((c) => new Array<number>(c.from.shape[1]).fill(c.size / n));
  const share = parts.length === 1 ? constant(1 / chunks) : array(Float32Array.from(shares), [1, chunks], "f32");
  const total = (v: Node) => chunks === 1 ? v : reshape(reduce("sum", v, [1]), [rows, 1]);
  const mean = (v: Node) => total(mul(v, share));
  const near = mean(add(from, distance));
  const center = add(sub(from, near), distance); // the mean of each chunk, as seen from `near`
  const above = mean(center);
  const within = mul(total(squares), constant(1 / n));
  const variance = chunks === 1 ? within : add(within, mean(square(sub(center, above))));
  return {
    near: shaped(near),
    above: shaped(above),
    variance: shaped(variance),
  };
}

/** A piece, the axes that number its chunks, and the axes along a chunk. */
type Piece = readonly [x: Node, outer: readonly number[], inner: readonly number[]];

function chunksOf(x: Node, outer: readonly number[], inner: readonly number[]): Chunks {
  const size = inner.reduce((n, i) => n * x.shape[i], 1);
  const from = medianOfThree(x, inner);
  const far = sub(x, from);
  const sum = reduce("sum", far, inner), squares = reduce("sum", square(far), inner);
  const distance = mul(sum, constant(1 / size));
  // squares beyond f32 stay infinite: the difference of two infinities would be NaN
  const centered = where(gt(squares, LARGEST), squares, maximum(sub(squares, mul(sum, distance)), zero));
  const kept = x.shape.map((_, i) => i).filter((i) => !inner.includes(i));
  const order = [...kept.filter((i) => !outer.includes(i)), ...outer].map((i) => kept.indexOf(i));
  const count = outer.reduce((n, i) => n * x.shape[i], 1);
  const rows = (v: Node) => reshape(permute(v, order), [v.size / count, count]);
  return {
    from: rows(reshape(from, kept.map((i) => x.shape[i]))),
    distance: rows(distance),
    squares: rows(centered),
    size,
  };
}

/** The median of three elements along `inner`, which keeps size 1: what lies far away is passed over. */
function medianOfThree(x: Node, inner: readonly number[]): Node {
  const one = x.shape.map((n, i) => inner.includes(i) ? 1 : n);
  const at = (quarter: number) =>
    slice(x, x.shape.map((n, i) => inner.includes(i) ? Math.floor(n * quarter / 4) : 0), one);
  const [a, b, c] = [at(1), at(2), at(3)];
  return maximum(minimum(a, b), minimum(maximum(a, b), c));
}

/** `x` in pieces of chunks. */
function cutUp(x: Node, axes: readonly number[]): Piece[] {
  let size = 1, first = axes.length; // axes from there on lie within a chunk
  while (first > 0 && size * x.shape[axes[first - 1]] <= CHUNK) size *= x.shape[axes[--first]];
  const outer = axes.slice(0, first), inner = axes.slice(first);
  if (first === 0 || size >= LEAST) return [[x, outer, inner]];
  // whole axes make chunks that are too small: the next axis is cut
  const axis = outer.pop()!, n = x.shape[axis];
  const most = Math.floor(CHUNK / size);
  let step = most;
  while (step > 1 && n % step !== 0) step--;
  if (step * size < LEAST) step = most; // and what is left over is a piece of its own
  const piece = (start: number, count: number, each: number): Piece => {
    const part = slice(x, x.shape.map((_, i) => i === axis ? start : 0), x.shape.map((m, i) => i === axis ? count : m));
    const shape = [...x.shape.slice(0, axis), count / each, each, ...x.shape.slice(axis + 1)];
    return [reshape(part, shape), [...outer, axis], [axis + 1, ...inner.map((i) => i + 1)]];
  };
  const whole = n - n % step;
  return n === whole ? [piece(0, n, step)] : [piece(0, whole, step), piece(whole, n - whole, n - whole)];
}
