/**
 * The epilogue of a captured step: what others recorded on top of its results, such as the history of losses. Assignments to
 * memory of their own, launched with the step.
 *
 * @module
 */
import { ASSIGN } from "./assign.ts";
import { collect, type Collected } from "./collect.ts";
import { SCALAR } from "./leaves.ts";
import type { Node } from "./node.ts";
import { sameKey } from "./programs.ts";
import { resultStorage, type Storage } from "./storage.ts";

/** What an epilogue works on, and what is carried out with it. */
export type EpilogueValues = Pick<Collected, "storages" | "scalars" | "arrays" | "assigns" | "order">;

/** An assignment of a result as it is, from some element on, plus a number that travels with the launch if there is one. */
interface Store {
  readonly result: number;
  readonly offset: number;
  readonly travels: boolean;
  readonly bytes: number;
  readonly pendingBefore: number;
}

const NO_NODES: readonly Node[] = [];

/** A captured epilogue. */
export class Epilogue {
  readonly values: EpilogueValues;
  readonly #key: Int32Array;
  readonly #hash: number;
  /** For each storage the result that it stands for, else -1. */
  readonly #results: readonly number[];
  /** Its assignments, if all of them store results as they are: others like them are told without a walk. */
  readonly #stores: readonly Store[] | null;

  private constructor(collected: Collected, roots: readonly Node[], places: readonly Storage[]) {
    this.values = collected;
    this.#key = collected.key.slice();
    this.#hash = collected.hash;
    this.#results = collected.storages.map((s) => places.indexOf(s));
    this.#stores = storesOf(collected, roots);
  }

  /**
   * Captures what `assigns` do on top of `roots`, the results of a step that was not launched yet; null where they cannot be
   * computed.
   */
  static capture(assigns: readonly Node[], roots: readonly Node[]): Epilogue | null {
    const places = roots.map((r) => r.storage = resultStorage(r.bytes)); // to stop at results, as replays do
    try {
      return new Epilogue(collect([], assigns), roots, places);
    } catch {
      return null; // the launch says what is wrong with it
    } finally {
      for (const r of roots) r.storage = null;
    }
  }

  /**
   * What `assigns` work on, if they do on top of `roots`, which will lie in `places`, what the captured ones did; else null.
   */
  match(assigns: readonly Node[], roots: readonly Node[], places: readonly Storage[]): EpilogueValues | null {
    return this.#matchStores(assigns, roots, places) ?? this.#matchAll(assigns, places);
  }

  #matchStores(assigns: readonly Node[], roots: readonly Node[], places: readonly Storage[]): EpilogueValues | null {
    const stores = this.#stores;
    if (stores === null || assigns.length !== stores.length) return null;
    const scalars: Node[] = [];
    for (let i = 0; i < stores.length; i++) {
      const assign = assigns[i], { inputs } = assign, storage = assign.storage!;
      const { result, offset, travels, bytes, pendingBefore } = stores[i];
      if (
        inputs[0] !== roots[result] || places[result].disposed || assign.offset !== offset ||
        inputs.length !== (travels ? 2 : 1) || storage.bytes !== bytes || storage.disposed ||
        assign.pendingBefore !== pendingBefore // other memory each, as it was then
      ) return null;
      if (travels) scalars.push(inputs[1]);
    }
    const storages: Storage[] = [];
    let next = 0;
    for (const result of this.#results) storages.push(result >= 0 ? places[result] : assigns[next++].storage!);
    return { storages, scalars, arrays: NO_NODES, assigns, order: NO_NODES };
  }

  #matchAll(assigns: readonly Node[], places: readonly Storage[]): EpilogueValues | null {
    let found: Collected;
    try {
      found = collect([], assigns);
    } catch {
      return null; // they are launched by themselves, which says what is wrong with them
    }
    if (found.hash !== this.#hash || !sameKey(this.#key, found.key)) return null;
    const results = this.#results;
    for (let k = 0; k < results.length; k++) {
      if (results[k] >= 0 && found.storages[k] !== places[results[k]]) return null;
    }
    return found;
  }
}

/** The assignments of an epilogue as stores of results, each to memory of its own; null if any is something else. */
function storesOf({ assigns, storages, scalars, order }: Collected, roots: readonly Node[]): readonly Store[] | null {
  const stores: Store[] = [], results = new Set<number>();
  for (const assign of assigns) {
    const { inputs: [value, at], offset } = assign;
    const result = roots.indexOf(value);
    if (assign.op !== ASSIGN || result < 0 || at !== undefined && at.op !== SCALAR) return null;
    results.add(result);
    const { bytes } = assign.storage!;
    stores.push({ result, offset, travels: at !== undefined, bytes, pendingBefore: assign.pendingBefore });
  }
  // nothing but the results, one memory for each assignment, and one number for each that has one
  const numbers = stores.filter(({ travels }) => travels).length;
  const whole = storages.length === results.size + stores.length && scalars.length === numbers &&
    order.length === results.size + stores.length + numbers;
  return whole ? stores : null;
}
