/**
 * Operations that move elements, as ONNX has them.
 *
 * @module
 */
import type { GraphView, Written } from "./graph_view.ts";
import { type Dim, fixed, isFixed, plus, sameDim, sameDims, times } from "./symbolic.ts";
import type { GraphWriter } from "./writer.ts";

/** The ends of an axis, as `Slice` takes them. */
const FIRST = -(2 ** 52), LAST = 2 ** 52;

/** How an operation that moves elements is written; null for others, and for those that ONNX cannot do. */
export function views(g: GraphView, id: number): Written | null {
  const op = g.op(id), [x] = op.inputs;
  switch (op.op) {
    case "reshape":
      return reshape(g, id);
    case "permute":
      return { inputs: [x], write: ([v], w) => w.node("Transpose", [v], { perm: op.attr.map((a) => a.rest) }) };
    case "expand":
      return { inputs: [x], write: ([v], w) => w.node("Expand", [v, w.shape(op.dims)]) };
    case "slice":
      return slice(g, id);
    case "pad":
      return pad(g, id);
    case "windows":
      return windows(g, id);
    case "cat":
      return { inputs: op.inputs, write: (all, w) => w.node("Concat", all, { axis: op.attr[0].rest }) };
    case "coord":
      return { inputs: [], write: (_, w) => coordinates(op.dims, op.attr[0].rest, w) };
    default:
      return null;
  }
}

function reshape(g: GraphView, id: number): Written {
  const { dims, inputs: [x] } = g.op(id);
  const from = g.op(x);
  // axes that a reduction drops and that come back with size 1 are kept by it
  if (from.op === "reduce" && from.source === null && from.composite === null) {
    const kept = g.op(from.inputs[0]).dims.map((d, i) => from.attr.slice(1).some((a) => a.rest === i) ? fixed(1) : d);
    if (sameDims(kept, dims)) return reduction(g, x, true)!;
  }
  return { inputs: [x], write: ([v], w) => w.reshape(v, from.dims, dims) };
}

const REDUCTIONS = ["ReduceSum", "ReduceProd", "ReduceMax", "ReduceMin", "ArgMax", "ArgMin"];

/** How a reduction is written. */
export function reduction(g: GraphView, id: number, keep: boolean): Written | null {
  const { attr, inputs: [x], dims } = g.op(id);
  const type = REDUCTIONS[attr[0].rest], axes = attr.slice(1).map((a) => a.rest), from = g.op(x).dims;
  const keepdims = keep ? 1 : 0;
  if (!type.startsWith("Arg")) {
    return { inputs: [x], write: ([v], w) => reduceBy(w, type, v, axes, keepdims) };
  }
  const found = (w: GraphWriter, v: string, axis: number) =>
    w.node("Cast", [w.node(type, [v], { axis, keepdims: 0 })], { to: 6 });
  const kept = from.map((d, i) => axes.includes(i) ? fixed(1) : d);
  const shaped = (w: GraphWriter, v: string) => keep ? w.reshape(v, dims, kept) : v;
  if (axes.length === 1) return { inputs: [x], write: ([v], w) => shaped(w, found(w, v, axes[0])) };
  // places among several axes are row-major: the axes become one, behind the others
  const others = from.map((_, i) => i).filter((i) => !axes.includes(i));
  const several = axes.reduce<Dim | null>((n, a) => n === null ? null : times(n, from[a]), fixed(1));
  if (several === null) return null;
  return {
    inputs: [x],
    write: ([v], w) => {
      const behind = w.node("Transpose", [v], { perm: [...others, ...axes] });
      const order = [...others, ...axes].map((i) => from[i]);
      const flat = w.reshape(behind, order, [...others.map((i) => from[i]), several]);
      return shaped(w, found(w, flat, others.length));
    },
  };
}

/** A reduction: from opset 18 on all take their axes as an operand, before only sums. */
export function reduceBy(w: GraphWriter, type: string, x: string, axes: readonly number[], keepdims: number): string {
  if (w.opset < 18 && type !== "ReduceSum") return w.node(type, [x], { axes, keepdims });
  return w.node(type, [x, w.ints(axes)], { keepdims });
}

/** An index along an axis of size `size`, from the end where that makes it the same for every batch. */
function place(index: Dim, size: Dim): Dim {
  if (isFixed(index)) return index;
  const fromEnd = plus(index, size, -1);
  return isFixed(fromEnd) && fromEnd.rest < 0 ? fromEnd : index;
}

function slice(g: GraphView, id: number): Written | null {
  const { attr, dims, inputs: [x] } = g.op(id);
  const from = g.op(x).dims, rank = from.length;
  const axes: number[] = [], starts: Dim[] = [], ends: Dim[] = [], steps: number[] = [];
  for (let a = 0; a < rank; a++) {
    const start = attr[a], step = attr[rank + a].rest, size = dims[a];
    if (!isFixed(attr[rank + a])) return null;
    if (sameDim(start, fixed(0)) && step === 1 && sameDim(size, from[a])) continue;
    // the element behind the last one, in the direction of the step
    const beyond = plus(start, size, step), over = plus(beyond, from[a], -1);
    axes.push(a);
    starts.push(place(start, from[a]));
    if (step < 0) ends.push(isFixed(beyond) && beyond.rest < 0 ? fixed(FIRST) : place(beyond, from[a]));
    else ends.push(isFixed(over) && over.rest >= 0 ? fixed(LAST) : place(beyond, from[a]));
    steps.push(step);
  }
  return {
    inputs: [x],
    write: ([v], w) => {
      const more = steps.some((s) => s !== 1) ? [w.ints(steps)] : [];
      return w.node("Slice", [v, w.shape(starts), w.shape(ends), w.ints(axes), ...more]);
    },
  };
}

function pad(g: GraphView, id: number): Written | null {
  const { attr, dims, dtype, inputs: [x] } = g.op(id);
  const after = g.op(x).dims.map((d, i) => plus(plus(dims[i], d, -1), attr[i], -1));
  if (![...attr, ...after].every(isFixed)) return null;
  const widths = [...attr, ...after].map((d) => d.rest);
  return {
    inputs: [x],
    write: ([v], w) => {
      if (dtype !== "bool") return w.node("Pad", [v, w.ints(widths), w.scalar(0, dtype)]);
      const padded = w.node("Pad", [w.node("Cast", [v], { to: 6 }), w.ints(widths), w.scalar(0, "i32")]);
      return w.node("Cast", [padded], { to: 9 });
    },
  };
}

/** Windows as look-ups: each axis becomes two, by an index of places and taps, in what was padded first. */
function windows(g: GraphView, id: number): Written | null {
  const { attr, dims, inputs: [x] } = g.op(id);
  const d = attr[0].rest, numbers = attr.map((a) => a.rest), from = g.op(x).dims, lead = from.length - d;
  const [stride, before, dilation] = [1, 1 + d, 1 + 2 * d].map((at) => numbers.slice(at, at + d));
  const places = stride.map((_, i) => dims[lead + 2 * i].rest),
    taps = stride.map((_, i) => dims[lead + 2 * i + 1].rest);
  if (!from.slice(lead).every(isFixed)) return null;
  const last = stride.map((s, i) => (places[i] - 1) * s + (taps[i] - 1) * dilation[i] - before[i]);
  const after = last.map((n, i) => Math.max(0, n + 1 - from[lead + i].rest));
  const outside = numbers[numbers.length - 1] === 1 ? -Infinity : 0;
  const zeros = new Array<number>(lead).fill(0);
  return {
    inputs: [x],
    write: ([v], w) => {
      let y = w.node("Pad", [v, w.ints([...zeros, ...before, ...zeros, ...after]), w.scalar(outside, "f32")]);
      for (let i = 0; i < d; i++) {
        const index = Array.from(
          { length: places[i] * taps[i] },
          (_, k) => Math.floor(k / taps[i]) * stride[i] + (k % taps[i]) * dilation[i],
        );
        const at = w.initializer("windows", "i32", [places[i], taps[i]], Int32Array.from(index));
        y = w.node("Gather", [y, at], { axis: lead + 2 * i });
      }
      return y;
    },
  };
}

/** `[0, 1, 2, ...]` along `axis`, i32. */
function coordinates(dims: readonly Dim[], axis: number, w: GraphWriter): string {
  const end = w.node("Squeeze", [w.size(dims[axis])]);
  const range = w.node("Cast", [w.node("Range", [w.int(0), end, w.int(1)])], { to: 6 });
  const own = dims.map((d, i) => i === axis ? d : fixed(1));
  const along = w.reshape(range, [dims[axis]], own);
  return sameDims(own, dims) ? along : w.node("Expand", [along, w.shape(dims)]);
}
