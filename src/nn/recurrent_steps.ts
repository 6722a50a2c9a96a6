/**
 * What recurrent layers do step by step: one direction of one layer, over all steps of a batch.
 *
 * @module
 */
import { asComposite, cat, stack, type Tensor, where } from "../tensor/mod.ts";

/** Weights of one direction of one layer, PyTorch's shapes: `g` is 1 for RNN, 3 for GRU, 4 for LSTM. */
export interface StepWeights {
  /** `[g hidden, input]` */
  readonly ih: Tensor;
  /** `[g hidden, hidden]` */
  readonly hh: Tensor;
  /** `[g hidden]`, or null. */
  readonly biasIh: Tensor | null;
  /** `[g hidden]`, or null. */
  readonly biasHh: Tensor | null;
}

/** What is carried from step to step: `[h]`, for LSTM `[h, c]`, each `[b, hidden]`. */
export type Carried = readonly Tensor[];

/** One kind of recurrent layer. */
export interface Cell {
  /** What it is called. */
  readonly name: "lstm" | "gru" | "tanh" | "relu";
  /** How many times `hidden` the outputs of its products are. */
  readonly gates: number;
  /** How many states are carried: 1, or 2 with LSTM's cell state. */
  readonly states: number;
  /** Whether the bias of the recurrent product may be added to that of the other one. */
  readonly oneBias: boolean;
  /** The next state, of this step's part of the input's product and of the recurrent product, both `[b, gates hidden]`. */
  readonly next: (x: Tensor, h: Tensor, state: Carried) => Carried;
}

/** Pieces of `[b, n hidden]`, each `[b, hidden]`. */
function gates(x: Tensor, n: number): Tensor[] {
  return x.split(x.shape[1] / n, { axis: 1 });
}

/** `c' = f c + i g`, `h' = o tanh(c')`; the gates in PyTorch's order i, f, g, o (Hochreiter & Schmidhuber 1997). */
export const LSTM_CELL: Cell = {
  name: "lstm",
  gates: 4,
  states: 2,
  oneBias: true,
  next: (x, h, [, c]) => {
    const [i, f, g, o] = gates(x.add(h), 4);
    const cell = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
    return [o.sigmoid().mul(cell.tanh()), cell];
  },
};

/** `n = tanh(x_n + r h_n)`, `h' = n + z (h - n)`; the gates in PyTorch's order r, z, n (Cho et al. 2014). */
export const GRU_CELL: Cell = {
  name: "gru",
  gates: 3,
  states: 1,
  oneBias: false,
  next: (x, h, [before]) => {
    const [xr, xz, xn] = gates(x, 3), [hr, hz, hn] = gates(h, 3);
    const n = xn.add(xr.add(hr).sigmoid().mul(hn)).tanh();
    return [n.add(xz.add(hz).sigmoid().mul(before.sub(n)))];
  },
};

/** `h' = tanh(x + h)`, or `relu(x + h)` (Elman 1990). */
export function simpleCell(nonlinearity: "tanh" | "relu"): Cell {
  const of = (x: Tensor) => nonlinearity === "tanh" ? x.tanh() : x.relu();
  return { name: nonlinearity, gates: 1, states: 1, oneBias: true, next: (x, h) => [of(x.add(h))] };
}

/** How one direction is run. */
export interface DirectionOptions {
  /** From the last step to the first. */
  readonly reverse: boolean;
  /** Whether each step of each item is one of its own and no padding, `[b, n, 1]` bool; null where all are. */
  readonly alive: Tensor | null;
  /** Numbers of those steps, i32 `[b]`; null where all are. */
  readonly lengths: Tensor | null;
}

/**
 * Runs one direction of a layer over `x` `[b, n, input]`, n from 1. All steps' inputs are multiplied in one product; where
 * `alive` is false the state stays and the output is 0.
 *
 * @returns The outputs `[b, n, hidden]` in the order of the input, and the state after the last step.
 */
export function runDirection(
  cell: Cell,
  x: Tensor,
  first: Carried,
  { ih, hh, biasIh, biasHh }: StepWeights,
  { reverse, alive, lengths }: DirectionOptions,
): readonly [y: Tensor, last: Carried] {
  const [b, n] = x.shape, wide = ih.shape[0];
  let projected = x.matmul(ih.transpose(0, 1));
  const bias = cell.oneBias && biasIh !== null && biasHh !== null ? biasIh.add(biasHh) : biasIh;
  if (bias !== null) projected = projected.add(bias);
  const recurrent = hh.transpose(0, 1);
  const outputs = new Array<Tensor>(n);
  let state = first;
  for (let i = 0; i < n; i++) {
    const t = reverse ? n - 1 - i : i;
    const own = n === 1 ? projected : projected.slice([null, [t, t + 1]]);
    let h = state[0].matmul(recurrent);
    if (!cell.oneBias && biasHh !== null) h = h.add(biasHh);
    let next = cell.next(own.reshape([b, wide]), h, state);
    if (alive !== null) {
      const here = alive.slice([null, [t, t + 1]]).reshape([b, 1]);
      next = next.map((s, k) => where(here, s, state[k]));
    }
    state = next;
    outputs[t] = state[0];
  }
  const whole = stack(outputs, { axis: 1 }), y = alive === null ? whole : where(alive, whole, 0);
  const biases = biasIh === null || biasHh === null ? [] : [biasIh, biasHh];
  [y, ...state].forEach((result, which) =>
    asComposite(result, "recurrent", [x, ...(lengths === null ? [] : [lengths]), ...first, ih, hh, ...biases], {
      cell: cell.name,
      states: first.length,
      lengths: lengths === null ? 0 : 1,
      which,
      reverse: reverse ? 1 : 0,
    })
  );
  return [y, state];
}

/** States of layers and directions, each `[b, hidden]`, as one tensor `[layers directions, b, hidden]`. */
export function stackStates(states: readonly Carried[], which: number): Tensor {
  return stack(states.map((s) => s[which]));
}

/** Outputs of both directions next to each other. */
export function joinDirections(ys: readonly Tensor[]): Tensor {
  return ys.length === 1 ? ys[0] : cat(ys, { axis: 2 });
}
