/**
 * Kernels as x86-64 machine code that is written here and called through FFI: vectors of 256 or 512 bits where WebAssembly has 128.
 *
 * It takes `--allow-ffi`, and a processor and system that can; everywhere else WebAssembly computes the same bits.
 *
 * @module
 */
import { NATIVE } from "../wasm/native.gen.ts";
import { Assembler } from "./assembler.ts";
import { bridge, type Native } from "./bridge.ts";
import { CodeMemory, library, OPEN_LIBRARY } from "./code_memory.ts";
import { emitPad } from "./borders.ts";
import { emitLines } from "./lines.ts";
import { emitPack } from "./panels.ts";
import { emitRow } from "./rows.ts";
import { askProcessor, type Level, levelOf } from "./processor.ts";
import { emitTiles, SHAPES } from "./tiles.ts";

export { bridge, type Native } from "./bridge.ts";
export { library } from "./code_memory.ts";
export type { Level } from "./processor.ts";
export { SHAPES } from "./tiles.ts";

/** Machine code in memory, and how to call it. */
export interface NativeCode {
  readonly native: Native;
  /** What its loops import, beside kernels. */
  imports(memory: WebAssembly.Memory): WebAssembly.ModuleImports;
  /** Statements that make `loops` of `native`, `memory`, `own` and `env` in a helper thread, and keep the `library` open. */
  readonly helper: string;
  /** Gives the memory back; no thread may be in it, or enter it any more. */
  free(): void;
}

const HELPER = `
  library = ${OPEN_LIBRARY};
  const imports = { ...(${bridge})(native, memory, library.symbols.bsearch), thin: own.convThin };
  loops = new WebAssembly.Instance(native.loops, { env, native: imports }).exports;`;

/** Why machine code cannot run in this process; null if it can, as far as may be told without running some. */
export function nativeRefusal(): string | null {
  if (typeof Deno === "undefined" || Deno.dlopen === undefined) return "this engine has no foreign functions";
  const { os, arch } = Deno.build;
  if (os !== "linux" || arch !== "x86_64") return `it is written for Linux on x86-64, and this is ${os} on ${arch}`;
  const { state } = Deno.permissions.querySync({ name: "ffi" }); // asks nobody
  if (state !== "granted") return "it needs the permission --allow-ffi";
  return null;
}

/**
 * Writes the kernels for the widest vectors of the processor, or for those of `level`.
 *
 * @param memory What they work on; its first byte must stay where it is.
 * @returns The reason, if the processor or the system cannot.
 */
export function openNative(memory: WebAssembly.Memory, level?: Level): NativeCode | string {
  const refusal = nativeRefusal();
  if (refusal !== null) return refusal;
  try {
    const best = levelOf(askProcessor());
    if (best === null) return "the processor, or the system for it, has no AVX2 with fused multiply-add";
    if (level === "AVX-512" && best !== level) return "the processor, or the system for it, has no AVX-512";
    return load(memory, level ?? best);
  } catch (error) {
    return (error as Error).message; // no C library of that name, or no memory that may be executed
  }
}

function load(memory: WebAssembly.Memory, level: Level): NativeCode {
  const shape = SHAPES[level], { lanes, rows } = shape;
  const a = new Assembler();
  const tiles = emitTiles(a, shape), packB = emitPack(a, lanes), packA = emitPack(a, lanes === 16 ? 8 : 4);
  const row = emitRow(a, lanes), lines = [emitLines(a, 1), emitLines(a, 2)];
  const pad = lanes === 16 ? emitPad(a) : null;
  const code = new CodeMemory(a.finish());
  const bytes = Uint8Array.from(atob(NATIVE), (c) => c.charCodeAt(0));
  const native: Native = {
    level,
    loops: new WebAssembly.Module(bytes),
    memory: Deno.UnsafePointer.value(Deno.UnsafePointer.of(new Uint8Array(memory.buffer))),
    tiles: code.address(tiles),
    row: code.address(row),
    lines: [code.address(lines[0]), code.address(lines[1])],
    pad: pad === null ? null : code.address(pad),
    packs: [code.address(packB), code.address(packA)],
    lanes,
    rows,
  };
  return {
    native,
    imports: (memory) => bridge(native, memory, library().bsearch),
    helper: HELPER,
    free: () => code.free(),
  };
}
