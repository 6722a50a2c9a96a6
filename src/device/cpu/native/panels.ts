/**
 * Packing of panels as machine code: element (k, j) of a panel is the number at `base + row[k] + column[j]`, in bytes.
 *
 * Columns that lie side by side are loaded as lines, a vector made of several where a line ends within it, and with 16 lanes so are
 * every second ones; where rows lie side by side, four of them are turned at a time; whatever else is gathered.
 *
 * @module
 */
import { type Assembler, IF, type Lanes, type Mem, REG } from "./assembler.ts";

/** Words of the arguments of a call, from the address in rdi; the memory's first byte is in rsi. */
export const PACK = {
  to: 0,
  base: 1,
  rows: 2,
  runs: 3,
  kc: 4,
  vectors: 5,
  count: 6,
  step: 7,
  panels: 8,
  baseStep: 9,
  toStep: 10,
} as const;

/**
 * How a vector of columns is packed: 1 to 6 masked lines, or one of these; `second` and 1 to 3 are lines of every second number. The
 * numbers are in `wasm/native.as.ts`, too.
 */
export const KIND = { gather: 0, line: 7, turn: 8, second: 8 } as const;

/** Word of the arguments where the places of every second number begin: 8 in the first half, 8 in the second. */
export const SECONDS = 32;

/** Bytes of the description of a vector of columns. */
export const VECTOR_BYTES = 128;
/** Bytes from its start to the offsets of the columns, and the most lines of vectors of 16 lanes and of fewer. */
const COLUMNS = 64, MOST_LINES = 6, MOST_NARROW = 2, MOST_SECONDS = 3;
/** Bytes of a run of rows: offset of its lowest row, rows, place of that row in the panel, and bytes from there to the next. */
export const RUN_BYTES = 16;

const { rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15 } = REG;
const KEPT = [rbx, rbp, r12, r13, r14, r15] as const;
/** Places on the stack: the vectors left, the panels left, the panel's base, and where it goes. */
const STACK = { count: 0, panels: 8, base: 16, to: 24, bytes: 32 } as const;

/** Appends the function for panels whose columns come in vectors of `lanes`; its offset. */
export function emitPack(a: Assembler, lanes: Lanes): number {
  a.align(64);
  const start = a.length;
  a.landing();
  for (const reg of KEPT) a.push(reg);
  a.addImmediate(rsp, -STACK.bytes);
  const word = (n: number): Mem => ({ base: rdi, disp: n * 4 });
  const stack = (n: number): Mem => ({ base: rsp, disp: n });
  a.load32(rax, word(PACK.base)).add(rax, rsi).store64(stack(STACK.base), rax);
  a.load32(rax, word(PACK.to)).add(rax, rsi).store64(stack(STACK.to), rax);
  a.load32(rax, word(PACK.panels)).store64(stack(STACK.panels), rax);
  const panel = a.label(), vector = a.label(), next = a.label(), nextPanel = a.label(), end = a.label();
  a.test(rax).jumpIf(IF.zero, end);
  a.here(panel);
  a.load32(rax, word(PACK.count)).store64(stack(STACK.count), rax);
  a.load32(r15, word(PACK.vectors)).add(r15, rsi);
  a.load64(r12, stack(STACK.to));
  if (lanes > 4) { // three whole lines, row by row: they may lie side by side
    a.compare(rax, 3).jumpIf(IF.notZero, vector);
    for (let v = 0; v < 3; v++) {
      a.load32(rax, { base: r15, disp: v * VECTOR_BYTES }).compare(rax, KIND.line).jumpIf(IF.notZero, vector);
    }
    emitSideBySide(a, lanes, nextPanel);
  }
  a.here(vector);
  // r15: the vector's description, r12: where it goes, rsi: the memory, rdi: the arguments; the rest is free
  a.load32(rax, { base: r15 });
  const most = lanes === 16 ? MOST_LINES : MOST_NARROW;
  const lines = Array.from({ length: most }, () => a.label()), line = a.label(), turn = a.label();
  a.compare(rax, KIND.line).jumpIf(IF.zero, line).compare(rax, KIND.turn).jumpIf(IF.zero, turn);
  lines.forEach((label, i) => a.compare(rax, i + 1).jumpIf(IF.zero, label));
  const seconds = Array.from({ length: lanes === 16 ? MOST_SECONDS : 0 }, () => a.label());
  seconds.forEach((label, i) => a.compare(rax, KIND.second + i + 1).jumpIf(IF.zero, label));
  emitGather(a, lanes, next);
  seconds.forEach((label, i) => {
    a.here(label);
    emitSeconds(a, i + 1, next);
  });
  a.here(line);
  emitLines(a, lanes, 0, next);
  lines.forEach((label, i) => {
    a.here(label);
    emitLines(a, lanes, i + 1, next);
  });
  a.here(turn);
  emitTurns(a, lanes, next);
  a.here(next);
  a.addImmediate(r15, VECTOR_BYTES).addImmediate(r12, lanes * 4);
  a.load64(rax, stack(STACK.count)).addImmediate(rax, -1).store64(stack(STACK.count), rax).jumpIf(IF.notZero, vector);
  a.here(nextPanel);
  a.loadSigned(rax, word(PACK.baseStep)).load64(rcx, stack(STACK.base)).add(rcx, rax).store64(stack(STACK.base), rcx);
  a.load32(rax, word(PACK.toStep)).load64(rcx, stack(STACK.to)).add(rcx, rax).store64(stack(STACK.to), rcx);
  a.load64(rax, stack(STACK.panels)).addImmediate(rax, -1).store64(stack(STACK.panels), rax).jumpIf(IF.notZero, panel);
  a.here(end);
  a.addImmediate(rsp, STACK.bytes);
  for (const reg of KEPT.toReversed()) a.pop(reg);
  a.zeroUpper().zero(rax).return();
  return start;
}

/** Sets up a loop over rows: rdx the table of their offsets, rcx their number, r13 where they go, r14 the bytes between them. */
function beginRows(a: Assembler, next: number): number {
  const word = (n: number): Mem => ({ base: rdi, disp: n * 4 });
  a.load32(rdx, word(PACK.rows)).add(rdx, rsi).load32(r14, word(PACK.step)).move(r13, r12);
  a.load32(rcx, word(PACK.kc)).test(rcx).jumpIf(IF.zero, next);
  return a.align(16).here();
}

/** Ends it. */
function endRows(a: Assembler, loop: number, next: number): void {
  a.add(r13, r14).addImmediate(rdx, 4).addImmediate(rcx, -1).jumpIf(IF.notZero, loop).jump(next);
}

/** A vector from `count` lines, each with a mask; 0: from one whole line. */
function emitLines(a: Assembler, lanes: Lanes, count: number, next: number): void {
  const pointers = [r8, r9, r10, r11, rbp, rbx], narrow = lanes < 16;
  for (let s = 0; s < Math.max(1, count); s++) {
    const disp = narrow ? 8 + s * 4 : 8 + s * 8;
    a.loadSigned(pointers[s], { base: r15, disp }).add64(pointers[s], { base: rsp, disp: STACK.base });
    if (count === 0) continue;
    if (narrow) a.vload(lanes, 4 + s, { base: r15, disp: s === 0 ? 32 : 96 });
    else a.load32(rax, { base: r15, disp: disp + 4 }).setMask(s + 1, rax);
  }
  const loop = beginRows(a, next), at = (s: number): Mem => ({ base: pointers[s], index: rax });
  a.loadSigned(rax, { base: rdx });
  if (count === 0) a.vload(lanes, 0, at(0));
  for (let s = 0; s < count; s++) {
    if (!narrow) a.vload(16, 0, at(s), { k: s + 1, zero: s === 0 });
    else a.vector("maskLoad", lanes, s, 4 + s, at(s));
    if (narrow && s > 0) a.vector("or", lanes, 0, 0, s);
  }
  a.vstore(lanes, { base: r13 }, 0);
  endRows(a, loop, next);
}

/** A vector of 16 from `count` lines of which every second number is taken, each loaded in two halves with a mask each. */
function emitSeconds(a: Assembler, count: number, next: number): void {
  const pointers = [r8, r9, r10], order = 31;
  for (let s = 0; s < count; s++) {
    const word = (n: number): Mem => ({ base: r15, disp: 8 + n * 4 });
    a.loadSigned(pointers[s], word(2 * s)).add64(pointers[s], { base: rsp, disp: STACK.base });
    a.load32(rax, word(2 * s + 1)).setMask(1 + 2 * s, rax);
    a.load32(rax, word(2 * (s + MOST_SECONDS) + 1)).setMask(2 + 2 * s, rax);
  }
  a.vload(16, order, { base: rdi, disp: SECONDS * 4 });
  const loop = beginRows(a, next);
  a.loadSigned(rax, { base: rdx });
  for (let s = 0; s < count; s++) {
    const first = 2 * s, at = { base: pointers[s], index: rax };
    a.vload(16, first, at, { k: 1 + 2 * s, zero: true });
    // the number before the second half's first is in both: nothing past the line's end is looked at
    a.vload(16, first + 1, { ...at, disp: 60 }, { k: 2 + 2 * s, zero: true });
    a.vector("permute2", 16, first, order, first + 1);
    if (s > 0) a.vector("or", 16, 0, 0, first);
  }
  a.vstore(16, { base: r13 }, 0);
  endRows(a, loop, next);
}

/** Three vectors, each from a whole line. */
function emitSideBySide(a: Assembler, lanes: Lanes, next: number): void {
  const pointers = [r8, r9, r10];
  pointers.forEach((reg, v) =>
    a.loadSigned(reg, { base: r15, disp: v * VECTOR_BYTES + 8 }).add64(reg, { base: rsp, disp: STACK.base })
  );
  const loop = beginRows(a, next);
  a.loadSigned(rax, { base: rdx });
  pointers.forEach((reg, v) => a.vload(lanes, v, { base: reg, index: rax }));
  pointers.forEach((_, v) => a.vstore(lanes, { base: r13, disp: v * lanes * 4 }, v));
  endRows(a, loop, next);
}

/** A vector by single numbers. */
function emitGather(a: Assembler, lanes: Lanes, next: number): void {
  a.vload(lanes, 1, { base: r15, disp: COLUMNS }).load64(r8, { base: rsp, disp: STACK.base });
  const loop = beginRows(a, next);
  a.loadSigned(rax, { base: rdx }).add(rax, r8).vzero(lanes, 0);
  if (lanes === 16) a.fillMask(1).vector("gather", 16, 0, 0, { base: rax, index: 1 }, { k: 1 });
  else a.vector("compareEqual", lanes, 2, 2, 2).vector("gather", lanes, 0, 2, { base: rax, index: 1 });
  a.vstore(lanes, { base: r13 }, 0);
  endRows(a, loop, next);
}

/** A vector of columns along which rows are neighbours: run by run, four rows of 8 (or 4) columns at a time. */
function emitTurns(a: Assembler, lanes: Lanes, next: number): void {
  const group = lanes === 4 ? 4 : 8;
  for (let from = 0; from < lanes; from += group) {
    const columns = [rax, rcx, rdx, rbx, r8, r9, r10, r11].slice(0, group);
    columns.forEach((reg, j) =>
      a.loadSigned(reg, { base: r15, disp: COLUMNS + (from + j) * 4 }).add64(reg, { base: rsp, disp: STACK.base })
    );
    // r14: the run; rsi and rdi make room for the place in the panel and the bytes between rows
    a.load32(r14, { base: rdi, disp: PACK.runs * 4 }).add(r14, rsi).push(rsi).push(rdi);
    const run = a.label(), four = a.label(), rest = a.label(), single = a.label(), over = a.label(), done = a.label();
    a.here(run);
    a.load32(r13, { base: r14, disp: 4 }).test(r13).jumpIf(IF.zero, done);
    a.loadSigned(rbp, { base: r14 }).load32(rsi, { base: r14, disp: 8 }).add(rsi, r12).loadSigned(rdi, {
      base: r14,
      disp: 12,
    });
    if (from > 0) a.addImmediate(rsi, from * 4);
    a.compare(r13, 4).jumpIf(IF.below, single);
    a.align(16).here(four);
    turnFour(a, group, columns);
    a.addImmediate(rbp, 16).address(rsi, { base: rsi, index: rdi, scale: 2 }).add(rsi, rdi);
    a.addImmediate(r13, -4).compare(r13, 4).jumpIf(IF.notBelow, four);
    a.test(r13).jumpIf(IF.zero, over);
    a.here(rest); // the last four once more
    a.addImmediate(r13, -4).address(rbp, { base: rbp, index: r13, scale: 4 });
    a.multiply(r13, rdi).add(rsi, r13).zero(r13);
    turnFour(a, group, columns);
    a.jump(over);
    a.here(single);
    columns.forEach((reg, j) => a.loadScalar(0, { base: reg, index: rbp }).storeScalar({ base: rsi, disp: j * 4 }, 0));
    a.addImmediate(rbp, 4).add(rsi, rdi).addImmediate(r13, -1).jumpIf(IF.notZero, single);
    a.here(over);
    a.addImmediate(r14, RUN_BYTES).jump(run);
    a.here(done);
    a.pop(rdi).pop(rsi);
  }
  a.jump(next);
}

/** Four rows from offset rbp of each column to rsi, rows rdi bytes apart; rsi goes one row on. */
function turnFour(a: Assembler, group: 4 | 8, columns: readonly number[]): void {
  const lanes = group;
  for (let j = 0; j < 4; j++) {
    const at = (reg: number): Mem => ({ base: reg, index: rbp });
    a.vload(4, j, at(columns[j]));
    if (group === 8) a.insertHalf(j, j, at(columns[j + 4]));
  }
  a.vector("unpackLow", lanes, 4, 0, 1).vector("unpackHigh", lanes, 5, 0, 1);
  a.vector("unpackLow", lanes, 6, 2, 3).vector("unpackHigh", lanes, 7, 2, 3);
  a.vector("unpackLowPairs", lanes, 0, 4, 6).vector("unpackHighPairs", lanes, 1, 4, 6);
  a.vector("unpackLowPairs", lanes, 2, 5, 7).vector("unpackHighPairs", lanes, 3, 5, 7);
  a.vstore(lanes, { base: rsi }, 0).vstore(lanes, { base: rsi, index: rdi }, 1);
  a.vstore(lanes, { base: rsi, index: rdi, scale: 2 }, 2);
  a.add(rsi, rdi).vstore(lanes, { base: rsi, index: rdi, scale: 2 }, 3);
}
