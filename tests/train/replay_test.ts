/**
 * Steps that are taken again without being built: they change nothing but time, whatever callbacks do around them.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { StaleTensorError } from "../../src/base/errors.ts";
import { GradientAccumulation, GradientClip, MixUp } from "../../src/callbacks/mod.ts";
import { DataLoader, DataLoaders } from "../../src/data/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { Adam, Lamb, Larc, Lookahead, Optimizer, QHAdam, RAdam, RMSProp, SGD, sgdStep } from "../../src/optim/mod.ts";
import { withHostMemory } from "../../src/graph/host_memory.ts";
import { scalar } from "../../src/graph/leaves.ts";
import type { GradRange, OptFunc } from "../../src/optim/mod.ts";
import { backward, Buffer, readAll, setSeed, stepInput, Tensor, zeros } from "../../src/tensor/mod.ts";
import {
  accuracy,
  Callback,
  type CallbackLike,
  type GradAverager,
  silentLogger,
  type TrainLoop,
  type TrainLoopOptions,
} from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";

/** Everything that a model can be made of: sizes are small. */
class Net extends nn.Module {
  readonly conv = new nn.Conv2d(1, 4, 3, { stride: 2, padding: 1 });
  readonly bn = new nn.BatchNorm2d(4);
  readonly drop = new nn.Dropout(0.2);
  readonly head = new nn.Sequential(new nn.Linear(64, 16), new nn.LayerNorm(16), new nn.GELU(), new nn.Linear(16, 3));
  override forward(x: Tensor): Tensor {
    const h = this.bn.forward(this.conv.forward(x)).relu();
    return this.head.forward(this.drop.forward(h.reshape([h.shape[0], 64])));
  }
}

type Options = TrainLoopOptions<Net>;

/** 8 batches of 8 and one of 3, on the device or given out one by one. */
function learnerOf({ streamed = false, ...options }: Options & { readonly streamed?: boolean } = {}): Learner<Net> {
  setSeed(7);
  const n = 67, pixels = fillF32(1, n * 64), labels = Int32Array.from({ length: n }, (_, i) => i * 5 % 3);
  const items = (first: number, count: number) =>
    new DataLoader({
      dataset: {
        length: count,
        get: (i: number) => [
          { data: pixels.slice((first + i) * 64, (first + i) * 64 + 64), shape: [1, 8, 8] },
          labels[first + i],
        ],
      },
      bs: 8,
      seed: 3,
      shuffle: first === 0,
    });
  const dls = streamed ? new DataLoaders(items(0, n), items(1, 10)) : DataLoaders.fromArrays({
    x: { data: pixels, shape: [n, 1, 8, 8] },
    y: { data: labels, shape: [n] },
    xValid: { data: pixels.slice(0, 640), shape: [10, 1, 8, 8] },
    yValid: { data: labels.slice(0, 10), shape: [10] },
  }, { bs: 8, seed: 3 });
  return new Learner(dls, new Net(), {
    lossFunc: new nn.CrossEntropyLoss(),
    splitter: (m) => [[...m.conv.parameters(), ...m.bn.parameters()], m.head.parameters()],
    logger: silentLogger,
    ...options,
  });
}

/** Everything that a fit leaves behind. */
async function left(learn: Learner<Net>, seen: readonly number[] = []) {
  const { state, hypers } = learn.opt.stateDict();
  const stats = state.flatMap((s) => Object.values(s).filter((v): v is Tensor => typeof v === "object"));
  const tensors = [...learn.model.parameters(), ...learn.model.namedBuffers().values(), ...stats];
  const { rawLosses, losses, rows, lrs, hps } = learn.recorder;
  return {
    values: (await readAll(tensors)).map((v) => [...v]),
    steps: state.map((s) => s.step),
    hypers,
    rawLosses: [...rawLosses],
    losses: [...losses],
    lrs: [...lrs],
    hps: Object.fromEntries(Object.entries(hps).map(([k, v]) => [k, [...v]])),
    rows: rows.map(({ time: _, ...row }) => row),
    seen: [...seen],
  };
}

type Left = Awaited<ReturnType<typeof left>>;

/** What `run` leaves behind, with and without steps that are taken again; and how many were. */
async function both(run: (enabled: boolean) => Promise<{ result: Left; count: number }>): Promise<number> {
  const built = await run(false), again = await run(true);
  assertEquals(built.count, 0);
  assertEquals(again.result, built.result);
  return again.count;
}

async function fitBoth(
  options: Options & { readonly streamed?: boolean },
  cbs: (learn: Learner<Net>, seen: number[]) => CallbackLike | CallbackLike[] = () => [],
  go: (learn: Learner<Net>, cbs: CallbackLike[]) => Promise<unknown> = (l, cbs) =>
    l.fitOneCycle(2, { lrMax: 0.01, cbs }),
): Promise<number> {
  return await both(async (enabled) => {
    const learn = learnerOf(options), seen: number[] = [];
    learn.steps.enabled = enabled;
    await go(learn, [cbs(learn, seen)].flat());
    return { result: await left(learn, seen), count: learn.steps.count };
  });
}

const OPTIMIZERS: Record<string, OptFunc> = {
  "SGD": SGD,
  "SGD with momentum": SGD.with({ mom: 0.9, wd: 0.1 }),
  "SGD with l2": SGD.with({ mom: 0.9, wd: 0.1, decoupleWd: false }),
  "RMSProp": RMSProp.with({ mom: 0.9 }),
  Adam,
  RAdam,
  "RAdam, smooth": RAdam.with({ beta: 50 }),
  QHAdam,
  Larc,
  Lamb,
  "ranger": Lookahead(RAdam, { k: 3 }),
  "Lookahead over SGD": Lookahead(SGD.with({ mom: 0.9 }), { k: 4, alpha: 0.3 }),
};

for (const [name, optFunc] of Object.entries(OPTIMIZERS)) {
  onDevices(`steps taken again give the same bits: ${name}`, async () => {
    // 18 batches of two sizes: all but the first of each
    assertEquals(await fitBoth({ optFunc }), 16);
  }, { kinds: ["cpu", "webgpu"] });
}

onDevices("so they do with other data, schedules and groups", async () => {
  assertEquals(await fitBoth({ optFunc: Adam, streamed: true }), 16);
  assertEquals(await fitBoth({ optFunc: Adam, wd: 0.1, wdBnBias: true }, undefined, (l) => l.fit(2, { lr: 0.01 })), 16);
  assertEquals(await fitBoth({ optFunc: Adam, moms: [0.9, 0.8, 0.9] }, () => new MixUp(0.4)) > 0, true);
  const tuned = await fitBoth({ optFunc: Adam }, undefined, (l) => l.fineTune(1, { freezeEpochs: 1, baseLr: 0.01 }));
  assertEquals(tuned, 14); // frozen and unfrozen steps are two kinds of steps
  const found = await fitBoth({ optFunc: SGD }, undefined, async (l) => {
    await l.lrFind({ numIt: 12 });
    await l.fit(1);
  });
  assert(found >= 15, `${found}`);
});

/** As callbacks of users do it: numbers of its own in every step. */
class OwnNumbers extends Callback {
  override runValid: boolean = false;
  override afterLoss(): void {
    const { learn } = this;
    const shares = Float32Array.from({ length: learn.pred.shape[0] }, (_, i) => ((learn.trainIter + i) % 5) / 4);
    learn.loss = learn.loss.add(learn.pred.square().sum({ axis: 1 }).mul(stepInput(shares)).mean());
  }
}

onDevices("steps with numbers of a callback's own are replayed", async () => {
  assertEquals(await fitBoth({}, () => new OwnNumbers()), 16);
}, { kinds: ["cpu"] });

/** Sees gradients, or weights before the step. */
class Inside extends Callback {
  constructor(readonly seen: number[], event: "beforeBackward" | "afterBackward" | "beforeStep" | "afterStep") {
    super();
    this[event] = async () => {
      const { head } = this.learn.model as Net;
      const [first] = head.parameters();
      this.seen.push((await (first.grad ?? first).data())[0], (await first.data())[0]);
    };
  }
}

onDevices("whoever looks inside a step sees it built", async () => {
  for (const event of ["beforeBackward", "afterBackward", "beforeStep", "afterStep"] as const) {
    assertEquals(await fitBoth({}, (_, seen) => new Inside(seen, event)), 0);
  }
  assertEquals(await fitBoth({}, () => new GradientClip(0.1)), 0);
  assertEquals(await fitBoth({}, () => new GradientAccumulation(16)), 0);
  const own = Optimizer.from([{
    apply: (u) => {
      u.p = u.p.sub(u.g.mul(u.hypers.lr)); // a number that the expression does not know to change
    },
  }]);
  assertEquals(await fitBoth({ optFunc: own }), 0);
  assertEquals(await fitBoth({ optFunc: Optimizer.from([sgdStep]) }), 16);
}, { kinds: ["cpu"] });

/** An average of the weights, kept by assignments on top of the step. */
class Ema extends Callback {
  readonly averages: Buffer[] = [];
  override beforeFit(): void {
    for (const p of this.learn.model.parameters()) this.averages.push(new Buffer(zeros(p.shape)));
  }
  override afterBatch(): void {
    if (!this.learn.training) return;
    this.learn.model.parameters().forEach((p, i) => this.averages[i].assign(this.averages[i].mul(0.9).add(p.mul(0.1))));
  }
}

/** What callbacks do around steps, by name; each is done at some batches, drawn by the test. */
const DEEDS: Record<string, (learn: Learner<Net>, seen: number[], draw: () => number) => void | Promise<void>> = {
  "read the loss": async (l, seen) => {
    seen.push(await l.loss.item());
  },
  "read the prediction": async (l, seen) => {
    seen.push(...await l.pred.data());
  },
  "read weights": async (l, seen) => {
    seen.push(...await l.model.conv.weight.data());
  },
  "read running statistics": async (l, seen) => {
    for (const b of l.model.namedBuffers().values()) seen.push(...await b.data());
  },
  "keep a value of the loss for later": (l) => {
    l.loss.mul(2).keep();
  },
  "assign weights": (l) => {
    const [w] = l.model.head.parameters();
    w.assign(w.mul(0.9));
  },
  "assign running statistics": (l) => {
    for (const b of l.model.namedBuffers().values()) if (b.dtype === "f32") b.assign(b.mul(0.5));
  },
  "freeze": (l) => l.freeze(),
  "unfreeze": (l) => l.unfreeze(),
  "stop one parameter": (l, _, draw) => {
    const all = l.model.parameters();
    const p = all[Math.floor(draw() * all.length)];
    p.requiresGrad = !p.requiresGrad || all.filter((q) => q.requiresGrad).length < 3;
  },
  "set the rate": (l, _, draw) => l.opt.setHyper("lr", draw() * 0.01),
  "set the rates of groups": (l, _, draw) => l.opt.setHyper("lr", [draw() * 0.01, draw() * 0.01]),
  "set the decay": (l, _, draw) => l.opt.setHyper("wd", draw()),
  "decay another parameter": (l, _, draw) => {
    const all = l.model.parameters();
    l.opt.setFlag(all[Math.floor(draw() * all.length)], "doWd", draw() < 0.5);
  },
  "forget the optimizer's state": (l) => l.opt.clearState(),
  "go back in the optimizer's state": (l) => l.opt.loadStateDict(l.opt.stateDict()),
  "make a new optimizer": (l) => {
    l.createOpt();
  },
  "use running statistics": (l) => {
    l.model.bn.eval();
  },
  "use the batch's statistics": (l) => {
    l.model.bn.train();
  },
  "change dropout": (l, _, draw) => {
    (l.model.drop as { p: number }).p = draw() < 0.3 ? 0 : draw() * 0.5;
  },
  "change the loss": (l, _, draw) => {
    l.lossFunc = draw() < 0.5 ? new nn.CrossEntropyLoss() : new nn.LabelSmoothingCrossEntropy({ eps: 0.1 });
  },
  "leave a gradient": (l) => {
    if (l.model.conv.weight.requiresGrad) backward(l.model.conv.weight.square().sum());
  },
  "save and load": async (l) => {
    const folder = await Deno.makeTempDir();
    const file = await l.save(`${folder}/here`, { withOpt: true });
    await l.load(file, { withOpt: true });
    await Deno.remove(folder, { recursive: true });
  },
  "go back to weights of before": (l) => void l.model.loadStateDict(l.model.stateDict()),
  "predict": async (l, seen) => {
    const { preds } = await l.getPreds({ dsIdx: 1 });
    seen.push(...await preds.data());
  },
  "average gradients by hand": (l) => {
    if (l.model.head.parameters().some((p) => !p.requiresGrad)) return;
    const [xb] = l.hasLoss ? l.xb : [];
    if (xb === undefined) return;
    backward(l.model.forward(xb).square().mean());
    l.opt.step();
    l.opt.zeroGrad();
  },
  "change an input of the prediction": (l) => {
    if (!l.hasLoss) l.xb = l.xb.map((x) => x.mul(0.5));
  },
  "take another batch norm": (l) => {
    (l.model as { bn: nn.BatchNorm2d }).bn = new nn.BatchNorm2d(4);
  },
  "train without momentum": (l) => {
    for (const h of l.opt.hypers) if ("mom" in h) h.mom = 0;
  },
  "validate": async (l, seen) => {
    seen.push(...(await l.validate()).map(Number));
  },
};

/** Does some deeds at some batches, before or after them. */
class Deeds extends Callback {
  override readonly order: number = 55;
  #state: number;
  constructor(readonly seen: number[], seed: number, readonly some: readonly string[]) {
    super();
    this.#state = seed;
  }
  #draw(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return this.#state / 2 ** 32;
  }
  async #do(share: number): Promise<void> {
    if (!this.learn.training) return;
    const draw = () => this.#draw();
    const learn = this.learn as Learner<Net>;
    for (const name of this.some) {
      const done = draw() < share;
      const loss = /of the loss|read the prediction|^read the loss/.test(name);
      if (done && (!loss || learn.hasLoss)) await DEEDS[name](learn, this.seen, draw);
    }
  }
  override async beforeBatch(): Promise<void> {
    if (this.learn.iter % 3 === 1) await this.#do(0.2);
  }
  override async afterBatch(): Promise<void> {
    await this.#do(0.25);
  }
}

/**
 * Stands for another process with the same gradients: the sum is twice as much, the average what it was. In the middle it
 * does deeds, as whatever runs while processes wait for each other.
 */
class Twin extends Callback implements GradAverager {
  override readonly order: number = 11;
  readonly factor: number = 0.5;
  #count = 0;
  constructor(readonly seen: number[], readonly deeds: readonly string[] = []) {
    super();
  }
  override attach(learn: TrainLoop | null): void {
    if (learn === null) this.learn.averager = null;
    super.attach(learn);
    if (learn !== null) learn.averager = this;
  }
  override async afterBackward(): Promise<void> {
    const { opt, batch } = this.learn;
    const mean = await this.average(opt.gradRanges(), batch.loss!, () => this.learn.flush());
    opt.scaleGrads(this.factor);
    batch.loss = new Tensor(scalar(mean));
  }
  async average(ranges: readonly GradRange[], { node }: Tensor, flush: () => void): Promise<number> {
    flush();
    const name = this.deeds[this.#count++ % 7];
    if (name !== undefined) await DEEDS[name](this.learn as Learner<Net>, this.seen, () => 0.5);
    let loss = 0;
    await withHostMemory(
      [{ storage: node.storage!, offset: node.offset, n: 1 }, ...ranges],
      // deno-lint-ignore require-await -- the face is asynchronous
      async ([own, ...grads]) => {
        loss = new Float32Array(own.buffer, own.byteOffset, 1)[0];
        for (const { buffer, byteOffset, byteLength } of grads) {
          const values = new Float32Array(buffer, byteOffset, byteLength / 4);
          for (let i = 0; i < values.length; i++) values[i] *= 2;
        }
      },
    );
    return loss;
  }
}

onDevices("steps with averaged gradients are taken again in two programs", async () => {
  for (const optFunc of [Adam, SGD.with({ mom: 0.9 }), Larc, Lookahead(RAdam, { k: 3 })]) {
    assertEquals(await fitBoth({ optFunc }, (_, seen) => new Twin(seen)), 16);
  }
  // averages of twice the same are the same
  const results: Left[] = [];
  for (const cbs of [[], [new Twin([])]]) {
    const learn = learnerOf({ optFunc: Adam });
    await learn.fitOneCycle(2, { lrMax: 0.02, cbs });
    results.push(await left(learn));
  }
  assertEquals(results[1], results[0]);
  // whoever else looks at gradients has the step built
  assertEquals(await fitBoth({}, (_, seen) => [new Twin(seen), new Inside(seen, "beforeStep")]), 0);
  assertEquals(await fitBoth({}, (_, seen) => [new Twin(seen), new GradientClip(0.1)]), 0);
}, { kinds: ["cpu", "webgpu"] });

const MEANWHILE = ["read weights", "assign weights", "set the rate", "set the decay", "forget the optimizer's state"];

onDevices("... whatever happens between them", async () => {
  const deeds = [...MEANWHILE, "go back to weights of before", "read running statistics"];
  for (const name of deeds) {
    for (const optFunc of [Adam, Lookahead(SGD.with({ mom: 0.9 }), { k: 3 })]) {
      const count = await fitBoth({ optFunc }, (_, seen) => new Twin(seen, [name]), (l, cbs) => l.fit(3, { cbs }));
      assert(count > 0, name);
    }
  }
});

for (const name of Object.keys(DEEDS)) {
  onDevices(`steps taken again change nothing for callbacks that ${name}`, async () => {
    let count = 0;
    for (const [i, optFunc] of [Adam, Lookahead(SGD.with({ mom: 0.9 }), { k: 3 })].entries()) {
      count += await fitBoth(
        { optFunc },
        (_, seen) => new Deeds(seen, 5 + i, [name]),
        (l, cbs) => l.fit(3, { lr: 0.01, cbs }),
      );
    }
    // parameters that the optimizer does not know of keep their gradients from step to step
    assertEquals(count > 0, name !== "take another batch norm");
  }, { kinds: ["cpu"] });
}

onDevices("steps taken again change nothing for callbacks that do all of it", async (_, kind) => {
  let count = 0;
  const names = Object.keys(DEEDS);
  for (let seed = 1; seed <= (kind === "cpu" ? 25 : 4); seed++) {
    const picks = fillF32(seed, names.length), some = names.filter((_, i) => picks[i] > 0.5);
    const opts = [Adam, SGD.with({ mom: 0.9 }), Lookahead(RAdam, { k: 3 }), Lamb];
    count += await fitBoth(
      { optFunc: opts[seed % opts.length], streamed: seed % 5 === 0 },
      (_, seen) => [
        new Deeds(seen, seed, some),
        ...(seed % 3 === 0 ? [new Ema()] : []),
        ...(seed % 4 === 3 ? [new Twin(seen, MEANWHILE.slice(seed % 5))] : []),
      ],
      (l, cbs) => l.fit(3, { lr: 0.01, cbs }),
    );
  }
  assert(count > 0, "no step was taken again");
});

onDevices("averages of the weights see weights after the step", async () => {
  const values: number[][] = [];
  for (const enabled of [false, true]) {
    const learn = learnerOf(), ema = new Ema();
    learn.steps.enabled = enabled;
    await learn.fit(2, { lr: 0.01, cbs: ema });
    values.push((await readAll(ema.averages)).flatMap((v) => [...v]));
  }
  assertEquals(values[0], values[1]);
}, { kinds: ["cpu", "webgpu"] });

onDevices("expressions of weights are stale after a step, taken again or not", async () => {
  for (const enabled of [false, true]) {
    const learn = learnerOf({ optFunc: Adam });
    learn.steps.enabled = enabled;
    let old: Tensor | null = null, refused = 0;
    await learn.fit(1, {
      cbs: new class extends Callback {
        override runValid: boolean = false;
        override async beforeBatch(): Promise<void> {
          const before = old;
          if (before !== null) {
            await assertRejects(() => before.data(), StaleTensorError);
            refused++;
          }
          old = learn.model.conv.weight.mul(2);
        }
      }(),
    });
    assertEquals(refused, 8);
    assertEquals(learn.steps.count > 0, enabled);
  }
}, { kinds: ["cpu"] });

onDevices("training metrics are those of built steps", async () => {
  await fitBoth({ metrics: accuracy, optFunc: Adam }, (l) => {
    (l.recorder as { trainMetrics: boolean }).trainMetrics = true;
    return [];
  });
}, { kinds: ["cpu"] });

onDevices("two learners in turn on one model", async () => {
  const results: unknown[] = [];
  for (const enabled of [false, true]) {
    const a = learnerOf({ optFunc: Adam });
    const b = new Learner(a.dls, a.model, { lossFunc: new nn.CrossEntropyLoss(), optFunc: SGD, logger: silentLogger });
    a.steps.enabled = b.steps.enabled = enabled;
    for (let i = 0; i < 2; i++) {
      await a.fit(1, { lr: 0.01 });
      await b.fit(1, { lr: 0.01 });
    }
    results.push([await left(a), await left(b as Learner<Net>)]);
    assertEquals(a.steps.count > 0 && b.steps.count > 0, enabled);
  }
  assertEquals(results[0], results[1]);
}, { kinds: ["cpu", "webgpu"] });

onDevices("a step taken again is one program, with the recorder's history", async (device) => {
  const learn = learnerOf({ optFunc: Adam });
  await learn.fit(1);
  let before = device.stats();
  const runs: number[] = [], made: string[] = [];
  await learn.fit(1, {
    cbs: new class extends Callback {
      override readonly order: number = 2000;
      override beforeBatch(): void {
        if (!this.learn.training) return;
        const now = device.stats();
        if (this.learn.iter > 0) {
          runs.push(now.runs - before.runs);
          for (const what of ["programs", "pipelines", "reads"] as const) {
            if (now[what] !== before[what]) made.push(what);
          }
        }
        before = now;
      }
    }(),
  });
  assertEquals(learn.steps.count, 16);
  assertEquals(runs, [1, 1, 1, 1, 1, 1, 1, 1]);
  assertEquals(made, []);
}, { kinds: ["cpu", "webgpu"] });
