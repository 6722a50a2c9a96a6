/**
 * The update of one part of a group, as expressions of its parameters, gradients and statistics.
 *
 * @module
 */
import { assign, type MemoryWrite, ops, pendingOf, rereadAll, type Tensor, viewOf } from "../tensor/mod.ts";
import { type PartUpdate, varyingOf } from "./captured_update.ts";
import { bringGrads, flatGrads } from "./grads.ts";
import { type PartState, type Slot, statArena } from "./group.ts";
import { flagsOf, type Hypers, type ScalarSource, type StatKind, type Stepper, Update } from "./stepper.ts";

/** What an update is made by. */
export interface UpdatePlan {
  /** Number of the part's group. */
  readonly group: number;
  readonly hypers: Hypers;
  readonly steppers: readonly Stepper[];
  /** Statistics that the steppers keep. */
  readonly kinds: ReadonlyMap<string, StatKind>;
  /** What follows the steppers. */
  readonly after: (update: Update) => void;
  /** Whether nothing changes after all, bool `[]`: null for no. */
  readonly skip: Tensor | null;
}

/**
 * Records the update of a part whose `active` parameters have gradients; the others keep every bit of themselves and of
 * their statistics. Its numbers are still to be filled in.
 */
export function buildUpdate(part: PartState, active: readonly Slot[], plan: UpdatePlan): PartUpdate {
  const { group, hypers, steppers, kinds, after, skip } = plan;
  const scalars: ScalarSource[] = [];
  if (active.length > 0) bringGrads(part, active);
  const stats = new Map<string, Tensor>();
  for (const [name, kind] of kinds) {
    const { storage, last } = statArena(part, name, kind);
    stats.set(name, viewOf(storage, [storage.bytes / 4], { after: last }));
  }
  const p = viewOf(part.storage, [part.n], { offset: part.start, after: pendingOfPart(part) });
  const varying = varyingOf(active);
  const update = new Update({ p, g: flatGrads(part), part, hypers, varying, stats, scalars });
  if (active.length > 0) { for (const s of steppers) s.apply(update); }
  if (active.length < part.slots.length) keepInactive(update, active, part, kinds);
  after(update);
  if (skip !== null) {
    update.p = ops.where(skip, update.before, update.p);
    for (const name of update.changed) {
      update.setStat(name, ops.where(skip, update.statBefore(name), update.stat(name)));
    }
  }
  const writes: MemoryWrite[] = [{ memory: part.storage, value: update.p, offset: part.start }];
  for (const name of update.changed) {
    writes.push({ memory: part.stats.get(name)!.storage, value: update.stat(name) });
  }
  const done = assign(writes);
  let at = 1;
  for (const name of update.changed) part.stats.get(name)!.last = [done[at++]];
  rereadAll(part.storage, [done[0]]);
  return { part, group, active, varying, scalars };
}

/** After a replayed update: everybody reads the new values. */
export function rereadPart(part: PartState): void {
  part.grads.last = [];
  for (const stat of part.stats.values()) stat.last = [];
  rereadAll(part.storage, []);
}

function keepInactive(
  u: Update,
  active: readonly Slot[],
  { slots }: PartState,
  kinds: ReadonlyMap<string, StatKind>,
): void {
  const on = slots.map(() => false);
  for (const { segment } of active) on[segment] = true;
  const each = u.flagged(on);
  u.p = ops.where(each, u.p, u.before);
  for (const name of u.changed) {
    const which = kinds.get(name) === "number" ? flagsOf(on).gt(0) : each;
    u.setStat(name, ops.where(which, u.stat(name), u.statBefore(name)));
  }
}

/** Pending assignments to the parameters' memory. */
function pendingOfPart({ slots }: PartState): ReturnType<typeof pendingOf> {
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i];
    if (slot !== null) return pendingOf(slot.parameter);
  }
  return [];
}
