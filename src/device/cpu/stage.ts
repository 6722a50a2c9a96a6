/**
 * The stages that a program's run goes through, and what all of them need.
 *
 * @module
 */
import { bytesPerElement } from "../../base/dtype.ts";
import type { View } from "../contract.ts";
import { type Fn, MEM, OP } from "./encoder/code.ts";
import type { Work } from "./encoder/loops.ts";

/** A stage of the run: a function over work items. */
export interface Stage extends Work {
  /** Estimated microseconds on one thread. */
  readonly cost: number;
}

/** Pushes the address of a view's first element; the function's first parameter is the address of the slot table. */
export function pushBase(f: Fn, view: View): void {
  f.get(0).mem(MEM.i32Load, view.slot * 4);
  if (view.offset !== 0) f.i32(view.offset * bytesPerElement(view.dtype)).op(OP.i32Add);
  if (view.dyn !== undefined) {
    f.get(0).mem(MEM.i32Load).mem(MEM.i32Load, view.dyn * 4);
    f.i32(bytesPerElement(view.dtype)).op(OP.i32Mul).op(OP.i32Add);
  }
}

/** Microseconds for the elements of a body, roughly: vectors of four, about three instructions a cycle and lane. */
export function bodyCost(elements: number, instructions: number): number {
  return elements * (0.15 + 0.1 * instructions) / 1000;
}

/** Microseconds for a product, roughly. */
export function productCost(m: number, n: number, k: number): number {
  return 2 * m * n * k / 40e3 + 0.5;
}
