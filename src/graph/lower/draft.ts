/**
 * One kernel in the making: the units that it computes, over one domain, and the body that computes them.
 *
 * @module
 */
import { valueType } from "../../base/dtype.ts";
import { sameShape, type Shape, sizeOf } from "../../base/shape.ts";
import type { Inst, View } from "../../device/contract.ts";
import { reduceDepths } from "../../device/data_flow.ts";
import { REDUCE_KINDS } from "../reduce.ts";
import { CannotShare, KernelBody, type Places } from "./kernel_body.ts";
import {
  addForms,
  addressForm,
  type Coords,
  type Form,
  fromForms,
  identity,
  reshapeCoords,
  sameForm,
  zeroForm,
} from "./coords.ts";
import type { Item } from "./graph.ts";
import type { Product } from "./product.ts";
import { type Unit, unitShape } from "./units.ts";

/** A domain, and what is special about it. */
export type Frame =
  | { readonly kind: "map"; readonly shape: Shape }
  | { readonly kind: "reduce"; readonly full: Shape; readonly axes: readonly number[] }
  | { readonly kind: "matmul"; readonly item: Item; readonly operands: readonly [View, View] }
  | { readonly kind: "conv"; readonly item: Item; readonly product: Product }
  | { readonly kind: "segmentSum"; readonly n: number; readonly starts: readonly number[] };

/** The operands that a frame takes as whole memory. */
export function wholeOperands(frame: Frame): readonly View[] {
  if (frame.kind === "matmul") return frame.operands;
  return frame.kind === "conv" ? [frame.product.a, frame.product.b] : [];
}

/** Where a unit's value goes. */
export interface Output {
  readonly unit: Unit;
  /** Address of the element, in elements from the start of the unit's memory, over the domain. */
  readonly at: Form;
  readonly inst: number;
  readonly perRow: boolean;
}

/** A kernel whose body has been written. */
export interface Draft {
  readonly frame: Frame;
  readonly units: readonly Unit[];
  readonly domain: Shape;
  /** For reductions: how many of the domain's axes are outer ones. */
  readonly outerRank: number;
  readonly body: readonly Inst[];
  readonly outputs: readonly Output[];
  readonly slots: ReadonlySet<number>;
}

/** Rows that see several passes, or are stored element by element, need this many of them to keep a device busy. */
const MIN_ROWS = 16;
/** Unless the whole domain is no larger than this. */
const SMALL_DOMAIN = 1 << 16;

/** Units do not share bodies of more instructions: compilers of shaders take the square of it, minutes for thousands. */
const MAX_SHARED = 600;

const withoutOnes = (shape: Shape) => shape.filter((n) => n !== 1);

/** Writes the kernel that computes `units` in `frame`; throws CannotShare or MustStore where that is not possible. */
export function draft(frame: Frame, units: readonly Unit[], places: Places, maxSlots: number): Draft {
  const { domain, outerRank, coordsOf } = layout(frame);
  const body = new KernelBody(domain, places);
  const outputs: Output[] = [];
  for (const unit of units) {
    const { coords, perRow } = coordsOf(unit);
    let inst: number;
    let at: Form = addressForm(coords, unitShape(unit), domain.length);
    if (unit.kind === "reduce") {
      const [input] = unit.item.inputs;
      const full = coordsOf(unit, input.shape).coords;
      const folded = body.e.reduce(REDUCE_KINDS[unit.item.node.attr[0]], numeric(body, body.value(input, full)));
      inst = body.e.cast(folded, valueType(unit.item.dtype));
      body.setLocal(unit.item, inst, coords);
    } else if (unit.kind === "matmul" || unit.kind === "conv") {
      inst = body.e.acc();
      body.setLocal(unit.item, inst, coords);
    } else if (unit.kind === "segmentSum") {
      inst = body.value(unit.item.inputs[0], coordsOf(unit, unit.item.inputs[0].shape).coords);
      at = zeroForm(1);
    } else {
      inst = body.value(unit.value, coords, unit.kind === "map");
      if (unit.kind === "map") body.setLocal(unit.item, inst, coords);
    }
    if (unit.kind === "part") at = partAddress(unit, coords, domain);
    inst = body.e.cast(inst, valueType(unit.value.dtype));
    outputs.push({ unit, at, inst, perRow });
  }
  if (units.length > 1 && body.e.body.length > MAX_SHARED) throw new CannotShare();
  if (frame.kind === "reduce") checkRows(body.e.body, outputs, domain, outerRank);
  const slots = slotsOf(body.e.body, outputs, frame, places);
  if (slots.size > maxSlots) throw new CannotShare();
  checkWrites(body.e.body, outputs, frame, domain, places);
  return { frame, units, domain, outerRank, body: body.e.body, outputs, slots };
}

/** Reductions of bool count: they fold i32. */
function numeric(body: KernelBody, inst: number): number {
  return body.e.type(inst) === "bool" ? body.e.cast(inst, "i32") : inst;
}

interface Layout {
  readonly domain: Shape;
  readonly outerRank: number;
  readonly coordsOf: (unit: Unit, shape?: Shape) => { coords: Coords; perRow: boolean };
}

function layout(frame: Frame): Layout {
  if (frame.kind === "reduce") return reduceLayout(frame.full, frame.axes);
  if (frame.kind === "conv") return productLayout(frame.item, frame.product);
  const domain = frame.kind === "map" ? frame.shape : frame.kind === "matmul" ? frame.item.shape : [frame.n];
  const own = identity(domain);
  return {
    domain,
    outerRank: domain.length,
    coordsOf: (unit, shape = unitShape(unit)) => {
      if (frame.kind === "segmentSum" && shape.length === 1 && shape[0] !== frame.n) {
        return { coords: { groups: [], guards: [] }, perRow: false };
      }
      if (sizeOf(shape) !== sizeOf(domain)) throw new CannotShare();
      return { coords: sameShape(shape, domain) ? own : reshapeCoords(own, domain, shape), perRow: false };
    },
  };
}

/** The result lies as its own shape says, whatever the order of the domain's axes. */
function productLayout({ shape }: Item, { domain, axes }: Product): Layout {
  const own = fromForms(shape, axes);
  return {
    domain,
    outerRank: domain.length,
    coordsOf: (unit, to = unitShape(unit)) => {
      if (sizeOf(to) !== sizeOf(shape)) throw new CannotShare();
      return { coords: sameShape(to, shape) ? own : reshapeCoords(own, shape, to), perRow: false };
    },
  };
}

function reduceLayout(full: Shape, axes: readonly number[]): Layout {
  const outer = full.map((_, i) => i).filter((i) => !axes.includes(i));
  const place = new Array<number>(full.length);
  [...outer, ...axes].forEach((axis, i) => place[axis] = i);
  const domain = [...outer, ...axes].map((i) => full[i]);
  const form = (axis: number): Form => ({ offset: 0, strides: domain.map((_, j) => j === place[axis] ? 1 : 0) });
  const fullCoords = fromForms(full, full.map((_, i) => form(i)));
  const outerShape = outer.map((i) => full[i]);
  const rowCoords = fromForms(outerShape, outer.map(form));
  const rows = sizeOf(outerShape);
  return {
    domain,
    outerRank: outer.length,
    coordsOf: (unit, shape = unitShape(unit)) => {
      if (sizeOf(shape) === rows && (unit.kind === "reduce" ? shape !== unit.item.inputs[0].shape : true)) {
        return { coords: reshapeCoords(rowCoords, outerShape, shape), perRow: true };
      }
      if (sameShape(withoutOnes(shape), withoutOnes(full))) {
        return { coords: reshapeCoords(fullCoords, full, shape), perRow: false };
      }
      throw new CannotShare();
    },
  };
}

/** The address of a part's element in memory that is laid out for the whole concatenation. */
function partAddress(unit: Unit, coords: Coords, domain: Shape): Form {
  const [axis] = unit.item.node.attr;
  const whole = unit.item.shape, part = unit.value.shape;
  const inner = sizeOf(whole.slice(axis + 1));
  const block = part[axis] * inner; // elements that lie together
  const rows = reshapeCoords(coords, part, [sizeOf(part) / block, block]);
  let at: Form = { ...zeroForm(domain.length), offset: unit.start * inner };
  for (const g of rows.groups) {
    if (g.first !== g.last) throw new CannotShare();
    at = addForms(at, g, g.first === 0 ? whole[axis] * inner : 1);
  }
  return at;
}

function checkRows(body: readonly Inst[], outputs: readonly Output[], domain: Shape, outerRank: number): void {
  const rows = sizeOf(domain.slice(0, outerRank));
  if (rows >= MIN_ROWS || sizeOf(domain) <= SMALL_DOMAIN) return;
  if (outputs.some((o) => !o.perRow)) throw new CannotShare();
  if (reduceDepths(body).some((depth) => depth > 1)) throw new CannotShare();
}

function slotsOf(body: readonly Inst[], outputs: readonly Output[], frame: Frame, places: Places): Set<number> {
  const slots = new Set<number>([0]); // the parameters, for scalars and for places in a pool
  for (const inst of body) if (inst.k === "load") slots.add(inst.view.slot);
  for (const { unit } of outputs) {
    slots.add(targetSlot(unit, places));
    if (unit.item.root) slots.add(-1 - unit.id); // besides, where its holder finds it
  }
  wholeOperands(frame).forEach((v) => slots.add(v.slot));
  return slots;
}

/** Virtual slot that a unit's value is stored in. */
export function targetSlot(unit: Unit, places: Places): number {
  return unit.kind === "assign" ? places.storageSlot(unit.item.storage) : places.slotOf(unit.item);
}

/** An assignment may share a kernel with readers of its memory only where they read just what it overwrites. */
function checkWrites(
  body: readonly Inst[],
  outputs: readonly Output[],
  frame: Frame,
  domain: Shape,
  places: Places,
): void {
  for (const { unit, at } of outputs) {
    if (unit.kind !== "assign") continue;
    const slot = targetSlot(unit, places);
    if (wholeOperands(frame).some((v) => v.slot === slot)) throw new CannotShare();
    const start = unit.item.node.offset;
    const moving = unit.item.inputs.length > 1;
    const size = sizeOf(unitShape(unit));
    for (const inst of body) {
      if (inst.k !== "load" || inst.view.slot !== slot) continue;
      const { view } = inst;
      let low = view.offset, high = view.offset;
      view.strides.forEach((s, i) => s < 0 ? low += s * (domain[i] - 1) : high += s * (domain[i] - 1));
      if (inst.index) high = Infinity;
      if (!moving && (high < start || low >= start + size)) continue;
      const same = !moving && !inst.index && sameForm({ ...at, offset: at.offset + start }, view, domain);
      if (!same) throw new CannotShare();
    }
  }
}
