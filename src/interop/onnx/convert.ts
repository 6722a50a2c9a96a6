/**
 * A trace as a graph of ONNX. What is wanted is written from the results on: each value by the first rule that knows it,
 * which may take several operations of the trace at once; the operands of what was taken are wanted next.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { floatToHalf } from "../../base/half.ts";
import { type Dtype, readAll, type Tensor } from "../../tensor/mod.ts";
import { elementwise } from "./elementwise.ts";
import { GraphView, type Written } from "./graph_view.ts";
import { layers } from "./layers.ts";
import { products } from "./products.ts";
import { type DimensionProto, ELEMENT, type GraphProto, type NodeProto, type ValueInfoProto } from "./schema.ts";
import { type Dim, isFixed, ITEMS, LENGTH, type Op, sameDim, sameDims, type SymbolicTrace } from "./symbolic.ts";
import { reduction, views } from "./views.ts";
import { elementType, GraphWriter } from "./writer.ts";

/** How the graph is called, and its values. */
export interface GraphNames {
  readonly graph: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** What the number of items is called, and their length. */
  readonly batch: string;
  readonly length: string;
}

/** Most elements of a number array that is worked out now rather than in every run. */
const MOST_FOLDED = 2 ** 24;

/**
 * Writes a trace.
 *
 * @param inputs Shapes and types of the inputs.
 * @param options Version of ONNX's operators, and whether weights of two axes or more are stored as f16.
 * @throws ConfigError naming an operation that ONNX does not have.
 */
export async function graphOf(
  what: string,
  trace: SymbolicTrace,
  inputs: readonly Pick<Op, "dims" | "dtype">[],
  names: GraphNames,
  { opset, half }: { readonly opset: number; readonly half: boolean },
): Promise<GraphProto> {
  const g = new GraphView(trace, opset);
  const chosen = new Map<number, Written>(), read = new Map<number, Tensor>();
  const open = trace.outputs.map((id) => g.id(id));
  while (open.length > 0) {
    const id = open.pop()!;
    if (chosen.has(id)) continue;
    const op = g.op(id);
    const { source } = op;
    const written = source?.kind === "input"
      ? inputAs(names.inputs[source.index], inputs[source.index], op)
      : op.fill !== null
      ? filled(op, op.fill)
      : op.range !== null
      ? counted(op, op.range)
      : source !== null || folded(op)
      ? null
      : choose(g, id, what);
    if (written === null) read.set(id, op.tensor);
    chosen.set(id, written ?? { inputs: [], write: () => "" });
    for (const x of written?.inputs ?? []) open.push(g.id(x));
  }
  const ids = [...read.keys()];
  const values = await readAll(ids.map((id) => read.get(id)!));
  const numbers = new Map(ids.map((id, i) => [id, values[i]]));

  const axisOf = (size: Dim) => {
    const i = inputs.findIndex((x) => x.dims.some((d) => sameDim(d, size)));
    return i < 0 ? null : { input: names.inputs[i], axis: inputs[i].dims.findIndex((d) => sameDim(d, size)) };
  };
  const w = new GraphWriter(opset, axisOf(ITEMS), axisOf(LENGTH));
  for (const name of [...names.inputs, ...names.outputs]) w.reserve(name);
  const named = new Map<number, string>();
  for (const id of [...chosen.keys()].sort((a, b) => a - b)) {
    const op = g.op(id), data = numbers.get(id), { inputs: from, write } = chosen.get(id)!;
    const name = op.source?.kind === "variable" ? op.source.name : `constant_${id}`;
    const dims = op.dims.map((d) => d.rest);
    named.set(
      id,
      data === undefined
        ? write(from.map((x) => named.get(g.id(x))!), w)
        : half && op.dtype === "f32" && dims.length > 1
        ? halfOf(what, w, name, dims, data as Float32Array)
        : w.initializer(name, op.dtype, dims, data),
    );
  }
  const results = trace.outputs.map((id) => ({ name: named.get(g.id(id))!, dtype: g.op(id).dtype }));
  return {
    name: names.graph,
    node: withOutputs(w, results, names.outputs),
    initializer: w.initializers,
    input: inputs.map((x, i) => valueInfo(names.inputs[i], x, names)),
    output: trace.outputs.map((id, i) => valueInfo(names.outputs[i], g.op(id), names)),
  };
}

/** Numbers that are stored as f16 and computed with as f32. */
function halfOf(what: string, w: GraphWriter, name: string, dims: readonly number[], data: Float32Array): string {
  const large = data.find((v) => Number.isFinite(v) && Math.abs(v) >= 65520);
  if (large !== undefined) {
    throw new ConfigError(`Cannot export ${what} to ONNX with { weights: "f16" }: ${name} has ${large}, beyond f16`);
  }
  return w.node("Cast", [w.half(name, dims, floatToHalf(data))], { to: ELEMENT.f32 });
}

/** The nodes, of which those that give results give them under the names of the outputs. */
function withOutputs(
  w: GraphWriter,
  results: readonly { readonly name: string; readonly dtype: Dtype }[],
  outputs: readonly string[],
): NodeProto[] {
  const made = new Set(w.nodes.flatMap((node) => node.output));
  const renamed = new Map<string, string>(), more: NodeProto[] = [];
  results.forEach(({ name, dtype }, i) => {
    const output = outputs[i];
    if (dtype !== "u32" && made.has(name) && !renamed.has(name)) {
      renamed.set(name, output);
      return;
    }
    const [opType, attribute] = dtype === "u32"
      ? ["Cast", [{ name: "to", type: 2, i: ELEMENT.u32 }]] as const
      : ["Identity", []] as const;
    more.push({ opType, name: output, input: [name], output: [output], attribute });
  });
  const now = (name: string) => renamed.get(name) ?? name;
  return [...w.nodes, ...more].map((node) => ({
    ...node,
    input: node.input.map(now),
    output: node.output.map(now),
  }));
}

/** Whether a value is worked out now rather than in every run. */
function folded(op: Op): boolean {
  return !op.live && !op.trained && op.op !== "scalar" && op.op !== "const" &&
    op.dims.every(isFixed) && op.dims.reduce((n, d) => n * d.rest, 1) <= MOST_FOLDED;
}

/** One number as often as the batch asks for. */
function filled({ dims, dtype }: Op, value: number): Written {
  return { inputs: [], write: (_, w) => w.node("Expand", [w.scalar(value, dtype), w.shape(dims)]) };
}

/** Numbers from a number on in even steps, as many as the batch asks for. */
function counted({ dims, dtype }: Op, { start, step }: NonNullable<Op["range"]>): Written {
  return {
    inputs: [],
    write: (_, w) => {
      const places = w.node("Range", [w.int(0), w.node("Squeeze", [w.size(dims[0])]), w.int(1)]);
      const numbers = w.node("Cast", [places], { to: elementType(dtype) });
      const scaled = step === 1 ? numbers : w.node("Mul", [numbers, w.scalar(step, dtype)]);
      return start === 0 ? scaled : w.node("Add", [scaled, w.scalar(start, dtype)]);
    },
  };
}

/** An input as it is computed with: unsigned numbers as i64, a view of bytes under its own shape. */
function inputAs(name: string, own: Pick<Op, "dims" | "dtype">, op: Op): Written {
  return {
    inputs: [],
    write: (_, w) => {
      const wide = own.dtype === "u32" ? w.node("Cast", [name], { to: ELEMENT.i64 }) : name;
      return sameDims(op.dims, own.dims) ? wide : w.reshape(wide, own.dims, op.dims);
    },
  };
}

function choose(g: GraphView, id: number, what: string): Written {
  const op = g.op(id);
  if (op.op === "scalar" || op.op === "const") return { inputs: [], write: (_, w) => w.number(op.value, op.dtype) };
  const written = layers(g, id) ?? products(g, id) ?? views(g, id) ?? fold(g, id) ?? elementwise(g, id);
  if (written !== null) return written;
  throw new ConfigError(`Cannot export ${what} to ONNX: there is no operator for its ${op.op} of ${op.dtype}`);
}

function fold(g: GraphView, id: number): Written | null {
  const { op, inputs: [x] } = g.op(id);
  if (op === "normalized") return { inputs: [x], write: ([v]) => v };
  return op === "reduce" || op === "reduceFirst" ? reduction(g, id, false) : null;
}

function valueInfo(
  name: string,
  { dims, dtype }: Pick<Op, "dims" | "dtype">,
  names: Pick<GraphNames, "batch" | "length">,
): ValueInfoProto {
  const dim = dims.map((d): DimensionProto => {
    if (isFixed(d)) return { dimValue: d.rest };
    const terms: [number, string][] = [
      [d.both, `${names.batch}*${names.length}`],
      [d.items, names.batch],
      [d.length, names.length],
      [d.rest, ""],
    ];
    const text = terms.filter(([k]) => k !== 0).map(([k, what]) => {
      const factor = what === "" ? String(Math.abs(k)) : Math.abs(k) === 1 ? what : `${Math.abs(k)}*${what}`;
      return `${k < 0 ? "-" : "+"}${factor}`;
    });
    return { dimParam: text.join("").replace(/^\+/, "") };
  });
  return { name, type: { tensorType: { elemType: ELEMENT[dtype], shape: { dim } } } };
}
