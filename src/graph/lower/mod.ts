/**
 * Lowering: from a collected graph to a device-independent program. The stages: merge equal nodes and choose what is stored
 * (graph), list what is to be computed in topological order (units), fuse units into kernels (schedule, draft, kernel_body),
 * plan memory (assemble), and fold the domains (finish).
 *
 * @module
 */
import type { DeviceProfile } from "../../device/contract.ts";
import type { Collected } from "../collect.ts";
import { POOL_LIMIT } from "../result_pool.ts";
import { assemble, ITEM_SLOTS, type Lowered } from "./assemble.ts";
import { buildGraph } from "./graph.ts";
import { MustStore, type Places } from "./kernel_body.ts";
import { layoutWords } from "./param_words.ts";
import { schedule } from "./schedule.ts";
import { buildUnits, WriteCycle } from "./units.ts";

export type { Lowered };

/** Attempts at forming kernels; each failure stores one more value, so graphs end long before. */
const MAX_ATTEMPTS = 10000;

/**
 * Makes the program that computes the roots and runs the assignments of `c`.
 *
 * @param pool Whether small results may lie in a pool; before a device is open there is none.
 */
export function lower(c: Collected, profile: DeviceProfile, { pool = true }: { pool?: boolean } = {}): Lowered {
  const words = layoutWords(c);
  const maxSlots = Math.max(4, profile.maxSlotsPerKernel);
  const places: Places = {
    slotOf: (item) => ITEM_SLOTS + item.id,
    storageSlot: (i) => 1 + i,
    wordOf: (item) => words.of.get(item.node.local)!,
    dynOf: (i) => words.dyn.get(i),
  };
  const alsoStored = new Set<number>();
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const graph = buildGraph(c, alsoStored, maxSlots - 3);
    try {
      const units = buildUnits(graph);
      const drafts = schedule(units, places, maxSlots);
      return assemble(c, graph, units, drafts, words, { poolLimit: pool ? POOL_LIMIT : 0, maxSlots });
    } catch (error) {
      const before = alsoStored.size;
      if (error instanceof MustStore) alsoStored.add(error.item.id);
      else if (error instanceof WriteCycle) error.leaves.forEach((l) => alsoStored.add(l.id));
      if (alsoStored.size === before) throw error;
    }
  }
  throw new Error("The kernels of this graph cannot be formed");
}
