/**
 * What the tests start in several processes: a small training run whose numbers each process writes to a file.
 *
 * Arguments: a folder for the results, and options as JSON.
 *
 * @module
 */
import {
  accuracy,
  Adam,
  Callback,
  DataLoaders,
  DistributedTrainer,
  init,
  Learner,
  MixedPrecision,
  nn,
  randn,
  Rng,
  setSeed,
  SGD,
} from "../../mod.ts";
import { silentLogger } from "../../src/train/mod.ts";
import { rankDistrib } from "../../src/distrib/mod.ts";

/** What a run is told. */
export interface RunOptions {
  readonly bs: number;
  readonly nEpoch: number;
  readonly n?: number;
  readonly nValid?: number;
  readonly device?: "cpu" | "webgpu";
  readonly bn?: boolean;
  readonly syncBn?: boolean;
  readonly opt?: "adam" | "sgd";
  /** See `DistributedOptions`; not passed where it is absent. */
  readonly overlap?: boolean;
  /** Width of the hidden layers: there are two where it is given, else one of 32. */
  readonly width?: number;
  /** Whether it trains in half precision, and the gradients of rank 1 are infinite in its third step. */
  readonly half?: boolean;
  /** Whether each process first writes down its number. */
  readonly pids?: boolean;
}

/** What a process writes down. */
export interface RunResult {
  readonly rank: number;
  readonly losses: readonly number[];
  readonly rows: readonly Readonly<Record<string, number | null>>[];
  readonly weights: readonly (readonly number[])[];
  readonly preds: readonly number[];
  readonly validate: readonly (number | null)[];
  /** Loss scales of half precision. */
  readonly scales: readonly number[];
  /** Steps that were taken again. */
  readonly again: number;
  /** Steps whose gradients were added up while others were computed. */
  readonly beside: number;
}

/** Makes one step's gradients infinite on one rank alone. */
class Spoil extends Callback {
  override readonly order = 20;
  override afterLoss(): void {
    const { learn } = this;
    if (rankDistrib() === 1 && learn.training && learn.trainIter === 2) learn.lossGrad = learn.lossGrad.mul(1e30);
  }
}

/** Looks at the gradients before they are added up. */
class Measure extends Callback {
  override async afterBackward(): Promise<void> {
    await this.learn.opt.gradNorm().item();
  }
}

if (import.meta.main) {
  const [dir, text] = Deno.args;
  const options: RunOptions = JSON.parse(text);
  const { bs, nEpoch, n = 640, nValid = 101, device = "cpu", bn = false, opt = "adam", pids = false, syncBn = true } =
    options;
  const { overlap, width } = options;
  await init(device === "cpu" ? { device, threads: 1 } : { device });
  setSeed(3);
  const x = randn([n, 20], { rng: new Rng(1) }), xValid = randn([nValid, 20], { rng: new Rng(2) });
  const label = (t: typeof x) => t.sum({ axis: 1 }).gt(0).cast("i32");
  const dls = DataLoaders.fromArrays({ x, y: label(x), xValid, yValid: label(xValid) }, { bs, seed: 42 });
  const hidden = width ?? 32;
  const model = new nn.Sequential(
    new nn.Linear(20, hidden),
    ...(bn ? [new nn.BatchNorm1d(hidden)] : []),
    new nn.ReLU(),
    ...(width === undefined ? [] : [new nn.Linear(width, width), new nn.ReLU()]),
    new nn.Linear(hidden, 2),
  );
  const learn = new Learner(dls, model, {
    lossFunc: new nn.CrossEntropyLoss(),
    metrics: [accuracy],
    optFunc: opt === "adam" ? Adam : SGD.with({ mom: 0.9 }),
    logger: silentLogger,
  }).distributed({ syncBn, ...(overlap === undefined ? {} : { overlap }) });
  const mixed = new MixedPrecision({ initScale: 1024 });
  if (options.half) learn.addCbs([mixed, Spoil, Measure]);
  if (pids) await Deno.writeTextFile(`${dir}/${rankDistrib()}.pid`, `${Deno.pid}\n`);
  await learn.fitOneCycle(nEpoch, { lrMax: 1e-2 });
  const { preds } = await learn.getPreds();
  const result: RunResult = {
    rank: rankDistrib(),
    losses: learn.recorder.rawLosses,
    rows: learn.recorder.rows,
    weights: await Promise.all([...model.stateDict().values()].map(async (t) => [...await t.data()])),
    preds: [...await preds.data()],
    validate: await learn.validate(),
    scales: mixed.scales,
    again: learn.steps.count,
    beside: learn.findCb(DistributedTrainer)!.overlapped,
  };
  await Deno.writeTextFile(`${dir}/${result.rank}.json`, JSON.stringify(result));
}
