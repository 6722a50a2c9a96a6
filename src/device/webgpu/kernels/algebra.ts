/**
 * Where a compiler would take algebra for granted that floats do not have.
 *
 * Mesa's drivers, and others with fast arithmetic, turn `x - x` into 0, `(a + b) - a` into b, `sqrt(x) * sqrt(x)` into |x|, `1 / (1 / x)`
 * into x and `a b + a c` into `a (b + c)`, which infinities, NaN and rounding tell apart; on OpenGL also `a + b < a` into `b < 0`. They
 * know such forms by the operations in them: a value that has passed through a whole number is known to be none of them.
 *
 * @module
 */
import type { ValueType } from "../../../base/dtype.ts";
import type { BinaryOp, Inst, UnaryOp } from "../../contract.ts";

type Body = readonly Inst[];
type Binary = Inst & { readonly k: "binary" };

/** Operations whose results other forms are made of; each costs much more than hiding it. */
const HIDDEN: ReadonlySet<UnaryOp | BinaryOp> = new Set<UnaryOp | BinaryOp>(["sqrt", "rsqrt", "reciprocal", "div"]);
const COMPARISONS: ReadonlySet<BinaryOp> = new Set<BinaryOp>(["eq", "ne", "lt", "le", "gt", "ge"]);
/** Depth to which sums are looked through. */
const DEPTH = 4;

/** Whether the result of instruction `inst`, f32, must be hidden from the compiler. */
export function isHidden(inst: Inst): boolean {
  return (inst.k === "unary" || inst.k === "binary") && HIDDEN.has(inst.op);
}

/**
 * Whether `inst` must not see what its second operand was made of; which of two does not matter.
 *
 * @param type Type of its operands.
 */
export function hidesSecond(body: Body, inst: Binary, type: ValueType): boolean {
  if (type !== "f32") return false;
  const { op, a, b } = inst;
  if (op === "sub" || op === "div") return isSame(body, a, b);
  if (op === "add") return sharesFactor(body, a, b, DEPTH) || sharesFactor(body, b, a, DEPTH);
  return COMPARISONS.has(op) && (isTermOf(body, a, b, DEPTH) || isTermOf(body, b, a, DEPTH));
}

/** Whether both are the same value: one instruction, or two loads of one place. */
function isSame(body: Body, a: number, b: number): boolean {
  if (a === b) return true;
  const [x, y] = [body[a], body[b]];
  if (x.k !== y.k) return false;
  return (x.k === "load" || x.k === "const" || x.k === "scalar") && JSON.stringify(x) === JSON.stringify(y);
}

/** Terms of the sum that `i` is, itself included. */
function termsOf(body: Body, i: number, depth: number): number[] {
  const inst = body[i];
  const isSum = inst.k === "binary" && (inst.op === "add" || inst.op === "sub") && depth > 0;
  return isSum ? [i, ...termsOf(body, inst.a, depth - 1), ...termsOf(body, inst.b, depth - 1)] : [i];
}

function isTermOf(body: Body, i: number, sum: number, depth: number): boolean {
  return termsOf(body, sum, depth).slice(1).some((term) => isSame(body, i, term));
}

/** Whether `a` is a product, and some term of `b` another one with a factor of it. */
function sharesFactor(body: Body, a: number, b: number, depth: number): boolean {
  const factors = factorsOf(body[a]);
  return termsOf(body, b, depth).some((term) =>
    factorsOf(body[term]).some((factor) => factors.some((other) => isSame(body, factor, other)))
  );
}

function factorsOf(inst: Inst): readonly number[] {
  return inst.k === "binary" && inst.op === "mul" ? [inst.a, inst.b] : [];
}
