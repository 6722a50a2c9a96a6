/**
 * Steps that are taken again without building their update: what of one has to be known, and what the host does at each.
 *
 * @module
 */
import { rereadAll } from "../tensor/mod.ts";
import type { Group, PartState, Slot } from "./group.ts";
import type { Differ, Hypers, NumberNode, StepInfo } from "./stepper.ts";

/** One part of a recorded step. */
export interface PartRecord {
  readonly part: PartState;
  /** Number of its group. */
  readonly group: number;
  readonly active: readonly Slot[];
  readonly differ: Differ;
  /** Numbers that the host worked out. */
  readonly numbers: readonly NumberNode[];
}

/** A step, so that it can be taken again with other numbers. */
export interface StepRecord {
  readonly parts: readonly PartRecord[];
  /** For each slot, in order, whether its parameter required a gradient. */
  readonly required: readonly boolean[];
}

/** For each slot, in order, whether its parameter requires a gradient. */
export function requiredOf(groups: readonly Group[]): boolean[] {
  return groups.flatMap(({ slots }) => slots.map((s) => s.parameter.requiresGrad));
}

/** Which numbers differ from parameter to parameter. */
export function differOf(active: readonly Slot[]): Differ {
  const differ = { group: false, step: false, doWd: false };
  for (let i = 1; i < active.length; i++) {
    if (active[i].step !== active[0].step) differ.step = true;
    if ((active[i].doWd ?? true) !== (active[0].doWd ?? true)) differ.doWd = true;
  }
  return differ;
}

/**
 * Whether a step of parameters that have no gradients yet would be the recorded one, but for its numbers: the same
 * parameters will have gradients, and the same kinds of numbers differ.
 */
export function isAsRecorded({ parts, required }: StepRecord, groups: readonly Group[]): boolean {
  let at = 0;
  for (let i = 0; i < groups.length; i++) {
    const { slots } = groups[i];
    for (let k = 0; k < slots.length; k++) {
      if (slots[k].parameter.requiresGrad !== required[at++]) return false;
    }
  }
  for (let i = 0; i < parts.length; i++) {
    const { part, active, differ } = parts[i];
    const now = differOf(active);
    if (part.scale !== null || now.step !== differ.step || now.doWd !== differ.doWd) return false;
  }
  return true;
}

/** Counts the step, and works its numbers out. */
export function beginAgain({ parts }: StepRecord, hypers: readonly Hypers[], counts: boolean): void {
  for (let i = 0; i < parts.length; i++) {
    const { part, active, group, differ, numbers } = parts[i];
    for (let k = 0; k < active.length; k++) {
      active[k].started = true;
      if (counts) active[k].step++;
    }
    const { info, infos } = infosOf(part, active, differ);
    for (let k = 0; k < numbers.length; k++) {
      const { node, kind, of } = numbers[k];
      if (!differ[kind]) node.value = of(hypers[group], info);
      else infos.forEach((each, j) => node.array![j] = of(hypers[group], each));
    }
  }
}

/** After the step's program: everybody reads the new values. */
export function endAgain({ parts }: StepRecord): void {
  for (let i = 0; i < parts.length; i++) {
    const { part } = parts[i];
    part.grads.last = [];
    for (const stat of part.stats.values()) stat.last = [];
    rereadAll(part.storage, []);
  }
}

/** What the host knows of the parameters that are stepped, and of each segment's where these differ; see `UpdateStart`. */
export function infosOf(
  { slots }: PartState,
  active: readonly Slot[],
  differ: Differ,
): { info: StepInfo; infos: readonly StepInfo[] } {
  const given = active[0] ?? slots.find((s) => s !== null)!;
  return {
    info: infoOf(given),
    infos: differ.step || differ.doWd ? slots.map((s) => infoOf(s ?? given)) : [],
  };
}

function infoOf({ step, doWd }: Slot): StepInfo {
  return { step, doWd: doWd ?? true };
}
