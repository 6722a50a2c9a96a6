/**
 * Learners that use everything a checkpoint must keep, and what they come to.
 *
 * @module
 */
import { GradientAccumulation } from "../../src/callbacks/gradient_accumulation.ts";
import { EarlyStopping } from "../../src/callbacks/early_stopping.ts";
import { MixUp } from "../../src/callbacks/mixup.ts";
import { DataLoaders } from "../../src/data/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { Adam, type OptFunc } from "../../src/optim/mod.ts";
import { defaultRng, readAll, Rng, setSeed, type Tensor } from "../../src/tensor/mod.ts";
import { accuracy, Callback, type CallbackLike, silentLogger, type TrainLoopOptions } from "../../src/train/mod.ts";
import { fillF32 } from "../support/fill.ts";

/** Two linears with batch norm and dropout, in two groups. */
export class Net extends nn.Module {
  readonly body = new nn.Sequential(new nn.Linear(6, 8), new nn.BatchNorm1d(8), new nn.ReLU());
  readonly drop = new nn.Dropout(0.25, { rng: new Rng(11) });
  readonly head = new nn.Sequential(new nn.Dropout(0.1), new nn.Linear(8, 3));
  override forward(x: Tensor): Tensor {
    return this.head.forward(this.drop.forward(this.body.forward(x)));
  }
}

/** Options of {@link netLearner}. */
export interface NetOptions extends TrainLoopOptions<Net> {
  /** Training items; 40 by default: 5 batches. */
  readonly n?: number;
  readonly opt?: OptFunc;
  /** Whether the loader draws its orders from the default generator. */
  readonly unseeded?: boolean;
  readonly xSeed?: number;
}

/** A classifier on shuffled data: 5 batches of 8 an epoch; the same at every call. */
export function netLearner(
  { n = 40, opt = Adam, unseeded = false, xSeed = 1, ...rest }: NetOptions = {},
): Learner<Net> {
  setSeed(3);
  const set = (count: number, seed: number) => {
    const x = fillF32(seed, count * 6);
    const y = Int32Array.from({ length: count }, (_, i) => (x[i * 6] > 0 ? 1 : 0) + (x[i * 6 + 1] > 0.3 ? 1 : 0));
    return { x: { data: x, shape: [count, 6] }, y: { data: y, shape: [count] } };
  };
  const train = set(n, xSeed), valid = set(16, 2);
  const dls = DataLoaders.fromArrays(
    { x: train.x, y: train.y, xValid: valid.x, yValid: valid.y },
    { bs: 8, ...(unseeded ? {} : { seed: 5 }) },
  );
  return new Learner(dls, new Net(), {
    lossFunc: new nn.CrossEntropyLoss(),
    metrics: [accuracy],
    optFunc: opt,
    lr: 1e-2,
    splitter: (m) => [m.body.parameters(), m.head.parameters()],
    logger: silentLogger,
    ...rest,
  });
}

/** Callbacks that keep a state of their own. */
export function stateful(): CallbackLike[] {
  return [new GradientAccumulation(12), new MixUp(0.4, { rng: new Rng(9) }), new EarlyStopping({ patience: 50 })];
}

/** Throws after so many training batches of a fit, or the one after which it is told to: a run that does not come to its end. */
export class Crash extends Callback {
  override readonly order = 2000;
  constructor(readonly after: number | (() => boolean)) {
    super();
  }
  override afterBatch(): void {
    const { learn, after } = this;
    if (learn.training && (typeof after === "number" ? learn.trainIter === after : after())) throw new Error("crashed");
  }
}

/** Everything that a run came to: equal texts are equal bits. */
export async function bitsOf(learn: Learner<Net>): Promise<Record<string, string>> {
  const out: Record<string, string> = {};
  const put = async (name: string, tensors: readonly Tensor[]): Promise<void> => {
    const values = await readAll(tensors);
    out[name] = values.map((v) => hex(new Uint8Array(v.slice().buffer))).join("/");
  };
  for (const [name, t] of learn.model.stateDict()) await put(name, [t]);
  const { state, hypers } = learn.opt.stateDict();
  for (const [i, entry] of state.entries()) {
    for (const [name, v] of Object.entries(entry)) {
      if (typeof v === "object") await put(`optimizer ${i} ${name}`, [v]);
      else out[`optimizer ${i} ${name}`] = String(v);
    }
  }
  out.hypers = JSON.stringify(hypers);
  const { recorder } = learn;
  const numbers = (list: readonly number[]): string => hex(new Uint8Array(Float64Array.from(list).buffer));
  for (const [i, record] of [...recorder.history, recorder].entries()) {
    const { rows, losses, rawLosses, lrs, iters, hps, values } = record;
    out[`rows ${i}`] = JSON.stringify(rows.map(({ time: _, ...row }) => row));
    out[`values ${i}`] = JSON.stringify(values);
    out[`losses ${i}`] = numbers(losses);
    out[`raw losses ${i}`] = numbers(rawLosses);
    out[`lrs ${i}`] = numbers(lrs);
    out[`iters ${i}`] = numbers(iters);
    for (const [name, list] of Object.entries(hps)) out[`hps ${i} ${name}`] = numbers(list);
  }
  out.rng = JSON.stringify(defaultRng().state);
  out.loader = JSON.stringify(learn.dls.train.state);
  out.dropout = JSON.stringify(learn.model.drop.rng?.state);
  out.counters = JSON.stringify([learn.epoch, learn.trainIter, learn.pctTrain]);
  return out;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}
