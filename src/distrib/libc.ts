/**
 * What is asked of the system's C library itself.
 *
 * @module
 */
import { host } from "../base/host.ts";
import { lazy } from "../base/lazy.ts";

/** Its file name. */
export const LIBC: string = host.os === "darwin" ? "libSystem.B.dylib" : "libc.so.6";

/** Bytes of a large page. */
const LARGE_PAGE = 2n ** 21n;
const MADV_HUGEPAGE = 14, MADV_COLLAPSE = 25;

/** Null on a system with another C library: these are favours, nothing depends on them. */
const open = lazy(() => {
  try {
    return Deno.dlopen(LIBC, {
      sched_yield: { parameters: [], result: "i32" },
      madvise: { parameters: ["usize", "usize", "i32"], result: "i32" },
    }).symbols;
  } catch {
    return null;
  }
});

/** Lets another process have this processor, if one is waiting for it. */
export function yieldProcessor(): void {
  open()?.sched_yield();
}

/** Has the memory lie in large pages, if the system can: another process's memory is read page by page. */
export function useLargePages(bytes: Uint8Array): void {
  if (Deno.build.os !== "linux") return;
  const start = BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes as Uint8Array<ArrayBuffer>)));
  const first = start / LARGE_PAGE * LARGE_PAGE;
  const pages = (start + BigInt(bytes.byteLength) - first + LARGE_PAGE - 1n) / LARGE_PAGE;
  for (const advice of [MADV_HUGEPAGE, MADV_COLLAPSE]) open()?.madvise(first, pages * LARGE_PAGE, advice);
}
