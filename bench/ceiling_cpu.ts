/**
 * What the CPU can do at most: fused multiply-adds in registers, by machine code of each width and by WebAssembly.
 *
 *     deno run --allow-ffi bench/ceiling_cpu.ts
 *
 * @module
 */
import { Bytes } from "../src/device/cpu/encoder/code.ts";
import { Assembler, IF, REG } from "../src/device/cpu/native/assembler.ts";
import { CodeMemory } from "../src/device/cpu/native/code_memory.ts";
import { nativeRefusal } from "../src/device/cpu/native/mod.ts";
import { askProcessor, levelOf } from "../src/device/cpu/native/processor.ts";

/** A ceiling of one thread. */
export interface Ceiling {
  /** By what. */
  readonly name: string;
  /** Billions of operations a second; a multiplication and an addition are two. */
  readonly gflops: number;
}

const TIMES = 40_000;

/** GFLOP/s of `run`, which does `TIMES` rounds of `fmas` fused multiply-adds of `lanes`; the best of 50. */
function best(lanes: number, fmas: number, run: () => void): number {
  let least = Infinity;
  for (let i = 0; i < 50; i++) {
    const start = performance.now();
    run();
    least = Math.min(least, performance.now() - start);
  }
  return 2e-6 * lanes * fmas * TIMES / least;
}

function machineCode(lanes: 16 | 8): number {
  const a = new Assembler(), sums = lanes === 16 ? 24 : 12;
  a.landing().set(REG.rcx, TIMES);
  for (let i = 0; i < (lanes === 16 ? 32 : 16); i++) a.vzero(lanes, i);
  const loop = a.align(32).here();
  for (let round = 0; round < 4; round++) for (let i = 0; i < sums; i++) a.vfma(lanes, i, sums, sums + 1);
  a.addImmediate(REG.rcx, -1).jumpIf(IF.notZero, loop).zeroUpper().zero(REG.rax).return();
  const code = new CodeMemory(a.finish());
  const gflops = best(lanes, 4 * sums, () => code.call(0, null, null));
  code.free();
  return gflops;
}

/** A module whose `run` does it with eight sums of four lanes, which is what the register tile has. */
function webAssembly(): number {
  const sums = 8, body = new Bytes();
  body.leb(2).leb(1).u8(0x7f).leb(sums + 2).u8(0x7b); // a counter, sums and two factors
  body.u8(0x41).sleb(TIMES).u8(0x21).leb(0).u8(0x03).u8(0x40);
  for (let round = 0; round < 4; round++) {
    for (let i = 1; i <= sums; i++) {
      body.u8(0x20).leb(sums + 1).u8(0x20).leb(sums + 2).u8(0x20).leb(i).u8(0xfd).leb(0x105).u8(0x21).leb(i);
    }
  }
  body.u8(0x20).leb(0).u8(0x41).sleb(1).u8(0x6b).u8(0x22).leb(0).u8(0x0d).leb(0).u8(0x0b);
  // the sums are looked at, or nobody would form them
  body.u8(0x20).leb(1);
  for (let i = 2; i <= sums; i++) body.u8(0x20).leb(i).u8(0xfd).leb(0xe4);
  body.u8(0xfd).u8(31).u8(0).u8(0x0b);
  const section = (id: number, content: Bytes) => new Bytes().u8(id).leb(content.length).raw(content.bytes());
  const module = new Bytes().raw(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const parts = [
    section(1, new Bytes().raw(Uint8Array.of(1, 0x60, 0, 1, 0x7d))),
    section(3, new Bytes().raw(Uint8Array.of(1, 0))),
    section(7, new Bytes().leb(1).name("run").u8(0).u8(0)),
    section(10, new Bytes().leb(1).leb(body.length).raw(body.bytes())),
  ];
  for (const part of parts) module.raw(part.bytes());
  const { run } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes())).exports;
  return best(4, 4 * sums, run as () => void);
}

/** The ceilings of one thread, the widest first. */
export function cpuCeilings(): Ceiling[] {
  const level = nativeRefusal() === null ? levelOf(askProcessor()) : null;
  return [
    ...(level === "AVX-512" ? [{ name: "AVX-512", gflops: machineCode(16) }] : []),
    ...(level !== null ? [{ name: "AVX2", gflops: machineCode(8) }] : []),
    { name: "WebAssembly relaxed SIMD", gflops: webAssembly() },
  ];
}

if (import.meta.main) {
  for (const { name, gflops } of cpuCeilings()) {
    console.log(`${name}: at most ${gflops.toPrecision(3)} GFLOP/s a thread`);
  }
}
