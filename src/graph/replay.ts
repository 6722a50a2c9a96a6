/**
 * Steps that are taken again: of a step that is built like one before, only the front part (what the loss is computed
 * from) has to be there to know the rest of its program, gradients and updates, which then is not built at all. What others
 * record on top of its results, such as a history of losses, goes with it.
 *
 * @module
 */
import { DisposedError } from "../base/errors.ts";
import { pendingAssigns, takePending } from "./assign.ts";
import { collect, type Collected } from "./collect.ts";
import { LEAF } from "./leaves.ts";
import type { Node } from "./node.ts";
import { type Entry, type Runtime, sameKey } from "./programs.ts";
import { depart, hold, nothingBeside, type Run, runtimeOf, settle, unhold } from "./runtime.ts";
import { resultStorage, Storage } from "./storage.ts";

/** What was recorded so far of a step that will hand `results` over; null where its program will compute more than that. */
export function frontOf(results: readonly Node[]): Collected | null {
  if (!nothingBeside() || results.some((r) => r.storage !== null)) return null;
  return collect(results, [...pendingAssigns()]);
}

/** A front part that a program may be recorded for: what of it does not last until the program has run. */
export interface Front {
  readonly collected: Collected;
  readonly key: Int32Array;
  /** Places in `collected.order` of values that lie in memory, and which parameters they are. */
  readonly leaves: readonly number[];
  readonly owners: readonly (object | null)[];
}

/** Keeps a front part until its step's program has run; null where its gradients depend on more than its structure. */
export function keepFront(collected: Collected): Front | null {
  const leaves: number[] = [], owners: (object | null)[] = [];
  const { order } = collected;
  for (let i = 0; i < order.length; i++) {
    const node = order[i];
    if (node.storage === null || node.op.kind === "assign") continue;
    // a value that was read before its gradients were taken has a history that the structure does not show
    if (node.op !== LEAF && node.tracked) return null;
    leaves.push(i);
    owners.push(node.owner);
  }
  return { collected, key: collected.key.slice(), leaves, owners };
}

/** What others record on top of a step's results, to be handed over with it: assignments to memory of their own. */
export interface Tail {
  readonly collected: Collected;
  readonly key: Int32Array;
  /** For each of `collected.storages` the result that stands for it, else -1. */
  readonly results: readonly number[];
}

/** What a step has recorded beyond its front part: the assignments of gradients and updates. */
export function updatesOf({ collected: { assigns } }: Front): readonly Node[] {
  return pendingAssigns().filter((a) => !assigns.includes(a));
}

/**
 * What is recorded now beside a step's front part and its updates; null where somebody has read a result of the step
 * before, and so has handed over a part of its program.
 */
export function tailOf({ collected: { roots, assigns } }: Front, updates: readonly Node[]): Tail | null {
  if (roots.some((r) => r.storage !== null)) return null;
  const others = pendingAssigns().filter((a) => !assigns.includes(a) && !updates.includes(a));
  const places = roots.map((r) => r.storage = resultStorage(r.bytes)); // to stop at results, as later steps will
  try {
    const collected = collect([], others);
    return { collected, key: collected.key.slice(), results: collected.storages.map((s) => places.indexOf(s)) };
  } finally {
    for (const r of roots) r.storage = null;
  }
}

/** Memory that the rest of a step assigns to. */
interface Target {
  readonly storage: Storage;
  /** How often in a step. */
  readonly times: number;
  /** Its place among the front part's storages; -1 where that does not know it. */
  readonly at: number;
}

/** Memory, scalars or arrays that a program works on: some are its front part's, some its tail's, others stay. */
class Inputs<T> {
  readonly list: T[];
  /** For each of `list` its place in the front part's list, else -1. */
  readonly #front: readonly number[];
  /** For each of the tail's list its place in `list`; -1 for what is a result of the program. */
  readonly tail: readonly number[];

  constructor(list: readonly T[], front: readonly T[], tail: readonly T[]) {
    this.list = [...list];
    this.#front = placesOf(list, front);
    this.tail = placesOf(tail, list);
  }

  /** Those that stay. */
  get own(): T[] {
    return this.list.filter((_, i) => this.#front[i] < 0 && !this.tail.includes(i));
  }

  /** Takes a front part's. */
  takeFront(given: readonly T[]): void {
    const from = this.#front;
    for (let i = 0; i < from.length; i++) if (from[i] >= 0) this.list[i] = given[from[i]];
  }

  /** Takes a tail's. */
  takeTail(given: readonly T[]): void {
    const to = this.tail;
    for (let i = 0; i < to.length; i++) if (to[i] >= 0) this.list[to[i]] = given[i];
  }
}

/** A step's program, to be run for later steps with the same front part. */
export class Replay {
  readonly #front: Omit<Front, "collected">;
  readonly #frontHash: number;
  readonly #tail: Omit<Tail, "collected">;
  readonly #tailHash: number;
  readonly #entry: Entry;
  readonly #runtime: Runtime;
  readonly #storages: Inputs<Storage>;
  readonly #scalars: Inputs<Node>;
  readonly #arrays: Inputs<Node>;
  /** Memory that stays the same from step to step. */
  readonly #own: readonly Storage[];
  /** Takes what the program stores for a tail where a step has none. */
  readonly #scratch = new Map<number, Storage>();
  /** For each result of the program its place among the front part's. */
  readonly #rootsFrom: readonly number[];
  readonly #targets: readonly Target[];
  /** Results of the step that waits to be run, in the front part's order. */
  #results: readonly Storage[] | null = null;

  /**
   * Takes down what ran.
   *
   * @param front The step's front part.
   * @param tail What others had recorded when the step's program was handed over.
   * @param run That program.
   * @param updates The assignments of the step itself.
   * @returns Null where the program computed or assigned anything else, or the tail used what the step works on.
   */
  static of(front: Front, tail: Tail, run: Run, updates: readonly Node[]): Replay | null {
    const { collected: known } = front, { collected: last } = tail, { collected: all } = run;
    const rootsFrom = placesOf(all.roots, known.roots);
    if (rootsFrom.includes(-1) || rootsFrom.length !== known.roots.length) return null;
    const parts = [...known.assigns, ...updates, ...last.assigns];
    // a part may have been handed over with another program before
    if (parts.length !== all.assigns.length || !parts.every((a) => all.assigns.includes(a))) return null;
    const versions = new Map<Storage, Set<number>>();
    for (const { storage, version } of updates) {
      versions.set(storage!, (versions.get(storage!) ?? new Set()).add(version));
    }
    const shares = <T>(a: readonly T[], b: readonly T[]) => a.some((x) => b.includes(x));
    if (
      shares(last.storages, known.storages) || shares(last.storages, [...versions.keys()]) ||
      shares(last.scalars, known.scalars) || shares(last.arrays, known.arrays)
    ) return null;
    return new Replay(front, tail, run, rootsFrom, versions);
  }

  private constructor(
    { collected: known, ...front }: Front,
    { collected: last, ...tail }: Tail,
    { collected: all, entry, runtime }: Run,
    rootsFrom: readonly number[],
    versions: ReadonlyMap<Storage, ReadonlySet<number>>,
  ) {
    this.#front = front;
    this.#frontHash = known.hash;
    this.#tail = tail;
    this.#tailHash = last.hash;
    this.#entry = entry;
    this.#runtime = runtime;
    this.#storages = new Inputs(all.storages, known.storages, last.storages);
    this.#scalars = new Inputs(all.scalars, known.scalars, last.scalars);
    this.#arrays = new Inputs(all.arrays, known.arrays, last.arrays);
    this.#own = this.#storages.own;
    this.#rootsFrom = rootsFrom;
    this.#targets = [...versions].map(([storage, { size }]) => ({
      storage,
      times: size,
      at: known.storages.indexOf(storage),
    }));
  }

  /** Whether a step with this front part goes on like the one that was recorded, as far as its structure and memory say. */
  fits(front: Collected): boolean {
    const { key, leaves, owners } = this.#front;
    if (front.hash !== this.#frontHash || !sameKey(key, front.key)) return false;
    for (let i = 0; i < leaves.length; i++) {
      const node = front.order[leaves[i]];
      if (node.owner !== owners[i] || node.op !== LEAF && node.tracked) return false;
    }
    const { storages } = front;
    for (const { storage, at } of this.#targets) if (at >= 0 && storages[at] !== storage) return false;
    for (const own of this.#own) {
      if (own.disposed || own.version !== own.done || storages.includes(own)) return false;
    }
    return !this.#entry.gone && runtimeOf(storages) === this.#runtime;
  }

  /**
   * Takes the step whose front part {@link fits}: its results and assignments are there afterwards, for everybody who asks.
   * The program is handed over by {@link Replay.end}, or when somebody asks before.
   */
  begin(front: Collected): void {
    takePending();
    const results = front.roots.map((n) => resultStorage(n.bytes));
    this.#storages.takeFront(front.storages);
    this.#scalars.takeFront(front.scalars);
    this.#arrays.takeFront(front.arrays);
    const { order } = front;
    for (let i = 0; i < order.length; i++) order[i].release(); // as `backward` does
    settle(front, results);
    for (const { storage, times } of this.#targets) storage.done = storage.version += times;
    this.#results = results;
    hold(() => this.#run(false));
  }

  /** Hands the step's program over, with what was recorded since if that is what was recorded then. */
  end(): void {
    if (this.#results === null) return;
    const tail = collect([], pendingAssigns());
    this.#run(this.#takeTail(tail));
  }

  #takeTail(tail: Collected): boolean {
    const { key, results } = this.#tail;
    if (tail.hash !== this.#tailHash || !sameKey(key, tail.key)) return false;
    const { list, tail: to } = this.#storages;
    for (let k = 0; k < to.length; k++) {
      const storage = tail.storages[k];
      if (results[k] >= 0) {
        if (storage !== this.#results![results[k]]) return false;
      } else if (list.some((s, i) => s === storage && !to.includes(i))) return false; // the step works on it
    }
    this.#storages.takeTail(tail.storages);
    this.#scalars.takeTail(tail.scalars);
    this.#arrays.takeTail(tail.arrays);
    takePending();
    settle(tail, []);
    return true;
  }

  #run(withTail: boolean): void {
    unhold();
    const results = this.#results!;
    this.#results = null;
    const { list: storages, tail } = this.#storages;
    if (!withTail) { for (const i of tail) if (i >= 0) storages[i] = this.#scratchFor(i); }
    for (let i = 0; i < storages.length; i++) {
      if (storages[i].disposed) throw new DisposedError("Cannot use a tensor of this batch: it was disposed");
    }
    const values = { storages, scalars: this.#scalars.list, arrays: this.#arrays.list };
    const departure = { storages, entry: this.#entry, runtime: this.#runtime };
    depart(departure, (s) => this.#targets.some(({ storage }) => storage === s));
    this.#runtime.run(this.#entry, values, this.#rootsFrom.map((i) => results[i]));
  }

  #scratchFor(i: number): Storage {
    let scratch = this.#scratch.get(i);
    if (scratch === undefined) this.#scratch.set(i, scratch = new Storage(this.#storages.list[i].bytes));
    return scratch;
  }
}

function placesOf<T>(things: readonly T[], list: readonly T[]): number[] {
  const places = new Map(list.map((x, i) => [x, i]));
  return things.map((x) => places.get(x) ?? -1);
}
