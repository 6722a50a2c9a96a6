/**
 * Sums of gradients: a value that many others were made of gets one from each. What unrolled loops and split tensors leave
 * behind, pieces with zeros around them and many small products, is one concatenation and one product instead.
 *
 * @module
 */
import { sizeOf } from "../base/shape.ts";
import { add } from "./elementwise.ts";
import { constant } from "./leaves.ts";
import type { Node } from "./node.ts";
import { cat, MATMUL, matmul } from "./products.ts";
import { expand, PAD, PERMUTE, permute } from "./views.ts";

/** Fewer products than these are added up one by one. */
const FEW_PRODUCTS = 4;

/** The sum of gradients of one shape, at least two. */
export function sumOfGradients(parts: readonly Node[]): Node {
  const rest = mergeProducts(mergePieces(parts));
  return rest.slice(1).reduce((sum, part) => add(sum, part), rest[0]);
}

// --- pieces

/** A gradient that is 0 but for a piece along one axis. */
interface Piece {
  readonly axis: number;
  readonly start: number;
  readonly inner: Node;
}

/** Pieces along one axis that do not overlap, as what a split leaves behind, after each other. */
function mergePieces(parts: readonly Node[]): readonly Node[] {
  const pieces = parts.map(pieceOf);
  const first = pieces.find((p) => p !== null);
  if (first === undefined) return parts;
  const { axis } = first!;
  const own = pieces.filter((p): p is Piece => p?.axis === axis).sort((a, b) => a.start - b.start);
  if (own.length < 2) return parts;
  const { shape } = parts[0];
  const row: Node[] = [];
  let at = 0, holes = 0;
  for (const { start, inner } of own) {
    if (start < at) return parts; // they overlap
    if (start > at) {
      holes++;
      row.push(zeros(shape, axis, start - at));
    }
    row.push(inner);
    at = start + inner.shape[axis];
  }
  if (at < shape[axis]) {
    holes++;
    row.push(zeros(shape, axis, shape[axis] - at));
  }
  if (holes > 1 && own.length === 2) return parts; // two pieces far apart: a sum does as well
  return [cat(row, axis), ...parts.filter((_, i) => pieces[i]?.axis !== axis)];
}

function pieceOf(part: Node): Piece | null {
  if (part.op !== PAD || part.storage !== null) return null;
  const [inner] = part.inputs;
  let axis = -1;
  for (let i = 0; i < inner.shape.length; i++) {
    if (inner.shape[i] === part.shape[i]) continue;
    if (axis >= 0) return null; // zeros along two axes
    axis = i;
  }
  return axis < 0 ? null : { axis, start: part.attr[axis], inner };
}

function zeros(shape: readonly number[], axis: number, n: number): Node {
  return expand(constant(0), shape.map((m, i) => i === axis ? n : m));
}

// --- products

/** `a1 b1 + a2 b2 + ...` as the product of the operands side by side, where that takes less than the sums do. */
function mergeProducts(parts: readonly Node[]): readonly Node[] {
  const products = parts.filter(isSmall);
  if (products.length < FEW_PRODUCTS) return parts;
  const a = sideBySide(products.map((p) => p.inputs[0]));
  const b = cat(products.map((p) => p.inputs[1]), 0);
  return [...parts.filter((p) => !isSmall(p)), matmul(a, b)];
}

/** A product of matrices whose operands are smaller than its result. */
function isSmall(part: Node): boolean {
  if (part.op !== MATMUL || part.storage !== null || part.shape.length !== 2) return false;
  const [a, b] = part.inputs;
  return a.shape.length === 2 && b.shape.length === 2 && a.size + b.size < sizeOf(part.shape);
}

/** Matrices next to each other; transposed ones are put below each other first, as they lie in memory. */
function sideBySide(matrices: readonly Node[]): Node {
  const turned = matrices.every(({ op, storage }) => op === PERMUTE && storage === null);
  return turned ? permute(cat(matrices.map((m) => m.inputs[0]), 0), [1, 0]) : cat(matrices, 1);
}
