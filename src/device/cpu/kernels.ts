/**
 * The hand-written kernels, in the variant that the engine and the memory take.
 *
 * @module
 */
import { DeviceError } from "../../base/errors.ts";
import { PLAIN, PLAIN_SHARED, RELAXED, RELAXED_SHARED } from "./kernels.gen.ts";

/** Fused multiply-add where the engine has it, or not. */
export type Simd = "relaxed" | "plain";

/** A compiled module of kernels. */
export interface Kernels {
  readonly module: WebAssembly.Module;
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
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    if (WebAssembly.validate(bytes)) return { module: new WebAssembly.Module(bytes), simd: name };
  }
  throw new DeviceError(
    `Cannot compute on the CPU: this engine has no ${simd === "relaxed" ? "relaxed " : ""}SIMD in WebAssembly`,
  );
}

/** What programs import, on top of the kernels: functions of single numbers. */
export const SCALARS = {
  /** C's `powf`, which differs from JavaScript's at 1 and -1. */
  pow: (a: number, b: number): number => a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b,
  /** C's `fmodf`. */
  fmod: (a: number, b: number): number => a % b,
};

/** Bytes of working memory of a thread: the panels of a matrix product. */
export const WORK_BYTES = (96 * 256 + 256 * 512 + 4 * 8) * 4;
