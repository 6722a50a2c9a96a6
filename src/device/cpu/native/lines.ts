/**
 * Products of a row whose columns lie in lines, as depthwise convolutions have them: B is read where it lies, {@link GROUP} vectors of
 * columns at a time, so that as many sums go on while one waits for its last addition, and an element of A is loaded once for all.
 *
 * Every column is one sum over k in its order: the bits of `thinLines` in `wasm/conv_thin.as.ts`. Vectors have 8 lanes with AVX-512,
 * too: lines are short, and what is loaded from anywhere seldom crosses a cache line that way.
 *
 * @module
 */
import { type Assembler, IF, type Mem, REG } from "./assembler.ts";

/** Words of the arguments of a call, from the address in rdi; the memory's first byte is in rsi. */
export const LINES = { kc: 0, a: 1, rows: 2, c: 3, table: 4, groups: 5 } as const;

/** Lanes of a vector, and vectors of a group. */
const LANES = 8, GROUP = 8;
/** Bytes of the table's entry for a vector: the address of its first column in B, and of its place after the first of C. */
const ENTRY = 8;

const { rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15 } = REG;
const KEPT = [rbx, rbp, r12, r13, r14, r15] as const;
/** Registers of the vectors' addresses. */
const AT = [r8, r9, r10, r11, r12, r13, r14, r15] as const;

/** Appends the function for columns that lie side by side, or with a `spacing` of 2 for every second number; its offset. */
export function emitLines(a: Assembler, spacing: 1 | 2): number {
  a.align(64);
  const start = a.length, end = a.label(), weight = GROUP, even = GROUP + 1;
  a.landing();
  for (const reg of KEPT) a.push(reg);
  const word = (n: number): Mem => ({ base: rdi, disp: n * 4 });
  // k runs from -4 kc bytes to 0 before the ends of A and of the rows' offsets; rax and rdi are free in between
  a.load32(rbx, word(LINES.kc)).add(rbx, rbx).add(rbx, rbx);
  a.load32(rbp, word(LINES.a)).add(rbp, rsi).add(rbp, rbx);
  a.load32(rdx, word(LINES.rows)).add(rdx, rsi).add(rdx, rbx);
  a.load32(rcx, word(LINES.table)).add(rcx, rsi);
  a.load32(rax, word(LINES.groups)).push(rax).push(rbx);
  a.load32(rbx, word(LINES.c)).add(rbx, rsi);
  a.test(rax).jumpIf(IF.zero, end);
  const group = a.align(16).here(), loop = a.label(), done = a.label();
  AT.forEach((at, v) => a.load32(at, { base: rcx, disp: v * ENTRY }).add(at, rsi).vzero(LANES, v));
  a.zero(rax).sub64(rax, { base: rsp }).jumpIf(IF.zero, done);
  a.align(32).here(loop);
  a.loadSigned(rdi, { base: rdx, index: rax }).vbroadcast(LANES, weight, { base: rbp, index: rax });
  AT.forEach((base, v) => {
    if (spacing === 1) a.vfma(LANES, v, weight, { base, index: rdi });
    else {
      // columns 0, 1, 4, 5 and 2, 3, 6, 7
      a.vload(LANES, even, { base, index: rdi }).shuffle(even, even, { base, index: rdi, disp: LANES * 4 }, 0x88);
      a.vfma(LANES, v, weight, even);
    }
  });
  a.addImmediate(rax, 4).jumpIf(IF.notZero, loop);
  a.here(done);
  AT.forEach((_, v) => {
    if (spacing === 2) a.permutePairs(v, v, 0xd8);
    a.load32(rax, { base: rcx, disp: v * ENTRY + 4 }).vstore(LANES, { base: rbx, index: rax }, v);
  });
  a.addImmediate(rcx, GROUP * ENTRY);
  a.load64(rax, { base: rsp, disp: 8 }).addImmediate(rax, -1).store64({ base: rsp, disp: 8 }, rax);
  a.jumpIf(IF.notZero, group);
  a.here(end);
  a.addImmediate(rsp, 16);
  for (const reg of [...KEPT].reverse()) a.pop(reg);
  a.zeroUpper().zero(rax).return();
  return start;
}
