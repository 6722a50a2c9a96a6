/**
 * Element-wise operations as ONNX has them.
 *
 * @module
 */
import { broadcastDims, type GraphView, type Written } from "./graph_view.ts";
import { sameDims } from "./symbolic.ts";
import { elementType, type GraphWriter } from "./writer.ts";

/** Operators that take operands as they are. */
const PLAIN: Readonly<Record<string, string>> = {
  add: "Add",
  sub: "Sub",
  mul: "Mul",
  div: "Div",
  pow: "Pow",
  maximum: "Max",
  minimum: "Min",
  eq: "Equal",
  lt: "Less",
  le: "LessOrEqual",
  gt: "Greater",
  ge: "GreaterOrEqual",
  and: "And",
  or: "Or",
  where: "Where",
  neg: "Neg",
  abs: "Abs",
  sign: "Sign",
  exp: "Exp",
  log: "Log",
  sqrt: "Sqrt",
  reciprocal: "Reciprocal",
  sin: "Sin",
  cos: "Cos",
  asin: "Asin",
  acos: "Acos",
  atan: "Atan",
  tanh: "Tanh",
  erf: "Erf",
  floor: "Floor",
  ceil: "Ceil",
  round: "Round",
  not: "Not",
  relu: "Relu",
  sigmoid: "Sigmoid",
  softplus: "Softplus",
};

type Make = (x: readonly string[], w: GraphWriter) => string;

/** Operations that take several operators. */
const MADE: Readonly<Record<string, Make>> = {
  mod: (x, w) => w.node("Mod", x, { fmod: 1 }), // the sign of the dividend
  ne: (x, w) => w.node("Not", [w.node("Equal", x)]),
  log1p: ([x], w) => w.node("Log", [w.node("Add", [x, w.scalar(1, "f32")])]),
  log2: ([x], w) => w.node("Mul", [w.node("Log", [x]), w.scalar(Math.LOG2E, "f32")]),
  expm1Low: ([x], w) => expm1Low(x, w),
  expm1: ([x], w) => {
    const whole = w.node("Sub", [w.node("Exp", [x]), w.scalar(1, "f32")]);
    return w.node("Where", [w.node("Less", [x, w.scalar(1, "f32")]), expm1Low(x, w), whole]);
  },
  rsqrt: ([x], w) => w.node("Reciprocal", [w.node("Sqrt", [x])]),
  square: ([x], w) => w.node("Mul", [x, x]),
  silu: ([x], w) => w.node("Mul", [x, w.node("Sigmoid", [x])]),
  gelu: ([x], w) => {
    if (w.opset >= 20) return w.node("Gelu", [x]);
    const erf = w.node("Erf", [w.node("Mul", [x, w.scalar(Math.SQRT1_2, "f32")])]);
    const half = w.node("Mul", [x, w.scalar(0.5, "f32")]);
    return w.node("Mul", [half, w.node("Add", [erf, w.scalar(1, "f32")])]);
  },
};

/** e^x - 1 = 2 t / (1 - t), t = tanh(x / 2), which keeps the digits near 0. */
function expm1Low(x: string, w: GraphWriter): string {
  const t = w.node("Tanh", [w.node("Mul", [x, w.scalar(0.5, "f32")])]);
  return w.node("Div", [w.node("Add", [t, t]), w.node("Sub", [w.scalar(1, "f32"), t])]);
}

/** Operations whose results depend on how many bits a number has. */
const WRAPS = new Set(["add", "sub", "mul", "square"]);

/** How an element-wise operation is written; null for others. */
export function elementwise(g: GraphView, id: number): Written | null {
  const op = g.op(id);
  if (op.op === "cast") {
    const [x] = op.inputs, from = elementType(g.op(x).dtype), to = elementType(op.dtype);
    return { inputs: [x], write: ([v], w) => from === to ? v : w.node("Cast", [v], { to }) };
  }
  const plain = PLAIN[op.op], made = MADE[op.op];
  if (plain === undefined && made === undefined) return null;
  if (op.dtype === "u32" && WRAPS.has(op.op)) return null;
  return {
    inputs: withoutExpands(g, id),
    write: (x, w) => made === undefined ? w.node(plain, x) : made(x, w),
  };
}

/** The operands without repetition that broadcasting does anyway. */
function withoutExpands(g: GraphView, id: number): readonly number[] {
  const { dims, inputs } = g.op(id);
  const out = [...inputs];
  out.forEach((x, i) => {
    const from = g.operands(x, "expand");
    if (from === null) return;
    const shapes = out.map((y, k) => g.op(k === i ? from[0] : y).dims);
    const broad = broadcastDims(shapes);
    if (broad !== null && sameDims(broad, dims)) out[i] = from[0];
  });
  return out;
}
