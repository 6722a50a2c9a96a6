/**
 * Shared by the tests of machine code: the levels that can be tried here, and its functions over a memory of their own.
 *
 * @module
 */
import { bridge, type Level, library, nativeRefusal, openNative } from "../../../../src/device/cpu/native/mod.ts";

/** Both widths, and why one cannot be tried on this machine; null if it can. */
export const LEVELS: readonly { readonly level: Level; readonly missing: string | null }[] =
  (["AVX-512", "AVX2"] as const)
    .map((level) => {
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
      const code = nativeRefusal() ?? openNative(memory, level);
      if (typeof code === "string") return { level, missing: code };
      code.free();
      return { level, missing: null };
    });

/** Registers `fn` as a test for each level, or for one; one that is missing shows as ignored, with the reason in its name. */
export function onLevels(name: string, fn: (level: Level) => void | Promise<void>, only?: Level): void {
  for (const { level, missing } of LEVELS) {
    if (only !== undefined && level !== only) continue;
    Deno.test({
      name: `native ${level}: ${name}${missing === null ? "" : ` (${missing})`}`,
      ignore: missing !== null,
      sanitizeOps: false, // helper threads belong to the device, which lives as long as the process
      sanitizeResources: false,
      fn: () => fn(level),
    });
  }
}

/** The functions that the loops import, over `pages` of memory. */
export interface Functions {
  readonly words: Float32Array<ArrayBuffer>;
  readonly ints: Int32Array<ArrayBuffer>;
  readonly memory: WebAssembly.Memory;
  readonly lanes: number;
  readonly rows: number;
  readonly tiles: (...args: number[]) => void;
  readonly pack: (...args: number[]) => void;
  readonly pad: (...args: number[]) => void;
  readonly row: (...args: number[]) => void;
  readonly lines: (...args: number[]) => void;
}

/** Calls `use` with machine code of `level`, which is freed afterwards. */
export function withFunctions(level: Level, pages: number, use: (functions: Functions) => void): void {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages + 4, shared: true });
  const code = openNative(memory, level);
  if (typeof code === "string") throw new Error(code);
  const imports = bridge(code.native, memory, library().bsearch);
  const buffer = memory.buffer as ArrayBuffer;
  const { lanes, rows } = code.native;
  const { tiles, pack, pad, row, lines } = imports as unknown as Pick<
    Functions,
    "tiles" | "pack" | "pad" | "row" | "lines"
  >;
  try {
    const arrays = { words: new Float32Array(buffer), ints: new Int32Array(buffer) };
    use({ ...arrays, memory, lanes, rows, tiles, pack, pad, row, lines });
  } finally {
    code.free();
  }
}
