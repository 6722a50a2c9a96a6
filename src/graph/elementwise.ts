/**
 * Element-wise operations with their derivatives: one screen of rules. `x`, `a`, `b` are inputs, `y` is the result.
 * Operands broadcast by NumPy's rule without a node of their own.
 *
 * @module
 */
import { type Dtype, isFloat, valueType } from "../base/dtype.ts";
import { DtypeError } from "../base/errors.ts";
import { broadcastShapes } from "../base/shape.ts";
import type { BinaryOp, UnaryOp } from "../device/contract.ts";
import type { Emitter } from "./emitter.ts";
import { CONST, constant, SCALAR } from "./leaves.ts";
import { Node, type OpDef } from "./node.ts";
import { defineOp } from "./registry.ts";

type UnaryVjp = (dy: Node, x: Node, y: Node) => Node;
type BinaryVjp = (dy: Node, a: Node, b: Node, y: Node) => readonly (Node | null)[];

/** Defines a function of one number: an instruction, or several, its derivative, and about how many instructions it costs. */
export function unaryOp(
  name: string,
  emit: UnaryOp | ((e: Emitter, x: number) => number),
  vjp?: UnaryVjp,
  cost = 1,
): OpDef {
  return defineOp({
    name,
    kind: "elementwise",
    cost,
    emit: typeof emit === "string" ? (e, [x]) => e.unary(emit, x) : (e, [x]) => emit(e, x),
    ...(vjp ? { vjp: (dy: Node, node: Node) => [vjp(dy, node.inputs[0], node)] } : {}),
  });
}

function binaryOp(name: string, op: BinaryOp, vjp?: BinaryVjp, cost = 1): OpDef {
  return defineOp({
    name,
    kind: "elementwise",
    cost,
    emit: (e, [a, b]) => e.binary(op, a, b),
    ...(vjp ? { vjp: (dy: Node, node: Node) => vjp(dy, node.inputs[0], node.inputs[1], node) } : {}),
  });
}

const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);
const GELU_C = Math.sqrt(2 / Math.PI);

// --- two operands
const ADD = binaryOp("add", "add", (dy) => [dy, dy]);
const SUB = binaryOp("sub", "sub", (dy) => [dy, neg(dy)]);
const MUL = binaryOp("mul", "mul", (dy, a, b) => [mul(dy, b), mul(dy, a)]);
const DIV = binaryOp("div", "div", (dy, _a, b, y) => [div(dy, b), neg(div(mul(dy, y), b))], 2);
const MOD = binaryOp("mod", "mod");
// What is not taken is computed from 1, so that it is finite in further derivatives, too
const POW = binaryOp("pow", "pow", (dy, a, b, y) => {
  const flat = eq(b, zero), none = and(eq(a, zero), ge(b, zero));
  return [
    mul(dy, where(flat, zero, mul(b, pow(a, where(flat, one, sub(b, one)))))), // b a^(b-1), 0 where b = 0 even for a = 0
    mul(dy, where(none, zero, mul(y, log(where(none, one, a))))), // a^b log a, 0 where a = 0 and b >= 0
  ];
}, 20);
const MAXIMUM = binaryOp("maximum", "max", (dy, a, b) => [mul(dy, winner(a, b)), mul(dy, winner(b, a))]);
const MINIMUM = binaryOp("minimum", "min", (dy, a, b) => [mul(dy, winner(b, a)), mul(dy, winner(a, b))]);
const EQ = binaryOp("eq", "eq");
const NE = binaryOp("ne", "ne");
const LT = binaryOp("lt", "lt");
const LE = binaryOp("le", "le");
const GT = binaryOp("gt", "gt");
const GE = binaryOp("ge", "ge");
const AND = binaryOp("and", "and");
const OR = binaryOp("or", "or");

// --- three operands
const WHERE = defineOp({
  name: "where",
  kind: "elementwise",
  cost: 1,
  emit: (e, [c, a, b]) => e.select(c, a, b),
  vjp: (dy, { inputs: [c] }) => [null, where(c, dy, zero), where(c, zero, dy)],
});

// --- one operand
const NEG = unaryOp("neg", "neg", (dy) => neg(dy));
const ABS = unaryOp("abs", "abs", (dy, x) => where(gt(x, zero), dy, where(lt(x, zero), neg(dy), zero)));
const SIGN = unaryOp("sign", "sign");
const EXP = unaryOp("exp", "exp", (dy, _x, y) => mul(dy, y), 10);
const LOG = unaryOp("log", "log", (dy, x) => div(dy, x), 10);
const LOG1P = unaryOp("log1p", "log1p", (dy, x) => div(dy, add(x, one)), 12);
const SQRT = unaryOp("sqrt", "sqrt", (dy, _x, y) => div(dy, mul(y, two)), 3);
const RSQRT = unaryOp("rsqrt", "rsqrt", (dy, _x, y) => mul(dy, mul(constant(-0.5), mul(y, mul(y, y)))), 4);
const RECIPROCAL = unaryOp("reciprocal", "reciprocal", (dy, _x, y) => neg(mul(dy, mul(y, y))), 2);
const SQUARE = unaryOp("square", (e, x) => e.binary("mul", x, x), (dy, x) => mul(dy, mul(x, two)));
const SIN = unaryOp("sin", "sin", (dy, x) => mul(dy, cos(x)), 15);
const COS = unaryOp("cos", "cos", (dy, x) => neg(mul(dy, sin(x))), 15);
const ATAN = unaryOp("atan", "atan", (dy, x) => div(dy, add(one, mul(x, x))), 15);
const TANH = unaryOp("tanh", "tanh", (dy, _x, y) => mul(dy, sub(one, mul(y, y))), 15);
const ERF = unaryOp("erf", "erf", (dy, x) => mul(dy, mul(constant(TWO_OVER_SQRT_PI), exp(neg(mul(x, x))))), 20);
const FLOOR = unaryOp("floor", "floor");
const CEIL = unaryOp("ceil", "ceil");
const ROUND = unaryOp("round", "round");
const NOT = unaryOp("not", "not");

// NaN stays NaN: it is not <= 0
const RELU = unaryOp(
  "relu",
  (e, x) => e.select(e.binary("le", x, e.constant(0)), e.constant(0), x),
  (dy, _x, y) => where(le(y, zero), zero, dy),
);
const SIGMOID = unaryOp("sigmoid", emitSigmoid, (dy, _x, y) => mul(dy, mul(y, sub(one, y))), 12);
// softplus with beta 1: max(x, 0) + log(1 + exp(-|x|)), which never overflows
const SOFTPLUS = unaryOp(
  "softplus",
  (e, x) =>
    e.binary(
      "add",
      e.binary("max", x, e.constant(0)),
      e.unary("log1p", e.unary("exp", e.unary("neg", e.unary("abs", x)))),
    ),
  (dy, x) => mul(dy, sigmoid(x)),
  25,
);
// d/dx x s(x) = s + x s (1 - s)
const SILU = unaryOp("silu", (e, x) => e.binary("mul", x, emitSigmoid(e, x)), (dy, x) => {
  const s = sigmoid(x);
  return mul(dy, add(s, mul(mul(x, s), sub(one, s))));
}, 13);
// d/dx x P(x) = P(x) + x p(x), P and p the normal distribution and its density
const GELU = unaryOp(
  "gelu",
  (e, x) =>
    e.binary(
      "mul",
      e.binary("mul", x, e.constant(0.5)),
      e.binary("add", e.constant(1), e.unary("erf", e.binary("mul", x, e.constant(Math.SQRT1_2)))),
    ),
  (dy, x) => {
    const cdf = mul(aHalf, add(one, erf(mul(x, constant(Math.SQRT1_2)))));
    const pdf = mul(constant(1 / Math.sqrt(2 * Math.PI)), exp(mul(constant(-0.5), mul(x, x))));
    return mul(dy, add(cdf, mul(x, pdf)));
  },
  25,
);

// A derivative that keeps the finer points of exact kinks in one place
const aHalf = constant(0.5);
const zero = constant(0);
const one = constant(1);
const two = constant(2);

function emitSigmoid(e: Emitter, x: number): number {
  return e.unary("reciprocal", e.binary("add", e.constant(1), e.unary("exp", e.unary("neg", x))));
}

/** 1 where `a > b` or either is NaN, a half where they are equal. */
function winner(a: Node, b: Node): Node {
  return where(lt(a, b), zero, where(eq(a, b), aHalf, one));
}

const RANK: Record<Exclude<Dtype, "u8">, number> = { bool: 0, i32: 1, u32: 2, f16: 3, f32: 4 };

/** The type of operands of `a` and `b` together: bool < i32 < u32 < f16 < f32; u8 counts as i32. */
export function commonType(a: Dtype, b: Dtype): Exclude<Dtype, "u8"> {
  const x = a === "u8" ? "i32" : a, y = b === "u8" ? "i32" : b;
  return RANK[x] >= RANK[y] ? x : y;
}

/** The same, of operands: a number in f32 takes nothing of f16 away, nor does a tensor without axes of one that has some. */
function typeOf(a: Node, b: Node): Exclude<Dtype, "u8"> {
  if (a.dtype === "f16" && yields(b, a)) return "f16";
  if (b.dtype === "f16" && yields(a, b)) return "f16";
  return commonType(a.dtype, b.dtype);
}

function yields({ dtype, shape, op }: Node, half: Node): boolean {
  return dtype === "f32" && shape.length === 0 && (half.shape.length > 0 || op === CONST || op === SCALAR);
}

/** `x` as an operand of a result of `type`: in kernels f16 is f32, which need not be rounded. */
function operandOf(x: Node, type: Exclude<Dtype, "u8">): Node {
  return type === "f16" && x.dtype === "f32" ? x : cast(x, type);
}

function binary(op: OpDef, a: Node, b: Node, verb: string): Node {
  let type = a.dtype as Exclude<Dtype, "u8">;
  if (a.dtype !== b.dtype || a.dtype === "u8") {
    type = typeOf(a, b);
    a = operandOf(a, type);
    b = operandOf(b, type);
  }
  return new Node(op, [a, b], broadcastShapes(a.shape, b.shape, verb), type);
}

function arithmetic(op: OpDef, a: Node, b: Node, verb: string): Node {
  if (a.dtype === "bool" && b.dtype === "bool") a = cast(a, "i32");
  return binary(op, a, b, verb);
}

function compare(op: OpDef, a: Node, b: Node): Node {
  if (a.dtype === "bool" && b.dtype === "bool") a = cast(a, "i32");
  const y = binary(op, a, b, "compare");
  return y.dtype === "bool" ? y : new Node(op, y.inputs, y.shape, "bool");
}

function logical(op: OpDef, a: Node, b: Node): Node {
  return binary(op, cast(a, "bool"), cast(b, "bool"), "combine");
}

/** Functions whose values f16 holds well enough, as PyTorch's autocast has it: of f16 they are f16. Others are f32. */
const STAYS_HALF: ReadonlySet<OpDef> = new Set([RELU, SIGMOID, SILU, GELU, TANH, ERF, SQRT, SIN, COS, ATAN]);

/** `op` of every element, as f32, or f16 where that is enough. */
export function float(op: OpDef, x: Node): Node {
  if (x.dtype !== "f32" && !(x.dtype === "f16" && STAYS_HALF.has(op))) x = cast(x, "f32");
  return new Node(op, [x], x.shape, x.dtype);
}

/** `a + b` */
export function add(a: Node, b: Node): Node {
  return arithmetic(ADD, a, b, "add");
}

/** Whether `x` is a sum of two. */
export function isSum({ op }: Node): boolean {
  return op === ADD;
}

/** `a - b` */
export function sub(a: Node, b: Node): Node {
  return arithmetic(SUB, a, b, "subtract");
}
/** `a b` */
export function mul(a: Node, b: Node): Node {
  return arithmetic(MUL, a, b, "multiply");
}
/** `a / b`; integers are divided as f32. */
export function div(a: Node, b: Node): Node {
  return binary(DIV, isFloat(a.dtype) ? a : cast(a, b.dtype === "f16" ? "f16" : "f32"), b, "divide");
}
/** Integer remainder with the sign of `a`. */
export function mod(a: Node, b: Node): Node {
  return binary(MOD, integer(a), integer(b), "divide");
}
/** `a^b` in f32. */
export function pow(a: Node, b: Node): Node {
  return binary(POW, cast(a, "f32"), b, "raise");
}
/** The larger; NaN if either is. */
export function maximum(a: Node, b: Node): Node {
  return arithmetic(MAXIMUM, a, b, "take the maximum of");
}
/** The smaller; NaN if either is. */
export function minimum(a: Node, b: Node): Node {
  return arithmetic(MINIMUM, a, b, "take the minimum of");
}
/** `a = b`, bool */
export function eq(a: Node, b: Node): Node {
  return compare(EQ, a, b);
}
/** `a != b`, bool */
export function ne(a: Node, b: Node): Node {
  return compare(NE, a, b);
}
/** `a < b`, bool */
export function lt(a: Node, b: Node): Node {
  return compare(LT, a, b);
}
/** `a <= b`, bool */
export function le(a: Node, b: Node): Node {
  return compare(LE, a, b);
}
/** `a > b`, bool */
export function gt(a: Node, b: Node): Node {
  return compare(GT, a, b);
}
/** `a >= b`, bool */
export function ge(a: Node, b: Node): Node {
  return compare(GE, a, b);
}
/** Both, bool. */
export function and(a: Node, b: Node): Node {
  return logical(AND, a, b);
}
/** Either, bool. */
export function or(a: Node, b: Node): Node {
  return logical(OR, a, b);
}
/** `c ? a : b` */
export function where(c: Node, a: Node, b: Node): Node {
  const type = typeOf(a, b);
  const [x, y, z] = [cast(c, "bool"), operandOf(a, type), operandOf(b, type)];
  const shape = broadcastShapes(x.shape, broadcastShapes(y.shape, z.shape, "choose between"), "choose between");
  return new Node(WHERE, [x, y, z], shape, type);
}

/** `-x` */
export function neg(x: Node): Node {
  return signed(NEG, x);
}
/** `|x|` */
export function abs(x: Node): Node {
  return x.dtype === "u32" ? x : signed(ABS, x);
}
/** -1, 0 or 1 */
export function sign(x: Node): Node {
  return x.dtype === "u32" ? cast(ne(x, constant(0, "u32")), "i32") : signed(SIGN, x);
}
/** Not, bool. */
export function not(x: Node): Node {
  return new Node(NOT, [cast(x, "bool")], x.shape, "bool");
}
/** `x^2` */
export function square(x: Node): Node {
  if (x.dtype === "u8" || x.dtype === "bool") x = cast(x, "i32");
  if (x.dtype === "f16") x = cast(x, "f32"); // squares leave its range
  return new Node(SQUARE, [x], x.shape, x.dtype);
}

/** A function of one number, for every element of a node. */
export type Unary = (x: Node) => Node;
/** e^x */
export const exp: Unary = (x) => float(EXP, x);
/** Natural logarithm. */
export const log: Unary = (x) => float(LOG, x);
/** log(1 + x) */
export const log1p: Unary = (x) => float(LOG1P, x);
/** Square root. */
export const sqrt: Unary = (x) => float(SQRT, x);
/** 1 / sqrt(x) */
export const rsqrt: Unary = (x) => float(RSQRT, x);
/** 1 / x */
export const reciprocal: Unary = (x) => float(RECIPROCAL, x);
/** Sine of radians. */
export const sin: Unary = (x) => float(SIN, x);
/** Cosine of radians. */
export const cos: Unary = (x) => float(COS, x);
/** Arc tangent, in radians. */
export const atan: Unary = (x) => float(ATAN, x);
/** Hyperbolic tangent. */
export const tanh: Unary = (x) => float(TANH, x);
/** The error function. */
export const erf: Unary = (x) => float(ERF, x);
/** Largest whole number that is not larger. */
export const floor: Unary = (x) => whole(FLOOR, x);
/** Smallest whole number that is not smaller. */
export const ceil: Unary = (x) => whole(CEIL, x);
/** Nearest whole number, halves to even. */
export const round: Unary = (x) => whole(ROUND, x);
/** max(x, 0); NaN stays. */
export const relu: Unary = (x) => float(RELU, x);
/** 1 / (1 + e^-x) */
export const sigmoid: Unary = (x) => float(SIGMOID, x);
/** log(1 + e^x) */
export const softplus: Unary = (x) => float(SOFTPLUS, x);
/** x sigmoid(x) */
export const silu: Unary = (x) => float(SILU, x);
/** x P(x), P the normal distribution. */
export const gelu: Unary = (x) => float(GELU, x);
/** The tanh approximation of gelu: 0.5 x (1 + tanh(c (x + 0.044715 x^3))), c = sqrt(2 / pi). */
export const geluTanh: Unary = (x) => {
  if (x.dtype === "f16") return cast(geluTanh(cast(x, "f32")), "f16");
  const inner = mul(constant(GELU_C), add(x, mul(constant(0.044715), mul(x, mul(x, x)))));
  return mul(mul(aHalf, x), add(one, tanh(inner)));
};

function signed(op: OpDef, x: Node): Node {
  if (x.dtype === "u8" || x.dtype === "bool" || x.dtype === "u32") x = cast(x, "i32");
  return new Node(op, [x], x.shape, x.dtype);
}

function whole(op: OpDef, x: Node): Node {
  return isFloat(x.dtype) ? new Node(op, [x], x.shape, x.dtype) : x;
}

function integer(x: Node): Node {
  if (isFloat(x.dtype)) throw new DtypeError(`Cannot divide as integers: got ${x.dtype}, cast to i32 first`);
  return x.dtype === "bool" ? cast(x, "i32") : x;
}

/** Whole numbers up to here are the same in every type of number. */
const LARGEST = 2 ** 24;

/** The same numbers as another type; to f16 rounded to the nearest. */
export const CAST = defineOp({
  name: "cast",
  kind: "elementwise",
  cost: 0,
  emit: (e, [x], node) => e.cast(x, valueType(node.dtype)),
  vjp: (dy, { dtype, inputs: [x] }) => [isFloat(dtype) && isFloat(x.dtype) ? cast(dy, x.dtype) : null],
});

/** Whether `op` on `inputs` gives the numbers of f16 as f32. */
export function isWidening(
  op: OpDef,
  { dtype, inputs }: { readonly dtype: Dtype; readonly inputs: readonly { readonly dtype: Dtype }[] },
): boolean {
  return op === CAST && dtype === "f32" && inputs.length > 0 && inputs[0].dtype === "f16";
}

/** `x` as another type: to integers towards zero and saturating, to bool `!= 0`. `u8` cannot be made. */
export function cast(x: Node, dtype: Dtype): Node {
  if (x.dtype === dtype) return x;
  if (dtype === "u8") {
    throw new DtypeError("Cannot cast to u8: it is for storage only; make a tensor from a Uint8Array");
  }
  if (!Object.hasOwn(RANK, dtype)) {
    throw new DtypeError(`Cannot cast to ${String(dtype)}: the types are f32, f16, i32, u32 and bool`);
  }
  if (dtype === "f16" && isWidening(x.op, x) && x.storage === null) return x.inputs[0]; // there and back
  const y = new Node(CAST, [x], x.shape, dtype);
  const [low, high] = x.bounds ?? [NaN, NaN];
  if (dtype !== "bool" && low >= (dtype === "u32" ? 0 : -LARGEST) && high <= LARGEST) {
    y.bounds = x.bounds;
    y.tight = x.tight;
  }
  return y;
}

/** `x` as f16: the nearest numbers that it has. */
export const half: Unary = (x) => cast(x, "f16");
