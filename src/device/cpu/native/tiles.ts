/**
 * Register tiles as machine code: a panel of B times panels of A, for every number of rows and columns at the edges.
 *
 * A lane is a column: each element of C is summed over k in its order by fused multiply-add, whatever the width. So the bits are those
 * of the WebAssembly kernels with relaxed SIMD.
 *
 * @module
 */
import { type Assembler, IF, type Mem, REG } from "./assembler.ts";
import type { Level } from "./processor.ts";

/** Sizes of register tiles. */
export interface Shape {
  /** Lanes of a vector. */
  readonly lanes: 16 | 8;
  /** Rows of a tile, and of a panel of A. */
  readonly rows: number;
  /** Most vectors of a tile's row; a panel of B has as many. */
  readonly vectors: 3;
}

/** 24 or 12 sums: enough for two fused multiply-adds a cycle, and as many as registers allow. */
export const SHAPES: Readonly<Record<Level, Shape>> = {
  "AVX-512": { lanes: 16, rows: 8, vectors: 3 },
  "AVX2": { lanes: 8, rows: 4, vectors: 3 },
};

/** Words of the arguments of a call, from the address in rdi; the memory's first byte is in rsi. */
export const TILE = { kc: 0, a: 1, b: 2, c: 3, ldc: 4, rows: 5, vectors: 6, add: 7, next: 8, mask: 9 } as const;

/** Word of the arguments with 8 words of -1 and 8 of 0 after them: masks for vectors of 8 lanes begin among them. */
export const MASKS = 16;

const { rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14 } = REG;
const KEPT = [rbx, rbp, r12, r13, r14] as const;

/** Appends the function; its offset. */
export function emitTiles(a: Assembler, shape: Shape): number {
  const { lanes, rows, vectors } = shape;
  a.align(64);
  const start = a.length;
  a.landing();
  for (const reg of KEPT) a.push(reg);
  const word = (n: number): Mem => ({ base: rdi, disp: n * 4 });
  a.load32(r8, word(TILE.a)).add(r8, rsi).load32(r9, word(TILE.b)).add(r9, rsi).load32(rcx, word(TILE.c)).add(rcx, rsi);
  a.load32(rdx, word(TILE.ldc)).load32(rbx, word(TILE.rows)).load32(r12, word(TILE.next)).load32(r13, word(TILE.add));
  a.load32(r14, word(TILE.mask));
  if (lanes === 16) a.setMask(1, r14);
  const end = a.label();
  a.load32(rax, word(TILE.vectors));
  const byVectors = Array.from({ length: vectors }, () => a.label());
  byVectors.forEach((label, i) => a.compare(rax, i + 1).jumpIf(IF.zero, label));
  a.jump(end);
  byVectors.forEach((label, i) => {
    a.align(16).here(label);
    const byRows = Array.from({ length: rows - 1 }, () => a.label()), again = label;
    a.compare(rbx, rows);
    const rest = a.label();
    a.jumpIf(IF.below, rest);
    emitTile(a, shape, rows, i + 1);
    a.move(rcx, rbp).add(r8, r12).addImmediate(rbx, -rows).jump(again);
    a.here(rest);
    byRows.forEach((other, r) => a.compare(rbx, r + 1).jumpIf(IF.zero, other));
    a.jump(end);
    byRows.forEach((other, r) => {
      a.align(16).here(other);
      emitTile(a, shape, r + 1, i + 1);
      a.jump(end);
    });
  });
  a.here(end);
  for (const reg of KEPT.toReversed()) a.pop(reg);
  a.zeroUpper().zero(rax).return();
  return start;
}

/** One tile of `rows` rows at (r8, r9, rcx); leaves the address of the row after it in rbp. */
function emitTile(a: Assembler, { lanes, rows: height }: Shape, rows: number, vectors: number): void {
  const sum = (i: number, v: number) => i * vectors + v;
  const first = lanes === 16 ? 24 : 12, spread = lanes === 16 ? [27, 28, 29, 30] : [15];
  const loop = a.label(), done = a.label();
  // C comes into the first cache while the sums are formed
  a.move(rbp, rcx);
  for (let i = 0; i < rows; i++) {
    for (let byte = 0; byte < vectors * lanes * 4; byte += 64) a.prefetch({ base: rbp, disp: byte });
    a.prefetch({ base: rbp, disp: vectors * lanes * 4 - 1 }).add(rbp, rdx);
  }
  a.move(rax, r8).move(r10, r9).load32(r11, { base: rdi, disp: TILE.kc * 4 });
  for (let i = 0; i < rows * vectors; i++) a.vzero(lanes, i);
  a.test(r11).jumpIf(IF.zero, done);
  a.align(32).here(loop);
  for (let v = 0; v < vectors; v++) a.vload(lanes, first + v, { base: r10, disp: v * lanes * 4 });
  for (let i = 0; i < rows; i++) {
    const x = spread[i % spread.length];
    a.vbroadcast(lanes, x, { base: rax, disp: i * 4 });
    for (let v = 0; v < vectors; v++) a.vfma(lanes, sum(i, v), first + v, x);
  }
  a.addImmediate(rax, height * 4).addImmediate(r10, vectors * lanes * 4).addImmediate(r11, -1).jumpIf(IF.notZero, loop);
  a.here(done);
  a.move(rbp, rcx);
  const set = a.label(), next = a.label();
  a.test(r13).jumpIf(IF.zero, set);
  emitStores(a, lanes, rows, vectors, sum, true, next);
  a.here(set);
  emitStores(a, lanes, rows, vectors, sum, false, next);
  a.here(next);
}

/** Stores the sums, or adds them to what is there; of the last vector, what the mask says. */
function emitStores(
  a: Assembler,
  lanes: 16 | 8,
  rows: number,
  vectors: number,
  sum: (i: number, v: number) => number,
  add: boolean,
  next: number,
): void {
  const at = (v: number): Mem => ({ base: rbp, disp: v * lanes * 4 });
  /** `masked`: whether the last vector is not whole; with masks of 16 lanes that is no other code. */
  const all = (masked: boolean) => {
    for (let i = 0; i < rows; i++) {
      for (let v = 0; v < vectors; v++) {
        const part = masked && v === vectors - 1, k = part && lanes === 16 ? { k: 1 } : {};
        const special = part && lanes === 8;
        if (add && special) a.vector("maskLoad", 8, 13, 14, at(v)).vector("add", 8, sum(i, v), sum(i, v), 13);
        else if (add) a.vector("add", lanes, sum(i, v), sum(i, v), at(v), k);
        if (special) a.vector("maskStore", 8, sum(i, v), 14, at(v));
        else a.vstore(lanes, at(v), sum(i, v), k);
      }
      a.add(rbp, rdx);
    }
    a.jump(next);
  };
  if (lanes === 16) return all(true);
  const part = a.label();
  a.compare(r14, MASKS * 4).jumpIf(IF.notZero, part); // all eight lanes
  all(false);
  a.here(part);
  a.vload(8, 14, { base: rdi, index: r14 });
  all(true);
}
