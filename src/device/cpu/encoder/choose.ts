/**
 * Chooses the axis along which a kernel's lanes lie.
 *
 * @module
 */
import { bytesPerElement } from "../../../base/dtype.ts";
import type { Inst, Store, View } from "../../contract.ts";

/**
 * The axis that makes loads and stores contiguous or uniform and leaves few elements over; the later one if two are
 * equally good. `overhead(axis)` is what a row costs besides its elements, per element.
 */
export function chooseLanes(
  shape: readonly number[],
  body: readonly Inst[],
  outs: readonly Store[],
  overhead: (axis: number) => number = () => 0,
): number {
  let best = shape.length - 1, least = Infinity;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const cost = perElement(shape[axis], axis, body, outs) + overhead(axis);
    if (cost < least * 0.99) [best, least] = [axis, cost];
  }
  return best;
}

// Vectors of work per element: four lanes of a gather cost four loads
function perElement(size: number, axis: number, body: readonly Inst[], outs: readonly Store[]): number {
  const access = (view: View) => {
    const stride = view.strides[axis];
    return stride === 0 ? 0.5 : stride === 1 ? 1 : bytesPerElement(view.dtype) === 1 ? 8 : 5;
  };
  let four = 0, one = 0;
  for (const inst of body) {
    const guarded = inst.k === "load" ? (inst.guards ?? []).filter(({ strides }) => strides[axis] !== 0).length : 0;
    four += inst.k === "load" ? access(inst.view) + guarded : 0.6;
    one += inst.k === "load" ? 1 + guarded * 0.5 : 0.6;
  }
  for (const { view } of outs) {
    four += access(view);
    one += 1;
  }
  return (Math.floor(size / 4) * four + (size % 4) * one + 1.5) / size;
}
