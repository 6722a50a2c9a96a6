/**
 * Writes a kernel's body: each needed instruction once, at the loop level where what it depends on is known.
 *
 * @module
 */
import { bytesPerElement, type ValueType } from "../../../base/dtype.ts";
import type { Inst, Store, View } from "../../contract.ts";
import { byteStrides, typesOf } from "./body.ts";
import { type Fn, MEM, OP, T } from "./code.ts";
import type { Context } from "./context.ts";
import { pushLoad } from "./loads.ts";
import type { Form, Lanes, Nest } from "./nest.ts";
import { pushBinary, pushCast, pushConst, pushUnary } from "./values.ts";

/** The forms of one load: its address and its guards. */
export interface LoadForms {
  readonly address: Form;
  readonly guards: readonly { readonly form: Form; readonly size: number }[];
}

/** How a body is to be written. */
export interface EmitterOptions {
  readonly body: readonly Inst[];
  readonly outs: readonly Store[];
  /** The axis along which lanes lie. */
  readonly lanesAxis: number;
  /** Number of axes that forms have strides for. */
  readonly axes: number;
  /** Instructions that are needed at all. */
  readonly needed: readonly boolean[];
  /** Pushes the value of a `segment` instruction, a vector. */
  readonly segment?: (inst: number) => void;
  /** Whether instructions (`reduce`, `acc`) that are given differ from lane to lane. */
  readonly givenVaries?: boolean;
  /** The view that `acc` is loaded from. */
  readonly acc?: View;
}

/** Emits the instructions of one kernel into one function. */
export class BodyEmitter {
  readonly types: readonly ValueType[];
  /** Locals of the values, by instruction. */
  readonly values: (number | undefined)[];
  /** Whether lanes differ. */
  readonly varies: boolean[] = [];
  readonly #forms: Map<number, LoadForms | Form> = new Map();
  readonly #outs: Form[];
  readonly #unique: Map<string, Form> = new Map();

  constructor(readonly nest: Nest, readonly context: Context, readonly options: EmitterOptions) {
    const { body, outs, needed } = options;
    this.types = typesOf(body);
    this.values = body.map(() => undefined);
    body.forEach((inst, i) => {
      this.varies.push(this.#varies(inst));
      if (!needed[i]) return;
      if (inst.k === "load") this.#forms.set(i, this.#loadForms(inst));
      if (inst.k === "acc" && options.acc !== undefined) this.#forms.set(i, this.addressForm(options.acc));
      if (inst.k === "coord") this.#forms.set(i, this.#plainForm(inst.offset, inst.strides));
    });
    this.#outs = outs.map(({ view }) => this.addressForm(view));
  }

  /** All forms, for the outermost loop to set. */
  get forms(): Form[] {
    return [...this.#unique.values()];
  }

  /** The forms that the given instructions use. */
  formsOf(insts: Iterable<number>): Form[] {
    const forms = new Set<Form>();
    for (const i of insts) {
      const found = this.#forms.get(i);
      if (found === undefined) continue;
      if ("address" in found) [found.address, ...found.guards.map(({ form }) => form)].forEach((f) => forms.add(f));
      else forms.add(found);
    }
    return [...forms];
  }

  /** The form of out `o`'s address. */
  outForm(o: number): Form {
    return this.#outs[o];
  }

  /** The form of a view's address; views of one memory layout share it. */
  addressForm(view: View): Form {
    const strides = this.#padded(byteStrides(view));
    const offset = view.offset * bytesPerElement(view.dtype);
    const key = `${view.slot}@${offset}d${view.dyn === undefined ? "" : `${view.dyn}x${bytesPerElement(view.dtype)}`}`;
    return this.form(`${key}:${strides}`, strides, (fn) => this.context.pushBase(fn, view));
  }

  /** A form under a key; the same key gives the same form. */
  form(key: string, strides: readonly number[], base: (fn: Fn) => void): Form {
    let form = this.#unique.get(key);
    if (form === undefined) {
      form = this.nest.form(strides, base);
      this.#unique.set(key, form);
    }
    return form;
  }

  #plainForm(offset: number, strides: readonly number[]): Form {
    const padded = this.#padded(strides);
    return this.form(`${offset}:${padded}`, padded, (fn) => fn.i32(offset));
  }

  #padded(strides: readonly number[]): readonly number[] {
    const { axes } = this.options;
    return strides.length === axes ? strides : [...strides, ...Array(axes - strides.length).fill(0)];
  }

  #loadForms(inst: Inst & { k: "load" }): LoadForms {
    const guards = (inst.guards ?? []).map(({ offset, strides, size }) => ({
      form: this.#plainForm(offset, strides),
      size,
    }));
    return { address: this.addressForm(inst.view), guards };
  }

  #varies(inst: Inst): boolean {
    const { lanesAxis, givenVaries = false } = this.options;
    const v = this.varies;
    switch (inst.k) {
      case "load":
        return inst.view.strides[lanesAxis] !== 0 || (inst.index !== undefined && v[inst.index.value]) ||
          (inst.guards ?? []).some(({ strides }) => strides[lanesAxis] !== 0);
      case "coord":
        return inst.strides[lanesAxis] !== 0;
      case "random":
        return v[inst.index];
      case "cast":
      case "unary":
        return v[inst.a];
      case "binary":
        return v[inst.a] || v[inst.b];
      case "select":
        return v[inst.cond] || v[inst.a] || v[inst.b];
      case "reduce":
      case "acc":
        return givenVaries;
      default:
        return false;
    }
  }

  /** Emits instruction `i` into a new local. */
  emit(i: number, lanes: Lanes): void {
    const { fn } = this.nest, local = fn.local(T.v128);
    this.#push(i, lanes, local);
    this.values[i] = local;
  }

  /** The local of instruction `i`, which must have been emitted. */
  value(i: number): number {
    const local = this.values[i];
    if (local === undefined) throw new Error(`Instruction ${i} is used before it is emitted`);
    return local;
  }

  #push(i: number, lanes: Lanes, local: number): void {
    const { fn } = this.nest, { body, lanesAxis } = this.options;
    const inst = body[i];
    switch (inst.k) {
      case "load":
        pushLoad(this, i, inst, this.#forms.get(i) as LoadForms, lanes, local);
        return;
      case "acc":
        this.#pushAcc(i, lanes);
        break;
      case "const":
        pushConst(fn, inst.value, inst.type);
        break;
      case "scalar":
        fn.i32(this.context.params + inst.word * 4).mem(MEM.v128Load32Splat);
        if (inst.type === "bool") fn.v128([0, 0, 0, 0]).op(OP.i32x4Ne);
        break;
      case "coord": {
        const s = inst.strides[lanesAxis];
        fn.get((this.#forms.get(i) as Form).local).op(OP.i32x4Splat);
        if (s !== 0 && lanes === 4) fn.v128([0, s, 2 * s, 3 * s]).op(OP.i32x4Add);
        break;
      }
      case "segment":
        this.options.segment?.(i);
        break;
      case "random":
        this.#pushRandom(inst);
        break;
      case "cast":
        pushCast(fn, this.types[inst.a], inst.type, this.value(inst.a));
        break;
      case "unary":
        pushUnary(fn, this.context, inst.op, this.types[inst.a], this.value(inst.a));
        break;
      case "binary":
        pushBinary(fn, this.context, inst.op, this.types[inst.a], this.value(inst.a), this.value(inst.b));
        break;
      case "select":
        fn.get(this.value(inst.a)).get(this.value(inst.b)).get(this.value(inst.cond)).op(OP.v128Bitselect);
        break;
      case "reduce":
        throw new Error("A reduction is not emitted as an instruction");
    }
    fn.set(local);
  }

  #pushAcc(i: number, lanes: Lanes): void {
    const { fn } = this.nest, form = this.#forms.get(i) as Form;
    fn.get(form.local).mem(lanes === 4 ? MEM.v128Load : MEM.v128Load32Splat);
  }

  #pushRandom(inst: Inst & { k: "random" }): void {
    const { fn } = this.nest, { params } = this.context;
    const name = ({ bits: "randomBits", uniform: "randomUniform", normal: "randomNormal" } as const)[inst.dist];
    fn.get(this.value(inst.index));
    for (const word of [inst.stream, inst.seed, inst.seed + 1]) fn.i32(params + word * 4).mem(MEM.i32Load);
    fn.call(this.context.math(name));
  }

  /** Stores out `o`. */
  store(o: number, lanes: Lanes): void {
    const { fn } = this.nest, { view, value } = this.options.outs[o];
    const form = this.#outs[o], stride = form.strides[this.options.lanesAxis];
    let local = this.value(value);
    if (this.types[value] === "bool") {
      const bit = fn.local(T.v128);
      fn.get(local).v128([1, 1, 1, 1]).op(OP.v128And).set(bit);
      local = bit;
    }
    const bytes = bytesPerElement(view.dtype);
    if (lanes === 4 && stride === bytes) fn.get(form.local).get(local).mem(MEM.v128Store);
    else {
      const count = stride === 0 ? 1 : lanes;
      for (let lane = 0; lane < count; lane++) {
        fn.get(form.local);
        if (lane > 0) fn.i32(stride * lane).op(OP.i32Add);
        fn.get(local).mem(MEM.v128Store32Lane, 0, lane);
      }
    }
  }
}

