/**
 * Bytes of WebAssembly: a growing buffer, and a function under construction with its locals and blocks.
 *
 * @module
 */
import { ATOMIC_STORE, LANE, MEM, OP, T, type WasmType } from "./opcodes.ts";

/** A growing byte buffer with the number formats of WebAssembly. */
export class Bytes {
  #data: Uint8Array<ArrayBuffer> = new Uint8Array(256);
  /** Bytes written so far. */
  length: number = 0;

  /** Appends one byte. */
  u8(byte: number): this {
    if (this.length === this.#data.length) this.#grow(1);
    this.#data[this.length++] = byte;
    return this;
  }

  /** Appends bytes. */
  raw(bytes: Uint8Array): this {
    if (this.length + bytes.length > this.#data.length) this.#grow(bytes.length);
    this.#data.set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  /** Appends an unsigned number below 2^32 in LEB128. */
  leb(value: number): this {
    let rest = value >>> 0;
    while (rest > 127) {
      this.u8((rest & 127) | 128);
      rest >>>= 7;
    }
    return this.u8(rest);
  }

  /** Appends a signed 32-bit number in LEB128. */
  sleb(value: number): this {
    let rest = value | 0;
    for (;;) {
      const low = rest & 127;
      rest >>= 7;
      if ((rest === 0 && !(low & 64)) || (rest === -1 && (low & 64))) return this.u8(low);
      this.u8(low | 128);
    }
  }

  /** Appends a name: its length and its bytes (ASCII). */
  name(text: string): this {
    this.leb(text.length);
    for (let i = 0; i < text.length; i++) this.u8(text.charCodeAt(i));
    return this;
  }

  /** What was written, as a view. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#data.subarray(0, this.length);
  }

  #grow(extra: number): void {
    const next = new Uint8Array(Math.max(this.#data.length * 2, this.length + extra));
    next.set(this.#data);
    this.#data = next;
  }
}

/** A function under construction. Instructions append to the stack machine's code and return `this`. */
export class Fn {
  readonly params: readonly WasmType[];
  readonly results: readonly WasmType[];
  readonly #locals: WasmType[] = [];
  readonly #free: Map<WasmType, number[]> = new Map();
  readonly #code: Bytes = new Bytes();

  /**
   * @param params Types of the parameters, which are the first locals.
   * @param results Types of the results, at most one.
   */
  constructor(params: readonly WasmType[], results: readonly WasmType[] = []) {
    this.params = params;
    this.results = results;
  }

  /** A local of type `type`; its content is whatever was there. */
  local(type: WasmType): number {
    const again = this.#free.get(type)?.pop();
    if (again !== undefined) return again;
    this.#locals.push(type);
    return this.params.length + this.#locals.length - 1;
  }

  /** Gives a local back, for another {@link local} of the same type. */
  release(local: number): void {
    const type = this.#locals[local - this.params.length];
    const list = this.#free.get(type) ?? [];
    list.push(local);
    this.#free.set(type, list);
  }

  /** Pushes a local. */
  get(local: number): this {
    this.#code.u8(0x20).leb(local);
    return this;
  }

  /** Pops into a local. */
  set(local: number): this {
    this.#code.u8(0x21).leb(local);
    return this;
  }

  /** Copies the top of the stack into a local. */
  tee(local: number): this {
    this.#code.u8(0x22).leb(local);
    return this;
  }

  /** Pushes an i32. */
  i32(value: number): this {
    this.#code.u8(0x41).sleb(value);
    return this;
  }

  /** Pushes a vector of four i32 lanes. */
  v128(lanes: readonly [number, number, number, number]): this {
    this.#code.u8(0xfd).leb(12);
    for (const lane of lanes) for (let s = 0; s < 32; s += 8) this.#code.u8((lane >>> s) & 255);
    return this;
  }

  /** Pushes four times the f32 `value`. */
  f32x4(value: number): this {
    const bits = floatBits(value);
    return this.v128([bits, bits, bits, bits]);
  }

  /** An instruction without immediates, of {@link OP}. */
  op(code: number): this {
    if (code < 0x100) this.#code.u8(code);
    else this.#code.u8(code >>> 16).leb(code & 0xffff);
    return this;
  }

  /** A load or store of {@link MEM}, `offset` bytes from the address on the stack. */
  mem(code: number, offset = 0, lane?: number): this {
    this.op(code);
    this.#code.u8(0).leb(offset); // alignment is a hint: 1 is always right
    if (lane !== undefined) this.#code.u8(lane);
    return this;
  }

  /** Stores the i32 on the stack at the address below it, for other threads to see with everything stored before. */
  atomicStore(): this {
    this.op(ATOMIC_STORE);
    this.#code.u8(2).leb(0); // alignment is no hint here: 4 bytes
    return this;
  }

  /** Extracts or replaces an i32 lane. */
  lane(code: (typeof LANE)[keyof typeof LANE], lane: number): this {
    this.op(code);
    this.#code.u8(lane);
    return this;
  }

  /** `i8x16.shuffle` that picks whole 32-bit lanes: 0 to 3 of the first operand, 4 to 7 of the second. */
  shuffle(lanes: readonly [number, number, number, number]): this {
    this.#code.u8(0xfd).leb(13);
    for (const lane of lanes) for (let b = 0; b < 4; b++) this.#code.u8(lane * 4 + b);
    return this;
  }

  /** Spreads the first lane of the vector on the stack over all lanes, into `local`. */
  shuffleSelf(local: number): this {
    return this.set(local).get(local).get(local).shuffle([0, 0, 0, 0]).set(local);
  }

  /** Calls function `index`. */
  call(index: number): this {
    this.#code.u8(0x10).leb(index);
    return this;
  }

  /** `if (top of stack) body else otherwise`. */
  if(body: () => void, otherwise?: () => void): this {
    this.#code.u8(0x04).u8(0x40);
    body();
    if (otherwise !== undefined) {
      this.#code.u8(0x05);
      otherwise();
    }
    this.#code.u8(0x0b);
    return this;
  }

  /** `do body while (condition)`; `condition` leaves an i32 on the stack. */
  doWhile(body: () => void, condition: () => void): this {
    this.#code.u8(0x03).u8(0x40);
    body();
    condition();
    this.#code.u8(0x0d).leb(0).u8(0x0b);
    return this;
  }

  /** `while (local < limit) { body; local += step }`, signed. */
  loop(local: number, limit: () => void, step: number, body: () => void): this {
    this.get(local);
    limit();
    return this.op(OP.i32LtS).if(() =>
      this.doWhile(body, () => {
        this.get(local).i32(step).op(OP.i32Add).tee(local);
        limit();
        this.op(OP.i32LtS);
      })
    );
  }

  /** Adds a constant to an i32 local. */
  bump(local: number, by: number): this {
    return this.get(local).i32(by).op(OP.i32Add).set(local);
  }

  /** The body as the code section holds it, without its size. */
  encode(): Bytes {
    const out = new Bytes();
    const runs: [WasmType, number][] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last !== undefined && last[0] === type) last[1]++;
      else runs.push([type, 1]);
    }
    out.leb(runs.length);
    for (const [type, count] of runs) out.leb(count).u8(type);
    return out.raw(this.#code.bytes()).u8(0x0b);
  }
}

const scratch = new DataView(new ArrayBuffer(4));

/** The bits of `value` rounded to f32. */
export function floatBits(value: number): number {
  scratch.setFloat32(0, value);
  return scratch.getInt32(0);
}

export { LANE, MEM, OP, T };
