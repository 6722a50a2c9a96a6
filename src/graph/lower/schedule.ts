/**
 * Decides which units share a kernel, and the order of the kernels: each unit goes, in order, into the earliest kernel
 * that may hold it, or into one of its own.
 *
 * @module
 */
import { sameShape, type Shape, sizeOf } from "../../base/shape.ts";
import type { View } from "../../device/contract.ts";
import { attentionDraft } from "./attention.ts";
import { CannotShare, KernelBody, MustStore, type Places } from "./kernel_body.ts";
import { type Draft, draft, type Frame } from "./draft.ts";
import type { Item } from "./graph.ts";
import { convProduct } from "./product.ts";
import { type Unit, unitShape } from "./units.ts";
import { scatterDraft, type WholeDraft } from "./whole.ts";

/** A kernel of the schedule, before memory is planned. */
export type KernelDraft = Draft | WholeDraft;

/** Unrelated work of at most this many elements may share a reduction's kernel. */
const SMALL = 1 << 16;

const isWhole = (kernel: KernelDraft): kernel is WholeDraft => kernel.frame.kind === "whole";

/** Kernels, in the order in which they run. */
export function schedule(units: readonly Unit[], places: Places, maxSlots: number): KernelDraft[] {
  const drafts: KernelDraft[] = [];
  for (const unit of units) {
    if (unit.kind === "cat") {
      unit.kernel = Math.max(...[...unit.deps].map((d) => d.kernel));
      continue;
    }
    if (unit.kind === "scatterAdd" || unit.kind === "attention") {
      unit.kernel = drafts.length;
      drafts.push(unit.kind === "attention" ? attentionDraft(unit, places) : scatterDraft(unit, places));
      continue;
    }
    if (!join(unit, drafts, places, maxSlots)) {
      unit.kernel = drafts.length;
      drafts.push(alone(unit, places, maxSlots));
    }
  }
  return drafts;
}

/** Whether consumers of a unit's value go to a later kernel than the one that computes it. */
const needsBarrier = (unit: Unit): boolean =>
  unit.kind === "assign" || unit.kind === "part" || unit.kind === "cat" || unit.kind === "scatterAdd" ||
  unit.kind === "attention" || unit.kind === "segmentSum";

/** The first kernel that `unit` may be in, by what it needs. */
function earliest(unit: Unit): number {
  let low = 0;
  for (const d of unit.deps) low = Math.max(low, needsBarrier(d) ? d.kernel + 1 : d.kernel);
  for (const a of unit.after) low = Math.max(low, a.kernel);
  return low;
}

function join(unit: Unit, drafts: KernelDraft[], places: Places, maxSlots: number): boolean {
  for (let k = earliest(unit); k < drafts.length; k++) {
    const kernel = drafts[k];
    if (isWhole(kernel)) continue;
    const related = [...unit.deps].some((d) => d.kernel === k);
    const frame = commonFrame(kernel, unit, related);
    if (frame === null) continue;
    try {
      drafts[k] = draft(frame, [...kernel.units, unit], places, maxSlots);
      unit.kernel = k;
      return true;
    } catch (error) {
      // what must be stored for this company may be fine in a kernel of its own
      if (!(error instanceof CannotShare) && !(error instanceof MustStore)) throw error;
    }
  }
  return false;
}

const squeezed = (shape: Shape): Shape => shape.filter((n) => n !== 1);

/** The domain in which `unit` could be computed together with what `kernel` computes, if there is one. */
function commonFrame(kernel: Draft, unit: Unit, related: boolean): Frame | null {
  const { frame } = kernel;
  const shape = unitShape(unit);
  const size = sizeOf(shape);
  if (unit.kind === "matmul" || unit.kind === "conv") return null;
  if (unit.kind === "segmentSum") {
    const { inputs: [{ shape: [n] }], attr } = unit.item.node; // the last segment ends where the input does
    return frame.kind === "segmentSum" && frame.n === n && sameShape(frame.starts, attr) ? frame : null;
  }
  if (unit.kind === "reduce") {
    const full = unit.item.inputs[0].shape;
    const axes = unit.item.node.attr.slice(1);
    if (frame.kind === "reduce") {
      const fits = sameShape(frame.full, full) && sameShape(frame.axes, axes);
      return fits && (related || sizeOf(full) <= SMALL || shares(kernel, unit)) ? frame : null;
    }
    if (frame.kind === "map" && related && sameShape(squeezed(frame.shape), squeezed(full))) {
      return { kind: "reduce", full, axes };
    }
    return null;
  }
  switch (frame.kind) {
    case "map":
      return sizeOf(frame.shape) === size ? frame : null;
    case "matmul":
    case "conv":
      return related && sizeOf(frame.item.shape) === size ? frame : null;
    case "reduce": {
      const rows = sizeOf(kernel.domain.slice(0, kernel.outerRank));
      return (related || (size === rows && size <= SMALL)) && (size === rows || size === sizeOf(frame.full))
        ? frame
        : null;
    }
    default:
      return null;
  }
}

/** Whether the unit reads something that the kernel reads as well. */
function shares(kernel: Draft, unit: Unit): boolean {
  return kernel.units.some((other) =>
    [...unit.leaves].some((l) => other.leaves.has(l)) || [...unit.deps].some((d) => other.deps.has(d))
  );
}

function alone(unit: Unit, places: Places, maxSlots: number): Draft {
  try {
    return draft(ownFrame(unit, places), [unit], places, Math.max(maxSlots, 64));
  } catch (error) {
    // it reads what it overwrites, at other places: compute all of it first
    if (error instanceof CannotShare && unit.kind === "assign" && !unit.value.stored) throw new MustStore(unit.value);
    if (error instanceof CannotShare) {
      throw new Error(`A kernel for ${unit.item.op.name} of shape [${unit.item.shape}] cannot be formed`);
    }
    throw error;
  }
}

function ownFrame(unit: Unit, places: Places): Frame {
  switch (unit.kind) {
    case "reduce":
      return { kind: "reduce", full: unit.item.inputs[0].shape, axes: unit.item.node.attr.slice(1) };
    case "matmul": {
      const [a, b] = unit.item.inputs;
      return {
        kind: "matmul",
        item: unit.item,
        operands: [operand(a, unit.item.shape, places), operand(b, unit.item.shape, places)],
      };
    }
    case "conv":
      return { kind: "conv", item: unit.item, product: convProduct(unit.item, new KernelBody([], places)) };
    case "segmentSum":
      return { kind: "segmentSum", n: unit.item.inputs[0].shape[0], starts: unit.item.node.attr };
    default:
      return { kind: "map", shape: unitShape(unit) };
  }
}

/** An operand of a product as strides over the batch axes of the result and its own two. */
function operand(item: Item, result: Shape, places: Places): View {
  const at = new KernelBody([], places).strided(item);
  const lead = result.length - item.shape.length;
  const strides = result.map((_, i) => {
    const axis = i - lead;
    if (axis < 0) return 0;
    return i < result.length - 2 && item.shape[axis] === 1 ? 0 : at.strides[axis];
  });
  return { ...at, strides };
}
