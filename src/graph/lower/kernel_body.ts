/**
 * Writes the body of one kernel: follows expressions from stored values down to memory, composing views into addresses.
 *
 * @module
 */
import { type Dtype, type ValueType, valueType } from "../../base/dtype.ts";
import type { Shape } from "../../base/shape.ts";
import type { Guard, View } from "../../device/contract.ts";
import { isWidening } from "../elementwise.ts";
import { Emitter } from "../emitter.ts";
import { ARRAY, CONST, COORD, DISTRIBUTIONS, LEAF, RANDOM, SCALAR, SEGMENT } from "../leaves.ts";
import { GATHER } from "../products.ts";
import { EXPAND, PAD, PERMUTE, RESHAPE, SLICE } from "../views.ts";
import { outsideOf, SHEAR, WINDOWS, windowSpec } from "../windows.ts";
import {
  addForms,
  addressForm,
  axisForms,
  broadcastCoords,
  type Coords,
  type Form,
  fromForms,
  reach,
  reshapeCoords,
  sameForm,
  scaleForm,
  zeroForm,
} from "./coords.ts";
import { isFilled, type Item } from "./graph.ts";

/** Thrown when a value cannot be computed in place and must be stored by a kernel of its own first. */
export class MustStore extends Error {
  /** @param item The value to store. */
  constructor(readonly item: Item) {
    super("a value must be stored");
  }
}

/** Thrown when two values cannot share a kernel. */
export class CannotShare extends Error {}

/** Where stored values and leaves lie while kernels are being formed: slots are virtual until memory is planned. */
export interface Places {
  /** Virtual slot of a stored item. */
  slotOf(item: Item): number;
  /** Virtual slot of collected storage `i`. */
  storageSlot(i: number): number;
  /** First parameter word of a scalar or array leaf. */
  wordOf(item: Item): number;
  /** Parameter word that holds the start of collected storage `i`, if it lies in a pool. */
  dynOf(i: number): number | undefined;
}

/** A value computed in the kernel: its instruction, and the row-major index of its element. */
interface Local {
  readonly inst: number;
  readonly at: Form;
}

/** Memory as strides over an item's axes. */
interface StridedItem {
  readonly slot: number;
  readonly dtype: Dtype;
  readonly offset: number;
  readonly strides: readonly number[];
  readonly dyn?: number;
}

/** The body of one kernel over `domain`. */
export class KernelBody {
  readonly e = new Emitter();
  readonly domain: Shape;
  readonly #places: Places;
  readonly #locals = new Map<Item, Local>();

  constructor(domain: Shape, places: Places) {
    this.domain = domain;
    this.#places = places;
  }

  /** Names `item`'s value, computed in this kernel at `coords`. */
  setLocal(item: Item, inst: number, coords: Coords): void {
    this.#locals.set(item, { inst, at: addressForm(coords, item.shape, this.domain.length) });
  }

  /** The instruction that holds `item`'s value at `coords`; `force` computes it even if it is a stored value. */
  value(item: Item, coords: Coords, force = false, below: Item | null = null): number {
    const { e } = this;
    const rank = this.domain.length;
    const known = this.#locals.get(item);
    if (known !== undefined) {
      if (coords.guards.length > 0 || !sameForm(known.at, addressForm(coords, item.shape, rank), this.domain)) {
        throw new CannotShare();
      }
      return known.inst;
    }
    if (item.stored && !force) return this.#load(item, this.#places.slotOf(item), 0, coords, undefined);
    switch (item.op) {
      case LEAF: {
        const { storage } = item;
        return this.#load(
          item,
          this.#places.storageSlot(storage),
          item.node.offset,
          coords,
          this.#places.dynOf(storage),
        );
      }
      case ARRAY:
        return this.#load(item, 0, this.#places.wordOf(item), coords, undefined);
      case CONST:
        return e.constant(item.node.value, item.dtype as ValueType);
      case SCALAR:
        return e.scalar(this.#places.wordOf(item), item.dtype as ValueType);
      case COORD: {
        const form = this.#forms(item, coords, below)[item.node.attr[0]];
        return e.coord(form.offset, form.strides);
      }
      case SEGMENT: {
        const at = addressForm(coords, item.shape, rank);
        const flat = rank === 1 && at.offset === 0 && at.strides[0] === 1;
        if (!flat && item.node.attr.length > 1) throw new MustStore(item);
        return e.segment(item.node.attr);
      }
      case RANDOM: {
        const at = addressForm(coords, item.shape, rank);
        const [key, stream] = item.inputs;
        const index = e.coord(at.offset, at.strides);
        return e.random(DISTRIBUTIONS[item.node.attr[0]], this.#places.wordOf(key), this.#places.wordOf(stream), index);
      }
      case GATHER:
        return this.#gather(item, coords, below);
    }
    if (item.op.kind === "view") return this.#view(item, coords, below);
    if (item.op.emit === undefined) throw new MustStore(item);
    const args = item.inputs.map((input) => {
      const at = broadcastCoords(coords, item.shape, input.shape, this.domain);
      if (at === null) throw this.#blocked(below);
      return this.value(input, at, false, below);
    });
    const inst = item.op.emit(e, args, item.node);
    return item.dtype === "f16" ? e.half(inst) : inst;
  }

  /** The value, or `outside` where a guard fails. A load gives 0 there by itself. */
  #guarded(inst: number, guards: readonly Guard[], outside: number): number {
    const { e } = this;
    if (outside === 0 && e.body[inst].k === "load") return inst;
    let value = inst;
    for (const g of guards) {
      const c = e.coord(g.offset, g.strides);
      const inside = e.binary(
        "and",
        e.binary("ge", c, e.constant(0, "i32")),
        e.binary("lt", c, e.constant(g.size, "i32")),
      );
      value = e.select(inside, value, e.constant(outside, e.type(inst)));
    }
    return value;
  }

  #load(item: Item, slot: number, start: number, coords: Coords, dyn: number | undefined): number {
    const at = addressForm(coords, item.shape, this.domain.length);
    // an element that a guard rules out may lie anywhere: the device does not touch it
    const view = this.view(slot, item.dtype, { offset: at.offset + start, strides: at.strides }, dyn);
    return this.e.load(view, valueType(item.dtype), coords.guards);
  }

  /** A view of a slot; stored bytes are only ever leaves. */
  view(slot: number, dtype: Dtype, at: Form, dyn?: number): View {
    return { slot, dtype, offset: at.offset, strides: at.strides, ...(dyn === undefined ? {} : { dyn }) };
  }

  #forms(item: Item, coords: Coords, below: Item | null): Form[] {
    const forms = axisForms(coords, item.shape, this.domain);
    if (forms === null) throw this.#blocked(below);
    return forms;
  }

  /** Coordinates that cannot be split: the value under the reshape that merged them must be stored. */
  #blocked(below: Item | null): Error {
    return below === null ? new CannotShare() : new MustStore(below);
  }

  #view(item: Item, coords: Coords, below: Item | null): number {
    const [input] = item.inputs;
    const { attr } = item.node;
    const rank = this.domain.length;
    switch (item.op) {
      case RESHAPE:
        return this.value(input, reshapeCoords(coords, item.shape, input.shape), false, input);
      case EXPAND: {
        const at = broadcastCoords(coords, item.shape, input.shape, this.domain);
        if (at === null) throw this.#blocked(below);
        return this.value(input, at, false, below);
      }
      case PERMUTE: {
        const forms = this.#forms(item, coords, below);
        const at = new Array<Form>(forms.length);
        attr.forEach((axis, i) => at[axis] = forms[i]);
        return this.value(input, fromForms(input.shape, at, coords.guards), false, below);
      }
      case SLICE: {
        const n = input.shape.length;
        const forms = this.#forms(item, coords, below);
        const at = forms.map((f, a) =>
          item.shape[a] === 1 ? { ...zeroForm(rank), offset: attr[a] } : scaleForm(f, attr[n + a], attr[a])
        );
        return this.value(input, fromForms(input.shape, at, coords.guards), false, below);
      }
      case PAD: {
        const at = this.#forms(item, coords, below).map((form, a) => scaleForm(form, 1, -attr[a]));
        return this.#within(input, at, coords, below);
      }
      case WINDOWS: {
        const { stride, before, dilation } = windowSpec(attr);
        const d = stride.length;
        const lead = input.shape.length - d;
        const forms = this.#forms(item, coords, below);
        const at = forms.slice(0, lead);
        for (let i = 0; i < d; i++) {
          const place = scaleForm(forms[lead + 2 * i], stride[i], -before[i]);
          at.push(addForms(place, forms[lead + 2 * i + 1], dilation[i]));
        }
        return this.#within(input, at, coords, below, outsideOf(attr));
      }
      case SHEAR: {
        const [axis, shift, slope] = attr;
        const at = [...this.#forms(item, coords, below)];
        at[axis] = addForms(scaleForm(at[axis], 1, shift), at[axis + 1], -slope);
        return this.#within(input, at, coords, below);
      }
    }
    throw new Error(`The view ${item.op.name} has no rule`);
  }

  /** `input` at `at`, `outside` where that lies outside of it. */
  #within(input: Item, at: readonly Form[], coords: Coords, below: Item | null, outside = 0): number {
    const guards: Guard[] = [];
    at.forEach((form, axis) => {
      const size = input.shape[axis];
      const [low, high] = reach(form, this.domain);
      if (low < 0 || high >= size) guards.push({ ...form, size });
    });
    const inner = this.value(input, fromForms(input.shape, at, [...coords.guards, ...guards]), false, below);
    return this.#guarded(inner, guards, outside);
  }

  /** Memory of `item` as strides over its axes; throws what must be stored for there to be such strides. */
  strided(item: Item): StridedItem {
    if (this.#locals.has(item)) throw new CannotShare(); // computed in this kernel: not in memory yet
    if (item.stored || item.op === LEAF || item.op === ARRAY) {
      const strides = new Array<number>(item.shape.length);
      for (let i = item.shape.length - 1, s = 1; i >= 0; s *= item.shape[i--]) strides[i] = s;
      if (item.stored) return { slot: this.#places.slotOf(item), dtype: item.dtype, offset: 0, strides };
      if (item.op === ARRAY) return { slot: 0, dtype: item.dtype, offset: this.#places.wordOf(item), strides };
      const dyn = this.#places.dynOf(item.storage);
      return {
        slot: this.#places.storageSlot(item.storage),
        dtype: item.dtype,
        offset: item.node.offset,
        strides,
        ...(dyn === undefined ? {} : { dyn }),
      };
    }
    const { attr } = item.node;
    if (isWidening(item.op, item)) return this.strided(item.inputs[0]); // kernels read f16 as f32 themselves
    if (item.op.kind !== "view" || isFilled(item.op)) throw new MustStore(item);
    const [input] = item.inputs;
    const base = this.strided(input);
    switch (item.op) {
      case PERMUTE:
        return { ...base, strides: attr.map((axis) => base.strides[axis]) };
      case EXPAND: {
        const lead = item.shape.length - input.shape.length;
        return {
          ...base,
          strides: item.shape.map((n, i) => i < lead || input.shape[i - lead] !== n ? 0 : base.strides[i - lead]),
        };
      }
      case SLICE: {
        const n = input.shape.length;
        let { offset } = base;
        base.strides.forEach((s, a) => offset += s * attr[a]);
        return { ...base, offset, strides: base.strides.map((s, a) => s * attr[n + a]) };
      }
      default: { // reshape: strides exist where whole runs of axes lie evenly
        const strides = restride(base.strides, input.shape, item.shape);
        if (strides === null) throw new MustStore(input);
        return { ...base, strides };
      }
    }
  }

  #gather(item: Item, coords: Coords, below: Item | null): number {
    const [x, index] = item.inputs;
    const [axis] = item.node.attr;
    const base = this.strided(x);
    const forms = this.#forms(item, coords, below);
    let at: Form = { ...zeroForm(this.domain.length), offset: base.offset };
    forms.forEach((f, a) => {
      if (a !== axis && item.shape[a] !== 1) at = addForms(at, f, base.strides[a]);
    });
    const where = broadcastCoords(coords, item.shape, index.shape, this.domain);
    if (where === null) throw this.#blocked(below);
    const value = this.e.cast(this.value(index, where, false, below), "i32");
    return this.e.load(
      this.view(base.slot, base.dtype, at, base.dyn),
      valueType(base.dtype),
      coords.guards,
      { value, stride: base.strides[axis], size: x.shape[axis] },
    );
  }
}

/** Strides under another shape of the same elements, without moving them; null where there are none. */
export function restride(strides: readonly number[], from: Shape, to: Shape): number[] | null {
  const out = new Array<number>(to.length).fill(0);
  const axes = from.map((n, i) => ({ n, s: strides[i] })).filter((a) => a.n !== 1);
  let i = 0, j = 0;
  while (i < axes.length) {
    while (j < to.length && to[j] === 1) j++;
    let left = axes[i].n, right = to[j];
    let lastAxis = i, lastTo = j;
    while (left !== right) {
      if (left < right) left *= axes[++lastAxis].n;
      else right *= to[++lastTo];
    }
    for (let a = i; a < lastAxis; a++) if (axes[a].s !== axes[a + 1].s * axes[a + 1].n) return null;
    let s = axes[lastAxis].s;
    for (let t = lastTo; t >= j; t--) {
      out[t] = s;
      s *= to[t];
    }
    i = lastAxis + 1;
    j = lastTo + 1;
  }
  return out;
}
