/**
 * Products of a row as machine code: B is read where it lies, its columns side by side.
 *
 * Every column is one sum over k in its order, which goes on where it was left: the bits of `thinLine` in `wasm/conv_thin.as.ts`.
 *
 * @module
 */
import { type Assembler, IF, type Mem, REG } from "./assembler.ts";

/** Words of the arguments of a call, from the address in rdi; the memory's first byte is in rsi. */
export const ROW = { kc: 0, a: 1, b: 2, rows: 3, c: 4, count: 5, add: 6, mask: 7 } as const;

/** Vectors of columns that are summed at a time. */
const WIDE = 4;

const { rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11 } = REG;

/** Appends the function; its offset. */
export function emitRow(a: Assembler, lanes: 16 | 8): number {
  a.align(64);
  const start = a.length, end = a.label(), rest = a.label(), part = a.label(), bytes = lanes * 4;
  a.landing().push(rbx).push(rbp);
  const word = (n: number): Mem => ({ base: rdi, disp: n * 4 });
  for (const [reg, n] of [[r8, ROW.a], [r9, ROW.b], [r10, ROW.rows], [rcx, ROW.c]] as const) {
    a.load32(reg, word(n)).add(reg, rsi);
  }
  a.load32(rbx, word(ROW.count)).load32(rax, word(ROW.mask));
  if (lanes === 16) a.setMask(1, rax);
  else a.vload(8, 15, { base: rdi, index: rax });
  /** Sums of `vectors` vectors of columns, which are `masked` if that is less than one. */
  const sums = (vectors: number, masked: boolean) => {
    const place = (v: number): Mem => ({ base: rcx, disp: v * bytes });
    const column = (v: number): Mem => ({ base: r9, index: rbp, disp: v * bytes });
    const load = (to: number, from: Mem) => {
      if (masked && lanes === 8) a.vector("maskLoad", 8, to, 15, from);
      else a.vload(lanes, to, from, masked ? { k: 1, zero: true } : {});
    };
    const fresh = a.label(), begin = a.label(), done = a.label();
    a.load32(rax, word(ROW.add)).test(rax).jumpIf(IF.zero, fresh);
    for (let v = 0; v < vectors; v++) load(v, place(v));
    a.jump(begin).here(fresh);
    for (let v = 0; v < vectors; v++) a.vzero(lanes, v);
    a.here(begin);
    a.move(rax, r8).move(rdx, r10).load32(r11, word(ROW.kc)).test(r11).jumpIf(IF.zero, done);
    const loop = a.align(16).here();
    a.loadSigned(rbp, { base: rdx }).vbroadcast(lanes, 5, { base: rax });
    for (let v = 0; v < vectors; v++) {
      if (masked) {
        load(6, column(v));
        a.vfma(lanes, v, 5, 6);
      } else a.vfma(lanes, v, 5, column(v));
    }
    a.addImmediate(rax, 4).addImmediate(rdx, 4).addImmediate(r11, -1).jumpIf(IF.notZero, loop);
    a.here(done);
    for (let v = 0; v < vectors; v++) {
      if (masked && lanes === 8) a.vector("maskStore", 8, v, 15, place(v));
      else a.vstore(lanes, place(v), v, masked ? { k: 1 } : {});
    }
    a.addImmediate(rcx, vectors * bytes).addImmediate(r9, vectors * bytes);
  };
  const wide = a.here();
  a.compare(rbx, WIDE * lanes).jumpIf(IF.below, rest);
  sums(WIDE, false);
  a.addImmediate(rbx, -WIDE * lanes).jump(wide);
  a.here(rest);
  a.compare(rbx, lanes).jumpIf(IF.below, part);
  sums(1, false);
  a.addImmediate(rbx, -lanes).jump(rest);
  a.here(part);
  a.test(rbx).jumpIf(IF.zero, end);
  sums(1, true);
  a.here(end);
  a.pop(rbp).pop(rbx).zeroUpper().zero(rax).return();
  return start;
}
