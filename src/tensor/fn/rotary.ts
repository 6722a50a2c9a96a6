/**
 * Rotary positions: pairs of features turned by angles that grow with the position.
 *
 * @module
 * @see Su et al. 2021, arXiv:2104.09864
 */
import { ShapeError } from "../../base/errors.ts";
import { fmtShape } from "../../base/shape.ts";
import { add, cast, mul } from "../../graph/elementwise.ts";
import type { Node } from "../../graph/node.ts";
import { cat } from "../../graph/products.ts";
import { flip, reshape, slice } from "../../graph/views.ts";

/** How positions turn features. */
export interface RotarySpec {
  /** Angle of pair `i` of `d / 2` at position `p`: `p base^(-2 i / d)`. */
  readonly base: number;
  /** Position of the first vector. */
  readonly offset: number;
  /** Whether a pair are neighbours, rather than features half of the turned ones apart. */
  readonly interleaved: boolean;
  /** How many features are turned, from the first one on; the others stay. */
  readonly dims: number;
}

/** Cosines and signed sines `[2, n, dims]` of each feature at each position, computed in f64. */
export function rotaryTable(n: number, { base, offset, interleaved, dims }: RotarySpec): Float32Array {
  const table = new Float32Array(2 * n * dims), half = dims / 2;
  for (let p = 0; p < n; p++) {
    for (let i = 0; i < half; i++) {
      const angle = (p + offset) * base ** (-2 * i / dims), cos = Math.cos(angle), sin = Math.sin(angle);
      const [a, b] = interleaved ? [2 * i, 2 * i + 1] : [i, i + half];
      table[p * dims + a] = table[p * dims + b] = cos;
      table[(n + p) * dims + a] = -sin;
      table[(n + p) * dims + b] = sin;
    }
  }
  return table;
}

/** `x` `[..., n, d]` turned by a {@link rotaryTable} for its `n` positions. */
export function rotary(x: Node, table: Node, { interleaved, dims }: RotarySpec): Node {
  const { shape } = x, rank = shape.length, d = shape[rank - 1], n = shape[rank - 2];
  const zeros = shape.map(() => 0), own = shape.map((s, i) => i === rank - 1 ? dims : s);
  const part = slice(cast(x, "f32"), zeros, own);
  const pairs = interleaved ? [dims / 2, 2] : [2, dims / 2];
  const split = reshape(part, [...shape.slice(0, -1), ...pairs]);
  const turned = reshape(flip(split, interleaved ? rank : rank - 1), own);
  const row = (i: number) => reshape(slice(table, [i, 0, 0], [1, n, dims]), [n, dims]);
  const y = add(mul(part, row(0)), mul(turned, row(1)));
  if (dims === d) return y;
  const rest = slice(
    cast(x, "f32"),
    zeros.map((_, i) => i === rank - 1 ? dims : 0),
    shape.map((s, i) => i === rank - 1 ? d - dims : s),
  );
  return cat([y, rest], rank - 1);
}

/** Refuses what cannot be turned. */
export function checkRotary(shape: readonly number[], dims: number): void {
  const rank = shape.length;
  if (rank < 2) throw new ShapeError(`Cannot turn ${fmtShape(shape)} by positions: it takes [..., n, d]`);
  const d = shape[rank - 1];
  if (!Number.isInteger(dims) || dims < 2 || dims % 2 !== 0 || dims > d) {
    throw new ShapeError(
      `Cannot turn ${dims} of the ${d} features of ${fmtShape(shape)}: it is an even number of them from 2 to ${d}`,
    );
  }
}
