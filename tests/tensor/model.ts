/**
 * Tensors as plain float64 arrays with index arithmetic, and ways to make the same tensor as a view of another.
 *
 * @module
 */
import { sizeOf } from "../../src/base/shape.ts";
import { type Rng, type Tensor, tensor } from "../../src/tensor/mod.ts";

/** A float64 tensor. */
export interface Model {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** The tensor whose element at coordinates `c` is `f(c)`. */
export function model(shape: readonly number[], f: (c: number[]) => number): Model {
  const data = new Float64Array(sizeOf(shape));
  const c = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < data.length; i++) {
    data[i] = f(c);
    for (let a = shape.length - 1; a >= 0 && ++c[a] === shape[a]; a--) c[a] = 0;
  }
  return { shape, data };
}

/** The element at `c`; coordinates along axes of size 1 do not count, and those in front that it lacks neither. */
export function at({ shape, data }: Model, c: readonly number[]): number {
  let i = 0;
  const lead = c.length - shape.length;
  for (let a = 0; a < shape.length; a++) i = i * shape[a] + (shape[a] === 1 ? 0 : c[a + lead]);
  return data[i];
}

/** A shape of up to `rank` axes: sizes 0 and 1, odd ones, and now and then more elements than a workgroup has threads. */
export function someShape(rng: Rng, rank: number, least = 0): number[] {
  const sizes = [1, 2, 3, 5, 7, 8, 17];
  const shape = Array.from({ length: rank }, () => sizes[rng.integer(sizes.length)]);
  if (rank > 0 && rng.integer(12) < 1) shape[rng.integer(rank)] = least;
  if (rank > 0 && rng.integer(4) < 1) shape[rng.integer(rank)] = 131;
  return shape;
}

/** Numbers in [-2, 2) that f32 has exactly, and the tensor of them: contiguous, or a view of another tensor. */
export function someTensor(rng: Rng, shape: readonly number[]): [Tensor, Model] {
  const m = model(shape, () => Math.fround(rng.uniform() * 4 - 2));
  const rank = shape.length;
  switch (rank === 0 ? 0 : rng.integer(5)) {
    case 1: { // axes exchanged
      const order = [...rng.permutation(rank)];
      const back = order.map((_, i) => order.indexOf(i));
      const moved = model(order.map((a) => shape[a]), (c) => at(m, back.map((i) => c[i])));
      return [tensor(moved.data, { shape: moved.shape }).permute(back), m];
    }
    case 2: { // every second element of a larger one, from an offset
      const axis = rng.integer(rank);
      const wide = model(shape.map((n, i) => i === axis ? 2 * n + 3 : n), (c) => {
        const k = (c[axis] - 1) / 2;
        return Number.isInteger(k) && k >= 0 && k < shape[axis] ? at(m, c.map((v, i) => i === axis ? k : v)) : 99;
      });
      const cut = shape.map((n, i): [number, number, number] | null => i === axis ? [1, 1 + 2 * n, 2] : null);
      return [tensor(wide.data, { shape: wide.shape }).slice(cut), m];
    }
    case 3: { // back to front
      const axis = rng.integer(rank);
      const turned = model(shape, (c) => at(m, c.map((v, i) => i === axis ? shape[axis] - 1 - v : v)));
      return [tensor(turned.data, { shape }).flip(axis), m];
    }
    case 4: { // repeated
      const axis = rng.integer(rank);
      if (shape[axis] === 0) return [tensor(m.data, { shape }), m];
      const thin = model(shape.map((n, i) => i === axis ? 1 : n), (c) => at(m, c));
      return [tensor(thin.data, { shape: thin.shape }).expand(shape), model(shape, (c) => at(thin, c))];
    }
    default:
      return [tensor(m.data, { shape }), m];
  }
}
