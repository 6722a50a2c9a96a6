/**
 * Copies of images with a border of zeros as machine code: a row is loaded with a mask, whatever is outside of it is 0.
 *
 * @module
 */
import { type Assembler, IF, type Mem, REG } from "./assembler.ts";

/** Words of the arguments of a call, from the address in rdi; the memory's first byte is in rsi. */
export const PAD = {
  to: 0,
  from: 1,
  planes: 2,
  planeStep: 3,
  above: 4,
  rows: 5,
  below: 6,
  rowStep: 7,
  width: 8,
  chunks: 9,
  loads: 10,
  stores: 13,
} as const;

/** Vectors of 16 that a row takes at most. */
const MOST_CHUNKS = 3;

const { rax, rcx, rdx, rbx, rsi, rdi, r8, r9, r10, r11 } = REG;

/** Appends the function, for vectors of 16 lanes; its offset. */
export function emitPad(a: Assembler): number {
  a.align(64);
  const start = a.length, end = a.label();
  a.landing().push(rbx);
  const word = (n: number): Mem => ({ base: rdi, disp: n * 4 });
  a.load32(r9, word(PAD.to)).add(r9, rsi).load32(r8, word(PAD.from)).add(r8, rsi).load32(rbx, word(PAD.planes));
  a.loadSigned(rdx, word(PAD.rowStep)).load32(r11, word(PAD.width));
  for (let i = 0; i < MOST_CHUNKS; i++) {
    a.load32(rax, word(PAD.loads + i)).setMask(1 + i, rax).load32(rax, word(PAD.stores + i)).setMask(4 + i, rax);
  }
  const variants = Array.from({ length: MOST_CHUNKS }, () => a.label());
  a.load32(rax, word(PAD.chunks));
  variants.forEach((label, i) => a.compare(rax, i + 1).jumpIf(IF.zero, label));
  a.jump(end);
  variants.forEach((label, i) => {
    const chunks = Array.from({ length: i + 1 }, (_, c) => c);
    /** `count` rows, of zeros or from r10. */
    const rows = (count: number, filled: boolean) => {
      const none = a.label();
      a.load32(rcx, word(count)).test(rcx).jumpIf(IF.zero, none);
      if (!filled) { for (const c of chunks) a.vzero(16, c); }
      const loop = a.align(16).here();
      if (filled) { for (const c of chunks) a.vload(16, c, { base: r10, disp: c * 64 }, { k: 1 + c, zero: true }); }
      for (const c of chunks) a.vstore(16, { base: r9, disp: c * 64 }, c, { k: 4 + c });
      if (filled) a.add(r10, rdx);
      a.add(r9, r11).addImmediate(rcx, -1).jumpIf(IF.notZero, loop);
      a.here(none);
    };
    a.align(16).here(label);
    a.move(r10, r8);
    rows(PAD.above, false);
    rows(PAD.rows, true);
    rows(PAD.below, false);
    a.loadSigned(rax, word(PAD.planeStep)).add(r8, rax).addImmediate(rbx, -1).jumpIf(IF.notZero, label);
    a.jump(end);
  });
  a.here(end);
  a.pop(rbx).zeroUpper().zero(rax).return();
  return start;
}
