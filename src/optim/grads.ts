/**
 * Gradients in their arena: brought there, held there between steps, measured and scaled.
 *
 * @module
 */
import { DtypeError, ShapeError } from "../base/errors.ts";
import { fmtShape, sameShape } from "../base/shape.ts";
import { assignAll, type Assignment, reader } from "../graph/assign.ts";
import { abs, add, gt, maximum, mul, pow, sqrt, square, where } from "../graph/elementwise.ts";
import { array, constant, leaf, scalar, segmentOf } from "../graph/leaves.ts";
import type { Node } from "../graph/node.ts";
import { gather } from "../graph/products.ts";
import { reduce } from "../graph/reduce.ts";
import type { Storage } from "../graph/storage.ts";
import { Tensor } from "../tensor/mod.ts";
import type { PartState, Slot } from "./group.ts";

/** The slots that a step updates: those with a gradient, not frozen. Refuses gradients that do not fit. */
export function activeSlots({ slots }: PartState): Slot[] {
  const active: Slot[] = [];
  for (let i = 0; i < slots.length; i++) {
    const s = slots[i];
    if (s === null) continue;
    const { grad, requiresGrad, shape } = s.parameter;
    if (grad === null || !requiresGrad) continue;
    const { node } = grad;
    if (!sameShape(node.shape, shape)) {
      throw new ShapeError(
        `Cannot use a gradient of shape ${fmtShape(node.shape)} for a parameter of shape ${fmtShape(shape)}: ` +
          "the shapes must be equal",
      );
    }
    if (node.dtype !== "f32") throw new DtypeError(`Cannot use a ${node.dtype} gradient: gradients are f32`);
    active.push(s);
  }
  return active;
}

/** Whether a gradient lies in its place already. */
function inPlace(part: PartState, { parameter, segment }: Slot): boolean {
  const node = parameter.grad!.node;
  const { storage } = part.grads;
  if (parameter.size === 0) return true; // there is nothing to bring
  return node.storage === storage && node.offset === part.starts[segment] && node.version === storage.version;
}

/** Records that the gradients of `slots` go to their places in the arena; those that lie there already stay. */
export function bringGrads(part: PartState, slots: readonly Slot[]): void {
  if (part.scale !== null) {
    let same = true;
    for (let i = 0; i < slots.length && same; i++) same = slots[i].parameter.grad!.node === slots[i].scaled;
    if (same) return;
    part.scale = null; // somebody replaced a gradient since: what is brought below is scaled already
  }
  const { storage } = part.grads;
  const group: Assignment[] = [];
  for (let i = slots.length - 1; i >= 0; i--) {
    if (inPlace(part, slots[i])) continue;
    group.push({ storage, value: slots[i].parameter.grad!.node, offset: part.starts[slots[i].segment] });
  }
  if (group.length === 0) return;
  const there = group.length === slots.length ? [] : slots.filter((s) => inPlace(part, s));
  part.grads.last = assignAll(group);
  readInPlace(part, there); // the arena has a new version: what lay there before is read anew
}

/** Makes the gradients of `slots`, which must have been brought, what lies in the arena. */
function readInPlace(part: PartState, slots: readonly Slot[]): void {
  for (let i = 0; i < slots.length; i++) {
    const { parameter, segment } = slots[i];
    parameter.grad = new Tensor(
      reader(part.grads.storage, parameter.grad!.node, part.starts[segment], part.grads.last),
    );
  }
}

/** Moves gradients to the arena for good: they are plain memory from the next boundary on, whatever they were made of. */
export function holdGrads(part: PartState, slots: readonly Slot[]): void {
  bringGrads(part, slots);
  if (part.scale === null) readInPlace(part, slots);
}

/** Some gradients that lie next to each other. */
export interface GradRange {
  readonly storage: Storage;
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
    parameter.grad = new Tensor(leaf(grads.storage, parameter.shape, "f32", { offset: starts[segment] }));
  }
}

/** As {@link holdGrads}, and what the gradients still had to be multiplied by is in them afterwards. */
export function settleGrads(part: PartState, slots: readonly Slot[]): void {
  part.scale = null;
  holdGrads(part, slots);
}

/** All gradients of a part, `[n]`, after {@link bringGrads}; what lies between the active ones is undefined. */
export function flatGrads(part: PartState): Node {
  const g = leaf(part.grads.storage, [part.n], "f32", { after: part.grads.last });
  return part.scale === null ? g : mul(g, part.scale);
}

/** Multiplies gradients by a number: in the step itself, and lazily where somebody reads them. */
export function scaleGrads(part: PartState, slots: readonly Slot[], factor: Node): void {
  holdGrads(part, slots);
  for (const s of slots) s.parameter.grad = new Tensor(s.scaled = mul(s.parameter.grad!.node, factor));
  part.scale = part.scale === null ? factor : mul(part.scale, factor);
}

/** One part's contribution to a norm: the sum of powers, or the largest magnitude. */
function partNorm(part: PartState, slots: readonly Slot[], p: number): Node {
  holdGrads(part, slots);
  let g = flatGrads(part);
  if (slots.length < part.slots.length) {
    // places of others hold old gradients
    const flags = new Float32Array(part.slots.length);
    for (const s of slots) flags[s.segment] = 1;
    const on = gather(array(flags, [flags.length], "f32"), segmentOf(part.n, part.starts), 0, [part.n]);
    g = where(gt(on, constant(0)), g, constant(0));
  }
  if (p === Infinity) return reduce("max", abs(g), [0]);
  return reduce("sum", p === 2 ? square(g) : p === 1 ? abs(g) : pow(abs(g), scalar(p)), [0]);
}

/** The common `p`-norm of the gradients of several parts. */
export function gradNorm(parts: readonly (readonly [PartState, readonly Slot[]])[], p: number): Node {
  if (parts.length === 0) return constant(0);
  const total = parts.map(([part, slots]) => partNorm(part, slots, p))
    .reduce((a, b) => p === Infinity ? maximum(a, b) : add(a, b));
  if (p === Infinity || p === 1) return total;
  return p === 2 ? sqrt(total) : pow(total, scalar(1 / p));
}
