/**
 * Models, with or without their optimizer, in files.
 *
 * @module
 */
import { replaceFile, whyNot } from "../base/atomic.ts";
import { files, isMissing } from "../base/host_files.ts";
import { AnnealError, CheckpointError, ConfigError } from "../base/errors.ts";
import { checkOptions, checkPath, flag, oneOf, type OptionTable } from "../base/options.ts";
import { type SafetensorsFile, writeSafetensors } from "../io/safetensors.ts";
import { firstOf } from "../io/misfits.ts";
import { SavedState } from "../io/state_dict.ts";
import { decodeState } from "../io/state_text.ts";
import { hostTensors, readTensor } from "../io/tensors.ts";
import { openWeights, TORCH, type TorchOptions } from "../io/weights.ts";
import { compareState } from "../nn/module.ts";
import type { LoadReport } from "../nn/mod.ts";
import { type OptimizerState, paramParts, type ParamState } from "../optim/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { tell, type TrainLoop } from "../train/mod.ts";
import { isModelFile, modelPath, refuseEnding } from "./model_path.ts";
import { savedHostPart, savedHypers } from "./optimizer_state.ts";

/** Options of {@link save}. */
export interface SaveOptions {
  /** Whether to save the optimizer too, if there is one; true by default. */
  readonly withOpt?: boolean;
  /** Type of the model's floating-point numbers in the file; `f32` by default. The optimizer's stay f32. */
  readonly dtype?: "f32" | "f16" | "bf16";
}

const SAVE: OptionTable<SaveOptions> = { withOpt: flag, dtype: oneOf("f32", "f16", "bf16") };

/** Options of {@link load}. */
export interface LoadOptions extends TorchOptions {
  /** Whether to load the optimizer too; by default where the file has it. True insists on it. */
  readonly withOpt?: boolean;
  /**
   * Whether names and shapes must match exactly; true by default. Otherwise what matches is loaded, the rest stays as it is,
   * and the {@link ModelReport} and a line of the learner's logger say which is which.
   */
  readonly strict?: boolean;
}

/** What {@link load} loaded, and what it left as it was. */
export interface ModelReport extends LoadReport {
  /** Names of tensors that fit by name and shape and cannot be read, each with the reason; none where `strict` is true. */
  readonly unreadable: Readonly<Record<string, string>>;
  /** Whether the optimizer's state was loaded. */
  readonly optimizer: boolean;
}

const LOAD: OptionTable<LoadOptions> = { withOpt: flag, strict: flag, ...TORCH };

/** Prefix of the optimizer's statistics, which are tensors named `optimizer/<parameter>/<statistic>`. */
const OPT = "optimizer/";
/** Metadata with the rest of the optimizer's state, as JSON. */
const STATE_KEY = "anneal.optimizer";

/**
 * Saves the model, and the optimizer's state, as a safetensors file, whole or not at all. Parameters and buffers have
 * PyTorch's names. In a run of several processes rank 0 alone writes.
 *
 * @param file A name, or an absolute path; `.safetensors` is added.
 * @returns The path that was written, which {@link load} takes, too.
 */
export async function save(learn: TrainLoop, file: string, options: SaveOptions = {}): Promise<string> {
  checkOptions("save", options, SAVE);
  checkPath("save", file, "file");
  refuseEnding("save a model as", file);
  return await learn.runs.take("save", () => saveHere(learn, file, options));
}

/** Throws where {@link save} could not write `file`, before there is anything to save; leaves nothing. */
export async function trySave(learn: TrainLoop, file: string): Promise<void> {
  checkPath("save", file, "file");
  refuseEnding("save a model as", file);
  if (learn.peers !== null && learn.peers.rank > 0) return;
  const path = modelPath(learn, file), trial = `${path}.${crypto.randomUUID().slice(0, 8)}.try`;
  try {
    await replaceFile(trial, []);
    await files.remove(trial);
  } catch (cause) {
    throw new CheckpointError(`Cannot write ${path}: ${whyNot(cause)}`, { cause });
  }
}

async function saveHere(
  learn: TrainLoop,
  file: string,
  { withOpt = true, dtype = "f32" }: SaveOptions,
): Promise<string> {
  await learn.ready();
  if (learn.peers !== null && learn.peers.rank > 0) return modelPath(learn, file);
  const named = new Map<string, Tensor>(learn.model.stateDict());
  const metadata: Record<string, string> = { format: "pt" };
  if (withOpt && learn.hasOpt) {
    await learn.opt.settle();
    const { state, hypers, count } = learn.opt.stateDict();
    const parts = state.map(paramParts);
    parts.forEach(({ stats }, i) => {
      for (const [name, value] of Object.entries(stats)) named.set(`${OPT}${i}/${name}`, value);
    });
    metadata[STATE_KEY] = JSON.stringify({ hypers, state: parts.map(({ host }) => host), count });
  }
  const out = await hostTensors(named);
  if (dtype !== "f32") {
    const as = dtype === "f16" ? "F16" : "BF16";
    for (const [name, t] of out) if (t.dtype === "f32" && !name.startsWith(OPT)) out.set(name, { ...t, as });
  }
  const path = modelPath(learn, file);
  await writeSafetensors(path, out, metadata);
  return path;
}

/**
 * Loads what {@link save} wrote, in place, or weights that `torch.save` wrote (`.pt`, `.pth`, `.bin`, `.ckpt`; see
 * `loadTorch`). The optimizer is made if there is none. In a run of several processes all call
 * it, rank 0 reads the file, and the others get what it has then.
 *
 * @throws CheckpointError where the file is missing, or has no optimizer and `withOpt` is true; ConfigError where names or
 * shapes differ, or the file's optimizer is of another kind. Nothing is changed then.
 */
export async function load(learn: TrainLoop, file: string, options: LoadOptions = {}): Promise<ModelReport> {
  checkOptions("load", options, LOAD);
  checkPath("load", file, "file");
  const { peers } = learn;
  return await learn.runs.take("load", async () => {
    await learn.ready();
    if (peers === null) return await loadHere(learn, file, options);
    let report = null as ModelReport | null;
    await peers.followRank0(learn, async () => {
      report = await loadHere(learn, file, options);
    });
    const text = await peers.fromRank0(() => new TextEncoder().encode(JSON.stringify(report)));
    return JSON.parse(new TextDecoder().decode(text));
  });
}

async function loadHere(
  learn: TrainLoop,
  file: string,
  { withOpt, strict = true, key }: LoadOptions,
): Promise<ModelReport> {
  const { path, opened } = await open(modelPath(learn, file), file, key === undefined ? {} : { key });
  const text = opened.metadata.get(STATE_KEY);
  if (withOpt === true && text === undefined) {
    throw new CheckpointError(
      `Cannot load the optimizer from ${path}: the file has a model only, save it with withOpt`,
    );
  }
  const { model } = learn;
  const own = new Map<string, Tensor>([...model.namedParameters(), ...model.namedBuffers()]);
  const given = new Map(opened.names.filter((n) => !n.startsWith(OPT)).map((name) => [name, opened.info(name)]));
  const report = compareState(own, given, { strict, what: model.constructor.name });
  const left = new Set(report.misshapen);
  const weights = new Map<string, Tensor>(), unreadable = new Map<string, string>();
  for (const name of given.keys()) {
    if (!own.has(name) || left.has(name)) continue;
    try {
      weights.set(name, await readTensor(opened, name));
    } catch (error) {
      if (strict || !(error instanceof AnnealError)) throw error;
      unreadable.set(name, error.message);
    }
  }
  const whole = weights.size === own.size;
  const state = withOpt !== false && text !== undefined && (whole || withOpt === true)
    ? await optimizerState(opened, text, path)
    : null;
  if (state !== null) checkOptimizer(learn, state, path);
  model.loadStateDict(weights, { strict: false }); // checked above
  if (state !== null) learn.opt.loadStateDict(state);
  const all = { ...report, unreadable: Object.fromEntries(unreadable), optimizer: state !== null };
  if (!strict) {
    tellMismatch(learn, path, all, { loaded: weights.size, of: own.size, skipped: text !== undefined && !whole });
  }
  return all;
}

function checkOptimizer(learn: TrainLoop, state: OptimizerState, path: string): void {
  try {
    learn.opt.checkStateDict(state);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new ConfigError(
      `Cannot load the optimizer from ${path}: ${cause.message}; or load the model alone with { withOpt: false }`,
      { cause },
    );
  }
}

/** Says what was left as it was. */
function tellMismatch(
  learn: TrainLoop,
  path: string,
  { missing, unexpected, misshapen, unreadable }: ModelReport,
  { loaded, of, skipped }: { readonly loaded: number; readonly of: number; readonly skipped: boolean },
): void {
  const some = (what: string, names: readonly string[]): string[] =>
    names.length === 0 ? [] : [`${what} ${firstOf(names, 8)}`];
  const parts = [
    ...some("missing", missing),
    ...some("unexpected", unexpected),
    ...some("of another shape", misshapen),
    ...some("not readable", Object.keys(unreadable)),
    ...(skipped ? ["the optimizer's state left out"] : []),
  ];
  if (parts.length === 0) return;
  tell(learn.logger, `Loaded ${loaded} of the model's ${of} tensors from ${path}: ${parts.join("; ")}`);
}

/** Opens the file of a model; `given`, what it was asked for by, may be the path that {@link save} gave. */
async function open(
  path: string,
  given: string,
  options: TorchOptions,
): Promise<{ path: string; opened: SafetensorsFile }> {
  for (const place of isModelFile(given) ? [path, given] : [path]) {
    try {
      return { path: place, opened: await openWeights(place, options) };
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  throw new CheckpointError(`Cannot load ${path}: there is no such file`);
}

async function optimizerState(file: SafetensorsFile, text: string, path: string): Promise<OptimizerState> {
  const what = `the optimizer of ${path}`;
  const saved = new SavedState(await decodeState(text, () => Promise.reject(strayArray(what)), what), what);
  const state: ParamState[] = saved.states("state").map(savedHostPart);
  for (const key of file.names) {
    const [, i, name] = /^optimizer\/(\d+)\/(.+)$/s.exec(key) ?? [];
    const entry = state[Number(i)];
    if (entry === undefined) continue;
    Object.defineProperty(entry, name, { value: await readTensor(file, key), enumerable: true, configurable: true });
  }
  return { state, hypers: savedHypers(saved), ...(saved.has("count") ? { count: saved.count("count") } : {}) };
}

function strayArray(what: string): CheckpointError {
  return new CheckpointError(`Cannot read ${what}: its text refers to an array`);
}
