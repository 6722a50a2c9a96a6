/**
 * Lowering: from a collected graph to a device-independent program. The stages: merge equal nodes and choose what is stored
 * (graph), list what is to be computed and in which order (units), let units share kernels (schedule, draft, body), share
 * memory, and fold the domains.
 *
 * @module
 */
import { bytesPerElement } from "../../base/dtype.ts";
import { sizeOf } from "../../base/shape.ts";
import type { DeviceProfile, Inst, Kernel, Program, Slot, Store, View } from "../../device/contract.ts";
import { operandsOf } from "../../device/instructions.ts";
import type { Collected } from "../collect.ts";
import { POOL_LIMIT, SEGMENT_BYTES } from "../result_pool.ts";
import { MustStore, type Places } from "./body.ts";
import { compact } from "./compact.ts";
import { type Draft, wholeOperands } from "./draft.ts";
import { buildGraph, type Graph, type Item } from "./graph.ts";
import { shareMemory } from "./memory.ts";
import { foldProduct } from "./product.ts";
import { type ScatterDraft, schedule, type Step } from "./schedule.ts";
import { buildUnits, type Unit, WriteCycle } from "./units.ts";

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
const ITEM_SLOTS = 1 << 20;
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
      const steps = schedule(units, places, maxSlots);
      return assemble(c, graph, units, steps, words, pool ? POOL_LIMIT : 0);
    } catch (error) {
      const before = alsoStored.size;
      if (error instanceof MustStore) alsoStored.add(error.item.id);
      else if (error instanceof WriteCycle) error.leaves.forEach((l) => alsoStored.add(l.id));
      if (alsoStored.size === before) throw error;
    }
  }
  throw new Error("The kernels of this graph cannot be formed");
}

interface Words {
  readonly total: number;
  /** Word by the local number of a scalar or array node. */
  readonly of: ReadonlyMap<number, number>;
  /** Word by storage, for those that lie in a pool. */
  readonly dyn: ReadonlyMap<number, number>;
}

function layoutWords(c: Collected): Words {
  let next = 1; // word 0 is the pool's
  const dyn = new Map<number, number>();
  c.storages.forEach((s, i) => {
    if (s.pooled) dyn.set(i, next++);
  });
  const of = new Map<number, number>();
  for (const s of c.scalars) of.set(s.local, next++);
  for (const a of c.arrays) {
    next = (next + 3) & ~3;
    of.set(a.local, next);
    next += sizeOf(a.shape);
  }
  return { total: (next + 3) & ~3, of, dyn };
}

/** A place in memory that holds an item. */
interface Home {
  slot: number;
  readonly offset: number;
  readonly dyn?: number;
}

function assemble(
  c: Collected,
  graph: Graph,
  units: readonly Unit[],
  steps: readonly Step[],
  words: Words,
  poolLimit: number,
): Lowered {
  const { used, opaque } = consumers(units, steps);
  // roots: small ones together in a pool, the others on their own
  const rootBytes = c.roots.map((n) => n.op.kind === "assign" ? 0 : sizeOf(n.shape) * bytesPerElement(n.dtype));
  const pooledRoots: number[] = [], poolOffsets: number[] = [], largeRoots: number[] = [];
  let poolBytes = 0;
  rootBytes.forEach((bytes, i) => {
    if (bytes === 0) return;
    if (poolBytes + bytes <= poolLimit) {
      pooledRoots.push(i);
      poolOffsets.push(poolBytes);
      poolBytes += (bytes + 63) & ~63;
    } else largeRoots.push(i);
  });

  const slots: { bytes: number; kind: Slot["kind"]; written: boolean }[] = [
    { bytes: words.total * 4, kind: "params", written: false },
  ];
  const boundStorages = usedStorages(c, steps);
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

  // temporaries; values that whole-matrix kernels read never share memory with outputs
  const temporaries: { home: Home; first: number; last: number; bytes: number }[] = [];
  const readFrom = new Map<Item, Home>();
  for (const [item, life] of used) {
    const own = homes.get(item)?.[0];
    if (own !== undefined && !opaque.has(item)) {
      readFrom.set(item, own);
      continue;
    }
    const home = addHome(item, { slot: -1, offset: 0 });
    readFrom.set(item, home);
    temporaries.push({ home, ...life, bytes: (sizeOf(item.shape) * 4 + 63) & ~63 });
  }
  const { place, sizes } = shareMemory(temporaries);
  const firstTemporary = slots.length;
  for (const bytes of sizes) slots.push({ bytes, kind: "temporary", written: false });
  temporaries.forEach(({ home }, i) => home.slot = firstTemporary + place[i]);

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
  const kernels: Kernel[] = [];
  for (const step of steps) {
    if (step.frame.kind === "scatterAdd") kernels.push(...scatterKernels(step as ScatterDraft, stores, resolve));
    else {
      const kernel = finish(step as Draft, stores, resolve);
      if (kernel !== null) kernels.push(kernel);
    }
  }
  for (const kernel of kernels) {
    for (const view of kernel.op === "scatterAdd" ? [kernel.out] : kernel.outs.map((o) => o.view)) {
      slots[view.slot].written = true;
    }
  }
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
const TAKES_WHOLE: ReadonlySet<string> = new Set(["matmul", "conv", "scatterAdd"]);

/** Which items other kernels read, and from when to when they live; and which of them kernels take as whole operands. */
function consumers(units: readonly Unit[], steps: readonly Step[]) {
  const used = new Map<Item, { first: number; last: number }>();
  const opaque = new Set<Item>();
  for (const unit of units) {
    if (unit.kind === "cat") continue;
    for (const d of unit.deps) {
      if (d.kind === "assign") continue;
      if (d.kernel === unit.kernel) continue;
      const life = used.get(d.item);
      const first = d.kind === "cat" ? Math.min(...[...d.deps].map((p) => p.kernel)) : d.kernel;
      if (life === undefined) used.set(d.item, { first, last: unit.kernel });
      else life.last = Math.max(life.last, unit.kernel);
      if (TAKES_WHOLE.has(steps[unit.kernel].frame.kind)) {
        opaque.add(d.item);
      }
    }
  }
  return { used, opaque };
}

function usedStorages(c: Collected, steps: readonly Step[]): number[] {
  const used = new Set<number>();
  const see = (view: View) => {
    if (view.slot > 0 && view.slot < ITEM_SLOTS) used.add(view.slot - 1);
  };
  for (const step of steps) {
    for (const unit of step.units) if (unit.kind === "assign") used.add(unit.item.storage);
    if (step.frame.kind === "scatterAdd") {
      const { kernel } = step as ScatterDraft;
      see(kernel.src);
      see(kernel.index);
      continue;
    }
    const { frame, body } = step as Draft;
    for (const inst of body) if (inst.k === "load") see(inst.view);
    wholeOperands(frame).forEach(see);
  }
  return c.storages.map((_, i) => i).filter((i) => used.has(i));
}

type Stores = (unit: Unit, offset: number, strides: readonly number[]) => View[];

function scatterKernels(
  { units: [unit], kernel }: ScatterDraft,
  stores: Stores,
  resolve: (view: View) => View,
): Kernel[] {
  const { size, inner } = kernel;
  return stores(unit, 0, [size * inner, inner, 1]).map((out) => ({
    ...kernel,
    src: resolve(kernel.src),
    index: resolve(kernel.index),
    out,
  }));
}

/** The kernel of a draft, or null if nobody wants its results. */
function finish(
  { frame, domain, outerRank, body, outputs }: Draft,
  stores: Stores,
  resolve: (view: View) => View,
): Kernel | null {
  const outs: (Store & { perRow: boolean })[] = outputs.flatMap(({ unit, at, inst, perRow }) => {
    const strides = frame.kind === "segmentSum" ? [1] : at.strides;
    return stores(unit, at.offset, strides).map((view) => ({ view, value: inst, perRow }));
  });
  if (outs.length === 0) return null;
  const resolved = body.map((inst): Inst => inst.k === "load" ? { ...inst, view: resolve(inst.view) } : inst);
  const views = outs.map((o) => o.view);
  const rank = domain.length;
  switch (frame.kind) {
    case "map": {
      const small = compact({ sizes: domain, folds: [[0, rank]], body: resolved, views });
      return {
        op: "map",
        shape: small.folded[0],
        ...pruned(small.body, small.views.map((view, i) => ({ view, value: outs[i].value }))),
      };
    }
    case "reduce": {
      const small = compact({
        sizes: domain,
        folds: [[0, outerRank], [outerRank, rank]],
        keepOne: 1,
        body: resolved,
        views,
      });
      const [outer, inner] = small.folded;
      return {
        op: "reduce",
        outer,
        inner,
        ...pruned(small.body, small.views.map((view, i) => ({ view, value: outs[i].value, perRow: outs[i].perRow }))),
      };
    }
    case "segmentSum":
      return {
        op: "segmentSum",
        n: frame.n,
        starts: frame.starts,
        ...pruned(resolved, outs.map(({ view, value }) => ({ view, value }))),
      };
    case "matmul": {
      const [a, b] = frame.operands.map(resolve);
      const batch = rank - 2;
      const k = frame.item.inputs[0].shape[frame.item.inputs[0].shape.length - 1];
      const small = compact({ sizes: domain, folds: [[0, batch]], body: resolved, views: [...views, a, b] });
      const folded = small.views.slice(0, views.length);
      return {
        op: "matmul",
        batch: small.folded[0],
        m: domain[batch],
        n: domain[batch + 1],
        k,
        a: small.views[views.length],
        b: small.views[views.length + 1],
        ...pruned(small.body, folded.map((view, i) => ({ view, value: outs[i].value }))),
      };
    }
    case "conv": {
      const { a, b } = frame.product;
      const product = { ...frame.product, a: resolve(a), b: resolve(b) };
      const small = foldProduct(product, resolved, views);
      return {
        op: "conv",
        ...small.product,
        ...pruned(small.body, small.views.map((view, i) => ({ view, value: outs[i].value }))),
      };
    }
  }
}

/** Leaves out instructions whose results nothing needs. */
function pruned<S extends Store>(body: readonly Inst[], outs: readonly S[]): { body: Inst[]; outs: S[] } {
  const needed = new Uint8Array(body.length);
  for (const o of outs) needed[o.value] = 1;
  for (let i = body.length - 1; i >= 0; i--) if (needed[i] === 1) operandsOf(body[i]).forEach((a) => needed[a] = 1);
  const place = new Array<number>(body.length);
  const kept: Inst[] = [];
  body.forEach((inst, i) => {
    if (needed[i] === 0) return;
    place[i] = kept.length;
    kept.push(renumber(inst, place));
  });
  return { body: kept, outs: outs.map((o) => ({ ...o, value: place[o.value] })) };
}

function renumber(inst: Inst, place: readonly number[]): Inst {
  switch (inst.k) {
    case "load":
      return inst.index ? { ...inst, index: { ...inst.index, value: place[inst.index.value] } } : inst;
    case "random":
      return { ...inst, index: place[inst.index] };
    case "cast":
    case "unary":
    case "reduce":
      return { ...inst, a: place[inst.a] };
    case "binary":
      return { ...inst, a: place[inst.a], b: place[inst.b] };
    case "select":
      return { ...inst, cond: place[inst.cond], a: place[inst.a], b: place[inst.b] };
    default:
      return inst;
  }
}
