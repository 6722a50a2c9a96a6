/**
 * Look-ups in memory that is longer than what can be bound at once, as look-ups in windows of it, of which one has the row.
 *
 * @module
 */
import { bytesPerElement } from "../../../base/dtype.ts";
import type { Inst, View } from "../../contract.ts";
import { closure } from "../../data_flow.ts";
import { dense, outline, type Reach } from "./outline.ts";
import { type Append, type PlainKernel, pruned, rewrite } from "./rewrite.ts";

/** A look-up, and what can be had of the memory. */
export interface LookUp {
  readonly reach: Reach;
  readonly sizes: readonly number[];
  /** Bytes that the view spans, but for what its index adds. */
  readonly beside: number;
  readonly room: {
    readonly limit: number;
    readonly count: number;
    bytesOf(slot: number): number;
    scratch(bytes: number): number;
  };
}

type Load = Inst & { readonly k: "load" };

/** Kernels that do what `kernel` does: itself, with all windows bound at once, or one after the other before it, where they are too many. */
export function inWindows(kernel: PlainKernel, { reach, sizes, beside, room }: LookUp): PlainKernel[] {
  if (kernel.op === "scatterAdd") throw new TypeError("scattered additions look nothing up");
  const { inst: which, index: { stride, size } } = reach as Required<Reach>;
  const rows = Math.abs(stride) * bytesPerElement(reach.view.dtype);
  const per = Math.max(1, Math.min(size - 1, Math.floor((room.limit - beside) / rows)));
  const starts = Array.from({ length: Math.ceil(size / per) }, (_, i) => i * per);
  /** The row, if the window from `first` on has it; else what was `found` in those before. */
  const lookIn = (load: Load, first: number, found: (() => number) | null, append: Append): number => {
    const { value } = load.index!, start = append({ k: "const", value: first, type: "i32" });
    const inside = append({ k: "binary", op: "sub", a: value, b: start });
    const own = append({
      ...load,
      view: { ...load.view, offset: load.view.offset + first * stride },
      index: { value: inside, stride, size: Math.min(per, size - first) },
    });
    if (found === null) return own;
    const behind = append({ k: "binary", op: "ge", a: value, b: start });
    return append({ k: "select", cond: behind, a: own, b: found() });
  };
  const replaced = (replace: (load: Load, append: Append) => number): PlainKernel => {
    const { body, at } = rewrite(
      kernel.body,
      (inst, append, i) => i === which && inst.k === "load" ? replace(inst, append) : append(inst),
    );
    const moved = <T extends { readonly value: number }>(outs: readonly T[]): T[] =>
      outs.map((out) => ({ ...out, value: at[out.value] }));
    return kernel.op === "reduce"
      ? { ...kernel, body, outs: moved(kernel.outs) }
      : { ...kernel, body, outs: moved(kernel.outs) };
  };
  const apart = closure(kernel.body, [which]).every((i) => !["reduce", "acc"].includes(kernel.body[i].k));
  if (bindingsOf(kernel, room) + starts.length <= room.count || !apart) {
    return [
      replaced((load, append) =>
        starts.reduce<number>((found, first) => lookIn(load, first, found < 0 ? null : () => found, append), -1)
      ),
    ];
  }
  const shape = reach.axes.map((axis) => sizes[axis]), { dtype } = reach.view;
  const slot = room.scratch(4 * shape.reduce((a, b) => a * b, 1));
  const own: View = { slot, dtype: dtype === "u8" ? "i32" : dtype, offset: 0, strides: dense(shape) };
  const steps = starts.map((first): PlainKernel => {
    const { body, at } = rewrite(kernel.body.slice(0, which + 1), (inst, append, i) => {
      if (i !== which || inst.k !== "load") return append(inst);
      return lookIn(inst, first, first === 0 ? null : () => append({ k: "load", view: own }), append);
    });
    return { op: "map", shape, ...pruned(body, [{ view: own, value: at[which] }]) };
  });
  return [...steps, replaced((_, append) => append({ k: "load", view: own }))];
}

/** What a kernel binds at most: with the run's parameters, and without one view in memory that is too large. */
function bindingsOf(kernel: PlainKernel, { limit, bytesOf }: LookUp["room"]): number {
  const bound = new Set(outline(kernel).reaches.map(({ view }) => bytesOf(view.slot) > limit ? view : view.slot));
  return bound.size;
}
