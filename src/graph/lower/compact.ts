/**
 * Folds a kernel's domain: axes of size 1 go, and neighbouring axes that every address runs through evenly become one.
 *
 * @module
 */
import type { Inst, View } from "../../device/contract.ts";

/** A kernel's domain and everything in it that has a stride per axis. */
export interface Domain {
  readonly sizes: readonly number[];
  /** Ranges of axes that may be folded together; axes outside all of them stay as they are. */
  readonly folds: readonly (readonly [number, number])[];
  /** Number of a range that keeps an axis even if all of it has size 1. */
  readonly keepOne?: number;
  readonly body: readonly Inst[];
  readonly views: readonly View[];
}

/** The folded domain; `folded[i]` are the sizes that are left of range `i`. */
export interface Folded {
  readonly folded: readonly number[][];
  readonly body: readonly Inst[];
  readonly views: readonly View[];
}

/** Folds the axes within each range of `folds`. */
export function compact({ sizes, folds, keepOne, body, views }: Domain): Folded {
  const forms: (readonly number[])[] = views.map((v) => v.strides);
  for (const inst of body) {
    if (inst.k === "load") {
      forms.push(inst.view.strides);
      inst.guards?.forEach((g) => forms.push(g.strides));
    } else if (inst.k === "coord") forms.push(inst.strides);
  }
  const kept: number[] = []; // axes whose stride stays
  const folded = folds.map(() => [] as number[]);
  for (let axis = 0; axis < sizes.length; axis++) {
    const range = folds.findIndex(([from, to]) => axis >= from && axis < to);
    if (range < 0) {
      kept.push(axis);
      continue;
    }
    const n = sizes[axis];
    const list = folded[range];
    const only = range === keepOne && list.length === 0 && axis === folds[range][1] - 1;
    if (n === 1 && !only) continue;
    const last = kept[kept.length - 1];
    if (list.length > 0 && forms.every((f) => f[last] === f[axis] * n)) {
      kept[kept.length - 1] = axis;
      list[list.length - 1] *= n;
    } else {
      kept.push(axis);
      list.push(n);
    }
  }
  const strides = (s: readonly number[]) => kept.map((axis) => s[axis]);
  const fold = (inst: Inst): Inst => {
    if (inst.k === "coord") return { ...inst, strides: strides(inst.strides) };
    if (inst.k !== "load") return inst;
    const view = { ...inst.view, strides: strides(inst.view.strides) };
    return {
      ...inst,
      view,
      ...(inst.guards ? { guards: inst.guards.map((g) => ({ ...g, strides: strides(g.strides) })) } : {}),
    };
  };
  return { folded, body: body.map(fold), views: views.map((v) => ({ ...v, strides: strides(v.strides) })) };
}
