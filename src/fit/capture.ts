/**
 * A learner's whole state, taken between two batches or two epochs, and put back.
 *
 * @module
 */
import { CheckpointError } from "../base/errors.ts";
import { rngState, savedRng } from "../io/rng_state.ts";
import { isDict, SavedState, type StateDict, type StateValue } from "../io/state_dict.ts";
import type { DataLoader, LoaderState } from "../data/mod.ts";
import { compareState } from "../nn/module.ts";
import { defaultRng, endStep, type Tensor } from "../tensor/mod.ts";
import { type Callback, costsTheReport, leaveOut, type TrainLoop } from "../train/mod.ts";
import { optimizerState, savedOptimizer } from "./optimizer_state.ts";
import { generatorsOf, namedCallbacks } from "./states.ts";

/** What only the place in the run decides: as it was when the last batch was done, also while validation goes on. */
export interface HostState {
  /** Epoch that goes on, or comes next. */
  readonly epoch: number;
  /** Training batches of it that were done; null between epochs. */
  readonly iter: number | null;
  readonly state: StateDict;
}

/** The host's part of a learner's state; what waits on the device is read. */
export async function captureHost(learn: TrainLoop, at: { epoch: number; iter: number | null }): Promise<HostState> {
  const { nEpoch, trainIter, pctTrain, model, dls } = learn;
  const generators: Record<string, StateDict> = Object.create(null);
  for (const [path, rng] of generatorsOf(learn)) generators[path] = rngState(rng);
  const callbacks: Record<string, StateDict> = Object.create(null);
  for (const [name, cb] of namedCallbacks(learn)) {
    const state = await cb.stateDict();
    if (state !== null) callbacks[name] = state;
  }
  const state: StateDict = {
    at: { ...at, shown: learn.epoch, nEpoch, trainIter, pctTrain },
    rng: rngState(defaultRng()),
    generators,
    loaders: { train: loaderState(dls.train), valid: loaderState(dls.valid) },
    callbacks,
    evaluating: [...model.namedModules()].filter(([, m]) => !m.training).map(([name]) => name),
  };
  return { ...at, state };
}

/** The rest: the optimizer's state, gradients that no step has used, what is frozen. Tensors are copies or constants. */
export function captureOptimizer(learn: TrainLoop): StateDict {
  const parameters = [...learn.model.namedParameters()];
  const grads: Record<string, Tensor> = Object.create(null);
  for (const [name, p] of parameters) if (p.grad !== null) grads[name] = p.grad;
  return {
    frozen: parameters.filter(([, p]) => !p.requiresGrad).map(([name]) => name),
    grads,
    optimizer: optimizerState(learn.opt.stateDict()),
  };
}

/**
 * Puts a learner back: weights, gradients, optimizer, random numbers, loaders, counters, and every callback's state.
 *
 * @throws CheckpointError, or what `loadStateDict` throws, where the state is not this learner's.
 */
export async function restoreLearner(
  learn: TrainLoop,
  state: SavedState,
  weights: ReadonlyMap<string, Tensor>,
): Promise<void> {
  const { model, dls, opt } = learn;
  const at = state.state("at"), grads = state.state("grads");
  const frozen = new Set(state.strings("frozen")), evaluating = new Set(state.strings("evaluating"));
  const optimizer = savedOptimizer(state.state("optimizer"));
  const rng = savedRng(state.state("rng"));
  const loaders = state.state("loaders");
  const train = savedLoader(loaders.state("train"), dls.train), valid = savedLoader(loaders.state("valid"), dls.valid);
  const generators = state.state("generators");
  const parameters = model.namedParameters();
  for (const name of [...grads.names, ...frozen]) {
    if (!parameters.has(name)) throw new CheckpointError(`Cannot restore ${name}: the model has no such parameter`);
  }
  const takers = new Map(namedCallbacks(learn));
  const callbacks = state.state("callbacks");
  const stranger = callbacks.names.find((name) => !takers.has(name));
  if (stranger !== undefined) {
    throw new CheckpointError(
      `Cannot restore the state of ${stranger}: this fit has no such callback, add it to its cbs`,
    );
  }
  const place = { shown: at.count("shown"), nEpoch: at.count("nEpoch"), trainIter: at.count("trainIter") };
  const pctTrain = at.number("pctTrain");
  const draws = generatorsOf(learn).flatMap(([path, own]) =>
    generators.has(path) ? [{ own, state: savedRng(generators.state(path)) }] : []
  );
  compareState(new Map<string, Tensor>([...parameters, ...model.namedBuffers()]), weights, {
    what: model.constructor.name,
  });
  opt.checkStateDict(optimizer);
  await restoreCallbacks(takers, callbacks); // the last that may refuse
  model.loadStateDict(weights, { strict: true });
  opt.loadStateDict(optimizer);
  for (const [name, p] of parameters) {
    p.requiresGrad = !frozen.has(name);
    p.grad = grads.has(name) ? grads.tensor(name) : null;
  }
  endStep(); // what comes back is a program of its own, not part of the next batch's
  for (const [name, m] of model.namedModules()) m.training = !evaluating.has(name);
  for (const { own, state } of draws) own.restore(state);
  defaultRng().restore(rng);
  dls.train.restore(train);
  dls.valid.restore(valid);
  learn.epoch = place.shown;
  learn.nEpoch = place.nEpoch;
  learn.trainIter = place.trainIter;
  learn.pctTrain = pctTrain;
}

/**
 * Gives callbacks their states. Where one refuses, those before it get back what they had. Those that only report come last:
 * what they take back, their files, cannot be undone; and what they can't take back costs no run.
 */
async function restoreCallbacks(takers: ReadonlyMap<string, Callback>, saved: SavedState): Promise<void> {
  const writes = (cb: Callback): boolean => cb.reportsOnly;
  const all = [...takers].filter(([name]) => saved.has(name));
  const done: (() => Promise<void>)[] = [];
  try {
    for (const [name, cb] of all.filter(([, cb]) => !writes(cb))) {
      const before = await cb.stateDict();
      if (before !== null) done.push(async () => await cb.loadStateDict(new SavedState(before, name)));
      await cb.loadStateDict(saved.state(name));
    }
  } catch (error) {
    for (const undo of done.reverse()) await undo().catch(() => {}); // the first error is the one to report
    throw error;
  }
  for (const [name, cb] of all.filter(([, cb]) => writes(cb))) {
    try {
      await cb.loadStateDict(saved.state(name));
    } catch (error) {
      if (!costsTheReport(cb, error)) throw error;
      leaveOut(cb, "loadStateDict", error, cb.learn.logger);
    }
  }
}

function loaderState({ state: { rng, epoch, position } }: { readonly state: LoaderState }): StateDict {
  return {
    rng: rng === null ? null : rngState({ state: rng }),
    epoch: epoch === null ? null : rngState({ state: epoch }),
    position,
  };
}

function savedLoader(state: SavedState, loader: Pick<DataLoader, "length">): LoaderState {
  const of = (name: string) => state.value(name) === null ? null : savedRng(state.state(name));
  const position = state.count("position");
  if (position > loader.length) {
    throw new CheckpointError(`Cannot restore a loader at batch ${position}: it has ${loader.length}`);
  }
  return { rng: of("rng"), epoch: of("epoch"), position };
}

/** A state inside a value that may be none. */
export function stateOf(value: StateValue, where: string): SavedState {
  if (!isDict(value)) throw new CheckpointError(`Cannot restore ${where}: it is no state`);
  return new SavedState(value, where);
}
