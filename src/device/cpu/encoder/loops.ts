/**
 * What the loops over domains have in common. Each function takes the slot table and a range of work items, and gives the same
 * bits whatever the range is cut into.
 *
 * @module
 */
import type { VectorWriter } from "./vector_writer.ts";
import { OP, T } from "./code.ts";

/** A function, and the number of work items that it can be cut into. */
export interface Work {
  readonly index: number;
  readonly items: number;
  /** Whether it also takes the address of the thread's own working memory. */
  readonly wide?: boolean;
}

/** Iterations whose sum is formed before it is added to the total: long sums stay accurate. */
export const CHUNK = 128;

/** The product of some sizes. */
export const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** Sets the coordinates of `axes` from the row-major number in local `from`. */
export function decode(w: VectorWriter, axes: readonly number[], from: number): void {
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
export function run(w: VectorWriter, limit: () => void, lanes: 4 | 1, body: () => void): void {
  w.f.loop(w.position, limit, lanes * 4, body);
}

/** The innermost loop from the current position to `end` bytes: vectors, then single elements. */
export function sweep(w: VectorWriter, end: () => void, body: (lanes: 4 | 1) => void): void {
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
