/**
 * Float64 references of operations with indices.
 *
 * @module
 */
import { at, axisOf, build, forEachCoord, type Ref, withAxis } from "./ref_core.ts";

/** Entries `indices` of an axis. */
export function indexSelect(x: Ref, indices: Ref, { axis }: { axis: number }): Ref {
  const along = axisOf(axis, x.shape.length);
  const shape = withAxis(x.shape, along, indices.data.length);
  return build(shape, (c) => at(x, withAxis(c, along, indices.data[c[along]])));
}

/** `out[c] = x[c with indices[c] on the axis]`; the result has the shape of `indices`. */
export function gather(x: Ref, indices: Ref, { axis }: { axis: number }): Ref {
  const along = axisOf(axis, x.shape.length);
  return build(indices.shape, (c) => at(x, withAxis(c, along, at(indices, c))));
}

/** x with `src[c]` added at c with `indices[c]` on the axis. */
export function scatterAdd(x: Ref, indices: Ref, src: Ref, { axis }: { axis: number }): Ref {
  const along = axisOf(axis, x.shape.length);
  const data = x.data.slice();
  forEachCoord(indices.shape, (c) => {
    const target = withAxis(c, along, at(indices, c));
    data[target.reduce((i, v, a) => i * x.shape[a] + v, 0)] += at(src, c);
  });
  return { shape: x.shape, data };
}

/** Rows of `weight`. */
export function embedding(indices: Ref, weight: Ref): Ref {
  return build([...indices.shape, weight.shape[1]], (c) => at(weight, [at(indices, c.slice(0, -1)), c[c.length - 1]]));
}

/** 1 at the index, on a new last axis of size n. */
export function oneHot(indices: Ref, n: number): Ref {
  return build([...indices.shape, n], (c) => at(indices, c.slice(0, -1)) === c[c.length - 1] ? 1 : 0);
}
