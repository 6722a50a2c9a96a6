/**
 * Writes a WebAssembly module: imported functions and memory, our functions, exports.
 *
 * @module
 */
import { Bytes, type Fn } from "./code.ts";
import type { WasmType } from "./opcodes.ts";

/** A signature. */
export interface Signature {
  readonly params: readonly WasmType[];
  readonly results: readonly WasmType[];
}

interface Body extends Signature {
  readonly code: Uint8Array;
}

/** A module under construction. All imports come before the first {@link ModuleWriter.add}. */
export class ModuleWriter {
  readonly #types: Map<string, { index: number; sig: Signature }> = new Map();
  readonly #imports: { field: string; type: number }[] = [];
  readonly #bodies: { type: number; code: Uint8Array }[] = [];
  readonly #exports: { name: string; index: number }[] = [];
  readonly #shared: boolean;

  /** @param shared Whether the imported memory is shared. */
  constructor(shared: boolean) {
    this.#shared = shared;
  }

  /** Declares the function `k.<field>`; returns its index. */
  import(field: string, params: readonly WasmType[], results: readonly WasmType[] = []): number {
    this.#imports.push({ field, type: this.#type({ params, results }) });
    return this.#imports.length - 1;
  }

  /** Adds a function, exported if `name` is given; returns its index. */
  add(fn: Fn, name?: string): number {
    return this.addBody({ params: fn.params, results: fn.results, code: fn.encode().bytes() }, name);
  }

  /** Adds a function whose body (locals and code) is already encoded; returns its index. */
  addBody(body: Body, name?: string): number {
    this.#bodies.push({ type: this.#type(body), code: body.code });
    const index = this.#imports.length + this.#bodies.length - 1;
    if (name !== undefined) this.#exports.push({ name, index });
    return index;
  }

  /** The module's bytes. */
  encode(): Uint8Array<ArrayBuffer> {
    const out = new Bytes().raw(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    const types = new Bytes().leb(this.#types.size);
    for (const { sig } of this.#types.values()) {
      types.u8(0x60).leb(sig.params.length).raw(new Uint8Array(sig.params));
      types.leb(sig.results.length).raw(new Uint8Array(sig.results));
    }
    const imports = new Bytes().leb(this.#imports.length + 1);
    imports.name("k").name("memory").u8(2);
    // a least size: without one, engines check offsets within structures, too, and addresses that are known
    if (this.#shared) imports.u8(3).leb(1).leb(65536);
    else imports.u8(0).leb(1);
    for (const { field, type } of this.#imports) imports.name("k").name(field).u8(0).leb(type);
    const functions = new Bytes().leb(this.#bodies.length);
    const code = new Bytes().leb(this.#bodies.length);
    for (const body of this.#bodies) {
      functions.leb(body.type);
      code.leb(body.code.length).raw(body.code);
    }
    const exports = new Bytes().leb(this.#exports.length);
    for (const { name, index } of this.#exports) exports.name(name).u8(0).leb(index);
    const sections: [number, Bytes][] = [[1, types], [2, imports], [3, functions], [7, exports], [10, code]];
    for (const [id, bytes] of sections) out.u8(id).leb(bytes.length).raw(bytes.bytes());
    return out.bytes();
  }

  #type(sig: Signature): number {
    const key = `${sig.params.join()}>${sig.results.join()}`;
    const known = this.#types.get(key);
    if (known !== undefined) return known.index;
    const index = this.#types.size;
    this.#types.set(key, { index, sig });
    return index;
  }
}
