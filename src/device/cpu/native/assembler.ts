/**
 * x86-64 machine code as bytes: the instructions that kernels need, with labels. Vector instructions are encoded with VEX (4 or 8
 * lanes) or EVEX (16 lanes).
 *
 * @module
 * @see Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapter 2
 */

/** General registers, 64 bits. */
export const REG = {
  rax: 0,
  rcx: 1,
  rdx: 2,
  rbx: 3,
  rsp: 4,
  rbp: 5,
  rsi: 6,
  rdi: 7,
  r8: 8,
  r9: 9,
  r10: 10,
  r11: 11,
  r12: 12,
  r13: 13,
  r14: 14,
  r15: 15,
} as const;

/** Memory at `base + index * scale + disp`. */
export interface Mem {
  readonly base: number;
  readonly disp?: number;
  /** A general register, or for gathers a vector register. */
  readonly index?: number;
  readonly scale?: 1 | 2 | 4 | 8;
}

/** Conditions of jumps, unsigned where it matters. */
export const IF = { below: 2, notBelow: 3, zero: 4, notZero: 5, notAbove: 6, above: 7 } as const;

/** Vector instructions: map of opcodes, prefix, opcode, and whether EVEX wants W set. */
const VECTOR = {
  load: [1, 0, 0x10, 0], // vmovups
  store: [1, 0, 0x11, 0],
  add: [1, 0, 0x58, 0],
  broadcast: [2, 1, 0x18, 0], // vbroadcastss
  fma: [2, 1, 0xb8, 0], // vfmadd231ps
  unpackLow: [1, 0, 0x14, 0],
  unpackHigh: [1, 0, 0x15, 0],
  unpackLowPairs: [1, 1, 0x14, 1], // vunpcklpd
  unpackHighPairs: [1, 1, 0x15, 1],
  xor: [1, 0, 0x57, 0], // with EVEX it needs DQ
  or: [1, 0, 0x56, 0],
  compareEqual: [1, 1, 0x76, 0], // vpcmpeqd, VEX only
  maskLoad: [2, 1, 0x2c, 0], // vmaskmovps, VEX only
  maskStore: [2, 1, 0x2e, 0],
  gather: [2, 1, 0x92, 0], // vgatherdps
  permute2: [2, 1, 0x7f, 0], // vpermt2ps, EVEX only
} as const;

/** Lanes of 32 bits in a vector. */
export type Lanes = 4 | 8 | 16;

/** A mask register, and whether lanes outside it become 0 instead of staying. */
export interface Masked {
  readonly k?: number;
  readonly zero?: boolean;
}

/** Code in the making. */
export class Assembler {
  #code: Uint8Array<ArrayBuffer> = new Uint8Array(4096);
  #length = 0;
  readonly #labels: number[] = [];
  readonly #jumps: { readonly at: number; readonly label: number }[] = [];

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** Appends bytes. */
  bytes(...bytes: readonly number[]): this {
    if (this.#length + bytes.length > this.#code.length) {
      const more = new Uint8Array(this.#code.length * 2);
      more.set(this.#code);
      this.#code = more;
    }
    for (const byte of bytes) this.#code[this.#length++] = byte;
    return this;
  }

  #word(value: number): this {
    return this.bytes(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);
  }

  /** A new label, to be put somewhere by {@link here}. */
  label(): number {
    return this.#labels.push(-1) - 1;
  }

  /** Puts a label at this place; without one, makes it. */
  here(label: number = this.label()): number {
    this.#labels[label] = this.#length;
    return label;
  }

  /** Fills with single-byte no-operations up to a multiple of `unit`. */
  align(unit: number): this {
    while (this.#length % unit !== 0) this.bytes(0x90);
    return this;
  }

  /** The finished code. */
  finish(): Uint8Array<ArrayBuffer> {
    const code = this.#code.slice(0, this.#length), view = new DataView(code.buffer);
    for (const { at, label } of this.#jumps) view.setInt32(at, this.#labels[label] - at - 4, true);
    return code;
  }

  /** ModRM, SIB and displacement. `unit`: what a displacement of one byte is counted in. */
  #operand(reg: number, rm: number | Mem, unit = 1): this {
    if (typeof rm === "number") return this.bytes(0xc0 | (reg & 7) << 3 | rm & 7);
    const { base, disp = 0, index, scale = 1 } = rm, low = base & 7;
    const short = disp % unit === 0 && disp / unit >= -128 && disp / unit <= 127;
    // base 5 without displacement means something else, base 4 is told by a SIB byte
    const mod = disp === 0 && low !== 5 ? 0 : short ? 1 : 2;
    const sib = index !== undefined || low === 4;
    this.bytes(mod << 6 | (reg & 7) << 3 | (sib ? 4 : low));
    if (sib) this.bytes(Math.log2(scale) << 6 | ((index ?? 4) & 7) << 3 | low);
    if (mod === 1) this.bytes((disp / unit) & 255);
    else if (mod === 2) this.#word(disp);
    return this;
  }

  /** An instruction on general registers; `wide` for 64 bits. */
  #general(opcode: readonly number[], reg: number, rm: number | Mem, wide: boolean): this {
    const b = typeof rm === "number" ? rm : rm.base, x = typeof rm === "number" ? 0 : rm.index ?? 0;
    const rex = (wide ? 8 : 0) | (reg >> 3) << 2 | (x >> 3) << 1 | b >> 3;
    if (rex !== 0) this.bytes(0x40 | rex);
    return this.bytes(...opcode).#operand(reg, rm);
  }

  /** `to = from` */
  move(to: number, from: number): this {
    return this.#general([0x89], from, to, true);
  }

  /** `to =` the 32 bits at `from`, the upper half 0. */
  load32(to: number, from: Mem): this {
    return this.#general([0x8b], to, from, false);
  }

  /** `to =` the signed 32 bits at `from`. */
  loadSigned(to: number, from: Mem): this {
    return this.#general([0x63], to, from, true);
  }

  /** Stores the lower 32 bits of `from`. */
  store32(to: Mem, from: number): this {
    return this.#general([0x89], from, to, false);
  }

  /** `to =` the 64 bits at `from` */
  load64(to: number, from: Mem): this {
    return this.#general([0x8b], to, from, true);
  }

  /** Stores 64 bits. */
  store64(to: Mem, from: number): this {
    return this.#general([0x89], from, to, true);
  }

  /** `to +=` the 64 bits at `from` */
  add64(to: number, from: Mem): this {
    return this.#general([0x03], to, from, true);
  }

  /** `to -=` the 64 bits at `from`; sets the flags. */
  sub64(to: number, from: Mem): this {
    return this.#general([0x2b], to, from, true);
  }

  /** `to *= from`, signed. */
  multiply(to: number, from: number): this {
    return this.#general([0x0f, 0xaf], to, from, true);
  }

  /** `to =` the address of `mem` */
  address(to: number, mem: Mem): this {
    return this.#general([0x8d], to, mem, true);
  }

  /** `to += from` */
  add(to: number, from: number): this {
    return this.#general([0x01], from, to, true);
  }

  /** `to -= from` */
  sub(to: number, from: number): this {
    return this.#general([0x29], from, to, true);
  }

  /** `to += value`; sets the flags. */
  addImmediate(to: number, value: number): this {
    return value >= -128 && value <= 127
      ? this.#general([0x83], 0, to, true).bytes(value & 255)
      : this.#general([0x81], 0, to, true).#word(value);
  }

  /** Compares with `value` as unsigned numbers of 64 bits, `value` below 2^31. */
  compare(reg: number, value: number): this {
    return value <= 127
      ? this.#general([0x83], 7, reg, true).bytes(value)
      : this.#general([0x81], 7, reg, true).#word(value);
  }

  /** Sets the flags for `reg & reg`. */
  test(reg: number): this {
    return this.#general([0x85], reg, reg, true);
  }

  /** `reg = 0` */
  zero(reg: number): this {
    return this.#general([0x31], reg, reg, false);
  }

  /** `reg = value`, unsigned, below 2^32. */
  set(reg: number, value: number): this {
    if (reg > 7) this.bytes(0x41);
    return this.bytes(0xb8 | reg & 7).#word(value);
  }

  push(reg: number): this {
    if (reg > 7) this.bytes(0x41);
    return this.bytes(0x50 | reg & 7);
  }

  pop(reg: number): this {
    if (reg > 7) this.bytes(0x41);
    return this.bytes(0x58 | reg & 7);
  }

  #jump(label: number): this {
    this.#jumps.push({ at: this.#length, label });
    return this.#word(0);
  }

  jump(label: number): this {
    return this.bytes(0xe9).#jump(label);
  }

  /** Jumps if a condition of {@link IF} holds. */
  jumpIf(condition: number, label: number): this {
    return this.bytes(0x0f, 0x80 | condition).#jump(label);
  }

  /** Asks for the cache line at `mem`, to be written; what is no memory is passed over. */
  prefetch(mem: Mem): this { // prefetchw
    return this.#general([0x0f, 0x0d], 1, mem, false);
  }

  /** Calls the code at a label. */
  call(label: number): this {
    return this.bytes(0xe8).#jump(label);
  }

  /** Where indirect jumps may lead. */
  landing(): this {
    return this.bytes(0xf3, 0x0f, 0x1e, 0xfa); // endbr64
  }

  return(): this {
    return this.bytes(0xc3);
  }

  /** Ends the use of wide vectors: code with narrow ones runs at full speed again. */
  zeroUpper(): this {
    return this.bytes(0xc5, 0xf8, 0x77);
  }

  /** `cpuid` of leaf eax, subleaf ecx: sets eax, ebx, ecx and edx. */
  cpuid(): this {
    return this.bytes(0x0f, 0xa2);
  }

  /** `edx:eax =` what the operating system saves, by register ecx. */
  xgetbv(): this {
    return this.bytes(0x0f, 0x01, 0xd0);
  }

  /** Sets mask register `k` from the lower 16 bits of `from`. */
  setMask(k: number, from: number): this {
    const head = from > 7 ? [0xc4, 0xc1, 0x78] : [0xc5, 0xf8];
    return this.bytes(...head, 0x92, 0xc0 | k << 3 | from & 7); // kmovw
  }

  /** Sets all 16 lanes of mask register `k`. */
  fillMask(k: number): this {
    return this.bytes(0xc5, 0x80 | (~k & 15) << 3 | 4, 0x46, 0xc0 | k << 3 | k); // kxnorw k, k, k
  }

  /** A vector instruction of three operands; `rm` may be memory. */
  vector(
    name: keyof typeof VECTOR,
    lanes: Lanes,
    reg: number,
    second: number,
    rm: number | Mem,
    { k = 0, zero = false, spread = false }: Masked & { readonly spread?: boolean } = {},
  ): this {
    const [map, prefix, opcode, w] = VECTOR[name];
    const mem = typeof rm !== "number";
    const b = mem ? rm.base : rm, x = mem ? rm.index ?? 0 : rm >> 1;
    const r = (~reg >> 3 & 1) << 7, notX = (~x >> 3 & 1) << 6, notB = (~b >> 3 & 1) << 5;
    if (lanes < 16) {
      const x = mem ? notX : 0x40, last = (~second & 15) << 3 | (lanes === 8 ? 4 : 0) | prefix;
      this.bytes(0xc4, r | x | notB | map, last, opcode);
      return this.#operand(reg, rm);
    }
    // the fifth bit of a vector index takes the place of the second register's
    const high = name === "gather" && mem ? rm.index! : second;
    const last = 2 << 5 | (zero ? 0x80 : 0) | (spread ? 0x10 : 0) | (~high >> 4 & 1) << 3 | k;
    this.bytes(
      0x62,
      r | notX | notB | (~reg >> 4 & 1) << 4 | map,
      w << 7 | (~second & 15) << 3 | 4 | prefix,
      last,
      opcode,
    );
    return this.#operand(reg, rm, name === "broadcast" || name === "gather" || spread ? 4 : 64);
  }

  /** `to =` the vector at `from` */
  vload(lanes: Lanes, to: number, from: number | Mem, masked: Masked = {}): this {
    return this.vector("load", lanes, to, 0, from, masked);
  }

  vstore(lanes: Lanes, to: Mem, from: number, masked: Masked = {}): this {
    return this.vector("store", lanes, from, 0, to, masked);
  }

  /** `to = 0` in all lanes. */
  vzero(lanes: Lanes, to: number): this {
    return this.vector("xor", lanes, to, to, to);
  }

  /** The number at `from` in all lanes. */
  vbroadcast(lanes: Lanes, to: number, from: Mem): this {
    return this.vector("broadcast", lanes, to, 0, from);
  }

  /** `sum += a * b` with one rounding. */
  vfma(lanes: Lanes, sum: number, a: number, b: number | Mem): this {
    return this.vector("fma", lanes, sum, a, b);
  }

  /** One number, the other lanes 0. */
  loadScalar(to: number, from: Mem): this {
    return this.#scalar(0x10, to, from);
  }

  /** Stores the first lane. */
  storeScalar(to: Mem, from: number): this {
    return this.#scalar(0x11, from, to);
  }

  #scalar(opcode: number, reg: number, mem: Mem): this { // vmovss
    const r = (~reg >> 3 & 1) << 7, x = (~(mem.index ?? 0) >> 3 & 1) << 6, b = (~mem.base >> 3 & 1) << 5;
    return this.bytes(0xc4, r | x | b | 1, 0x7a, opcode).#operand(reg, mem);
  }

  /** The upper half of `to`: the 4 lanes at `from`; the lower one of `low`. */
  insertHalf(to: number, low: number, from: Mem): this { // vinsertf128
    return this.#narrow(3, 1, 0x18, to, low, from).bytes(1);
  }

  /** Of each half of 4 lanes: two of `low`, then two of those at `high`; `which` has two bits for each. */
  shuffle(to: number, low: number, high: Mem, which: number): this { // vshufps, 8 lanes
    return this.#narrow(1, 0, 0xc6, to, low, high).bytes(which);
  }

  /** `to =` the four pairs of lanes of `from` in another order, two bits for each. */
  permutePairs(to: number, from: number, order: number): this { // vpermpd
    return this.#narrow(3, 0x81, 0x01, to, 0, from).bytes(order);
  }

  /** An instruction of 8 lanes, but for what follows its operands. `prefix`: of W and pp the bits in their places. */
  #narrow(map: number, prefix: number, opcode: number, reg: number, second: number, rm: number | Mem): this {
    const b = typeof rm === "number" ? rm : rm.base, x = typeof rm === "number" ? 0 : rm.index ?? 0;
    const head = (~reg >> 3 & 1) << 7 | (~x >> 3 & 1) << 6 | (~b >> 3 & 1) << 5 | map;
    return this.bytes(0xc4, head, (~second & 15) << 3 | 4 | prefix, opcode).#operand(reg, rm);
  }
}
