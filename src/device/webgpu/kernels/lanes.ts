/**
 * What four neighbouring elements have in common, so that they can be loaded at once or computed once.
 *
 * @module
 */
import type { Inst, View } from "../../contract.ts";
import { operandsOf } from "../../instructions.ts";

type Load = Inst & { readonly k: "load" };

/** Whether four neighbours along the last axis are one aligned vector in memory, or, for u8, one aligned word. */
export function fitsVector({ strides, offset, dyn }: View): boolean {
  return dyn === undefined && offset % 4 === 0 && strides.at(-1) === 1 &&
    strides.slice(0, -1).every((stride) => stride % 4 === 0);
}

function isStill(strides: readonly number[]): boolean {
  return (strides.at(-1) ?? 0) === 0;
}

/** Knows which instructions of a body give four neighbours the same value. */
export class Lanes {
  readonly #same: readonly boolean[];

  constructor(body: readonly Inst[]) {
    const same: boolean[] = [];
    for (const inst of body) same.push(operandsOf(inst).every((a) => same[a]) && isSame(inst));
    this.#same = same;
  }

  /** Whether all four lanes of instruction `i` are equal. */
  same(i: number): boolean {
    return this.#same[i];
  }

  /** Whether the load reads one aligned vector, or word of bytes. */
  fits({ view, guards = [], index }: Load): boolean {
    if (guards.length > 0 || !fitsVector(view)) return false;
    return index === undefined || (this.#same[index.value] && index.stride % 4 === 0);
  }

  /** Whether one element serves all four lanes. */
  isOne({ view, guards = [], index }: Load): boolean {
    return isStill(view.strides) && guards.every((guard) => isStill(guard.strides)) &&
      (index === undefined || this.#same[index.value]);
  }

  /** Whether each lane needs code of its own. */
  isLoose(load: Load): boolean {
    const plain = load.index === undefined && (load.guards ?? []).length === 0;
    return !plain && !this.fits(load) && !this.isOne(load);
  }
}

function isSame(inst: Inst): boolean {
  switch (inst.k) {
    case "load":
      return isStill(inst.view.strides) && (inst.guards ?? []).every((guard) => isStill(guard.strides));
    case "coord":
      return isStill(inst.strides);
    case "segment":
      return inst.starts.every((start) => start % 4 === 0);
    case "acc":
      return false;
    default:
      return true;
  }
}
