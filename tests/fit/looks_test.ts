/**
 * Looking at a learner changes nothing, and sees every item once; generators and states are found by one rule.
 */
import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import { Checkpoint, CutMix, MixUp } from "../../mod.ts";
import * as callbacks from "../../src/callbacks/mod.ts";
import { DataLoader, DataLoaders, type Dataset } from "../../src/data/mod.ts";
import { predict, validate } from "../../src/fit/mod.ts";
import { summary } from "../../src/fit/summary.ts";
import { Learner } from "../../src/learner/mod.ts";
import { generatorsOf } from "../../src/fit/states.ts";
import type { SavedState, StateDict } from "../../src/io/state_dict.ts";
import * as nn from "../../src/nn/mod.ts";
import { rand, Rng, setSeed, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { Callback, Metric, silentLogger } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { tempDir } from "../support/temp.ts";

const here = { kinds: ["cpu"] } as const;

/** A layer that is no part of the library, with a generator in a list. */
class Noise extends nn.Module {
  readonly sources = [{ rng: new Rng(11) }];
  override forward(x: Tensor): Tensor {
    return this.training ? x.add(rand(x.shape, { rng: this.sources[0].rng })) : x;
  }
}

/** A callback with a state, and with a generator, that both change the steps. */
class Drift extends Callback {
  n = 0;
  readonly own = { rng: new Rng(7) };
  override afterBatch(): void {
    this.n++;
    this.own.rng.uniform();
  }
  override beforeBatch(): void {
    if (this.learn.training) this.learn.opt.setHyper("lr", 0.1 / (1 + this.n) + 0.01 * this.own.rng.uniform());
  }
  override stateDict(): StateDict {
    return { n: this.n };
  }
  override loadStateDict(state: SavedState): void {
    this.n = state.count("n");
  }
}

/** Trains on pictures `[n, 1, 4, 4]` of two classes; everything that can draw numbers does. */
function make(cbs: readonly Callback[] = [], more: Record<string, unknown> = {}): Learner {
  setSeed(4);
  const x = { data: new Rng(1).uniformArray(22 * 16), shape: [22, 1, 4, 4] };
  const y = { data: Int32Array.from({ length: 22 }, (_, i) => i % 2), shape: [22] };
  const model = new nn.Sequential(
    new nn.Conv2d(1, 3, 3),
    new nn.BatchNorm2d(3),
    new nn.Dropout2d(0.5, { rng: new Rng(2) }),
    new nn.Flatten(),
    new nn.Dropout(0.5),
    new nn.Dropout(0.5, { rng: new Rng(3) }),
    new Noise(),
    new nn.Linear(12, 2),
  );
  const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 4, dropLast: true, ...more });
  return new Learner(dls, model, {
    lossFunc: new nn.CrossEntropyLoss(),
    lr: 0.05,
    logger: silentLogger,
    cbs: [...cbs],
  });
}

async function bits(learn: Learner): Promise<string> {
  const all = [...learn.model.stateDict().values()];
  return (await Promise.all(all.map(async (t) => [...await t.data()].join()))).join("|");
}

const LOOKS: Record<string, (learn: Learner) => Promise<unknown>> = {
  "validate": (l) => l.validate(),
  "validate the training set": (l) => l.validate({ dsIdx: 0 }),
  "validate twice": async (l) => [await l.validate({ dsIdx: 0 }), await l.validate()],
  "validate a loader": (l) => l.validate({ dl: l.dls.train as DataLoader }),
  "getPreds": (l) => l.getPreds({ withLoss: true, withDecoded: true }),
  "getPreds of the training set": (l) => l.getPreds({ dsIdx: 0, withInput: true }),
  "predict": (l) => predict(l, rand([1, 4, 4], { rng: new Rng(8) })),
  "summary": (l) => summary(l),
  "lrFind": (l) => l.lrFind({ numIt: 20 }),
  "an evaluation that fails": (l) => l.validate({ cbs: new Failing() }).catch(() => {}),
};

class Failing extends Callback {
  override afterBatch(): void {
    throw new Error("no");
  }
}

for (const [name, look] of Object.entries(LOOKS)) {
  onDevices(`${name} changes nothing that a fit depends on`, async () => {
    const run = async (looks: boolean, Mix: typeof MixUp | typeof CutMix): Promise<string> => {
      const learn = make([new Mix(0.4, { rng: new Rng(5) }), new Drift()]);
      await learn.fit(1);
      learn.model.train(); // and which layers train stays as it is
      learn.model.modules()[2].eval();
      const modes = learn.model.modules().map((m) => m.training);
      if (looks) await look(learn);
      assertEquals(learn.model.modules().map((m) => m.training), modes);
      await learn.fit(1);
      return await bits(learn);
    };
    for (const Mix of [MixUp, CutMix]) assert(await run(true, Mix) === await run(false, Mix), Mix.name);
  }, here);
}

onDevices("a look in the middle of a fit changes nothing of it", async () => {
  class Look extends Callback {
    constructor(readonly looks: boolean) {
      super();
    }
    override async afterBatch(): Promise<void> {
      const { learn } = this;
      if (!learn.training || !this.looks || learn.iter % 2 !== 0) return;
      await validate(learn, { dsIdx: 0 });
      await (learn as Learner).getPreds();
    }
  }
  const run = async (looks: boolean): Promise<string> => {
    const learn = make([new MixUp(0.4), new Drift(), new Look(looks)]);
    await learn.fit(2);
    return await bits(learn);
  };
  assert(await run(true) === await run(false));
}, here);

onDevices("the training set is looked at in order, every item once, without random changes", async () => {
  const learn = make();
  const { targs, inputs } = await learn.getPreds({ dsIdx: 0, withInput: true });
  assertEquals(inputs!.shape, [22, 1, 4, 4]);
  assertEquals(Array.from(await targs.data()), Array.from({ length: 22 }, (_, i) => i % 2));
  const [once] = await learn.validate({ dsIdx: 0 }), [again] = await learn.validate({ dsIdx: 0 });
  assertEquals(once, again);
  const [whole] = await make([], { dropLast: false }).validate({
    dl: new DataLoader({
      columns: [{ tensor: tensor(new Rng(1).uniformArray(22 * 16), { shape: [22, 1, 4, 4] }) }, { tensor: targs }],
      bs: 22,
    }),
  });
  assertAlmostEquals(once!, whole!, 1e-5);
  // items and batches that are changed at random for training are not for looking
  const plain: Dataset = { length: 6, get: (i) => [Float32Array.of(i), i % 2] };
  const data: Dataset = { length: 6, evaluation: plain, get: (i, rng) => [Float32Array.of(i + rng.uniform()), i % 2] };
  const jitter = new DataLoader({
    dataset: data,
    bs: 4,
    shuffle: true,
    random: true,
    dropLast: true,
    batchTfm: ([x, ...y], rng) => [x.add(rng.uniform()), ...y],
    evalTfm: (batch) => batch,
  });
  const dls = new DataLoaders(jitter, new DataLoader({ dataset: plain }));
  const other = new Learner(dls, new nn.Linear(1, 2), { lossFunc: new nn.CrossEntropyLoss(), logger: silentLogger });
  const seen = await other.getPreds({ dsIdx: 0, withInput: true });
  assertEquals(Array.from(await seen.inputs!.data()), [0, 1, 2, 3, 4, 5]);
}, here);

/** Everything that is exported and may have a generator of its own: made with one, it is found. */
Deno.test("whoever is made with a generator is found", () => {
  const given = { rng: new Rng(9) };
  const made: (nn.AnyModule | Callback)[] = [
    new nn.Dropout(0.5, given),
    new nn.Dropout2d(0.5, given),
    new callbacks.MixUp(0.4, given),
    new callbacks.CutMix(0.4, given),
  ];
  for (const part of made) {
    const isCb = part instanceof Callback;
    const model = isCb ? new nn.Linear(1, 1) : new nn.Sequential(part as nn.Dropout);
    const learn = new Learner(make().dls, model, { lossFunc: new nn.MSELoss(), cbs: isCb ? [part] : [] });
    assertEquals(generatorsOf(learn).map(([, rng]) => rng === given.rng), [true], part.constructor.name);
  }
});

Deno.test("no class hides a generator in a private field, where no checkpoint would find it", async () => {
  // the loader's is part of its own state, which checkpoints keep; MCDropout remembers those of layers during a pass
  const allowed = new Set(["src/data/loader.ts", "src/callbacks/mc_dropout.ts"]);
  const hidden: string[] = [];
  for await (const file of sources("src")) {
    const text = await Deno.readTextFile(file);
    if (!allowed.has(file) && /#\w+\??: (Rng\b|\{[^}]*\bRng\b)|#\w+ = new Rng\(/.test(text)) hidden.push(file);
  }
  assertEquals(hidden, []);
});

async function* sources(dir: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    if (isDirectory) yield* sources(`${dir}/${name}`);
    else if (name.endsWith(".ts")) yield `${dir}/${name}`;
  }
}

/** A metric that draws. */
class Sampled extends Metric {
  readonly rng = new Rng(12);
  override reset(): void {}
  override accumulate(): void {}
  override get value(): number {
    return 0;
  }
}

onDevices("generators of layers, callbacks, metrics and lists of them are in checkpoints", async () => {
  const dir = tempDir();
  const go = async (nEpoch: number, resume: boolean, draws: boolean) => {
    const drift = new Drift(), learn = make([new MixUp(0.4, { rng: new Rng(5) }), drift]);
    learn.metrics = new Sampled();
    if (draws) { for (const [, rng] of generatorsOf(learn)) rng.uniform(); // where they stand must come from the file
     }
    assertEquals(generatorsOf(learn).map(([path]) => path).sort(), [
      "callback.Drift.own.rng",
      "callback.MixUp.rng",
      "metric.sampled.rng",
      "model.2.rng",
      "model.5.rng",
      "model.6.sources.0.rng",
    ]);
    await learn.fit(nEpoch, { cbs: new Checkpoint({ dir, everySteps: 3 }), resume });
    return await bits(learn);
  };
  class Stop extends Callback {
    override afterBatch(): void {
      if (this.learn.training && this.learn.trainIter === 8) throw new Error("stopped");
    }
  }
  const whole = make([new MixUp(0.4, { rng: new Rng(5) }), new Drift()]);
  whole.metrics = new Sampled();
  await whole.fit(3);
  const learn = make([new MixUp(0.4, { rng: new Rng(5) }), new Drift()]);
  learn.metrics = new Sampled();
  await learn.fit(3, { cbs: [new Checkpoint({ dir, everySteps: 3 }), new Stop()] }).catch(() => {});
  assertNotEquals(await bits(learn), await bits(whole));
  assert(await go(3, true, true) === await bits(whole));
}, here);
