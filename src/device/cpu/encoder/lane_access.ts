/**
 * Loads and stores of four lanes, or of one: where a view's elements are while a loop runs over them.
 *
 * @module
 */
import { bytesPerElement, type Dtype } from "../../../base/dtype.ts";
import type { View } from "../../contract.ts";
import { type Fn, LANE, MEM, OP, T } from "./code.ts";
import type { MathLibrary } from "./math.ts";

/** What addresses are made of: a loop nest, and the locals that say where it is. */
export interface Position {
  /** Locals of the domain's coordinates; of the vector axis, that of the first lane. */
  readonly coords: readonly number[];
  /** Local with four times the coordinate along the innermost axis. */
  readonly position: number;
  /** The axis whose neighbours share a vector; -1 for none. */
  readonly vector: number;
  /** The axis of the innermost loop; -1 for none. */
  readonly inner: number;
}

/** An index that moves a lane's address: the local that holds it, and how it counts. */
interface LaneIndex {
  readonly local: number;
  readonly stride: number;
  readonly size: number;
}

/** Bytes of an element. */
export const widthOf: (dtype: Dtype) => number = bytesPerElement;

/** Writes loads and stores into a function whose first parameter is the address of the slot table. */
export class LaneAccess {
  readonly #f: Fn;
  readonly #at: Position;
  readonly #bases = new Map<string, number>();
  readonly #pointers = new Map<View, number>();
  readonly #address: number;
  readonly #math: MathLibrary;

  constructor(f: Fn, at: Position, math: MathLibrary) {
    this.#f = f;
    this.#math = math;
    this.#at = at;
    this.#address = f.local(T.i32);
  }

  /** Reads the addresses of the slots; at the start of the function. */
  prologue(views: readonly View[]): void {
    const f = this.#f;
    for (const view of views) {
      const key = `${view.slot} ${view.dyn} ${widthOf(view.dtype)}`;
      if (this.#bases.has(key)) continue;
      const base = f.local(T.i32);
      f.get(0).mem(MEM.i32Load, view.slot * 4);
      if (view.dyn !== undefined) {
        f.get(0).mem(MEM.i32Load).mem(MEM.i32Load, view.dyn * 4).i32(widthOf(view.dtype)).op(OP.i32Mul).op(OP.i32Add);
      }
      f.set(base);
      this.#bases.set(key, base);
    }
  }

  /** Keeps the address of the element at the current coordinates, 0 along the innermost axis. */
  point(view: View): void {
    const f = this.#f, { coords, inner } = this.#at;
    const pointer = this.#pointers.get(view) ?? f.local(T.i32);
    this.#pointers.set(view, pointer);
    const width = widthOf(view.dtype);
    f.get(this.#bases.get(`${view.slot} ${view.dyn} ${width}`)!);
    if (view.offset !== 0) f.i32(view.offset * width).op(OP.i32Add);
    view.strides.forEach((s, axis) => {
      if (s === 0 || axis === inner) return;
      f.get(coords[axis]).i32(s * width).op(OP.i32Mul).op(OP.i32Add);
    });
    f.set(pointer);
  }

  /** The local that {@link point} keeps a view's address in. */
  pointer(view: View): number {
    return this.#pointers.get(view)!;
  }

  /** Pushes the address of the first lane's element. */
  #push(view: View): void {
    const f = this.#f, { inner, position } = this.#at;
    f.get(this.pointer(view));
    const s = inner < 0 ? 0 : view.strides[inner];
    if (s === 0) return;
    f.get(position);
    this.#shrink(view);
    if (s !== 1) f.i32(s).op(OP.i32Mul);
    f.op(OP.i32Add);
  }

  /** From four times a number of elements, on the stack, to their bytes. */
  #shrink({ dtype }: View): void {
    const width = widthOf(dtype);
    if (width < 4) this.#f.i32(width === 1 ? 2 : 1).op(OP.i32ShrU);
  }

  /** From the bits of f16 in the lanes on the stack to f32, where the view has such. */
  widen({ dtype }: View): void {
    if (dtype === "f16") this.#f.call(this.#math.index("fromHalf"));
  }

  /** Bytes from one lane's element to the next. */
  #laneStep(view: View): number {
    return this.#at.vector < 0 ? 0 : view.strides[this.#at.vector] * widthOf(view.dtype);
  }

  /** Pushes the elements of all lanes, or of one in all lanes. */
  load(view: View, lanes: 4 | 1): void {
    this.#loadBits(view, lanes);
    this.widen(view);
  }

  #loadBits(view: View, lanes: 4 | 1): void {
    const f = this.#f;
    const step = lanes === 1 ? 0 : this.#laneStep(view);
    const width = widthOf(view.dtype);
    if (step === 0) {
      this.#push(view);
      if (width === 4) f.mem(MEM.v128Load32Splat);
      else f.mem(width === 1 ? MEM.i32Load8U : MEM.i32Load16U).op(OP.i32x4Splat);
    } else if (width === 4 && step === 4) {
      this.#push(view);
      f.mem(MEM.v128Load);
    } else if (width === 4 && step === 8) { // every second element: two vectors, of which the second ends with the last one
      this.#push(view);
      f.set(this.#address).get(this.#address).mem(MEM.v128Load).get(this.#address).mem(MEM.v128Load, 12);
      f.shuffle([0, 2, 5, 7]);
    } else if (width === 1 && step === 1) {
      this.#push(view);
      f.mem(MEM.v128Load32Zero).op(OP.i16x8ExtendLowU8).op(OP.i32x4ExtendLowU16);
    } else if (width === 2 && step === 2) {
      this.#push(view);
      f.mem(MEM.v128Load64Zero).op(OP.i32x4ExtendLowU16);
    } else {
      const out = f.local(T.v128), first = this.#lowest(view, 4);
      f.v128([0, 0, 0, 0]).set(out);
      for (let k = 0; k < 4; k++) this.#replace(view, out, k, k * step - first);
      f.get(out);
      f.release(out);
    }
  }

  /** Loads lane `k` into local `out`, of f16 its bits; with an index, only if that is in range. */
  loadLane(view: View, out: number, k: number, index: LaneIndex | null): void {
    const f = this.#f, step = this.#laneStep(view);
    const load = () => {
      this.#push(view);
      if (k * step !== 0) f.i32(k * step).op(OP.i32Add);
      if (index !== null) {
        f.get(index.local).lane(LANE.i32x4Extract, k).i32(index.stride * widthOf(view.dtype)).op(OP.i32Mul).op(
          OP.i32Add,
        );
      }
      f.set(this.#address);
      this.#replace(view, out, k, 0);
    };
    if (index === null) load();
    else f.get(index.local).lane(LANE.i32x4Extract, k).i32(index.size).op(OP.i32LtU).if(load);
  }

  /** Puts the element `offset` bytes from the kept address into lane `k` of local `out`. */
  #replace(view: View, out: number, k: number, offset: number): void {
    const f = this.#f;
    const width = widthOf(view.dtype);
    if (width < 4) {
      const load = width === 1 ? MEM.i32Load8U : MEM.i32Load16U;
      f.get(out).get(this.#address).mem(load, offset).lane(LANE.i32x4Replace, k).set(out);
    } else f.get(this.#address).get(out).mem(MEM.v128Load32Lane, offset, k).set(out);
  }

  /** Keeps the lowest address of the lanes, and tells its distance from the first lane's: the others' are offsets from it. */
  #lowest(view: View, lanes: number): number {
    const f = this.#f;
    const first = Math.min(0, (lanes - 1) * this.#laneStep(view));
    this.#push(view);
    if (first !== 0) f.i32(first).op(OP.i32Add);
    f.set(this.#address);
    return first;
  }

  /** Stores the first lane of local `value`, `position` bytes from where `view` points. */
  storeFirst(view: View, value: number): void {
    const f = this.#f;
    f.get(this.pointer(view)).get(this.#at.position);
    this.#shrink(view);
    f.op(OP.i32Add);
    if (view.dtype !== "f16") f.get(value).mem(MEM.v128Store32Lane, 0, 0);
    else f.get(value).call(this.#math.index("toHalf")).lane(LANE.i32x4Extract, 0).mem(MEM.i32Store16);
  }

  /** Stores local `value` at `view`: all lanes, or the first. */
  store(view: View, value: number, lanes: 4 | 1): void {
    if (view.dtype === "f16") return this.#storeHalf(view, value, lanes);
    const f = this.#f, step = this.#laneStep(view);
    if (lanes === 4 && step === 4) {
      this.#push(view);
      f.get(value).mem(MEM.v128Store);
      return;
    }
    const first = this.#lowest(view, lanes);
    for (let k = 0; k < lanes; k++) f.get(this.#address).get(value).mem(MEM.v128Store32Lane, k * step - first, k);
  }

  #storeHalf(view: View, value: number, lanes: 4 | 1): void {
    const f = this.#f, step = this.#laneStep(view), bits = f.local(T.v128);
    f.get(value).call(this.#math.index("toHalf")).set(bits);
    if (lanes === 4 && step === 2) {
      this.#push(view);
      f.get(bits).get(bits).op(OP.i16x8NarrowI32x4U).mem(MEM.v128Store64Lane, 0, 0);
    } else {
      const first = this.#lowest(view, lanes);
      for (let k = 0; k < lanes; k++) {
        f.get(this.#address).get(bits).lane(LANE.i32x4Extract, k).mem(MEM.i32Store16, k * step - first);
      }
    }
    f.release(bits);
  }
}
