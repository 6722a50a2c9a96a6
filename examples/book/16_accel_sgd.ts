/**
 * Chapter 16, "The training process": what an optimizer is made of. Plain SGD, momentum, RMSProp and Adam are each written
 * as steps of a few lines, compared with the library's, and a callback changes what a step sees.
 *
 *     deno run -A examples/book/16_accel_sgd.ts
 */
import { join } from "@std/path";
import {
  accuracy,
  Adam,
  Callback,
  CancelFit,
  DataLoaders,
  Learner,
  nn,
  type OptFunc,
  Optimizer,
  plotLines,
  Rng,
  type Stepper,
} from "../../mod.ts";
import { type ChapterOptions, runChapter } from "./support/chapter.ts";
import { loadDigits } from "./support/digits.ts";

/** What came out. */
export interface Result {
  /** Accuracy of each optimizer after the same number of epochs. */
  readonly accuracies: Readonly<Record<string, number>>;
  /** Largest difference between the losses of our Adam and the library's. */
  readonly adamDiffers: number;
  /** Batches after which a fit whose steps are much too large was ended. */
  readonly stoppedAfter: number;
  /** Training losses of each optimizer. */
  readonly losses: Readonly<Record<string, readonly number[]>>;
}

// A stepper says what becomes of parameters `u.p` and gradients `u.g`, all of a group at once. `u.hyper` is a
// hyper-parameter, `u.stat` a number that is kept for every weight. `steady`: it does the same at each step

/** `p <- p - lr g` */
const step: Stepper = {
  steady: true,
  apply: (u) => {
    u.p = u.p.sub(u.g.mul(u.hyper("lr")));
  },
};

/** Momentum: instead of the gradient, a moving sum of it; noise cancels, what stays adds up. */
const momentum: Stepper = {
  steady: true,
  defaults: { mom: 0.9 },
  stats: { velocity: "vector" },
  apply: (u) => {
    u.setStat("velocity", u.stat("velocity").mul(u.hyper("mom")).add(u.g));
    u.p = u.p.sub(u.stat("velocity").mul(u.hyper("lr")));
  },
};

/** RMSProp: each weight has a learning rate of its own, the smaller the larger its gradients have been. */
const rmsProp: Stepper = {
  steady: true,
  defaults: { sqrMom: 0.99, eps: 1e-5 },
  stats: { square: "vector" },
  apply: (u) => {
    const share = u.hyper("sqrMom");
    u.setStat("square", u.stat("square").mul(share).add(u.g.square().mul(share.neg().add(1))));
    u.p = u.p.sub(u.g.div(u.stat("square").sqrt().add(u.hyper("eps"))).mul(u.hyper("lr")));
  },
};

/** Adam: both. Averages start from 0, and are divided by what they lack in the first steps. */
const adam: Stepper = {
  steady: true,
  counts: true, // so that `u.number` knows the step
  defaults: { mom: 0.9, sqrMom: 0.99, eps: 1e-5 },
  stats: { mean: "vector", square: "vector" },
  apply: (u) => {
    const average = (name: string, share: string, value: typeof u.g) => {
      const s = u.hyper(share);
      u.setStat(name, u.stat(name).mul(s).add(value.mul(s.neg().add(1))));
      return u.stat(name).mul(u.number("step", (h, { step }) => 1 / (1 - h[share] ** step)));
    };
    const mean = average("mean", "mom", u.g), square = average("square", "sqrMom", u.g.square());
    u.p = u.p.sub(mean.div(square.sqrt().add(u.hyper("eps"))).mul(u.hyper("lr")));
  },
};

/** A callback, the other way to change training, from outside of the loop: it ends a fit that has gone wrong. */
class StopOnNan extends Callback {
  override readonly order = 70; // after the recorder
  override runValid = false; // batches of training alone
  override async afterBatch(): Promise<void> {
    const loss = await this.learn.loss.item(); // waits for the device at every batch
    if (!Number.isFinite(loss)) throw new CancelFit(`the loss is ${loss}`);
  }
}

/** Runs the chapter. */
export async function main({ quick, seed, out }: ChapterOptions): Promise<Result> {
  const { train, valid } = await loadDigits({ train: quick ? 2000 : 20000, valid: quick ? 500 : 5000 });
  const loaders = () =>
    DataLoaders.fromArrays({
      x: { data: train.data, shape: [train.n, 784] },
      y: { data: train.classes, shape: [train.n] },
      xValid: { data: valid.data, shape: [valid.n, 784] },
      yValid: { data: valid.classes, shape: [valid.n] },
    }, { bs: 64, seed, normalize: true });

  const optimizers: Readonly<Record<string, readonly [OptFunc, number]>> = {
    sgd: [Optimizer.from([step]), 0.03],
    momentum: [Optimizer.from([momentum]), 0.01],
    rmsProp: [Optimizer.from([rmsProp]), 1e-3],
    adam: [Optimizer.from([adam]), 1e-3],
    "library's Adam": [Adam.with({ wd: 0 }), 1e-3],
  };
  const net = () => {
    const rng = new Rng(seed); // all of them start from the same weights, and see the same batches
    return new nn.Sequential(new nn.Linear(784, 50, { rng }), new nn.ReLU(), new nn.Linear(50, 10, { rng }));
  };
  const accuracies: Record<string, number> = {}, losses: Record<string, readonly number[]> = {};
  const raw: Record<string, readonly number[]> = {};
  for (const [name, [optFunc, lr]] of Object.entries(optimizers)) {
    const learn = new Learner(loaders(), net(), { lossFunc: new nn.CrossEntropyLoss(), metrics: [accuracy], optFunc });
    console.log(`\n${name}`);
    await learn.fit(quick ? 2 : 3, { lr });
    accuracies[name] = learn.recorder.rows.at(-1)!.accuracy ?? 0;
    losses[name] = learn.recorder.losses;
    raw[name] = learn.recorder.rawLosses;
  }
  const theirs = raw["library's Adam"];
  const adamDiffers = Math.max(...raw.adam.map((loss, i) => Math.abs(loss - theirs[i])));
  console.log(`\nLosses of our Adam and the library's differ by ${adamDiffers.toExponential(1)} at most`);

  // much too large steps: the net's numbers explode, and the callback ends the fit
  const broken = new Learner(loaders(), net(), {
    lossFunc: new nn.CrossEntropyLoss(),
    optFunc: Optimizer.from([step]),
    cbs: StopOnNan,
  });
  await broken.fit(1, { lr: 1e20 });
  const stoppedAfter = broken.recorder.losses.length;
  console.log(`With steps of 1e20 the fit ended after ${stoppedAfter} batches`);
  await plotLines(losses, { title: "Optimizers of a few lines", xLabel: "step", yLabel: "loss", yLog: true })
    .save(join(out, "16_optimizers.png"));
  return { accuracies, adamDiffers, losses, stoppedAfter };
}

if (import.meta.main) await runChapter("Chapter 16: optimizers of a few lines.", main);
