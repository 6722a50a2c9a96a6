/**
 * Recurrent layers as the single operators that ONNX has for them.
 *
 * @module
 */
import type { GraphView, Written } from "./graph_view.ts";
import { type Attr, type GraphWriter, layerName } from "./writer.ts";

/** Operators, and the order of their gates by the places of PyTorch's, which the weights here have. */
const CELLS: Readonly<
  Record<
    string,
    { readonly type: string; readonly gates: readonly number[]; readonly more?: Readonly<Record<string, Attr>> }
  >
> = {
  lstm: { type: "LSTM", gates: [0, 3, 1, 2] }, // i f g o to i o f c
  gru: { type: "GRU", gates: [1, 0, 2], more: { linear_before_reset: 1 } }, // r z n to z r h
  tanh: { type: "RNN", gates: [0] },
  relu: { type: "RNN", gates: [0], more: { activations: ["Relu"] } },
};

/** One direction of one layer: its outputs, or its last state. */
export function recurrent(g: GraphView, id: number): Written {
  const { inputs, attrs } = g.op(id).composite!;
  const { type, gates, more = {} } = CELLS[attrs.cell as string], states = attrs.states as number;
  const x = inputs[0], lengths = attrs.lengths === 1 ? [inputs[1]] : [], from = 1 + lengths.length;
  const first = inputs.slice(from, from + states), weights = inputs.slice(from + states);
  const hidden = g.op(weights[1]).dims[1].rest;
  const zero = first.map((s) => g.number(s) === 0); // which is what there is where nothing is said
  const used = [x, ...lengths, ...first.filter((_, i) => !zero[i]), ...weights];
  const rows = gates.flatMap((gate) => Array.from({ length: hidden }, (_, i) => gate * hidden + i));
  const order = (w: GraphWriter, weight: string) =>
    gates.length === 1 ? weight : w.node("Gather", [weight, w.ints(rows)], { axis: 0 });
  const which = attrs.which as number;
  return {
    inputs: used,
    write: (names, w) => {
      const results = w.once(`recurrent ${names.join(" ")} ${attrs.reverse} ${attrs.cell}`, () => {
        const [steps, ...rest] = names;
        const counts = lengths.length > 0 ? rest.shift()! : "";
        const initial = zero.map((none) => none ? "" : w.node("Unsqueeze", [rest.shift()!, w.ints([0])]));
        const [ih, hh, ...biases] = rest;
        const one = (value: string) => w.node("Unsqueeze", [value, w.ints([0])]);
        const bias = biases.length > 0 ? one(w.node("Concat", biases.map((b) => order(w, b)), { axis: 0 })) : "";
        const inOrder = w.node("Transpose", [steps], { perm: [1, 0, 2] });
        return w.nodeOf(
          type,
          [inOrder, one(order(w, ih)), one(order(w, hh)), bias, counts, ...initial],
          { hidden_size: hidden, direction: attrs.reverse === 1 ? "reverse" : "forward", ...more },
          1 + states,
          layerName(ih),
        );
      });
      const own = w.node("Squeeze", [results[which], w.ints([which === 0 ? 1 : 0])]);
      return which === 0 ? w.node("Transpose", [own], { perm: [1, 0, 2] }) : own;
    },
  };
}
