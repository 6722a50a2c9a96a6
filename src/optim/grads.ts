/**
 * Gradients in their arena: brought there, held there between steps, measured and scaled.
 *
 * @module
 */
import { DtypeError, ShapeError } from "../base/errors.ts";
import { fmtShape, sameShape } from "../base/shape.ts";
import {
  assign,
  liesIn,
  type Memory,
  type MemoryWrite,
  onAbandon,
  ops,
  rereadAs,
  Segments,
  stepInput,
  type Tensor,
  viewOf,
  zeros,
} from "../tensor/mod.ts";
import { type GradScaler, notFinite } from "./grad_scaler.ts";
import type { Group, PartState, Slot } from "./group.ts";

/** The slots that a step updates: those with a gradient, not frozen. Refuses gradients that do not fit. */
export function activeSlots({ slots }: PartState): Slot[] {
  const active: Slot[] = [];
  for (let i = 0; i < slots.length; i++) {
    const s = slots[i];
    if (s === null) continue;
    const { grad, requiresGrad, shape } = s.parameter;
    if (grad === null || !requiresGrad) continue;
    if (!sameShape(grad.shape, shape)) {
      throw new ShapeError(
        `Cannot use a gradient of shape ${fmtShape(grad.shape)} for a parameter of shape ${fmtShape(shape)}: ` +
          "the shapes must be equal",
      );
    }
    if (grad.dtype !== "f32") throw new DtypeError(`Cannot use a ${grad.dtype} gradient: gradients are f32`);
    active.push(s);
  }
  return active;
}

/** Parts of groups, each with some of its slots. */
export type Parts = readonly (readonly [PartState, readonly Slot[]])[];

/** The parts with something to do, each with its {@link activeSlots}. */
export function activeParts(groups: readonly Group[]): Parts {
  const all: [PartState, Slot[]][] = [];
  for (const { parts } of groups) {
    for (const part of parts) {
      const active = activeSlots(part);
      if (active.length > 0) all.push([part, active]);
    }
  }
  return all;
}

/** Forgets the gradients of all groups. */
export function forgetGrads(groups: readonly Group[]): void {
  for (const { slots, parts } of groups) {
    for (let i = 0; i < slots.length; i++) slots[i].parameter.grad = null;
    for (let i = 0; i < parts.length; i++) parts[i].scale = null;
  }
}

/** Whether a gradient lies in its place already. */
function inPlace(part: PartState, { parameter, segment }: Slot): boolean {
  if (parameter.size === 0) return true; // there is nothing to bring
  return liesIn(parameter.grad!, part.grads.storage, part.starts[segment]);
}

/** Records that the gradients of `slots` go to their places in the arena; those that lie there already stay. */
export function bringGrads(part: PartState, slots: readonly Slot[]): void {
  if (part.scale !== null) {
    let same = true;
    for (let i = 0; i < slots.length && same; i++) same = slots[i].parameter.grad === slots[i].scaled;
    if (same) return;
    part.scale = null; // somebody replaced a gradient since: what is brought below is scaled already
  }
  const { storage } = part.grads;
  const group: MemoryWrite[] = [];
  for (let i = slots.length - 1; i >= 0; i--) {
    if (inPlace(part, slots[i])) continue;
    group.push({ memory: storage, value: slots[i].parameter.grad!, offset: part.starts[slots[i].segment] });
  }
  if (group.length === 0) return;
  const there = group.length === slots.length ? [] : slots.filter((s) => inPlace(part, s));
  part.grads.last = assign(group);
  readInPlace(part, there); // the arena has a new version: what lay there before is read anew
}

/** Makes the gradients of `slots`, which must have been brought, what lies in the arena. */
function readInPlace(part: PartState, slots: readonly Slot[]): void {
  if (slots.length === 0) return;
  const before = slots.map(({ parameter }) => parameter.grad);
  onAbandon(() => slots.forEach(({ parameter }, i) => parameter.grad = before[i]));
  for (let i = 0; i < slots.length; i++) {
    const { parameter, segment } = slots[i];
    parameter.grad = rereadAs(part.grads.storage, parameter.grad!, part.starts[segment], part.grads.last);
  }
}

/** Moves gradients to the arena for good: they are plain memory from the next launch on, whatever they were made of. */
export function holdGrads(part: PartState, slots: readonly Slot[]): void {
  bringGrads(part, slots);
  if (part.scale === null) readInPlace(part, slots);
}

/** The same of all gradients that there are. */
export function holdAllGrads(groups: readonly Group[]): void {
  for (const { parts } of groups) {
    for (const part of parts) {
      const held = part.slots.filter((s): s is Slot => s !== null && s.parameter.grad !== null);
      if (held.length > 0) holdGrads(part, held);
    }
  }
}

/** Some gradients that lie next to each other. */
export interface GradRange {
  readonly storage: Memory;
  /** First element. */
  readonly offset: number;
  /** Number of elements, gaps included. */
  n: number;
}

/** Where the gradients of `slots` lie: ranges of memory, ascending, neighbours joined. */
export function rangesOf({ grads, starts, n }: PartState, slots: readonly Slot[]): GradRange[] {
  const ranges: GradRange[] = [];
  let last = -2;
  for (const { segment } of slots) {
    const offset = starts[segment];
    const size = (starts[segment + 1] ?? n) - offset;
    if (segment === last + 1) ranges[ranges.length - 1].n += size;
    else ranges.push({ storage: grads.storage, offset, n: size });
    last = segment;
  }
  return ranges;
}

/** Makes what lies in the places of the gradients of `slots` their gradients. */
export function adoptGrads({ grads, starts }: PartState, slots: readonly Slot[]): void {
  for (const { parameter, segment } of slots) {
    parameter.grad = viewOf(grads.storage, parameter.shape, { offset: starts[segment] });
  }
}

/** As {@link holdGrads}, and what the gradients still had to be multiplied by is in them afterwards. */
export function flushScale(part: PartState, slots: readonly Slot[]): void {
  part.scale = null;
  holdGrads(part, slots);
}

/** All gradients of a part, `[n]`, after {@link bringGrads}; what lies between the active ones is undefined. */
export function flatGrads(part: PartState): Tensor {
  const g = viewOf(part.grads.storage, [part.n], { after: part.grads.last });
  return part.scale === null ? g : g.mul(part.scale);
}

/** Multiplies gradients by a number: in the step itself, and lazily where somebody reads them. */
export function scaleGrads(part: PartState, slots: readonly Slot[], factor: Tensor): void {
  holdGrads(part, slots);
  const { scale } = part, all = part.scale = scale === null ? factor : scale.mul(factor);
  for (const s of slots) s.scaled = s.parameter.multiplyGrad(all);
}

/** The gradients of `slots`, `[n]`, 0 between them: places of others hold old gradients. */
function ownGrads(part: PartState, slots: readonly Slot[]): Tensor {
  holdGrads(part, slots);
  const g = flatGrads(part);
  if (slots.length === part.slots.length) return g;
  const flags = new Float32Array(part.slots.length);
  for (const s of slots) flags[s.segment] = 1;
  return ops.where(new Segments(part.n, part.starts).spread(stepInput(flags)).gt(0), g, 0);
}

/** Divides the gradients of several parts by a loss scale, and notes there whether they are finite. */
export function unscaleGrads(parts: Parts, scaler: GradScaler): void {
  if (parts.length === 0) return;
  scaler.found = parts.map(([part, slots]) => notFinite(ownGrads(part, slots))).reduce((a, b) => a.maximum(b)).gt(0);
  const factor = scaler.scale.reciprocal();
  for (const [part, slots] of parts) scaleGrads(part, slots, factor);
}

/** One part's contribution to a norm: the sum of powers, or the largest magnitude. */
function partNorm(part: PartState, slots: readonly Slot[], p: number, factor: Tensor | null): Tensor {
  const own = ownGrads(part, slots), g = factor === null ? own : own.mul(factor);
  if (p === Infinity) return g.abs().max();
  return (p === 2 ? g.square() : p === 1 ? g.abs() : g.abs().pow(p)).sum();
}

/** The common `p`-norm of the gradients of several parts, multiplied by a factor, if there is one. */
export function gradNorm(parts: Parts, p: number, factor: Tensor | null): Tensor {
  if (parts.length === 0) return zeros([]);
  const total = parts.map(([part, slots]) => partNorm(part, slots, p, factor))
    .reduce((a, b) => p === Infinity ? a.maximum(b) : a.add(b));
  if (p === Infinity || p === 1) return total;
  return p === 2 ? total.sqrt() : total.pow(1 / p);
}
