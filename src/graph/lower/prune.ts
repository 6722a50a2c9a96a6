/**
 * Dead code elimination in the body of a kernel.
 *
 * @module
 */
import type { Inst, Store } from "../../device/contract.ts";
import { closure } from "../../device/data_flow.ts";

/** The instructions that the stores need, renumbered. */
export function pruned<S extends Store>(body: readonly Inst[], outs: readonly S[]): { body: Inst[]; outs: S[] } {
  const place = new Array<number>(body.length);
  const kept: Inst[] = [];
  for (const i of closure(body, outs.map((o) => o.value))) {
    place[i] = kept.length;
    kept.push(renumber(body[i], place));
  }
  return { body: kept, outs: outs.map((o) => ({ ...o, value: place[o.value] })) };
}

function renumber(inst: Inst, place: readonly number[]): Inst {
  switch (inst.k) {
    case "load":
      return inst.index ? { ...inst, index: { ...inst.index, value: place[inst.index.value] } } : inst;
    case "random":
      return { ...inst, index: place[inst.index] };
    case "cast":
    case "unary":
    case "reduce":
      return { ...inst, a: place[inst.a] };
    case "binary":
      return { ...inst, a: place[inst.a], b: place[inst.b] };
    case "select":
      return { ...inst, cond: place[inst.cond], a: place[inst.a], b: place[inst.b] };
    default:
      return inst;
  }
}
