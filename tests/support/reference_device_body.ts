/**
 * Evaluation of a kernel's body over a block of its domain, one column of values per instruction.
 *
 * @module
 */
import type { ValueType } from "../../src/base/dtype.ts";
import type { Guard, Inst, Kernel, Store, View } from "../../src/device/contract.ts";
import { normalOf, philox, uniformOf } from "./math.ts";
import { type Column, fillAffine, type SlotMemory } from "./reference_device_memory.ts";
import { binaryFunction, castFunction, columnOf, reduceRange } from "./reference_device_ops.ts";
import { UNARY } from "./operations.ts";
import { bodyOf, domainOf, storesOf } from "./kernel_access.ts";
import { typesOf } from "./verify_program.ts";

/** What all kernels of a run share. */
export interface RunState {
  readonly memory: readonly SlotMemory[];
  /** The run's parameters as words. */
  params: Uint32Array;
  /** Counts kernel runs, so that the memory can tell this kernel's loads and stores from earlier ones. */
  kernelRun: number;
}

type Step = (start: number, count: number) => void;

/** A compiled body. `run` evaluates every instruction for domain elements `[start, start + count)`. */
export class Body {
  readonly types: readonly ValueType[];
  readonly columns: readonly Column[];
  readonly #steps: readonly Step[];
  readonly #addresses: Float64Array;
  readonly #forms: Float64Array;
  readonly #skip: Uint8Array;
  readonly #stored: ReadonlySet<number>;

  /**
   * @param capacity Most elements of a block.
   * @param rowSize Elements that load and store as one: a row in a reduce, else 1. Blocks begin at a row's start.
   */
  constructor(
    readonly kernel: Kernel,
    readonly where: string,
    readonly state: RunState,
    readonly capacity: number,
    readonly rowSize = 1,
  ) {
    this.types = typesOf(kernel, where);
    this.columns = this.types.map((type) => columnOf(type, capacity));
    this.#addresses = new Float64Array(capacity);
    this.#forms = new Float64Array(capacity);
    this.#skip = new Uint8Array(capacity);
    this.#stored = new Set(storesOf(kernel).map(({ view }) => view.slot));
    const { shape } = domainOf(kernel);
    this.#steps = bodyOf(kernel).map((inst, i) => this.#step(inst, i, shape));
  }

  run(start: number, count: number): void {
    for (const step of this.#steps) step(start, count);
  }

  /** Loads elements of `view` at coordinates `[start, start + count)` of `shape` into `out`; 0 where a guard fails. */
  gather(
    view: View,
    shape: readonly number[],
    start: number,
    count: number,
    out: Column,
    what: string,
    guards: readonly Guard[] = [],
  ): void {
    const form = this.resolve(view);
    const skip = guards.length > 0 ? this.#skip : undefined;
    for (let done = 0; done < count; done += this.capacity) {
      const now = Math.min(this.capacity, count - done);
      const target = done === 0 ? out : out.subarray(done);
      fillAffine(form, shape, start + done, now, this.#addresses);
      skip?.fill(0);
      for (const guard of guards) this.#markOutside(guard, shape, start + done, now, target);
      this.#load(view, start + done, now, target, `${this.where}, ${what}`, skip);
    }
  }

  #markOutside(guard: Guard, shape: readonly number[], start: number, count: number, out: Column): void {
    fillAffine(guard, shape, start, count, this.#forms);
    for (let j = 0; j < count; j++) {
      if (this.#forms[j] >= 0 && this.#forms[j] < guard.size) continue;
      this.#skip[j] = 1;
      out[j] = 0;
    }
  }

  /** Stores `out`'s value for elements `[start, start + count)` of the domain. */
  store(out: Store, start: number, count: number, what: string): void {
    const { shape } = domainOf(this.kernel);
    fillAffine(this.resolve(out.view), shape, start, count, this.#addresses);
    this.storeAt(out.view, this.#addresses, count, this.columns[out.value], what, this.#owner(start));
  }

  /** Stores `values` at `addresses`; `owner(i)` names the element or row that stores the i-th. */
  storeAt(
    view: View,
    addresses: Float64Array,
    count: number,
    values: Column,
    what: string,
    owner: (i: number) => number,
  ): void {
    const { memory, kernelRun } = this.state;
    memory[view.slot].store(view, addresses, count, values, `${this.where}, ${what}`, { kernelRun, owner });
  }

  /** The affine form of a view, its dynamic offset added. */
  resolve(view: View): { offset: number; strides: readonly number[] } {
    const dyn = view.dyn === undefined ? 0 : this.state.params[view.dyn];
    return { offset: view.offset + dyn, strides: view.strides };
  }

  #owner(start: number): (i: number) => number {
    const { rowSize } = this;
    return (i) => Math.floor((start + i) / rowSize);
  }

  #load(view: View, start: number, count: number, out: Column, where: string, skip?: Uint8Array): void {
    const { memory, kernelRun } = this.state;
    const owner = this.#stored.has(view.slot) ? this.#owner(start) : undefined;
    memory[view.slot].load(view, this.#addresses, count, out, where, { skip, kernelRun, owner });
  }

  #step(inst: Inst, i: number, shape: readonly number[]): Step {
    const out = this.columns[i];
    const { types, columns, state } = this;
    switch (inst.k) {
      case "load":
        return this.#loadStep(inst, out, shape, `instruction ${i} (load)`);
      case "const":
        out.fill(inst.value);
        return () => {};
      case "scalar": {
        const type = inst.type;
        return () => out.fill(wordAs(state.params[inst.word], type));
      }
      case "coord": {
        const forms = new Float64Array(this.capacity);
        return (start, count) => {
          fillAffine(inst, shape, start, count, forms);
          for (let j = 0; j < count; j++) out[j] = forms[j];
        };
      }
      case "segment":
        return (start, count) => {
          for (let j = 0, s = 0; j < count; j++) {
            while (s + 1 < inst.starts.length && inst.starts[s + 1] <= start + j) s++;
            out[j] = s;
          }
        };
      case "random":
        return (_, count) => fillRandom(inst, columns[inst.index], state.params, count, out);
      case "cast": {
        const [a, f] = [columns[inst.a], castFunction(types[inst.a], inst.type)];
        return (_, count) => {
          for (let j = 0; j < count; j++) out[j] = f(a[j]);
        };
      }
      case "unary": {
        const [a, f] = [columns[inst.a], UNARY[inst.op].ref];
        return (_, count) => {
          for (let j = 0; j < count; j++) out[j] = f(a[j]);
        };
      }
      case "binary": {
        const [a, b, f] = [columns[inst.a], columns[inst.b], binaryFunction(inst.op, types[inst.a])];
        return (_, count) => {
          for (let j = 0; j < count; j++) out[j] = f(a[j], b[j]);
        };
      }
      case "select": {
        const [cond, a, b] = [columns[inst.cond], columns[inst.a], columns[inst.b]];
        return (_, count) => {
          for (let j = 0; j < count; j++) out[j] = cond[j] ? a[j] : b[j];
        };
      }
      case "reduce": {
        const [a, rowSize] = [columns[inst.a], this.rowSize];
        return (_, count) => {
          for (let j = 0; j < count; j += rowSize) {
            out.fill(reduceRange(inst.kind, types[inst.a], a, j, j + rowSize), j, j + rowSize);
          }
        };
      }
      case "acc":
        return () => {}; // the matmul kernel has put it there
    }
  }

  #loadStep(inst: Inst & { k: "load" }, out: Column, shape: readonly number[], what: string): Step {
    const { view, guards, index } = inst;
    const where = `${this.where}, ${what}`;
    const [addresses, skip] = [this.#addresses, this.#skip];
    if (!index) return (start, count) => this.gather(view, shape, start, count, out, what, guards);
    return (start, count) => {
      fillAffine(this.resolve(view), shape, start, count, addresses);
      skip.fill(0);
      const values = this.columns[index.value];
      for (let j = 0; j < count; j++) {
        addresses[j] += values[j] * index.stride;
        if (values[j] >= 0 && values[j] < index.size) continue;
        skip[j] = 1;
        out[j] = NaN; // 0 in integer columns
      }
      for (const guard of guards ?? []) this.#markOutside(guard, shape, start, count, out);
      this.#load(view, start, count, out, where, skip);
    };
  }
}

const word = new Uint32Array(1);
const wordAsFloat = new Float32Array(word.buffer);

function wordAs(bits: number, type: ValueType): number {
  word[0] = bits;
  if (type === "bool") return bits !== 0 ? 1 : 0;
  return type === "f32" ? wordAsFloat[0] : bits;
}

function fillRandom(
  inst: Inst & { k: "random" },
  index: Column,
  params: Uint32Array,
  count: number,
  out: Column,
): void {
  const stream = params[inst.stream];
  const key: [number, number] = [params[inst.seed], params[inst.seed + 1]];
  for (let j = 0; j < count; j++) {
    const [x0, x1] = philox([index[j] >>> 0, stream, 0, 0], key);
    out[j] = inst.dist === "bits" ? x0 : inst.dist === "uniform" ? uniformOf(x0) : normalOf(x0, x1);
  }
}
