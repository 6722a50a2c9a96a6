/**
 * Arenas: the parameters of a group lie together in one memory, so that one kernel updates them all. A parameter moves in
 * once, when its first optimizer is made; later optimizers work where it lies.
 *
 * @module
 */
import { Storage } from "../graph/storage.ts";
import { moveVariables, type Parameter } from "../tensor/mod.ts";

/** Parameters start at multiples of this many elements. */
const ALIGN = 16;

/** One parameter's place in an arena. */
interface Tenant {
  readonly parameter: Parameter;
  readonly offset: number;
}

/** Who lies where, for every arena made so far. */
const layouts = new WeakMap<Storage, readonly Tenant[]>();

/** Part of a group that lies in one arena. */
export interface Part {
  readonly storage: Storage;
  /** First element, in the arena. */
  readonly start: number;
  /** Number of elements, foreign ones and gaps included. */
  readonly n: number;
  /** Where each segment starts, counted from `start`; ascending from 0. A gap belongs to the segment before it. */
  readonly starts: readonly number[];
  /** The parameter of each segment: null for one that belongs to another group. */
  readonly members: readonly (Parameter | null)[];
}

/** Brings the parameters of a group together, as far as they do not lie in an arena yet, and says where they all lie. */
export function layOut(group: readonly Parameter[]): Part[] {
  const fresh = group.filter((p) => !layouts.has(p.storage));
  if (fresh.length > 0) moveIn(fresh);
  const storages = [...new Set(group.map((p) => p.storage))];
  const mine = new Set(group);
  return storages.map((storage) => {
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

function moveIn(parameters: readonly Parameter[]): void {
  let end = 0;
  const tenants: Tenant[] = [];
  for (const parameter of parameters) {
    if (parameter.size === 0) continue;
    tenants.push({ parameter, offset: end });
    end += Math.ceil(parameter.size / ALIGN) * ALIGN;
  }
  const storage = new Storage(end * 4, new Float32Array(end));
  layouts.set(storage, tenants);
  moveVariables(storage, tenants.map((t) => [t.parameter, t.offset] as const));
}
