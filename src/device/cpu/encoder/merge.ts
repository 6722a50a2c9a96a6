/**
 * Joins neighbouring axes of a domain where everything that looks at them takes them for one.
 *
 * @module
 */
import type { Inst, Store } from "../../contract.ts";

/** A domain with its instructions and stores. */
export interface Domain {
  readonly shape: readonly number[];
  readonly body: readonly Inst[];
  readonly outs: readonly Store[];
}

/** The same domain with as few axes as possible, of which the first `fixed` stay as they are. */
export function mergeAxes(domain: Domain, fixed: number): Domain {
  let result = domain;
  for (let i = domain.shape.length - 2; i >= fixed; i--) if (joins(result, i)) result = join(result, i);
  return result;
}

/** Whether axes `i` and `i + 1` are one for all strides. */
function joins({ shape, body, outs }: Domain, i: number): boolean {
  const one = (strides: readonly number[]) =>
    shape[i] === 1 || shape[i + 1] === 1 || strides[i] === strides[i + 1] * shape[i + 1];
  return outs.every(({ view }) => one(view.strides)) && body.every((inst) => {
    if (inst.k === "load") return one(inst.view.strides) && (inst.guards ?? []).every((g) => one(g.strides));
    return inst.k === "coord" ? one(inst.strides) : inst.k !== "segment";
  });
}

function join({ shape, body, outs }: Domain, i: number): Domain {
  const merged = <T extends { readonly strides: readonly number[] }>(form: T): T => {
    const strides = form.strides.slice();
    strides.splice(i, 2, shape[i + 1] === 1 ? strides[i] : strides[i + 1]);
    return { ...form, strides };
  };
  return {
    shape: [...shape.slice(0, i), shape[i] * shape[i + 1], ...shape.slice(i + 2)],
    body: body.map((inst) => {
      if (inst.k === "load") {
        return { ...inst, view: merged(inst.view), ...(inst.guards ? { guards: inst.guards.map(merged) } : {}) };
      }
      return inst.k === "coord" ? merged(inst) : inst;
    }),
    outs: outs.map(({ view, value }) => ({ view: merged(view), value })),
  };
}
