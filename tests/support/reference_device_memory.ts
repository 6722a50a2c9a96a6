/**
 * The reference device's memory during a run: every load and store is checked against the contract.
 *
 * @module
 */
import { bytesPerElement, type Dtype } from "../../src/base/dtype.ts";
import { floatToHalf, halfToFloat, roundToHalf } from "../../src/base/half.ts";
import type { Slot, View } from "../../src/device/contract.ts";
import { fail } from "./kernel_access.ts";

/** Values of one instruction, or elements of one view, over a block of a domain. */
export type Column = Float32Array | Int32Array | Uint32Array;

/** Contents of memory that nobody has written: a NaN, so that reading it too early shows even where no check sees it. */
export const GARBAGE = 0x7fc00000;

/** One slot of a run, seen as each type, with the books that the checks need. */
export class SlotMemory {
  readonly #slot: Slot;
  readonly #name: string;
  #views: Record<Dtype, Column | Uint8Array | Uint16Array>;
  /** For temporaries: whether a word has been written in this run. */
  readonly #filled: Uint8Array | undefined;
  /** Number of the kernel run that stored a word last, and that loaded it last, and which element or row loaded it. */
  readonly #storedIn: Int32Array;
  readonly #loadedIn: Int32Array;
  readonly #loadedBy: Int32Array;

  /** `written` and temporary slots get books; others are only checked for their bounds. */
  constructor(slot: Slot, index: number) {
    this.#slot = slot;
    this.#name = `slot ${index}`;
    const bytes = slot.written ? Math.ceil(slot.bytes / 4) * 4 : 0;
    const elements = bytes / 2; // of f16, or more than there are of others
    this.#views = viewsOf(new ArrayBuffer(slot.kind === "temporary" ? bytes : 0));
    this.#filled = slot.kind === "temporary" ? new Uint8Array(elements) : undefined;
    this.#storedIn = new Int32Array(elements);
    this.#loadedIn = new Int32Array(elements);
    this.#loadedBy = new Int32Array(elements);
  }

  /** Binds a bound slot or the parameters to this run's bytes. */
  bind(buffer: ArrayBuffer): void {
    this.#views = viewsOf(buffer);
  }

  /** Makes a temporary's contents garbage, as at the start of every run. */
  spoil(): void {
    if (!this.#filled) return;
    this.#filled.fill(0);
    this.#views.u32.fill(GARBAGE);
  }

  /** Elements of `dtype` that the slot holds. */
  length(dtype: Dtype): number {
    return Math.floor(this.#slot.bytes / bytesPerElement(dtype));
  }

  /**
   * Loads the elements at `addresses[0..count)` into `out`, skipping those whose `skip` is set.
   *
   * @param owner Which element or row of the domain loads the i-th of them; given where the kernel also stores here.
   */
  load(
    view: View,
    addresses: Float64Array,
    count: number,
    out: Column,
    where: string,
    options: { skip?: Uint8Array; kernelRun: number; owner?: (i: number) => number },
  ): void {
    const { skip, kernelRun, owner } = options;
    const data = this.#views[view.dtype];
    const size = this.length(view.dtype);
    const shift = view.dtype === "u8" ? 2 : 0;
    const filled = this.#filled;
    for (let i = 0; i < count; i++) {
      if (skip?.[i]) continue;
      const at = addresses[i];
      if (!(at >= 0 && at < size)) this.#outside(at, view.dtype, "loads", where);
      if (filled && filled[at >> shift] === 0) {
        fail(where, `it loads element ${at} of temporary ${this.#name} before it is written`);
      }
      if (owner) this.#noteLoad(at >> shift, owner(i), kernelRun, where);
      const value = view.dtype === "f16" ? halfToFloat(Uint16Array.of(data[at]))[0] : data[at];
      if (view.dtype === "bool" && value > 1) {
        fail(where, `element ${at} of ${this.#name} is ${value}, which is no bool`);
      }
      out[i] = value;
    }
  }

  #noteLoad(word: number, by: number, kernelRun: number, where: string): void {
    if (this.#storedIn[word] === kernelRun) {
      fail(where, `it loads word ${word} of ${this.#name}, which an earlier element of the same kernel has stored`);
    }
    const again = this.#loadedIn[word] === kernelRun;
    this.#loadedBy[word] = again && this.#loadedBy[word] !== by ? SEVERAL : by;
    this.#loadedIn[word] = kernelRun;
  }

  /** Stores `values[i]` at `addresses[i]`; `owner(i)` is the element or row that does it. */
  store(
    view: View,
    addresses: Float64Array,
    count: number,
    values: Column,
    where: string,
    options: { kernelRun: number; owner: (i: number) => number },
  ): void {
    const { kernelRun, owner } = options;
    const data = this.#views[view.dtype];
    const size = this.length(view.dtype);
    for (let i = 0; i < count; i++) {
      const at = addresses[i];
      if (!(at >= 0 && at < size)) this.#outside(at, view.dtype, "stores", where);
      if (this.#storedIn[at] === kernelRun) fail(where, `it stores element ${at} of ${this.#name} twice`);
      if (this.#loadedIn[at] === kernelRun && this.#loadedBy[at] !== owner(i)) {
        const by = this.#loadedBy[at] === SEVERAL ? "several" : `element or row ${this.#loadedBy[at]}`;
        fail(where, `${owner(i)} stores element ${at} of ${this.#name}, which ${by} loaded in the same kernel`);
      }
      this.#storedIn[at] = kernelRun;
      if (this.#filled) this.#filled[at] = 1;
      if (view.dtype !== "f16") data[at] = values[i];
      else if (Object.is(roundToHalf(values[i]), values[i])) data[at] = floatToHalf(Float32Array.of(values[i]))[0];
      else fail(where, `it stores ${values[i]} in ${this.#name}, which is no number of f16`);
    }
  }

  #outside(at: number, dtype: Dtype, verb: string, where: string): never {
    fail(where, `it ${verb} element ${at} of ${this.#name}, which holds ${this.length(dtype)} of ${dtype}`);
  }
}

const SEVERAL = -1;

function viewsOf(buffer: ArrayBuffer): Record<Dtype, Column | Uint8Array | Uint16Array> {
  const u32 = new Uint32Array(buffer);
  return {
    f32: new Float32Array(buffer),
    i32: new Int32Array(buffer),
    u32,
    bool: u32,
    u8: new Uint8Array(buffer),
    f16: new Uint16Array(buffer),
  };
}

/**
 * Writes `offset + sum(c[i] * strides[i])` for `count` coordinates of `shape` in row-major order from the `start`-th on.
 */
export function fillAffine(
  form: { readonly offset: number; readonly strides: readonly number[] },
  shape: readonly number[],
  start: number,
  count: number,
  out: Float64Array,
): void {
  const { offset, strides } = form;
  const rank = shape.length;
  if (rank === 0) {
    out[0] = offset;
    return;
  }
  const coord = new Array<number>(rank);
  let base = offset; // of the coordinate with its last axis at 0
  for (let axis = rank - 1, rest = start; axis >= 0; axis--) {
    coord[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
    if (axis < rank - 1) base += coord[axis] * strides[axis];
  }
  const [last, step] = [shape[rank - 1], strides[rank - 1]];
  for (let i = 0, c = coord[rank - 1]; i < count; c = 0) {
    for (; c < last && i < count; c++) out[i++] = base + c * step;
    for (let axis = rank - 2; axis >= 0; axis--) {
      base += strides[axis];
      if (++coord[axis] < shape[axis]) break;
      base -= shape[axis] * strides[axis];
      coord[axis] = 0;
    }
  }
}
