/**
 * The pickle in a file that PyTorch wrote, read as data. A pickle is a program for a machine that builds objects; this one
 * knows the instructions that make numbers, texts, lists and dictionaries, and the few names that tensors are made by. Any
 * other instruction or name is refused, and nothing is ever imported or called.
 *
 * @module
 * @see https://docs.python.org/3/library/pickletools.html
 */

/** A name that the pickle refers to, such as `torch._utils._rebuild_tensor_v2`. */
export class Global {
  /** Takes the name, with its module. */
  constructor(readonly name: string) {}
}

/** What one of the known names makes of its arguments; {@link PickleRules} gives it. */
export type Made = object;

/** What the machine is allowed. */
export interface PickleRules {
  /** Whether a name may be referred to. */
  knows(name: string): boolean;
  /** What a name makes of arguments. */
  make(name: string, args: readonly unknown[]): unknown;
  /** What stands for a persistent id. */
  persistent(id: unknown): unknown;
}

/** A pickle that is not as it should be; the message says why, without the file's name. */
export class PickleFault extends Error {}

const fault = (why: string) => new PickleFault(why);

/** Instructions that are known and not carried out, for messages. */
const REFUSED: Readonly<Record<number, string>> = {
  0x69: "INST",
  0x6f: "OBJ",
  0x81: "NEWOBJ",
  0x82: "EXT1",
  0x83: "EXT2",
  0x84: "EXT4",
  0x50: "PERSID",
  0x91: "FROZENSET",
  0x92: "NEWOBJ_EX",
  0x96: "BYTEARRAY8",
  0x97: "NEXT_BUFFER",
  0x98: "READONLY_BUFFER",
};

const MARK = Symbol("mark");

/** Reads a pickle: dictionaries become Maps, lists and tuples arrays, whole numbers beyond 2^53 bigints. */
export function unpickle(bytes: Uint8Array, rules: PickleRules): unknown {
  return new Machine(bytes, rules).run();
}

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #rules: PickleRules;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  #at = 0;

  constructor(bytes: Uint8Array, rules: PickleRules) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#rules = rules;
  }

  run(): unknown {
    for (;;) {
      const op = this.#byte();
      if (op === 0x2e) { // STOP
        const result = this.#pop();
        if (this.#stack.length > 0) throw fault("it ends with values left over");
        return result;
      }
      this.#step(op);
    }
  }

  // --- bytes

  #take(n: number): Uint8Array {
    if (n > this.#bytes.length - this.#at) throw fault("it ends in the middle of an instruction");
    this.#at += n;
    return this.#bytes.subarray(this.#at - n, this.#at);
  }

  #byte(): number {
    return this.#take(1)[0];
  }

  #u16(): number {
    this.#take(2);
    return this.#view.getUint16(this.#at - 2, true);
  }

  #u32(): number {
    this.#take(4);
    return this.#view.getUint32(this.#at - 4, true);
  }

  #u64(): number {
    this.#take(8);
    return Number(this.#view.getBigUint64(this.#at - 8, true));
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw fault("it ends in the middle of an instruction");
    const text = this.#text(this.#take(end - this.#at));
    this.#at++;
    return text;
  }

  #text(bytes: Uint8Array): string {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw fault("it holds a text that is not UTF-8");
    }
  }

  // --- the stack

  #push(value: unknown): void {
    this.#stack.push(value);
  }

  #pop(): unknown {
    const value = this.#stack.length > 0 ? this.#stack.pop() : MARK;
    if (value === MARK) throw fault("an instruction lacks its operand");
    return value;
  }

  #top(): unknown {
    const value = this.#stack.at(-1);
    if (this.#stack.length === 0 || value === MARK) throw fault("an instruction lacks its operand");
    return value;
  }

  #toMark(): unknown[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) throw fault("an instruction lacks its mark");
    return this.#stack.splice(at).slice(1);
  }

  #tuple(n: number): void {
    const items = Array.from({ length: n }, () => this.#pop());
    this.#push(items.reverse());
  }

  #remember(key: number): void {
    this.#memo.set(key, this.#top());
  }

  #recall(key: number): void {
    if (!this.#memo.has(key)) throw fault("it refers to a value that it has not made");
    this.#push(this.#memo.get(key));
  }

  #setItems(items: readonly unknown[]): void {
    const map = this.#top();
    if (!(map instanceof Map) || items.length % 2 !== 0) throw fault("it sets items of what is no dictionary");
    for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
  }

  #append(items: readonly unknown[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw fault("it appends to what is no list");
    for (const item of items) list.push(item);
  }

  #global(name: string): void {
    if (!this.#rules.knows(name)) throw fault(`it refers to ${name.slice(0, 200)}`);
    this.#push(new Global(name));
  }

  #step(op: number): void {
    switch (op) {
      case 0x80: // PROTO
        if (this.#byte() > 5) throw fault("its protocol is newer than 5");
        return;
      case 0x95: // FRAME
        this.#u64();
        return;
      case 0x28: // MARK
        return this.#push(MARK);
      case 0x30: // POP
        this.#stack.pop();
        return;
      case 0x31: // POP_MARK
        this.#toMark();
        return;
      case 0x32: // DUP
        return this.#push(this.#top());
      case 0x7d: // EMPTY_DICT
        return this.#push(new Map());
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
      case 0x8f: // EMPTY_SET
        return this.#push([]);
      case 0x74: // TUPLE
      case 0x6c: // LIST
        return this.#push(this.#toMark());
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#tuple(op - 0x84);
      case 0x64: { // DICT
        const items = this.#toMark();
        this.#push(new Map());
        return this.#setItems(items);
      }
      case 0x73: { // SETITEM
        const value = this.#pop(), key = this.#pop();
        return this.#setItems([key, value]);
      }
      case 0x75: // SETITEMS
        return this.#setItems(this.#toMark());
      case 0x61: { // APPEND
        const value = this.#pop();
        return this.#append([value]);
      }
      case 0x65: // APPENDS
      case 0x90: // ADDITEMS
        return this.#append(this.#toMark());
      case 0x63: { // GLOBAL
        const module = this.#line();
        return this.#global(`${module}.${this.#line()}`);
      }
      case 0x93: { // STACK_GLOBAL
        const name = this.#pop(), module = this.#pop();
        if (typeof name !== "string" || typeof module !== "string") throw fault("a name in it is no text");
        return this.#global(`${module}.${name}`);
      }
      case 0x52: { // REDUCE
        const args = this.#pop(), callee = this.#pop();
        if (!(callee instanceof Global) || !Array.isArray(args)) throw fault("it calls what is no name");
        return this.#push(this.#rules.make(callee.name, args));
      }
      case 0x62: { // BUILD: what is set on an object beside its contents, such as the versions of a state's modules
        this.#pop();
        const on = this.#top();
        if (on instanceof Map || typeof on === "object" && on !== null && !(on instanceof Global)) return;
        throw fault("it sets the state of what has none");
      }
      case 0x51: // BINPERSID
        return this.#push(this.#rules.persistent(this.#pop()));
      default:
        return this.#scalar(op);
    }
  }

  #scalar(op: number): void {
    switch (op) {
      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
      case 0x89: // NEWFALSE
        return this.#push(op === 0x88);
      case 0x4b: // BININT1
        return this.#push(this.#byte());
      case 0x4d: // BININT2
        return this.#push(this.#u16());
      case 0x4a: // BININT
        return this.#push(this.#u32() | 0);
      case 0x8a: // LONG1
        return this.#push(whole(this.#take(this.#byte())));
      case 0x49: // INT
      case 0x4c: { // LONG
        const text = this.#line();
        if (op === 0x49 && (text === "00" || text === "01")) return this.#push(text === "01");
        if (!/^-?\d{1,300}L?$/.test(text)) throw fault("a number in it is none");
        return this.#push(narrowed(BigInt(text.replace("L", ""))));
      }
      case 0x47: // BINFLOAT
        this.#take(8);
        return this.#push(this.#view.getFloat64(this.#at - 8, false));
      case 0x46: // FLOAT
        return this.#push(Number(this.#line()));
      case 0x58: // BINUNICODE
        return this.#push(this.#text(this.#take(this.#u32())));
      case 0x8c: // SHORT_BINUNICODE
        return this.#push(this.#text(this.#take(this.#byte())));
      case 0x8d: // BINUNICODE8
        return this.#push(this.#text(this.#take(this.#u64())));
      case 0x54: // BINSTRING
        return this.#push(this.#text(this.#take(this.#u32())));
      case 0x55: // SHORT_BINSTRING
        return this.#push(this.#text(this.#take(this.#byte())));
      case 0x42: // BINBYTES
        return this.#push(this.#take(this.#u32()));
      case 0x43: // SHORT_BINBYTES
        return this.#push(this.#take(this.#byte()));
      case 0x68: // BINGET
        return this.#recall(this.#byte());
      case 0x6a: // LONG_BINGET
        return this.#recall(this.#u32());
      case 0x71: // BINPUT
        return this.#remember(this.#byte());
      case 0x72: // LONG_BINPUT
        return this.#remember(this.#u32());
      case 0x94: // MEMOIZE
        return this.#remember(this.#memo.size);
      default: {
        const hex = `0x${op.toString(16).padStart(2, "0")}`;
        throw fault(`it has the instruction ${REFUSED[op] === undefined ? hex : `${REFUSED[op]} (${hex})`}`);
      }
    }
  }
}

/** A little-endian number in two's complement. */
function whole(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = value << 8n | BigInt(bytes[i]);
  if (bytes.length > 0 && bytes[bytes.length - 1] > 127) value -= 1n << BigInt(8 * bytes.length);
  return narrowed(value);
}

function narrowed(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
