/**
 * What the processor can do, asked by a few bytes of machine code: no file is read, no permission more is needed.
 *
 * @module
 */
import { Assembler, REG } from "./assembler.ts";
import { CodeMemory } from "./code_memory.ts";

/** Vectors of 16 or of 8 lanes. */
export type Level = "AVX-512" | "AVX2";

/** Answers of the processor and of the operating system, 32 bits each. */
export interface Features {
  /** Register ecx of CPUID's leaf 1. */
  readonly leaf1: number;
  /** Register ebx of leaf 7; 0 without that leaf. */
  readonly leaf7: number;
  /** Which registers the operating system saves; 0 where it cannot be asked. */
  readonly saved: number;
}

const OSXSAVE = 1 << 27, FMA_AVX = 1 << 12 | 1 << 28, AVX2 = 1 << 5;
const AVX512 = 1 << 16 | 1 << 17 | 1 << 30 | 1 << 31; // F, DQ, BW, VL
/** Bits of {@link Features.saved}: registers of 128 and 256 bits; masks, and both parts of those of 512. */
const SAVES_256 = 0x06, SAVES_512 = 0xe6;

/** The widest vectors that processor and operating system have; null if not even 256 bits with fused multiply-add. */
export function levelOf({ leaf1, leaf7, saved }: Features): Level | null {
  const all = (word: number, bits: number) => (word & bits) === bits;
  if (!all(leaf1, OSXSAVE | FMA_AVX) || !all(leaf7, AVX2) || !all(saved, SAVES_256)) return null;
  return all(leaf7, AVX512) && all(saved, SAVES_512) ? "AVX-512" : "AVX2";
}

/** Code that writes leaf 1's ecx, leaf 7's ebx and the saved registers to the address in rdi. */
function question(): Uint8Array<ArrayBuffer> {
  const { rax, rcx, rdx, rbx, rdi, r8 } = REG;
  const a = new Assembler(), end = a.label();
  a.landing().push(rbx).move(r8, rdi);
  a.zero(rax).cpuid();
  a.move(rdi, rax); // the greatest leaf
  a.set(rax, 1).cpuid().store32({ base: r8 }, rcx);
  a.move(rdx, rcx);
  const noLeaf7 = a.label();
  a.compare(rdi, 7).jumpIf(2, noLeaf7);
  a.push(rdx).set(rax, 7).zero(rcx).cpuid().store32({ base: r8, disp: 4 }, rbx).pop(rdx);
  a.here(noLeaf7);
  // xgetbv is an instruction only where OSXSAVE says so
  a.set(rcx, OSXSAVE).bytes(0x21, 0xca); // and edx, ecx
  a.jumpIf(4, end);
  a.zero(rcx).xgetbv().store32({ base: r8, disp: 8 }, rax);
  a.here(end);
  return a.pop(rbx).zero(rax).return().finish();
}

/** Asks the processor this process runs on; x86-64 only. */
export function askProcessor(): Features {
  const code = new CodeMemory(question());
  try {
    const words = new Int32Array(3), pointer = Deno.UnsafePointer.of(words);
    code.call(0, pointer, pointer);
    const [leaf1, leaf7, saved] = words;
    return { leaf1, leaf7, saved };
  } finally {
    code.free();
  }
}
