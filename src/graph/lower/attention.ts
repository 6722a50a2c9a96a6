/**
 * Attention: its operands as strides over batch, heads, rows and columns.
 *
 * @module
 */
import type { AttentionInputs } from "../../device/attention_kernel.ts";
import type { Kernel, View } from "../../device/contract.ts";
import { ATTENTION, attentionSizes } from "../attention.ts";
import type { Item } from "./graph.ts";
import { KernelBody, type Places } from "./kernel_body.ts";
import type { Unit } from "./units.ts";
import type { WholeDraft } from "./whole.ts";

/** The draft of a unit that is attention or its gradient. */
export function attentionDraft(unit: Unit, places: Places): WholeDraft {
  const { inputs, op, node: { attr: [causal, masked, drops] } } = unit.item;
  const view = (item: Item): View => new KernelBody([], places).strided(item);
  const [q, k, v, scale, ...rest] = inputs;
  const mask = masked ? view(rest[0]) : undefined;
  const random = drops ? rest.slice(masked, masked + 3).map((item) => places.wordOf(item)) : [];
  const [dy, y] = rest.slice(masked + 3 * drops).map(view);
  const sizes = {
    ...attentionSizes(q, k, v),
    scale: Math.fround(scale.node.value),
    causal: causal === 1,
    ...(drops ? { dropout: { p: random[0], seed: random[1], stream: random[2] } } : {}),
  };
  const operands = { q: view(q), k: view(k), v: view(v), ...(mask ? { mask } : {}) };
  const kernelOf = (given: typeof operands, more: readonly View[], out: View): Kernel => {
    const common: AttentionInputs = { ...sizes, ...given };
    if (op === ATTENTION) return { op: "attention", ...common, out };
    return { op: "attentionGrad", ...common, dy: more[0], y: more[1], out };
  };
  const more = op === ATTENTION ? [] : [dy, y];
  return {
    frame: { kind: "whole" },
    units: [unit],
    reads: [...Object.values(operands), ...more],
    kernels: (stores, resolve) => {
      const given = {
        q: resolve(operands.q),
        k: resolve(operands.k),
        v: resolve(operands.v),
        ...(operands.mask ? { mask: resolve(operands.mask) } : {}),
      };
      const [first, ...others] = stores(unit, 0, [1]);
      const [size] = unit.item.shape;
      const copies = others.map((to): Kernel => ({
        op: "map",
        shape: [size],
        body: [{ k: "load", view: first }],
        outs: [{ view: to, value: 0 }],
      }));
      return first === undefined ? [] : [kernelOf(given, more.map(resolve), first), ...copies];
    },
  };
}
