/**
 * What a learner's parts keep beside weights: random generators and callbacks' states. One rule finds them, whoever has
 * them: generators are fields of layers, callbacks, metrics and the loss, states are what `stateDict()` gives.
 *
 * @module
 */
import { isDict, SavedState, type StateDict, type StateValue } from "../io/state_dict.ts";
import { Module } from "../nn/mod.ts";
import { rememberModes } from "../nn/modes.ts";
import { defaultRng, Rng, Tensor } from "../tensor/mod.ts";
import { type Callback, Recorder, TrainLoop } from "../train/mod.ts";

/** The learner's callbacks in the order in which they are called, each by a name of its own. */
export function namedCallbacks(learn: TrainLoop): [string, Callback][] {
  return named([...learn.cbs].sort((a, b) => a.order - b.order));
}

function named<T extends { readonly name: string }>(parts: readonly T[]): [string, T][] {
  const seen = new Map<string, number>();
  return parts.map((part) => {
    const n = (seen.get(part.name) ?? 0) + 1;
    seen.set(part.name, n);
    return [n === 1 ? part.name : `${part.name} ${n}`, part];
  });
}

/**
 * Random generators by path, each once: those in fields of layers, of callbacks, of metrics and of the loss, and in lists
 * and objects in such fields. A field is found unless it is private (`#`).
 */
export function generatorsOf(learn: TrainLoop): [string, Rng][] {
  const found = new Map<Rng, string>(), seen = new Set<object>();
  const look = (path: string, value: unknown, depth: number): void => {
    if (value instanceof Rng) {
      if (!found.has(value) && value !== defaultRng()) found.set(value, path);
      return;
    }
    if (typeof value !== "object" || value === null || depth === 0 || seen.has(value) || ArrayBuffer.isView(value)) {
      return;
    }
    // tensors have none; layers below this one, and the learner's parts, have paths of their own
    if (value instanceof Tensor || value instanceof TrainLoop || depth < DEPTH && value instanceof Module) return;
    seen.add(value);
    if (Array.isArray(value) && (value.length > MOST_ENTRIES || typeof value[0] !== "object")) return;
    for (const [key, inner] of Object.entries(value)) look(`${path}.${key}`, inner, depth - 1);
  };
  for (const [name, m] of learn.model.namedModules()) look(`model.${name}`, m, DEPTH);
  for (const [name, cb] of namedCallbacks(learn)) look(`callback.${name}`, cb, DEPTH);
  for (const [name, metric] of named(learn.metrics)) look(`metric.${name}`, metric, DEPTH);
  look("loss", learn.lossFunc, DEPTH);
  return [...found].map(([rng, path]) => [path, rng]);
}

/** Fields of fields of fields are looked at, and lists of so many entries: what is larger is data. */
const DEPTH = 4, MOST_ENTRIES = 1000;

/** Remembers where random generators stand, the default one too; the function given back returns there. */
export function rememberGenerators(learn: TrainLoop): () => void {
  const all = [defaultRng(), ...generatorsOf(learn).map(([, rng]) => rng)].map((rng) => ({ rng, state: rng.state }));
  return () => all.forEach(({ rng, state }) => rng.restore(state));
}

/**
 * Remembers random generators, callbacks' states and which layers train; the function given back returns there. A callback
 * that has not moved is left alone; the recorder has ways of its own (`save`, `restore`).
 */
export async function rememberStates(learn: TrainLoop): Promise<() => Promise<void>> {
  const generators = rememberGenerators(learn);
  const modes = rememberModes(learn.model);
  const states: { name: string; cb: Callback; before: StateDict }[] = [];
  for (const [name, cb] of namedCallbacks(learn)) {
    if (cb instanceof Recorder) continue;
    const state = await cb.stateDict();
    if (state !== null) states.push({ name, cb, before: copied(state) as StateDict });
  }
  return async () => {
    modes();
    for (const { name, cb, before } of states) {
      if (!same(before, await cb.stateDict())) await cb.loadStateDict(new SavedState(before, name));
    }
    generators();
  };
}

/** Runs `body`, which looks at what a learner makes of data: nothing that a fit depends on is changed by it. */
export async function looking<T>(learn: TrainLoop, body: () => Promise<T>): Promise<T> {
  await learn.ready();
  const goBack = await rememberStates(learn);
  try {
    return await body();
  } finally {
    await goBack();
  }
}

/** A state that its owner does not go on changing. Tensors are as they are: they have versions of their own. */
function copied(value: StateValue): StateValue {
  if (Array.isArray(value)) return value.map(copied);
  if (ArrayBuffer.isView(value)) return value.slice() as StateValue;
  if (!isDict(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copied(inner ?? null)]));
}

function same(a: StateValue | undefined, b: StateValue | undefined): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Tensor || b instanceof Tensor || a.constructor !== b.constructor) return false;
  const keys = Object.keys(a);
  const of = (x: object, key: string) => (x as Record<string, StateValue>)[key];
  return keys.length === Object.keys(b).length && keys.every((key) => same(of(a, key), of(b, key)));
}
