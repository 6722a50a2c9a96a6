/**
 * Arenas: the parameters of a group lie together in one memory, so that one kernel updates them all. A parameter moves in
 * once, when its first optimizer is made; later optimizers work where it lies.
 *
 * @module
 */
import { type Memory, memory, moveVariables, type Parameter } from "../tensor/mod.ts";

/** Parameters start at multiples of this many elements. */
const ALIGN = 16;

/** Most elements of an arena of several parameters: 128 MiB, which every WebGPU adapter can bind. */
const MAX_ELEMENTS = 2 ** 25;

/** One parameter's place in an arena. */
interface Tenant {
  readonly parameter: Parameter;
  readonly offset: number;
}

/** Who lies where, for every arena made so far. */
const layouts = new WeakMap<Memory, readonly Tenant[]>();

/** Part of a group that lies in one arena. */
export interface Part {
  readonly storage: Memory;
  /** First element, in the arena. */
  readonly start: number;
  /** Number of elements, foreign ones and gaps included. */
  readonly n: number;
  /** Where each segment starts, counted from `start`; ascending from 0. A gap belongs to the segment before it. */
  readonly starts: readonly number[];
  /** The parameter of each segment: null for one that belongs to another group. */
  readonly members: readonly (Parameter | null)[];
}

/**
 * Brings the parameters of a group together, as far as they do not lie in an arena yet, and says where they all lie.
 *
 * @param maxElements Most elements of an arena, unless one parameter alone has more.
 */
export function layOut(group: readonly Parameter[], maxElements: number = MAX_ELEMENTS): Part[] {
  moveIn(group.filter((p) => !layouts.has(p.storage)), maxElements);
  const mine = new Set(group);
  return [...new Set(group.map((p) => p.storage))].map((storage) => {
    const tenants = layouts.get(storage)!;
    const own = tenants.map((t, i) => mine.has(t.parameter) ? i : -1).filter((i) => i >= 0);
    const first = own[0], last = own[own.length - 1];
    const start = tenants[first].offset;
    const end = last + 1 < tenants.length ? tenants[last + 1].offset : storage.bytes / 4;
    const inside = tenants.slice(first, last + 1);
    return {
      storage,
      start,
      n: end - start,
      starts: inside.map((t) => t.offset - start),
      members: inside.map((t) => mine.has(t.parameter) ? t.parameter : null),
    };
  });
}

function moveIn(parameters: readonly Parameter[], maxElements: number): void {
  let tenants: Tenant[] = [];
  let end = 0;
  const close = () => {
    if (tenants.length === 0) return;
    const storage = memory(new Float32Array(end));
    layouts.set(storage, tenants);
    moveVariables(storage, tenants.map((t) => [t.parameter, t.offset] as const));
    tenants = [];
    end = 0;
  };
  for (const parameter of parameters) {
    // a parameter without elements takes a place too, so that every parameter is a segment
    const room = Math.max(1, Math.ceil(parameter.size / ALIGN)) * ALIGN;
    if (end + room > maxElements) close();
    tenants.push({ parameter, offset: end });
    end += room;
  }
  close();
}
