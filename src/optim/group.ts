/**
 * What an optimizer keeps of its groups: slots for parameters, memory for gradients and statistics.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { fmtShape } from "../base/shape.ts";
import { type Assigned, type Memory, memory, Parameter, type Tensor } from "../tensor/mod.ts";
import { layOut, type Part } from "./arena.ts";
import type { ParamsLike } from "./params_like.ts";
import type { StatKind } from "./stepper.ts";

/** What the host keeps of a parameter. */
export interface Slot {
  readonly parameter: Parameter;
  readonly part: PartState;
  /** Number of its segment. */
  readonly segment: number;
  /** Steps in which it had a gradient. */
  step: number;
  /** Whether it was ever stepped: there are statistics. */
  started: boolean;
  doWd: boolean | undefined;
  forceTrain: boolean | undefined;
  /** Its gradient times `part.scale`, if that is what `parameter.grad` is. */
  scaled: Tensor | null;
}

/** A piece of device memory and the assignments that last wrote to it. */
export interface Arena {
  readonly storage: Memory;
  last: readonly Assigned[];
}

/** A part of a group with all its memory. */
export interface PartState extends Part {
  /** The slot of each segment; null for parameters of other groups. */
  readonly slots: readonly (Slot | null)[];
  readonly grads: Arena;
  /** Statistics, by name; made when first needed. */
  readonly stats: Map<string, Arena>;
  /** What the numbers in `grads` still have to be multiplied by; null for nothing. */
  scale: Tensor | null;
}

/** A group of parameters that share their hyper-parameters. */
export interface Group {
  /** In the order given. */
  readonly slots: readonly Slot[];
  readonly parts: readonly PartState[];
}

/** Gives a group its memory. */
export function makeGroup(parameters: readonly Parameter[]): Group {
  const places = new Map<Parameter, Slot>();
  const parts = layOut(parameters).map((part): PartState => {
    const slots: (Slot | null)[] = [];
    const grads = { storage: memory(part.n), last: [] };
    const state: PartState = { ...part, slots, grads, stats: new Map(), scale: null };
    part.members.forEach((parameter, segment) => {
      const slot: Slot | null = parameter === null ? null : {
        parameter,
        part: state,
        segment,
        step: 0,
        started: false,
        doWd: undefined,
        forceTrain: undefined,
        scaled: null,
      };
      slots.push(slot);
      if (slot !== null) places.set(slot.parameter, slot);
    });
    return state;
  });
  return { parts, slots: parameters.map((p) => places.get(p)!) };
}

/** The memory of a statistic; zeros at first. */
export function statArena(part: PartState, name: string, kind: StatKind): Arena {
  let arena = part.stats.get(name);
  if (arena === undefined) {
    const n = kind === "number" ? part.slots.length : part.n;
    part.stats.set(name, arena = { storage: memory(n), last: [] });
  }
  return arena;
}

/** Parameters in groups; refuses what is no parameter, or is there twice, or nothing at all. */
export function checkGroups(params: ParamsLike): readonly (readonly Parameter[])[] {
  if (!Array.isArray(params)) {
    throw new ConfigError(
      `Cannot make an optimizer of ${typeof params}: parameters come in an array, or in arrays as groups`,
    );
  }
  const nested = params.length > 0 && Array.isArray(params[0]);
  const groups = (nested ? params : [params]) as readonly (readonly Parameter[])[];
  const seen = new Set<Parameter>();
  groups.forEach((group, i) => {
    if (!Array.isArray(group)) {
      throw new ConfigError(`Cannot make an optimizer: the first entry is a group of parameters, entry ${i} is not`);
    }
    for (const p of group) {
      if (Array.isArray(p)) {
        throw new ConfigError("Cannot make an optimizer: the first entry is no group of parameters, a later one is");
      }
      if (!(p instanceof Parameter)) throw new ConfigError(`Cannot optimize ${nameOf(p)}: it is no Parameter`);
      if (seen.has(p)) {
        throw new ConfigError(`Cannot make an optimizer: a parameter of shape ${fmtShape(p.shape)} is there twice`);
      }
      seen.add(p);
    }
  });
  if (seen.size === 0) throw new ConfigError("Cannot make an optimizer: there are no parameters");
  return groups;
}

function nameOf(x: unknown): string {
  if (typeof x !== "object" || x === null) return String(x);
  return `a ${x.constructor?.name ?? "object"}`;
}

/** See `Optimizer.freezeTo`. */
export function freezeGroups(groups: readonly Group[], n: number): void {
  if (!Number.isInteger(n)) throw new ConfigError(`Cannot freeze up to group ${n}: it must be a whole number`);
  const { length } = groups, first = n < 0 ? length + n : n;
  if (first < 0 || first > length) throw noSuchGroup(n, length);
  groups.forEach(({ slots }, i) => {
    for (const s of slots) s.parameter.requiresGrad = i >= first || s.forceTrain === true;
  });
}

/** The error of a group to freeze up to that is none of `count`. */
export function noSuchGroup(n: number, count: number): ConfigError {
  const groups = count === 1 ? "there is one parameter group" : `there are ${count} parameter groups`;
  return new ConfigError(
    `Cannot freeze up to group ${n}: ${groups}, so that n is from ${-count} to ${count}` +
      (count === 1 ? "; split the model first, with a splitter" : ""),
  );
}
