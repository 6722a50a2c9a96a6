/**
 * The state of an optimizer as plain data with tensors: what checkpoints hold.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { fmtShape, sameShape } from "../base/shape.ts";
import { assign, type Assigned, type Memory, memory, type MemoryWrite, Tensor, viewOf, zeros } from "../tensor/mod.ts";
import { type Arena, type Group, type Slot, statArena } from "./group.ts";
import type { Hypers, StatKind } from "./stepper.ts";

/** What an optimizer keeps of one parameter: flags, and what its steppers keep, by name. */
export interface ParamState {
  /** Average gradient. */
  gradAvg?: Tensor;
  /** Average squared gradient. */
  sqrAvg?: Tensor;
  /** Lookahead's slow weights. */
  slowWeights?: Tensor;
  /** Larc's own learning rate, one number. */
  localLr?: Tensor;
  /** Steps in which the parameter had a gradient. */
  step?: number;
  /** False keeps the parameter from decaying. */
  doWd?: boolean;
  /** True keeps it training in a frozen group. */
  forceTrain?: boolean;
  /** Statistics of steppers of one's own. */
  [name: string]: Tensor | number | boolean | undefined;
}

/** What the host keeps of a parameter. */
export type HostPart = Pick<ParamState, "step" | "doWd" | "forceTrain">;

/** A parameter's state in two: what the host keeps, and the statistics, which lie on the device, by name. */
export function paramParts(state: ParamState): { host: HostPart; stats: Record<string, Tensor> } {
  const { step, doWd, forceTrain } = state;
  const host = {
    ...(step === undefined ? {} : { step }),
    ...(doWd === undefined ? {} : { doWd }),
    ...(forceTrain === undefined ? {} : { forceTrain }),
  };
  const stats: Record<string, Tensor> = Object.create(null);
  for (const [name, value] of Object.entries(state)) if (value instanceof Tensor) stats[name] = value;
  return { host, stats };
}

/** Everything that an optimizer would lose. */
export interface OptimizerState {
  /** One entry a parameter, in the order of the groups. */
  state: ParamState[];
  /** One entry a group. */
  hypers: Hypers[];
  /** Steps taken; counted by Lookahead. */
  count?: number;
}

/** What steppers keep: kinds by name, and whether they count steps. */
export interface Keeps {
  readonly kinds: ReadonlyMap<string, StatKind>;
  readonly counts: boolean;
  /** Whether a parameter has a statistic. */
  readonly has: (slot: Slot, name: string) => boolean;
}

/**
 * Copies of all statistics, one kernel for each statistic of a part: they are recorded as assignments to memory of their
 * own, so later steps leave them alone.
 */
export function gatherState(groups: readonly Group[], keeps: Keeps): ParamState[] {
  const group: MemoryWrite[] = [];
  const copies = new Map<Arena, { storage: Memory; at: number }>();
  for (const { parts } of groups) {
    for (const { stats } of parts) {
      for (const arena of stats.values()) {
        const { storage: { bytes }, last } = arena;
        const storage = memory(bytes / 4);
        copies.set(arena, { storage, at: group.length });
        group.push({ memory: storage, value: viewOf(arena.storage, [bytes / 4], { after: last }) });
      }
    }
  }
  const done = assign(group);
  return groups.flatMap(({ slots }) =>
    slots.map((slot) => {
      const entry: ParamState = {};
      for (const [name, kind] of keeps.kinds) { // always in this order, whichever came first
        const arena = slot.part.stats.get(name);
        if (arena === undefined || !keeps.has(slot, name)) continue;
        const { storage, at } = copies.get(arena)!;
        const { shape, offset } = place(slot, kind);
        entry[name] = viewOf(storage, shape, { offset, after: [done[at]] });
      }
      if (slot.started && keeps.counts) entry.step = slot.step;
      if (slot.doWd !== undefined) entry.doWd = slot.doWd;
      if (slot.forceTrain !== undefined) entry.forceTrain = slot.forceTrain;
      return entry;
    })
  );
}

/** Where a parameter's statistic lies in its arena, and its shape. */
function place({ parameter, part, segment }: Slot, kind: StatKind): { shape: readonly number[]; offset: number } {
  if (kind === "number") return { shape: [], offset: segment };
  return { shape: parameter.shape, offset: part.starts[segment] };
}

const FLAGS = ["step", "doWd", "forceTrain"];

/** Refuses a state that is not of these groups, or not of this kind of optimizer. */
export function checkState(
  { state, hypers }: OptimizerState,
  groups: readonly Group[],
  own: readonly Hypers[],
  keeps: Keeps,
) {
  const slots = groups.flatMap((g) => g.slots);
  if (state.length !== slots.length || hypers.length !== groups.length) {
    throw new ConfigError(
      `Cannot load an optimizer state of ${count(state.length, "parameter")} in ${count(hypers.length, "group")}: ` +
        `this optimizer has ${count(slots.length, "parameter")} in ${count(groups.length, "group")}`,
    );
  }
  hypers.forEach((h, i) => {
    const names = Object.keys(own[i]), given = Object.keys(h);
    const wrong = names.find((n) => !given.includes(n)) ?? given.find((n) => !names.includes(n));
    if (wrong !== undefined) {
      throw new ConfigError(
        `Cannot load an optimizer state with ${given.join(", ")}: this optimizer has ${names.join(", ")}; ` +
          "load it into the kind of optimizer that it was saved from",
      );
    }
    const bad = names.find((n) => !Number.isFinite(h[n]));
    if (bad !== undefined) {
      throw new ConfigError(`Cannot load ${bad} of ${h[bad]}: hyper-parameters are finite numbers`);
    }
  });
  slots.forEach((slot, i) => {
    const { step = 0 } = state[i];
    if (!(Number.isInteger(step) && step >= 0)) {
      throw new ConfigError(`Cannot load step ${step} of parameter ${i}: it is a whole number from 0`);
    }
    for (const [name, value] of Object.entries(state[i])) {
      if (value === undefined || FLAGS.includes(name)) continue;
      const kind = keeps.kinds.get(name);
      if (kind === undefined || !(value instanceof Tensor)) {
        throw new ConfigError(
          `Cannot load ${name} of parameter ${i}: this optimizer keeps ${
            [...keeps.kinds.keys()].join(", ") || "nothing"
          }`,
        );
      }
      const { shape } = place(slot, kind);
      if (!sameShape(value.shape, shape) && !(kind === "number" && value.size === 1)) {
        throw new ConfigError(
          `Cannot load ${name} of parameter ${i}: it has shape ${fmtShape(value.shape)}, the parameter has ${
            fmtShape(shape)
          }`,
        );
      }
    }
  });
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

/**
 * Brings step counts and flags back, and records the assignments that bring statistics back; those that the state lacks
 * become zeros.
 *
 * @param always Statistics that parameters have before their first step.
 */
export function restoreState(
  state: readonly ParamState[],
  groups: readonly Group[],
  { kinds }: Keeps,
  always: readonly string[],
): void {
  const late = [...kinds.keys()].filter((name) => !always.includes(name));
  const group: MemoryWrite[] = [];
  let i = 0;
  for (const { slots } of groups) {
    for (const slot of slots) {
      const entry = state[i++];
      slot.step = entry.step ?? 0;
      slot.started = entry.step !== undefined || late.some((name) => entry[name] !== undefined);
      slot.doWd = entry.doWd;
      slot.forceTrain = entry.forceTrain;
      if (slot.parameter.size === 0) continue;
      for (const [name, kind] of kinds) {
        const value = entry[name];
        const saved = value instanceof Tensor ? value : null;
        if (saved === null && !slot.part.stats.has(name)) continue; // zeros already
        const { shape, offset } = place(slot, kind);
        const { storage } = statArena(slot.part, name, kind);
        group.push({
          memory: storage,
          value: saved === null ? zeros(shape) : sameShape(saved.shape, shape) ? saved : saved.reshape(shape),
          offset,
        });
      }
    }
  }
  recordStats(group, groups);
}

/** Takes step counts back to 0 and records that all statistics become zeros; flags stay. */
export function clearState(groups: readonly Group[]): void {
  const group: MemoryWrite[] = [];
  for (const { slots, parts } of groups) {
    for (const s of slots) {
      s.started = false;
      s.step = 0;
    }
    for (const { stats } of parts) {
      for (const { storage } of stats.values()) {
        group.push({ memory: storage, value: zeros([storage.bytes / 4]) });
      }
    }
  }
  recordStats(group, groups);
}

function recordStats(group: readonly MemoryWrite[], groups: readonly Group[]): void {
  const arenas = new Map<Memory, Assigned[]>();
  assign(group).forEach((done, i) => {
    const list = arenas.get(group[i].memory);
    if (list === undefined) arenas.set(group[i].memory, [done]);
    else list.push(done);
  });
  for (const { parts } of groups) {
    for (const { stats } of parts) {
      for (const arena of stats.values()) arena.last = arenas.get(arena.storage) ?? arena.last;
    }
  }
}
