/**
 * Rows of reductions that are longer than what can be bound at once: parts of them are folded, then what they came to.
 *
 * @module
 */
import type { ValueType } from "../../../base/dtype.ts";
import type { Inst, MapKernel, ReduceKernel, View } from "../../contract.ts";
import { typesOf } from "../../instructions.ts";
import { type Reduction, rowPasses } from "../../rows.ts";
import { sizeOf } from "../kernels/plan.ts";
import { cut, dense } from "./outline.ts";
import { pruned, rewrite } from "./rewrite.ts";

/** Axis of `kernel` to be cut within its rows: the first, so that indices of parts follow each other. */
export function firstInner({ outer, inner }: ReduceKernel): number {
  return outer.length + Math.max(0, inner.findIndex((size) => size > 1));
}

/**
 * Kernels that do what `kernel` does, on `per` elements of axis `axis` at a time, one of those within a row ({@link firstInner}).
 *
 * @param scratch Gives a slot for at least so many bytes; every call another one.
 */
export function reduceInParts(
  kernel: ReduceKernel,
  axis: number,
  per: number,
  scratch: (bytes: number) => number,
): (ReduceKernel | MapKernel)[] {
  const { outer, inner, outs } = kernel;
  const rows = sizeOf(outer), length = inner[axis - outer.length];
  const parts = Math.ceil(length / per);
  /** Elements of a row that one step of the axis is. */
  const step = sizeOf(inner.slice(axis - outer.length + 1));
  const kernels: (ReduceKernel | MapKernel)[] = [];
  /** Where the results of reductions lie, by their number. */
  const known = new Map<number, View>();
  for (const now of rowPasses(kernel).passes) {
    const { body } = withResults(kernel.body, known);
    const types = typesOf(body);
    const all = now.flatMap(({ kind, a }): Fold[] => {
      const type = types[a];
      if (kind !== "argmax" && kind !== "argmin") return [{ kind, a, type }];
      // with an index, the value that it is of
      return [{ kind, a, type: "i32" }, { kind: kind === "argmax" ? "max" : "min", a, type }];
    });
    const slot = scratch(all.length * parts * rows * 4), results = scratch(now.length * rows * 4);
    const more: Inst[] = all.map(({ kind, a }) => ({ k: "reduce", kind, a }));
    const withFolds = [...body, ...more];
    for (let part = 0; part < parts; part++) {
      const stores = all.map(({ type }, i) => ({
        value: body.length + i,
        perRow: true,
        view: {
          slot,
          dtype: type,
          // parts of a row beside each other, so that rows can be told apart by windows
          offset: i * parts * rows + part,
          strides: [...dense(outer).map((stride) => stride * parts), ...inner.map(() => 0)],
        },
      }));
      const piece: ReduceKernel = { ...kernel, ...pruned(withFolds, stores) };
      kernels.push(cut(piece, axis, [part * per, Math.min(length, (part + 1) * per)]) as ReduceKernel);
    }
    kernels.push(combined(now, { all, slot, results, rows, parts, distance: per * step }));
    now.forEach(({ id }, i) =>
      known.set(id, {
        slot: results,
        dtype: typesOf(kernel.body)[id],
        offset: i * rows,
        strides: [...dense(outer), ...inner.map(() => 0)],
      })
    );
  }
  const { body, at } = withResults(kernel.body, known);
  const stores = (perRow: boolean) =>
    outs.filter((out) => out.perRow === perRow).map(({ value, view }) => ({ value: at[value], view }));
  const full = pruned(body, stores(false)), once = pruned(body, stores(true));
  if (full.outs.length > 0) kernels.push({ op: "map", shape: [...outer, ...inner], ...full });
  if (once.outs.length > 0) kernels.push(overRows(once, outer));
  return kernels;
}

/** `body` with loads in place of reductions whose results are known. */
function withResults(body: readonly Inst[], known: ReadonlyMap<number, View>): { body: Inst[]; at: number[] } {
  return rewrite(body, (inst, append, i) => {
    const view = known.get(i);
    return append(view === undefined ? inst : { k: "load", view });
  });
}

/** One result of a part. */
interface Fold {
  readonly kind: Reduction["kind"];
  readonly a: number;
  readonly type: ValueType;
}

interface Parts {
  readonly all: readonly Fold[];
  readonly slot: number;
  readonly results: number;
  readonly rows: number;
  readonly parts: number;
  /** Elements from a part's start to the next one's. */
  readonly distance: number;
}

/** Folds what the parts came to, in their order. */
function combined(now: readonly Reduction[], { all, slot, results, rows, parts, distance }: Parts): ReduceKernel {
  const body: Inst[] = [];
  const add = (inst: Inst) => body.push(inst) - 1;
  const view = (i: number): View => ({ slot, dtype: all[i].type, offset: i * parts * rows, strides: [parts, 1] });
  let i = 0;
  const outs = now.map(({ kind }, j) => {
    const out = (value: number, dtype: View["dtype"]) => ({
      value,
      perRow: true,
      view: { slot: results, dtype, offset: j * rows, strides: [1, 0] },
    });
    if (kind !== "argmax" && kind !== "argmin") {
      const [value, { type }] = [add({ k: "load", view: view(i) }), all[i]];
      i++;
      return out(add({ k: "reduce", kind, a: value }), type);
    }
    const value = add({ k: "load", view: view(i + 1) });
    const part = add({ k: "reduce", kind, a: value });
    const index = { value: part, stride: 1, size: parts };
    const inside = add({ k: "load", view: { ...view(i), strides: [parts, 0] }, index });
    const before = add({ k: "binary", op: "mul", a: part, b: add({ k: "const", value: distance, type: "i32" }) });
    i += 2;
    return out(add({ k: "binary", op: "add", a: inside, b: before }), "i32");
  });
  return { op: "reduce", outer: [rows], inner: [parts], body, outs };
}

/** What is the same for a whole row, once for each. */
function overRows({ body, outs }: { body: Inst[]; outs: { value: number; view: View }[] }, outer: readonly number[]) {
  const along = <T extends { readonly strides: readonly number[] }>(form: T): T => ({
    ...form,
    strides: outer.length === 0 ? [0] : form.strides.slice(0, outer.length),
  });
  const rows = body.map((inst): Inst =>
    inst.k === "load"
      ? { ...inst, view: along(inst.view), ...(inst.guards ? { guards: inst.guards.map(along) } : {}) }
      : inst.k === "coord"
      ? along(inst)
      : inst
  );
  const shape = outer.length === 0 ? [1] : [...outer];
  const kernel: MapKernel = {
    op: "map",
    shape,
    body: rows,
    outs: outs.map(({ value, view }) => ({ value, view: along(view) })),
  };
  return kernel;
}
