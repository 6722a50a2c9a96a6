/**
 * Scattered additions: one kernel puts the starting values down, a second one adds, a thread per column.
 *
 * @module
 */
import type { MapKernel, ScatterAddKernel, View } from "../../contract.ts";
import { SCATTER_ADD } from "../wgsl.gen.ts";
import { splice } from "./epilogue.ts";
import { planMap } from "./map.ts";
import { memoryText } from "./operand_memory.ts";
import { type Dispatch, fold, type PlanContext } from "./plan.ts";

const WG = 64;
const NONE = 0xffffffff;

/** Plans scattered additions. */
export function planScatterAdd(kernel: ScatterAddKernel, context: PlanContext, label: string): Dispatch[] {
  const { outer, n, inner, size, src, index, out } = kernel;
  const columns = outer * inner;
  const [x, y] = fold(Math.ceil(columns / WG));
  const view = ({ offset, dyn, strides }: View) => [offset, dyn ?? NONE, 0, 0, ...strides, 0];
  const constants = [columns, n, inner, size, x, 0, 0, 0, ...view(src), ...view(index), ...view(out)];
  const add: Dispatch = {
    label,
    text: splice(SCATTER_ADD, "src", memoryText({ name: "src", binding: 1, dtype: src.dtype, halves: context.halves })),
    overrides: { WG, INDEX_BYTES: index.dtype === "u8" ? 1 : 4 },
    constants: Uint32Array.from(constants, (value) => value >>> 0),
    bindings: [
      { slot: src.slot, writable: false },
      { slot: index.slot, writable: false },
      { slot: 0, writable: false },
      { slot: out.slot, writable: true },
    ],
    grid: [x, y],
  };
  return inPlace(kernel) ? [add] : [...planMap(startOf(kernel), context, `${label} start`), add];
}

function inPlace({ init, out }: ScatterAddKernel): boolean {
  return init !== undefined && init.slot === out.slot && init.offset === out.offset && init.dyn === out.dyn &&
    init.strides.every((stride, i) => stride === out.strides[i]);
}

function startOf({ outer, size, inner, init, out }: ScatterAddKernel): MapKernel {
  const value = init === undefined
    ? { k: "const", value: 0, type: "f32" } as const
    : { k: "load", view: init } as const;
  return merged({ op: "map", shape: [outer, size, inner], body: [value], outs: [{ view: out, value: 0 }] });
}

/** The same kernel over one axis, where all its views are contiguous. */
function merged(kernel: MapKernel): MapKernel {
  const [, size, inner] = kernel.shape;
  const views = [...kernel.body.flatMap((inst) => inst.k === "load" ? [inst.view] : []), kernel.outs[0].view];
  const flat = views.every(({ strides: [a, b, c] }) => c === 1 && b === inner && a === size * inner);
  if (!flat) return kernel;
  const one = (view: View): View => ({ ...view, strides: [1] });
  return {
    ...kernel,
    shape: [kernel.shape[0] * size * inner],
    body: kernel.body.map((inst) => inst.k === "load" ? { ...inst, view: one(inst.view) } : inst),
    outs: [{ ...kernel.outs[0], view: one(kernel.outs[0].view) }],
  };
}
