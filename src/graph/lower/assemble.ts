/**
 * Memory planning: the slots that stored values lie in, their liveness, and the program over these slots.
 *
 * @module
 */
import { bytesPerElement } from "../../base/dtype.ts";
import { sizeOf } from "../../base/shape.ts";
import type { Kernel, Program, Slot, View } from "../../device/contract.ts";
import { storesOf } from "../../device/last_access.ts";
import type { Collected } from "../collect.ts";
import { SEGMENT_BYTES } from "../result_pool.ts";
import { type Draft, wholeOperands } from "./draft.ts";
import { finish } from "./finish.ts";
import { forwardStores } from "./forward_stores.ts";
import type { Graph, Item } from "./graph.ts";
import { shareTemporaries } from "./memory.ts";
import type { ParamWords } from "./param_words.ts";
import type { KernelDraft } from "./schedule.ts";
import type { Unit } from "./units.ts";
import type { WholeDraft } from "./whole.ts";

/** A program, and where each run's memory and values go in it. */
export interface Lowered {
  readonly program: Program;
  readonly paramWords: number;
  /** Bound slots, in order: these of the collected storages, then these roots, then the pool of results if any root lies in it. */
  readonly boundStorages: readonly number[];
  readonly largeRoots: readonly number[];
  readonly pooledRoots: readonly number[];
  /** Bytes from the start of the launch's place in the pool, for each of `pooledRoots`; and bytes of that place. */
  readonly poolOffsets: readonly number[];
  readonly poolBytes: number;
  readonly words: {
    /** Word that holds the element where the launch's place in the pool starts. */
    readonly pool: number;
    /** Words that hold where storages that lie in a pool start, in elements: bytes >> shift. */
    readonly bases: readonly { readonly storage: number; readonly word: number; readonly shift: number }[];
    /** Words of the collected scalars and arrays. */
    readonly scalars: readonly number[];
    readonly arrays: readonly number[];
  };
}

/** Virtual slots of items start here; below lie the parameters (0) and the storages (from 1). */
export const ITEM_SLOTS = 1 << 20;

/** A place in memory that holds an item. */
interface Home {
  readonly slot: number;
  readonly offset: number;
  readonly dyn?: number;
}

/** Plans memory (slots, aliases of temporaries by their liveness) and makes the program. */
export function assemble(
  c: Collected,
  graph: Graph,
  units: readonly Unit[],
  drafts: readonly KernelDraft[],
  words: ParamWords,
  { poolLimit, maxSlots }: { readonly poolLimit: number; readonly maxSlots: number },
): Lowered {
  const { read, opaque } = readItems(units, drafts);
  // roots: small ones together in a pool, the others on their own
  const rootBytes = c.roots.map((n) => n.op.kind === "assign" ? 0 : sizeOf(n.shape) * bytesPerElement(n.dtype));
  const pooledRoots: number[] = [], poolOffsets: number[] = [], largeRoots: number[] = [];
  let poolBytes = 0;
  rootBytes.forEach((bytes, i) => {
    if (bytes === 0) return;
    // places in the pool are counted in elements of four bytes
    if (c.roots[i].dtype !== "f16" && poolBytes + bytes <= poolLimit) {
      pooledRoots.push(i);
      poolOffsets.push(poolBytes);
      poolBytes += (bytes + 63) & ~63;
    } else largeRoots.push(i);
  });

  const slots: { bytes: number; kind: Slot["kind"]; written: boolean }[] = [
    { bytes: words.total * 4, kind: "params", written: false },
  ];
  const boundStorages = usedStorages(c, drafts);
  const storageSlot = new Map<number, number>();
  const bind = (bytes: number) => slots.push({ bytes, kind: "bound", written: false }) - 1;
  for (const i of boundStorages) storageSlot.set(i, bind(c.storages[i].pooled ? SEGMENT_BYTES : c.storages[i].bytes));
  const homes = new Map<Item, Home[]>();
  const addHome = (item: Item, home: Home) => {
    const list = homes.get(item);
    if (list === undefined) homes.set(item, [home]);
    else list.push(home);
    return home;
  };
  for (const i of largeRoots) addHome(graph.roots[i], { slot: bind(rootBytes[i]), offset: 0 });
  const poolSlot = pooledRoots.length > 0 ? bind(SEGMENT_BYTES) : -1;
  pooledRoots.forEach((root, i) => addHome(graph.roots[root], { slot: poolSlot, offset: poolOffsets[i] >> 2, dyn: 0 }));

  // each temporary value has a slot of its own until all kernels are known; operands of whole-matrix kernels never alias outputs
  const firstTemporary = slots.length;
  const bytesOf: number[] = [];
  const readFrom = new Map<Item, Home>();
  for (const item of read) {
    const own = homes.get(item)?.[0];
    if (own !== undefined && !opaque.has(item)) {
      readFrom.set(item, own);
      continue;
    }
    const slot = firstTemporary + bytesOf.push((sizeOf(item.shape) * bytesPerElement(item.dtype) + 63) & ~63) - 1;
    readFrom.set(item, addHome(item, { slot, offset: 0 }));
  }

  const resolve = (view: View): View => {
    if (view.slot === 0) return view;
    if (view.slot < ITEM_SLOTS) return { ...view, slot: storageSlot.get(view.slot - 1)! };
    const home = readFrom.get(graph.items[view.slot - ITEM_SLOTS])!;
    return {
      ...view,
      slot: home.slot,
      offset: view.offset + home.offset,
      ...(home.dyn === undefined ? {} : { dyn: home.dyn }),
    };
  };
  const stores = (unit: Unit, offset: number, strides: readonly number[]): View[] => {
    if (unit.kind === "assign") {
      const { item } = unit;
      const at = item.inputs[1];
      return [{
        slot: storageSlot.get(item.storage)!,
        dtype: item.dtype,
        offset: offset + item.node.offset,
        strides,
        ...(at === undefined ? {} : { dyn: words.of.get(at.node.local)! }),
      }];
    }
    return (homes.get(unit.item) ?? []).map((home) => ({
      slot: home.slot,
      dtype: unit.item.dtype,
      offset: offset + home.offset,
      strides,
      ...(home.dyn === undefined ? {} : { dyn: home.dyn }),
    }));
  };
  const finished: Kernel[] = [];
  for (const draft of drafts) {
    if (draft.frame.kind === "whole") finished.push(...(draft as WholeDraft).kernels(stores, resolve));
    else {
      const kernel = finish(draft as Draft, stores, resolve);
      if (kernel !== null) finished.push(kernel);
    }
  }
  const forwarded = forwardStores(finished, { isTemporary: (slot) => slot >= firstTemporary, maxSlots });
  const { kernels, sizes } = shareTemporaries(forwarded, firstTemporary, bytesOf);
  for (const bytes of sizes) slots.push({ bytes, kind: "temporary", written: false });
  for (const kernel of kernels) for (const { slot } of storesOf(kernel)) slots[slot].written = true;
  const label = `${kernels.length} kernels: ${[...new Set(kernels.map((k) => k.op))].join(", ")}`;
  return {
    program: { label, slots, kernels },
    paramWords: words.total,
    boundStorages,
    largeRoots,
    pooledRoots,
    poolOffsets,
    poolBytes: (poolBytes + 255) & ~255,
    words: {
      pool: 0,
      bases: [...words.dyn].map(([storage, word]) => ({ storage, word, shift: 2 })),
      scalars: c.scalars.map((n) => words.of.get(n.local) ?? -1),
      arrays: c.arrays.map((n) => words.of.get(n.local) ?? -1),
    },
  };
}

/** Frames whose kernels read operands while they store results. */
const TAKES_WHOLE: ReadonlySet<string> = new Set(["matmul", "conv", "whole"]);

/** Which items kernels read that others store; and which of them kernels take as whole operands. */
function readItems(units: readonly Unit[], drafts: readonly KernelDraft[]) {
  const read = new Set<Item>();
  const opaque = new Set<Item>();
  for (const unit of units) {
    if (unit.kind === "cat") continue;
    for (const d of unit.deps) {
      if (d.kind === "assign" || d.kernel === unit.kernel) continue;
      read.add(d.item);
      if (TAKES_WHOLE.has(drafts[unit.kernel].frame.kind)) opaque.add(d.item);
    }
  }
  return { read, opaque };
}

function usedStorages(c: Collected, drafts: readonly KernelDraft[]): number[] {
  const used = new Set<number>();
  const see = (view: View) => {
    if (view.slot > 0 && view.slot < ITEM_SLOTS) used.add(view.slot - 1);
  };
  for (const draft of drafts) {
    for (const unit of draft.units) if (unit.kind === "assign") used.add(unit.item.storage);
    if (draft.frame.kind === "whole") {
      (draft as WholeDraft).reads.forEach(see);
      continue;
    }
    const { frame, body } = draft as Draft;
    for (const inst of body) if (inst.k === "load") see(inst.view);
    wholeOperands(frame).forEach(see);
  }
  return c.storages.map((_, i) => i).filter((i) => used.has(i));
}
