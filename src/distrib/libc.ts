/**
 * The system's C library.
 *
 * @module
 */

/** Its file name. */
export const LIBC = Deno.build.os === "darwin" ? "libSystem.B.dylib" : "libc.so.6";

let yieldOnce: (() => unknown) | null = null;

/** Lets another process have this processor, if one is waiting for it. */
export function yieldProcessor(): void {
  yieldOnce ??= openYield();
  yieldOnce();
}

function openYield(): () => unknown {
  try {
    return Deno.dlopen(LIBC, { sched_yield: { parameters: [], result: "i32" } }).symbols.sched_yield;
  } catch {
    return () => {}; // a system with another C library: the processor stays busy
  }
}
