/**
 * What each callback does.
 *
 * @module
 */
import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { CheckpointError, ConfigError, ShapeError } from "../../src/base/errors.ts";
import {
  BnFreeze,
  CollectData,
  CSVLogger,
  CutMix,
  EarlyStopping,
  FetchPreds,
  GradientAccumulation,
  GradientClip,
  InterruptCallback,
  MixUp,
  SaveModel,
  ShortEpoch,
  ShowGraph,
  TerminateOnNaN,
  VerboseCallback,
} from "../../src/callbacks/mod.ts";
import { DataLoaders } from "../../src/data/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { SGD } from "../../src/optim/mod.ts";
import { Rng, type Tensor } from "../../src/tensor/mod.ts";
import {
  AvgMetric,
  Callback,
  CancelFit,
  type EventName,
  type Handled,
  mae,
  silentLogger,
} from "../../src/train/mod.ts";
import { synthLearner } from "../../testing.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32, fillInts } from "../support/fill.ts";
import { classifierGolden, linearLearner, synthGolden } from "../train/learners.ts";

const here = { kinds: ["reference"] } as const;

class At extends Callback {
  override readonly order = 90;
  constructor(readonly event: EventName, readonly act: () => Handled) {
    super();
  }
  override handle(event: EventName): Handled {
    if (event === this.event) return this.act();
  }
}

onDevices("TerminateOnNaN ends the run before the recorder sees the loss", async () => {
  const learn = synthGolden();
  await learn.fit(50, { lr: 100, cbs: TerminateOnNaN });
  const { losses, rawLosses } = learn.recorder;
  assert(losses.length > 0 && losses.length < 500, `${losses.length} losses`);
  assert([...losses, ...rawLosses].every(Number.isFinite));
});

onDevices("GradientAccumulation of small batches makes the gradients of a large one", async () => {
  const grads: number[][] = [];
  const run = async (bs: number, cbs: Callback[]) => {
    const x = { data: fillF32(1, 32), shape: [8, 4] }, y = { data: fillF32(2, 8), shape: [8, 1] };
    const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs, shuffle: false });
    const { model, logger } = linearLearner();
    const learn = new Learner(dls, model, { lossFunc: new nn.MSELoss(), optFunc: SGD, lr: 0.1, logger });
    const look = new At("afterStep", async () => {
      const all = await Promise.all(model.parameters().map((p) => p.grad!.data()));
      grads.push(all.flatMap((d) => [...d]));
    });
    await learn.fit(1, { cbs: [...cbs, look] });
    const validLoss = (await learn.validate())[0]!;
    return { weight: [...await model.weight.data()], validLoss };
  };
  const large = await run(8, []), small = await run(1, [new GradientAccumulation(8)]);
  assertEquals(grads.length, 2);
  grads[0].forEach((g, i) => assertAlmostEquals(grads[1][i], g, 1e-6));
  large.weight.forEach((w, i) => assertAlmostEquals(small.weight[i], w, 1e-6));
  assertAlmostEquals(small.validLoss, large.validLoss, 1e-6);
});

/** The weights that each step leaves, of fits over 24 items in batches of `bs`; SGD, so that factors would show. */
async function stepsOf(
  bs: number,
  cbs: Callback[],
  nEpoch = 1,
  reduction: "mean" | "sum" = "mean",
  times = 1,
): Promise<number[][]> {
  const repeated = (data: Float32Array) =>
    Float32Array.from({ length: data.length * times }, (_, i) => data[i % data.length]);
  const x = { data: repeated(fillF32(1, 96)), shape: [24 * times, 4] };
  const y = { data: repeated(fillF32(2, 24)), shape: [24 * times, 1] };
  const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs, shuffle: false });
  const { model, logger } = linearLearner();
  const lossFunc = new nn.MSELoss({ reduction });
  const learn = new Learner(dls, model, { lossFunc, optFunc: SGD, lr: reduction === "sum" ? 0.001 : 0.1, logger });
  const steps: number[][] = [];
  const look = new At("afterStep", async () => {
    steps.push((await Promise.all(model.parameters().map((p) => p.data()))).flatMap((d) => [...d]));
  });
  await learn.fit(nEpoch, { cbs: [...cbs, look] });
  return steps;
}

function sameSteps(got: number[][], want: number[][]): void {
  assertEquals(got.length, want.length);
  got.forEach((step, i) => step.forEach((w, j) => assertAlmostEquals(w, want[i][j], 2e-6, `step ${i}, weight ${j}`)));
}

for (const reduction of ["mean", "sum"] as const) {
  onDevices(`GradientAccumulation steps like one batch of the items that it had (${reduction})`, async () => {
    // 6 is no multiple of 4: steps of 8 items, whatever was asked for
    sameSteps(await stepsOf(4, [new GradientAccumulation(6)], 2, reduction), await stepsOf(8, [], 2, reduction));
    // one batch has more items than a step needs
    sameSteps(await stepsOf(12, [new GradientAccumulation(2)], 1, reduction), await stepsOf(12, [], 1, reduction));
    // fewer items than a step needs: one step at the end, of all of them
    sameSteps(await stepsOf(4, [new GradientAccumulation(100)], 1, reduction), await stepsOf(24, [], 1, reduction));
    // batches of 10, 10 and 4 items: 24 make a step of 20 and, at the end, one of the 4 left over
    const [first, rest] = await stepsOf(10, [new GradientAccumulation(20)], 1, reduction);
    sameSteps([first], (await stepsOf(20, [], 1, reduction)).slice(0, 1));
    sameSteps([first, rest], await stepsOf(20, [], 1, reduction));
  }, here);
}

onDevices(
  "GradientAccumulation: what an epoch leaves over counts for the next one, with clipping and cut short too",
  async () => {
    // two epochs of 24 items: a step of 24 + 16, then one of the 8 left over
    sameSteps(await stepsOf(8, [new GradientAccumulation(40)], 2), await stepsOf(40, [], 1, "mean", 2));
    const clipped = await stepsOf(4, [new GradientAccumulation(100), new GradientClip(0.01)]);
    sameSteps(clipped, await stepsOf(24, [new GradientClip(0.01)]));
    // a last epoch that is cut short has no last batch: the step comes when its training ends
    const short = await stepsOf(4, [
      new GradientAccumulation(100),
      new GradientClip(0.01),
      new ShortEpoch({ pct: 0.1 }),
    ]);
    sameSteps(short, (await stepsOf(8, [new GradientClip(0.01)])).slice(0, 1));
  },
  here,
);

onDevices("GradientAccumulation: a fit that was cut short leaves no gradients behind", async () => {
  const learn = linearLearner();
  const stop = new At("afterBatch", () => {
    throw new CancelFit();
  });
  await learn.fit(1, { cbs: [new GradientAccumulation(1000), stop] });
  assert(learn.model.parameters().every((p) => p.grad === null));
  assertThrows(() => new GradientAccumulation(0), ConfigError);
}, here);

for (const normType of [1, 2, 3, Infinity]) {
  onDevices(`GradientClip leaves a ${normType}-norm of at most the limit`, async () => {
    const norms: number[] = [];
    const learn = linearLearner();
    const norm = async () => {
      const all = await Promise.all(learn.model.parameters().map((p) => p.grad!.data()));
      const sizes = all.flatMap((d) => [...d].map(Math.abs));
      norms.push(
        normType === Infinity ? Math.max(...sizes) : sizes.reduce((a, b) => a + b ** normType, 0) ** (1 / normType),
      );
    };
    await learn.fit(1, { cbs: [new GradientClip(0.01, { normType }), new At("beforeStep", norm)] });
    await learn.fit(1, { lr: 0, cbs: [new GradientClip(1e6, { normType }), new At("beforeStep", norm)] });
    const [a, b, c, d] = norms;
    assertAlmostEquals(a, 0.01, 1e-5);
    assertAlmostEquals(b, 0.01, 1e-5);
    assert(c > 0.02 && d > 0.02, "small gradients are left as they are");
  }, here);
}

onDevices("ShortEpoch runs a share of the batches, and the rows have what was seen", async () => {
  let train = 0, valid = 0;
  const learn = synthGolden();
  const count = new At("afterBatch", () => void (learn.training ? train++ : valid++));
  const before = new At("beforeBatch", () => void (learn.training ? train++ : valid++));
  await learn.fit(1, { cbs: [new ShortEpoch({ pct: 0.3, shortValid: false }), before] });
  assertEquals([train, valid], [4, 2]); // batches 0 to 3: 3 / 10 is the first that is at least 0.3
  assertEquals(typeof learn.recorder.rows[0].train_loss, "number");
  await learn.fit(1, { cbs: [new ShortEpoch(), count] });
  assertEquals(typeof learn.recorder.rows[0].valid_loss, "number");
}, here);

onDevices("BnFreeze keeps the statistics of frozen batch norms", async () => {
  for (const frozen of [true, false]) {
    const learn = classifierGolden({
      trainBn: false,
      splitter: (m) => [m.parameters().slice(0, 4), m.parameters().slice(4)],
    });
    learn.freeze();
    const before = (await learn.model.stateDict().get("layers.1.running_mean")!.data()).slice();
    await learn.fit(1, { cbs: frozen ? BnFreeze : [] });
    const after = await learn.model.stateDict().get("layers.1.running_mean")!.data();
    (frozen ? assertEquals : assertNotEquals)(after, before);
  }
}, here);

onDevices("CSVLogger: other columns have names of their own, and names are quoted", async () => {
  const dir = await Deno.makeTempDir();
  const rows = async () => (await Deno.readTextFile(`${dir}/history.csv`)).split("\n");
  const names = async () => (await rows()).filter((line) => line.startsWith("epoch,"));
  const learn = synthLearner({ seed: 1, path: dir, logger: silentLogger });
  const log = new CSVLogger({ append: true });
  await learn.fit(1, { cbs: log });
  await learn.fit(1, { cbs: log });
  learn.metrics = [new AvgMetric(mae, { name: 'error, "mean"' })];
  await learn.fit(1, { cbs: log });
  await learn.fit(1, { cbs: new CSVLogger({ append: true }) }); // of another run
  learn.metrics = [];
  await Deno.writeTextFile(`${dir}/history.csv`, "3,0.1", { append: true }); // a line that was cut short
  await learn.fit(1, { cbs: log });
  const short = "epoch,train_loss,valid_loss,time", long = 'epoch,train_loss,valid_loss,"error, ""mean""",time';
  assertEquals(await names(), [short, long, short]);
  assertEquals((await rows()).map((line) => line.startsWith("epoch") ? line : line.split(",").length), [
    ...[short, 4, 4, long, 5, 5, 2, short, 4],
    1, // what is left after the last line's end
  ]);
  await Deno.remove(dir, { recursive: true });
}, here);

onDevices("CSVLogger writes a line an epoch in full, goes on where asked to, and leaves probes out", async () => {
  const path = await Deno.makeTempDir();
  const learn = linearLearner({ path });
  await learn.fit(2, { cbs: new CSVLogger() });
  const read = async () => (await Deno.readTextFile(`${path}/history.csv`)).trimEnd().split("\n");
  const first = await read();
  assertEquals(first[0], "epoch,train_loss,valid_loss,time");
  assertEquals(first.length, 3);
  assertEquals(Number(first[2].split(",")[1]), learn.recorder.rows[1].train_loss);
  await learn.fit(1, { cbs: new CSVLogger({ append: true }) });
  assertEquals((await read()).length, 4);
  learn.addCb(new CSVLogger({ append: true }));
  await learn.lrFind({ numIt: 10 });
  await learn.validate();
  assertEquals((await read()).length, 4);
  learn.removeCb(CSVLogger);
  await learn.fineTune(2, { cbs: new CSVLogger() });
  assertEquals((await read()).map((l) => l.split(",")[0]), ["epoch", "0", "0", "1"]);
  await Deno.remove(path, { recursive: true });
}, here);

onDevices("CollectData keeps every batch", async () => {
  const collect = new CollectData();
  const learn = linearLearner({ cbs: collect });
  await learn.fit(2);
  assertEquals(collect.data.map((d) => d.training), [true, true, false, true, true, false]);
  const [first] = collect.data;
  assertEquals(await first.xb[0].data(), fillF32(1, 16));
  assertEquals(first.pred.shape, [4, 1]);
  const losses = await Promise.all(collect.data.filter((d) => d.training).map((d) => d.loss!.item()));
  assertEquals(losses, learn.recorder.rawLosses);
}, here);

onDevices("FetchPreds predicts after every validation", async () => {
  const fetch = new FetchPreds();
  const learn = linearLearner({ cbs: fetch });
  await learn.fit(1);
  assertEquals(await fetch.preds!.preds.data(), await (await learn.getPreds()).preds.data());
  assertEquals(learn.recorder.rows.length, 1);
  assertEquals(typeof learn.recorder.rows[0].valid_loss, "number");
}, here);

onDevices("ShowGraph draws the losses after every epoch", async () => {
  const lines: string[] = [];
  const path = await Deno.makeTempDir();
  const learn = linearLearner({ logger: { line: (t) => void lines.push(t) } });
  await learn.fit(2, { cbs: new ShowGraph() });
  assertEquals(lines.filter((l) => l.includes("Learning curve")).length, 2);
  await learn.fit(1, { cbs: new ShowGraph({ path: `${path}/loss.svg` }) });
  assert((await Deno.readTextFile(`${path}/loss.svg`)).includes("<svg"));
  await Deno.remove(path, { recursive: true });
}, here);

onDevices("VerboseCallback tells every event", async () => {
  const lines: string[] = [];
  const learn = linearLearner({ cbs: new VerboseCallback(), logger: { line: (t) => void lines.push(t) } });
  assertEquals(lines, ["afterCreate"]);
  await learn.fit(0);
  assertEquals(lines.filter((l) => /^(before|after)/.test(l)), ["afterCreate", "beforeFit", "afterFit"]);
}, here);

onDevices(
  "MixUp trains on weighted means of items and of their losses, validation on the items themselves",
  async () => {
    const learn = classifierGolden();
    const { lossFunc } = learn;
    const seen: Tensor[] = [];
    const look = new At("afterBatch", () => void seen.push(learn.xb[0].detach().keep(), learn.yb[0].detach().keep()));
    await learn.fit(1, { cbs: [new MixUp(0.4, { rng: new Rng(3) }), look] });
    assertEquals(learn.lossFunc, lossFunc);
    const plain = fillF32(90, 210 * 16);
    const first = await seen[0].data();
    let mixed = 0;
    for (let row = 0; row < 20; row++) {
      const own = plain.subarray(row * 16, row * 16 + 16), got = first.subarray(row * 16, row * 16 + 16);
      // each row lies on the line from its own item to one other of the batch, nearer to its own
      const found = Array.from({ length: 20 }, (_, other) => {
        const there = plain.subarray(other * 16, other * 16 + 16);
        if (other === row) return got.every((v, k) => Math.abs(v - own[k]) < 1e-6) ? 1 : NaN;
        const share = 1 - (got[0] - own[0]) / (there[0] - own[0]);
        const line = got.every((v, k) => Math.abs(v - (there[k] + (own[k] - there[k]) * share)) < 1e-4);
        return line && share >= 0.5 - 1e-4 ? share : NaN;
      });
      assert(found.some((share) => !Number.isNaN(share)), `row ${row}`);
      if (got.some((v, k) => Math.abs(v - own[k]) > 1e-4)) mixed++;
    }
    assert(mixed > 5);
    assertEquals(await seen.at(-2)!.data(), fillF32(92, 50 * 16).subarray(40 * 16));
    assertEquals(seen[1].dtype, "i32");
    await assertRejects(
      () => learn.fit(1, { cbs: [new MixUp(), new At("beforeBatch", () => Promise.reject(new RangeError("no")))] }),
      RangeError,
    );
    assertEquals(learn.lossFunc, lossFunc, "put back after an error too");
  },
  here,
);

onDevices("CutMix pastes one box of another item, and weighs losses by its area", async () => {
  const x = { data: fillF32(5, 8 * 2 * 6 * 5), shape: [8, 2, 6, 5] }, y = { data: fillInts(6, 8, 3), shape: [8] };
  const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 8, shuffle: false });
  const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(60, 3));
  const learn = new Learner(dls, model, { lossFunc: new nn.CrossEntropyLoss(), logger: linearLearner().logger });
  let images: Tensor | null = null;
  const look = new At("afterBatch", () => void (learn.training && (images = learn.xb[0].detach().keep())));
  await learn.fit(1, { cbs: [new CutMix(1, { rng: new Rng(11) }), look] });
  const got = await images!.data();
  const same = Array.from(
    { length: 30 },
    (_, at) => [0, 1, 2, 3, 4, 5, 6, 7].every((n) => got[n * 60 + at] === x.data[n * 60 + at]),
  );
  const rows = new Set<number>(), cols = new Set<number>();
  same.forEach((s, at) => {
    if (s) return;
    rows.add(Math.floor(at / 5));
    cols.add(at % 5);
  });
  const changed = same.filter((s) => !s).length;
  assert(changed > 0 && changed < 30);
  assertEquals(changed, rows.size * cols.size, "the changed pixels are a box");
  await assertRejects(() => linearLearner().fit(1, { cbs: new CutMix() }), ShapeError, "images [n, c, h, w]");
}, here);

onDevices("a run that is interrupted, saved, loaded and resumed is the run that was not", async () => {
  const path = await Deno.makeTempDir();
  const whole = classifierGolden({ lr: 1e-2 });
  await whole.fitOneCycle(4);
  const first = classifierGolden({ lr: 1e-2, path });
  const save = new SaveModel({ withOpt: true, fname: "ckpt", everyEpoch: true });
  await first.fitOneCycle(4, { cbs: [save, new InterruptCallback(2)] });
  assert(save.lastSavedPath!.endsWith("ckpt_1.safetensors"));
  const again = classifierGolden({ path });
  await again.load("ckpt_1");
  again.lr = 1e-2;
  await again.fitOneCycle(4, { startEpoch: 2 });
  assertEquals(again.recorder.rawLosses, whole.recorder.rawLosses.slice(22));
  const a = whole.model.stateDict(), b = again.model.stateDict();
  for (const [name, t] of a) assertEquals(await b.get(name)!.data(), await t.data(), name);
  await Deno.remove(path, { recursive: true });
});

onDevices(
  "SaveModel loads the best model back, also after early stopping; files that are missing are told",
  async () => {
    const path = await Deno.makeTempDir();
    const learn = linearLearner({ path, lr: 0.5, metrics: [] });
    const losses: number[] = [];
    await learn.fit(6, {
      lr: 2, // so large that the loss soon rises
      cbs: [
        new SaveModel(),
        new EarlyStopping({ patience: 2 }),
        new At("afterEpoch", () => void losses.push(learn.recorder.validLoss)),
      ],
    });
    const [now] = await learn.validate();
    assertAlmostEquals(now!, Math.min(...losses), 1e-6);
    await assertRejects(() => learn.load("nothing"), CheckpointError, "no such file");
    await assertRejects(() => learn.load("model", { withOpt: true }), CheckpointError, "a model only");
    await learn.load("model");
    assertThrows(() => new SaveModel({ everyEpoch: true, atEnd: true }), ConfigError);
    await Deno.remove(path, { recursive: true });
  },
  here,
);
