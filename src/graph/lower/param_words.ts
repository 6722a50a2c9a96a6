/**
 * Where the values of a run go in its parameters: scalars, small arrays, and where storages that lie in a pool start.
 *
 * @module
 */
import { sizeOf } from "../../base/shape.ts";
import type { Collected } from "../collect.ts";

/** Words of the parameters, by what they hold. */
export interface ParamWords {
  readonly total: number;
  /** Word by the local number of a scalar or array node. */
  readonly of: ReadonlyMap<number, number>;
  /** Word by storage, for those that lie in a pool. */
  readonly dyn: ReadonlyMap<number, number>;
}

/** Lays out the parameters of the program for `c`. */
export function layoutWords(c: Collected): ParamWords {
  let next = 1; // word 0 is the pool's
  const dyn = new Map<number, number>();
  c.storages.forEach((s, i) => {
    if (s.pooled) dyn.set(i, next++);
  });
  const of = new Map<number, number>();
  for (const s of c.scalars) of.set(s.local, next++);
  for (const a of c.arrays) {
    next = (next + 3) & ~3;
    of.set(a.local, next);
    next += sizeOf(a.shape);
  }
  return { total: (next + 3) & ~3, of, dyn };
}
