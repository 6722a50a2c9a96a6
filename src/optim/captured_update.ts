/**
 * What a step does on the host, built or replayed alike: it counts, and works out the numbers that travel with its launch.
 * A captured update says what of that has to be known to do it again.
 *
 * @module
 */
import type { GradScaler } from "./grad_scaler.ts";
import type { Group, PartState, Slot } from "./group.ts";
import type { Hypers, NumberKind, ScalarSource, StepInfo, Varying } from "./stepper.ts";

/** The update of one part. */
export interface PartUpdate {
  readonly part: PartState;
  /** Number of its group. */
  readonly group: number;
  readonly active: readonly Slot[];
  readonly varying: Varying;
  /** Numbers that the host works out at each step. */
  readonly scalars: readonly ScalarSource[];
}

/** The update of a step, to be replayed with other numbers. */
export interface CapturedUpdate {
  readonly parts: readonly PartUpdate[];
  /** For each slot, in order, whether its parameter required a gradient. */
  readonly required: readonly boolean[];
  /** What its loss was scaled by. */
  readonly scaler: GradScaler | null;
}

/** For each slot, in order, whether its parameter requires a gradient. */
export function requiredOf(groups: readonly Group[]): boolean[] {
  return groups.flatMap(({ slots }) => slots.map((s) => s.parameter.requiresGrad));
}

/** Which kinds of numbers differ from parameter to parameter. */
export function varyingOf(active: readonly Slot[]): Varying {
  const varying: Record<NumberKind, boolean> = { group: false, step: false, doWd: false };
  for (let i = 1; i < active.length; i++) {
    if (active[i].step !== active[0].step) varying.step = true;
    if ((active[i].doWd ?? true) !== (active[0].doWd ?? true)) varying.doWd = true;
  }
  return varying;
}

/**
 * Whether a step of parameters that have no gradients yet would be the captured one, but for its numbers: the same
 * parameters will have gradients, and the same kinds of numbers differ.
 */
export function matchesUpdate({ parts, required }: CapturedUpdate, groups: readonly Group[]): boolean {
  let at = 0;
  for (let i = 0; i < groups.length; i++) {
    const { slots } = groups[i];
    for (let k = 0; k < slots.length; k++) {
      if (slots[k].parameter.requiresGrad !== required[at++]) return false;
    }
  }
  for (let i = 0; i < parts.length; i++) {
    const { part, active, varying } = parts[i];
    const now = varyingOf(active);
    if (part.scale !== null || now.step !== varying.step || now.doWd !== varying.doWd) return false;
  }
  return true;
}

/** Counts a step of some parameters. Returns what takes it back. */
export function countStep(active: readonly Slot[], counts: boolean): () => void {
  let fresh: Slot[] | null = null;
  for (let k = 0; k < active.length; k++) {
    if (!active[k].started) (fresh ??= []).push(active[k]);
    active[k].started = true;
    if (counts) active[k].step++;
  }
  return () => {
    if (counts) { for (const slot of active) slot.step--; }
    for (const slot of fresh ?? []) slot.started = false;
  };
}

/** Works the numbers of a step out, once it was counted. */
export function fillScalars({ part, active, varying, scalars }: PartUpdate, hypers: Readonly<Hypers>): void {
  if (scalars.length === 0) return;
  const given = active[0] ?? part.slots.find((s) => s !== null)!;
  const info = infoOf(given);
  const infos = varying.step || varying.doWd ? part.slots.map((s) => infoOf(s ?? given)) : [];
  for (let k = 0; k < scalars.length; k++) {
    const { numbers, kind, of } = scalars[k];
    if (!varying[kind]) numbers.set(of(hypers, info));
    else infos.forEach((each, j) => numbers.set(of(hypers, each), j));
  }
}

function infoOf({ step, doWd }: Slot): StepInfo {
  return { step, doWd: doWd ?? true };
}
