/**
 * Models, with or without their optimizer, in files.
 *
 * @module
 */
import { dirname, isAbsolute, join } from "@std/path";
import { CheckpointError } from "../base/errors.ts";
import { openSafetensors, type OutTensor, type SafetensorsFile, writeSafetensors } from "../io/safetensors.ts";
import { SavedState } from "../io/state_dict.ts";
import { decodeState } from "../io/state_text.ts";
import type { OptimizerState, ParamState } from "../optim/mod.ts";
import { readAll, Tensor, tensor } from "../tensor/mod.ts";
import type { TrainLoop } from "../train/mod.ts";

/** Options of {@link save}. */
export interface SaveOptions {
  /** Whether to save the optimizer too, if there is one; true by default. */
  readonly withOpt?: boolean;
}

/** Options of {@link load}. */
export interface LoadOptions {
  /** Whether to load the optimizer too; by default where the file has it. True insists on it. */
  readonly withOpt?: boolean;
  /** Whether names must match exactly; true by default. */
  readonly strict?: boolean;
}

const EXTENSION = ".safetensors";
const OPT = "optimizer/";
const STATE_KEY = "anneal.optimizer";

/** What the file's text says of an optimizer; statistics are tensors named `optimizer/<parameter>/<statistic>`. */
interface OptimizerText {
  readonly hypers: OptimizerState["hypers"];
  readonly state: readonly { readonly step?: number; readonly doWd?: boolean; readonly forceTrain?: boolean }[];
  readonly count?: number;
}

/**
 * Where a model called `file` lies: in the learner's `modelDir`, which is in its `path`; each of the three stands for itself
 * if it is absolute.
 */
export function modelPath(learn: TrainLoop, file: string): string {
  const name = file.endsWith(EXTENSION) ? file : file + EXTENSION;
  if (isAbsolute(name)) return name;
  const dir = isAbsolute(learn.modelDir) ? learn.modelDir : join(learn.path, learn.modelDir);
  return join(dir, name);
}

/**
 * Saves the model, and the optimizer's state, as a safetensors file, whole or not at all. Parameters and buffers have
 * PyTorch's names. In a run of several processes rank 0 alone writes.
 *
 * @param file A name, or an absolute path; `.safetensors` is added.
 * @returns The path that was written, which {@link load} takes, too.
 */
export async function save(learn: TrainLoop, file: string, { withOpt = true }: SaveOptions = {}): Promise<string> {
  await learn.ready();
  if (learn.peers !== null && learn.peers.rank > 0) return modelPath(learn, file);
  const named = new Map<string, Tensor>(learn.model.stateDict());
  const metadata: Record<string, string> = { format: "pt" };
  if (withOpt && learn.hasOpt) {
    const { state, hypers, count } = learn.opt.stateDict();
    state.forEach((entry, i) => {
      for (const [name, value] of Object.entries(entry)) {
        if (value instanceof Tensor) named.set(`${OPT}${i}/${name}`, value);
      }
    });
    const text: OptimizerText = {
      hypers,
      state: state.map(({ step, doWd, forceTrain }) => ({ step, doWd, forceTrain })),
      ...(count === undefined ? {} : { count }),
    };
    metadata[STATE_KEY] = JSON.stringify(text);
  }
  const values = await readAll([...named.values()]);
  const out = new Map<string, OutTensor>();
  [...named].forEach(([name, t], i) => out.set(name, hostOf(t, values[i])));
  const path = modelPath(learn, file);
  await Deno.mkdir(dirname(path), { recursive: true });
  await writeSafetensors(path, out, metadata);
  return path;
}

/**
 * Loads what {@link save} wrote, in place. The optimizer is made if there is none. In a run of several processes all call
 * it, rank 0 reads the file, and the others get what it has then.
 *
 * @throws CheckpointError where the file is missing, or has no optimizer and `withOpt` is true; what `loadStateDict`
 * throws where names or shapes differ. Nothing is changed then.
 */
export async function load(learn: TrainLoop, file: string, options: LoadOptions = {}): Promise<void> {
  await learn.ready();
  const { peers } = learn;
  await (peers === null
    ? loadHere(learn, file, options)
    : peers.followRank0(learn, () => loadHere(learn, file, options)));
}

async function loadHere(learn: TrainLoop, file: string, { withOpt, strict = true }: LoadOptions): Promise<void> {
  const { path, opened } = await open(modelPath(learn, file), file);
  const text = opened.metadata.get(STATE_KEY);
  if (withOpt === true && text === undefined) {
    throw new CheckpointError(
      `Cannot load the optimizer from ${path}: the file has a model only, save it with withOpt`,
    );
  }
  const weights = new Map<string, Tensor>();
  for (const name of opened.names) if (!name.startsWith(OPT)) weights.set(name, await read(opened, name));
  const state = withOpt !== false && text !== undefined ? await optimizerState(opened, text, path) : null;
  learn.model.loadStateDict(weights, { strict });
  if (state !== null) learn.opt.loadStateDict(state);
}

/** Opens the file of a model; `given`, what it was asked for by, may be the path that {@link save} gave. */
async function open(path: string, given: string): Promise<{ path: string; opened: SafetensorsFile }> {
  for (const place of given.endsWith(EXTENSION) ? [path, given] : [path]) {
    try {
      return { path: place, opened: await openSafetensors(place) };
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new CheckpointError(`Cannot load ${path}: there is no such file`);
}

async function optimizerState(file: SafetensorsFile, text: string, path: string): Promise<OptimizerState> {
  const what = `the optimizer of ${path}`;
  const saved = new SavedState(await decodeState(text, () => Promise.reject(strayArray(what)), what), what);
  const state = saved.states("state").map((s): ParamState => ({
    ...(s.has("step") ? { step: s.count("step") } : {}),
    ...(s.has("doWd") ? { doWd: s.boolean("doWd") } : {}),
    ...(s.has("forceTrain") ? { forceTrain: s.boolean("forceTrain") } : {}),
  }));
  for (const key of file.names) {
    const [, i, name] = /^optimizer\/(\d+)\/(.+)$/s.exec(key) ?? [];
    const entry = state[Number(i)];
    if (entry === undefined) continue;
    Object.defineProperty(entry, name, { value: await read(file, key), enumerable: true, configurable: true });
  }
  const hypers = saved.states("hypers").map((h) => Object.fromEntries(h.names.map((n) => [n, h.number(n)])));
  return { state, hypers, ...(saved.has("count") ? { count: saved.count("count") } : {}) };
}

function strayArray(what: string): CheckpointError {
  return new CheckpointError(`Cannot read ${what}: its text refers to an array`);
}

async function read(file: SafetensorsFile, name: string): Promise<Tensor> {
  const { data, shape, dtype } = await file.tensor(name);
  return tensor(data, { shape, dtype });
}

function hostOf(t: Tensor, data: Float32Array | Int32Array | Uint32Array | Uint8Array): OutTensor {
  const { shape, dtype } = t;
  if (dtype === "bool") return { dtype, shape, data: Uint32Array.from(data) };
  if (dtype === "u32") return { dtype: "i32", shape, data: Int32Array.from(data) };
  return { dtype, shape, data };
}
