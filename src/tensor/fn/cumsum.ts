/**
 * Running sums.
 *
 * @module
 */
import { valueType } from "../../base/dtype.ts";
import { normalizeAxis } from "../../base/shape.ts";
import { add, cast, le, where } from "../../graph/elementwise.ts";
import { constant, coord } from "../../graph/leaves.ts";
import type { Node } from "../../graph/node.ts";
import { reduce } from "../../graph/reduce.ts";
import { pad, permute, reshape, slice } from "../../graph/views.ts";
import { composite } from "./composite.ts";
import type { AxisOptions } from "./softmax.ts";

/** Elements that are summed directly; longer rows are sums of blocks. */
const BLOCK = 64;

/** `y[i] = x[0] + ... + x[i]` along `axis`; bools are counted, integers stay integers. */
export function cumsum(x: Node, { axis = -1 }: AxisOptions): Node {
  const rank = x.shape.length;
  const a = normalizeAxis(axis, rank, "sum up");
  const f = x.dtype === "bool" || x.dtype === "u8" ? cast(x, "i32") : x;
  if (x.size === 0) return f;
  const order = x.shape.map((_, i) => i === a ? rank - 1 : i === rank - 1 ? a : i); // its own inverse
  const rows = permute(f, order);
  const n = rows.shape[rank - 1];
  const y = permute(reshape(running(reshape(rows, [rows.size / n, n])), rows.shape), order);
  return composite(y, "cumsum", [f], { axis: a });
}

/** Running sums of the rows of `[rows, n]`. */
function running(x: Node): Node {
  const [rows, n] = x.shape;
  if (n <= BLOCK) return direct(reshape(x, [rows, 1, n]), [rows, n]);
  const blocks = Math.ceil(n / BLOCK);
  const padded = reshape(pad(x, [0, 0], [0, blocks * BLOCK - n]), [rows, blocks, BLOCK]);
  const inside = reshape(direct(padded, [rows, blocks * BLOCK]), [rows, blocks, BLOCK]);
  // what all the blocks before add up to
  const totals = running(reshape(slice(inside, [0, 0, BLOCK - 1], [rows, blocks, 1]), [rows, blocks]));
  const before = pad(slice(totals, [0, 0], [rows, blocks - 1]), [0, 1], [0, 0]);
  const all = reshape(add(inside, reshape(before, [rows, blocks, 1])), [rows, blocks * BLOCK]);
  return slice(all, [0, 0], [rows, n]);
}

/** Running sums of short rows: sum over j of (j <= i ? x[j] : 0), which keeps an infinity out of earlier sums. */
function direct(x: Node, shape: readonly number[]): Node {
  const [rows, blocks, n] = x.shape;
  const earlier = le(coord([1, n], 1), coord([n, 1], 0));
  const terms = where(earlier, reshape(x, [rows, blocks, 1, n]), constant(0, valueType(x.dtype)));
  return reshape(reduce("sum", terms, [3]), shape);
}
