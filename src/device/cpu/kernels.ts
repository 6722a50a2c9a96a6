/**
 * The hand-written kernels, in the variant that the engine and the memory take.
 *
 * @module
 */
import { DeviceError } from "../../base/errors.ts";
import { WASM_TILE } from "./conv_plan.ts";
import type { Memory } from "./memory.ts";
import { CALLING, CALLING_SHARED, PLAIN, PLAIN_SHARED, RELAXED, RELAXED_SHARED } from "./kernels.gen.ts";

/** Fused multiply-add where the engine has it, or not. */
export type Simd = "relaxed" | "plain";

/** A compiled module of kernels. */
export interface Kernels {
  readonly module: WebAssembly.Module;
  /** Kernels that import others: those of `module`, or machine code. */
  readonly calling: WebAssembly.Module;
  readonly simd: Simd;
}

/** Compiles the kernels; without `simd`, the best variant that the engine takes. */
export function loadKernels(shared: boolean, simd?: Simd): Kernels {
  const variants: [Simd, string][] = [["relaxed", shared ? RELAXED_SHARED : RELAXED], [
    "plain",
    shared ? PLAIN_SHARED : PLAIN,
  ]];
  for (const [name, text] of variants) {
    if (simd !== undefined && simd !== name) continue;
    const bytes = decode(text);
    if (!WebAssembly.validate(bytes)) continue;
    const calling = new WebAssembly.Module(decode(shared ? CALLING_SHARED : CALLING));
    return { module: new WebAssembly.Module(bytes), calling, simd: name };
  }
  throw new DeviceError(
    `Cannot compute on the CPU: this engine has no ${simd === "relaxed" ? "relaxed " : ""}SIMD in WebAssembly`,
  );
}

function decode(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

/** The product of matrices, see `wasm/matmul.as.ts`. */
export type Matmul = (...words: number[]) => void;

/** Whether the kernels multiply and add with one rounding. */
export function isFused(matmul: Matmul, memory: Memory): boolean {
  const work = memory.alloc(WASM_TILE.workBytes), at = memory.alloc(64);
  const numbers = new Float32Array(memory.memory.buffer, at, 5);
  // -1 + (1 + 2^-12)^2, whose last bit is lost if the square is rounded by itself
  numbers.set([-1, 1 + 2 ** -12, 1, 1 + 2 ** -12]);
  matmul(1, 1, 2, at, 2, 1, at + 8, 1, 1, at + 16, 1, work);
  const fused = numbers[4] === 2 ** -11 + 2 ** -24;
  memory.free(at);
  memory.free(work);
  return fused;
}

/** What programs import, on top of the kernels: functions of single numbers. */
export const SCALARS = {
  /** C's `powf`, which differs from JavaScript's at 1 and -1. */
  pow: (a: number, b: number): number => a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b,
  /** C's `fmodf`. */
  fmod: (a: number, b: number): number => a % b,
};
