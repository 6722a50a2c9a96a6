/**
 * Products, look-ups and convolutions as ONNX has them.
 *
 * @module
 */
import type { GraphView, Written } from "./graph_view.ts";
import { type Dim, fixed, isFixed, sameDim, sameDims } from "./symbolic.ts";
import { layerName } from "./writer.ts";

/** How a product or look-up is written; null for others. */
export function products(g: GraphView, id: number): Written | null {
  const op = g.op(id);
  switch (op.op) {
    case "add":
      return linear(g, id);
    case "matmul":
      return matmul(g, id);
    case "reshape":
      return shapedProduct(g, id);
    case "gather":
      return gather(g, id);
    case "scatterAdd":
      return scatterAdd(g, id);
    case "conv":
      return conv(g, id);
    default:
      return null;
  }
}

/** A matrix that is the other one's transpose; null where it is no such. */
function transposed(g: GraphView, id: number): number | null {
  const op = g.op(id);
  return op.dims.length === 2 && op.op === "permute" && op.source === null ? op.inputs[0] : null;
}

/** A product of two matrices and what is added to each row. */
function linear(g: GraphView, id: number): Written | null {
  const { dims, inputs } = g.op(id);
  for (const [product, bias] of [inputs, [inputs[1], inputs[0]]]) {
    const factors = g.operands(product, "matmul");
    if (factors === null || dims.length !== 2 || !sameDims(g.op(product).dims, dims)) continue;
    const [a, b] = factors;
    if (g.op(a).dims.length !== 2 || g.op(b).dims.length !== 2 || !g.constantOf(bias, [dims[1]])) continue;
    const own = transposed(g, b);
    return {
      inputs: [a, own ?? b, bias],
      write: (x, w) => w.node("Gemm", x, own === null ? {} : { transB: 1 }, layerName(x[1])),
    };
  }
  return null;
}

function matmul(g: GraphView, id: number): Written {
  const [a, b] = g.op(id).inputs;
  const own = g.op(a).dims.length === 2 ? transposed(g, b) : null;
  if (own !== null) return { inputs: [a, own], write: (x, w) => w.node("Gemm", x, { transB: 1 }, layerName(x[1])) };
  return { inputs: [a, b], write: (x, w) => w.node("MatMul", x) };
}

/** Rows of more axes by one matrix, and rows of a table looked up by an index of any shape: neither need be flattened. */
function shapedProduct(g: GraphView, id: number): Written | null {
  const { dims, inputs: [x] } = g.op(id);
  const factors = g.operands(x, "matmul");
  if (factors !== null) {
    const [a, b] = factors, size = g.op(b).dims;
    const from = g.operands(a, "reshape")?.[0];
    if (from === undefined || size.length !== 2 || g.op(a).dims.length !== 2) return null;
    const rows = g.op(from).dims;
    if (rows.length < 3 || !sameDims(dims, [...rows.slice(0, -1), size[1]]) || !sameDim(rows.at(-1)!, size[0])) {
      return null;
    }
    return { inputs: [from, b], write: (v, w) => w.node("MatMul", v) };
  }
  const looked = g.operands(x, "gather");
  if (looked === null) return null;
  const rows = rowsOf(g, x), table = g.op(looked[0]).dims;
  if (rows === null || g.op(x).attr[0].rest !== 0) return null;
  const from = g.operands(rows, "reshape")?.[0];
  if (from === undefined || !sameDims(dims, [...g.op(from).dims, ...table.slice(1)])) return null;
  return { inputs: [looked[0], from], write: (v, w) => w.node("Gather", v, { axis: 0 }) };
}

/** The index of a look-up that takes whole rows along its axis, as `[n]` where it is a view of that; null for others. */
function rowsOf(g: GraphView, id: number): number | null {
  const { dims, attr: [axis], inputs: [x, index] } = g.op(id);
  const table = g.op(x).dims, own = g.op(index).dims, at = axis.rest, one = fixed(1);
  if (table.length !== dims.length || dims.some((d, i) => i !== at && !sameDim(d, table[i]))) return null;
  if (own.some((d, i) => !sameDim(d, i === at - dims.length + own.length ? dims[at] : one))) return null;
  return g.reshaped(index, [dims[at]]) ?? index;
}

function gather(g: GraphView, id: number): Written {
  const { dims, attr: [axis], inputs: [x, index] } = g.op(id);
  const rows = rowsOf(g, id);
  if (rows !== null) {
    return {
      inputs: [x, rows],
      write: ([table, at], w) => {
        const own = g.op(rows).dims, flat = [dims[axis.rest]];
        return w.node("Gather", [table, sameDims(own, flat) ? at : w.reshape(at, own, flat)], { axis: axis.rest });
      },
    };
  }
  return {
    inputs: [x, index],
    write: ([table, at], w) => {
      const wide = sameDims(g.op(index).dims, dims) ? at : w.node("Expand", [at, w.shape(dims)]);
      const whole = w.node("Cast", [wide], { to: 7 }); // whatever the index is, `GatherElements` takes i64
      return w.node("GatherElements", [table, whole], { axis: axis.rest });
    },
  };
}

function scatterAdd(g: GraphView, id: number): Written {
  const { dims, attr: [axis], inputs: [src, index] } = g.op(id);
  return {
    inputs: [src, index],
    write: ([from, at], w) => {
      const zeros = w.node("Expand", [w.scalar(0, "f32"), w.shape(dims)]);
      return w.node("ScatterElements", [zeros, w.node("Cast", [at], { to: 7 }), from], {
        axis: axis.rest,
        reduction: "add",
      });
    },
  };
}

/** A convolution whose weight is `[groups, cout, cin, taps...]`; paddings may be negative and differ at the ends. */
function conv(g: GraphView, id: number): Written | null {
  const { dims, attr, inputs: [x, weight] } = g.op(id);
  const numbers = attr.map((a) => a.rest), d = numbers[0];
  const [strides, before, dilations] = [1, 1 + d, 1 + 2 * d].map((at) => numbers.slice(at, at + d));
  const size = g.op(x).dims.slice(2), w5 = g.op(weight).dims;
  const [groups, cout, cin, ...taps] = w5.map((n) => n.rest);
  const after = strides.map((s, i) =>
    (dims[2 + i].rest - 1) * s + (taps[i] - 1) * dilations[i] + 1 - size[i].rest - before[i]
  );
  if (![...size, ...w5].every(isFixed)) return null;
  const direct = [...before, ...after].every((n) => n >= 0);
  const flat: Dim[] = [groups * cout, cin, ...taps].map(fixed);
  return {
    inputs: [x, weight],
    write: ([image, kernel], w) => {
      const pads = [...before, ...after];
      const padded = direct
        ? image
        : w.node("Pad", [image, w.ints([0, 0, ...before, 0, 0, ...after]), w.scalar(0, "f32")]);
      return w.node("Conv", [padded, w.reshape(kernel, w5, flat)], {
        kernel_shape: taps,
        strides,
        dilations,
        group: groups,
        ...(direct ? { pads } : {}),
      });
    },
  };
}
