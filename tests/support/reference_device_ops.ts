/**
 * What each instruction of the contract computes, on JavaScript numbers. Results are rounded or wrapped when they are
 * put into a column of the instruction's type.
 *
 * @module
 */
import type { ValueType } from "../../src/base/dtype.ts";
import type { BinaryOp, ReduceKind } from "../../src/device/contract.ts";
import type { Column } from "./reference_device_memory.ts";
import { BINARY } from "./operations.ts";

/** A column for `length` values of `type`. */
export function columnOf(type: ValueType, length: number): Column {
  if (type === "f32") return new Float32Array(length);
  return type === "i32" ? new Int32Array(length) : new Uint32Array(length);
}

/** The function of a two-operand instruction for operands of `type`. */
export function binaryFunction(op: BinaryOp, type: ValueType): (a: number, b: number) => number {
  const { ref, integer = ref } = BINARY[op];
  return type === "f32" ? ref : integer;
}

/** `value` of type `from` as `to`: saturating from f32, 0 for NaN, `!= 0` to bool; integers keep their bits. */
export function castFunction(from: ValueType, to: ValueType): (x: number) => number {
  if (to === "bool") return (x) => x !== 0 ? 1 : 0;
  if (from !== "f32" || to === "f32") return (x) => x;
  const [low, high] = to === "i32" ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
  return (x) => Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), low), high);
}

/** Folds `values[start..end)`; float sums and products are kept in float64, integer ones wrap. */
export function reduceRange(kind: ReduceKind, type: ValueType, values: Column, start: number, end: number): number {
  if (kind === "argmax" || kind === "argmin") return firstBest(kind, values, start, end);
  let result = values[start];
  const wraps = type !== "f32";
  for (let i = start + 1; i < end; i++) {
    const v = values[i];
    if (kind === "sum") result = wraps ? (result + v) | 0 : result + v;
    else if (kind === "prod") result = wraps ? Math.imul(result, v) : result * v;
    else result = kind === "max" ? Math.max(result, v) : Math.min(result, v);
  }
  return result;
}

function firstBest(kind: "argmax" | "argmin", values: Column, start: number, end: number): number {
  let best = start;
  for (let i = start; i < end; i++) {
    if (Number.isNaN(values[i])) return i - start;
    if (kind === "argmax" ? values[i] > values[best] : values[i] < values[best]) best = i;
  }
  return best - start;
}
