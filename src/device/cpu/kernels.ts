/**
 * The hand-written kernels, in the variant that the engine and the memory take.
 *
 * @module
 */
import { DeviceError } from "../../base/errors.ts";
import { WASM_TILE } from "./conv_plan.ts";
import type { Memory } from "./memory.ts";

/** Fused multiply-add where the engine has it, or not. */
export type Simd = "relaxed" | "plain";

/** A compiled module of kernels. */
export interface Kernels {
  readonly module: WebAssembly.Module;
  /** Kernels that import others: those of `module`, or machine code. */
  readonly calling: WebAssembly.Module;
  readonly simd: Simd;
}

/** Modules of kernels in base64: those that fit memory that is shared, or not. */
export interface KernelTexts {
  readonly calling: string;
  /** By variant; those that the engine cannot compile are missing. */
  readonly variants: Partial<Readonly<Record<Simd, string>>>;
}

/** Whether the engine takes relaxed SIMD: the shortest module that has some. */
export function takesRelaxed(): boolean {
  // () => v128: i32x4.relaxed_trunc_f32x4_s(v128.const 0)
  const code = [0x00, 0xfd, 0x0c, ...new Array(16).fill(0), 0xfd, 0x81, 0x02, 0x0b];
  const type = [0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b], func = [0x03, 0x02, 0x01, 0x00];
  const body = [0x0a, code.length + 2, 0x01, code.length, ...code];
  return WebAssembly.validate(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...type, ...func, ...body]));
}

/** Compiles the kernels; without `simd`, the best variant that the engine takes. */
export function loadKernels({ calling, variants }: KernelTexts, simd?: Simd): Kernels {
  for (const name of ["relaxed", "plain"] as const) {
    const text = variants[name];
    if (text === undefined || simd !== undefined && simd !== name) continue;
    const bytes = decode(text);
    if (!WebAssembly.validate(bytes)) continue;
    const module = new WebAssembly.Module(bytes);
    return { module, calling: new WebAssembly.Module(decode(calling)), simd: name };
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
