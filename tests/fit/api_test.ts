/**
 * Scripts as users write them: they compile without a cast, and run.
 *
 * @module
 */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  accuracy,
  Adam,
  Callback,
  CancelFit,
  combinedCos,
  DataLoaders,
  EarlyStopping,
  grad,
  Learner,
  lrFind,
  nn,
  type Parameter,
  ParamScheduler,
  randn,
  Rng,
  SaveModel,
  SchedCos,
  schedFromJson,
  SchedLin,
  SchedNo,
  setSeed,
  silentLogger,
  slice,
  type Tensor,
  tensor,
  valley as valleySuggest,
} from "../../mod.ts";
import * as entry from "../../mod.ts";
import { fill, synthDbunch, synthLearner, testClose, VerboseCallback } from "../../testing.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";

const here = { kinds: ["reference"] } as const;

function data(bs: number, options: { shuffle?: boolean } = {}): DataLoaders {
  const x = { data: fillF32(1, 96 * 6), shape: [96, 2, 3] }, xValid = { data: fillF32(2, 32 * 6), shape: [32, 2, 3] };
  const label = (d: Float32Array, n: number) => ({
    data: Int32Array.from({ length: n }, (_, i) => d[i * 6] > 0 ? 1 : 0),
    shape: [n],
  });
  return DataLoaders.fromArrays({ x, y: label(x.data, 96), xValid, yValid: label(xValid.data, 32) }, {
    bs,
    seed: 42,
    ...options,
  });
}

onDevices("a training run", async () => {
  const dls = data(16);
  const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(6, 16), new nn.ReLU(), new nn.Linear(16, 2));
  const learn = new Learner(dls, model, {
    lossFunc: new nn.CrossEntropyLoss(),
    metrics: [accuracy],
    optFunc: Adam.with({ wd: 0.01 }),
    logger: silentLogger,
  });
  const { valley } = await learn.lrFind({ suggestFuncs: [valleySuggest] });
  const free = await lrFind(learn, { suggestFuncs: { mine: valleySuggest } });
  assertEquals(free.mine, valley);
  assertEquals(free.points.mine.length, 2);
  await learn.fitOneCycle(3, { lrMax: valley });
  const row = learn.recorder.rows.at(-1);
  assertEquals(row?.epoch, 2);
  assertEquals(typeof row?.accuracy, "number");
  assert((await learn.recorder.plotSched({ keys: ["lr", "mom"] }).svg()).includes("<svg"));
  assert(learn.recorder.plotLoss({ skipStart: 5, showEpochs: true, log: false }).text().length > 0);
  assert(learn.recorder.plotLrFind({ skipEnd: 5 }).text().length > 0);
  const { xb, yb } = await dls.oneBatch();
  assertEquals([xb.shape, yb.shape], [[16, 2, 3], [16]]);
  const [loss, acc] = await learn.validate();
  assertEquals([loss, acc], [row?.valid_loss, row?.accuracy]);
  const { preds, targs, losses } = await learn.getPreds({ withLoss: true });
  assertEquals([preds.shape, targs.shape, losses?.shape], [[32, 2], [32], [32]]);
  const sums = await preds.sum({ axis: 1 }).data();
  for (const s of sums) assertAlmostEquals(s, 1, 1e-5); // the loss's activation is softmax
  const each = await losses!.data();
  assertAlmostEquals(Array.from(each).reduce((a, b) => a + b, 0) / 32, loss!, 1e-5);
  const { decoded, pred } = await learn.predict(randn([2, 3], { rng: new Rng(1) }));
  assertEquals([decoded.shape, pred.shape], [[], [2]]);
  assert((await learn.summary()).includes("Parameters: 146, of which 146 train"));
});

Deno.test("the totals of summary() are the sums of its rows", async () => {
  class Tied extends nn.Module {
    readonly scale: Parameter = new nn.Parameter(tensor([1, 2, 3]));
    readonly a: nn.Linear = new nn.Linear(3, 3);
    readonly b: nn.Linear = new nn.Linear(3, 3);
    readonly withALongNameOfItsOwn: nn.Sequential = new nn.Sequential(new nn.BatchNorm1d(3), new nn.Linear(3, 2));
    constructor() {
      super();
      Reflect.set(this.b, "weight", this.a.weight);
      this.a.bias!.requiresGrad = false;
    }
    override forward(x: Tensor): Tensor {
      return this.withALongNameOfItsOwn.forward(this.b.forward(this.a.forward(x.mul(this.scale))));
    }
  }
  const data = { data: new Float32Array(12), shape: [4, 3] };
  const dls = DataLoaders.fromArrays({ x: data, y: { data: new Float32Array(8), shape: [4, 2] } }, { bs: 2 });
  const learn = new Learner(dls, new Tied(), { lossFunc: new nn.MSELoss(), logger: silentLogger });
  const lines = (await learn.summary()).split("\n");
  const at = lines.findIndex((line) => line.startsWith("layer"));
  const cells = lines.slice(at + 2, lines.lastIndexOf(lines[at + 1])).map((line) => line.split(/ {2,}/));
  assertEquals(cells.map((row) => row.slice(-2)), [
    ["3", "yes"],
    ["12", "partly"],
    ["3", "yes"], // the weight is that of the row before
    ["6", "yes"],
    ["8", "yes"],
  ]);
  const sum = cells.reduce((n, row) => n + Number(row.at(-2)), 0);
  assertEquals(lines.find((line) => line.startsWith("Parameters")), `Parameters: ${sum}, of which ${sum - 3} train`);
  assertEquals(lines[0], "Tied (input [2, 3])");
});

class RegModel extends nn.Module {
  readonly a: Parameter = new nn.Parameter(tensor(0.5));
  readonly b: Parameter = new nn.Parameter(tensor(-0.3));
  override forward(x: Tensor): Tensor {
    return x.mul(this.a).add(this.b);
  }
}

onDevices("own models, a splitter, an optimizer by hand", async () => {
  const x = { data: fillF32(3, 64), shape: [64, 1] };
  const dls = DataLoaders.fromArrays({ x, y: x, xValid: x, yValid: x }, { bs: 16, shuffle: false });
  const model = new RegModel();
  const learn = new Learner(dls, model, {
    lossFunc: new nn.MSELoss(),
    splitter: (m) => [[m.a], [m.b]],
    lr: 1e-2,
    moms: [.95, .85, .95],
    logger: silentLogger,
  });
  await learn.fitOneCycle(2, { lrMax: slice(1e-5, 1e-3) });
  assertEquals(learn.opt.hypers.length, 2);
  assertAlmostEquals(learn.opt.hypers[0].lr * 100, learn.opt.hypers[1].lr, 1e-12);
  learn.freeze();
  const before = await model.a.item();
  await learn.fit(1);
  assertEquals(await model.a.item(), before);
  learn.freezeTo(-2);
  learn.unfreeze();
  assertEquals(learn.opt.stateDict().state[1].gradAvg, undefined, "freezing clears the statistics");
  await learn.fit(1);
  assertEquals(learn.opt.stateDict().state[1].gradAvg?.shape, []);

  const { a, b } = model;
  const opt = Adam([[a], [b]], { lr: slice(1e-3, 1e-1), wd: 0.01 });
  const lossFunc = (pred: Tensor, y: Tensor) => pred.sub(y).square().mean();
  for (const [xb, yb] of dls.train) {
    const [da, db] = grad(lossFunc(model.forward(xb), yb), [a, b]);
    a.grad = da;
    b.grad = db;
    opt.step();
    opt.zeroGrad();
  }
  assert(await a.item() !== before);
}, here);

onDevices("schedules and policies", async () => {
  const learn = synthLearner({ seed: 3, logger: silentLogger });
  assertEquals(schedFromJson(JSON.parse(JSON.stringify(SchedCos(0, 2))))(1), 2);
  const cbs = [new ParamScheduler({ lr: SchedLin(1e-3, 1e-2), mom: [SchedNo(.9, .9)] })];
  await learn.fit(1, { lr: 1e-3, wd: 0.1, cbs });
  learn.recorder.hps.lr.forEach((lr, i) => assertAlmostEquals(lr, 1e-3 + 9e-3 * i / 10, 1e-12));
  await learn.fitFlatCos(4, { lr: 1e-3, pctStart: 0.75, divFinal: 1e5 });
  await learn.fitSgdr(3, 1, { lrMax: 1e-3, cycleMult: 2 });
  assertEquals(learn.recorder.rows.length, 7);
  for (const start of [0, 10, 30]) assertAlmostEquals(learn.recorder.lrs[start], 1e-3, 1e-12);
  await learn.fitSgdr(3, 2, { lrMax: 1e-3, cycleMult: 1 });
  for (const start of [0, 20, 40]) assertAlmostEquals(learn.recorder.lrs[start], 1e-3, 1e-12);
  await learn.fineTune(2, { baseLr: 2e-3, freezeEpochs: 1, lrMult: 100 });
  assertEquals(learn.recorder.history.at(-1)?.phase, "frozen");
  assertEquals(learn.recorder.history.at(-1)?.lrs.length, 10);
  assertEquals(learn.recorder.lrs.length, 20);
  await learn.fitOneCycle(5, { lrMax: slice(1e-5, 1e-3), startEpoch: 2 });
  const lr = combinedCos(.25, 1e-3 / 25, 1e-3, 1e-8);
  learn.recorder.lrs.forEach((v, i) => assertAlmostEquals(v, lr((20 + i) / 50), 1e-12));
}, here);

onDevices("callbacks of one's own", async () => {
  class StopAt extends Callback {
    override readonly order = 65;
    override afterEpoch() {
      if (this.learn.epoch === 3) throw new CancelFit("far enough");
    }
    override async beforeBatch() {
      await Promise.resolve();
      this.learn.xb = [this.learn.xb[0].mul(2)];
    }
  }
  const path = await Deno.makeTempDir();
  const learn = synthLearner({ seed: 3, path, logger: silentLogger });
  await learn.fit(10, {
    cbs: [new StopAt(), new SaveModel({ withOpt: true, fname: "ckpt" }), new EarlyStopping({ patience: 20 })],
  });
  assertEquals(learn.recorder.rows.length, 4);
  const again = await synthLearner({ path, seed: 9, logger: silentLogger });
  await again.load("ckpt");
  await again.fitOneCycle(5, { startEpoch: 4 });
  await Deno.remove(path, { recursive: true });
}, here);

onDevices("test utilities", async () => {
  const dls = synthDbunch({ a: 2, b: 3, bs: 16, nTrain: 10, nValid: 2, seed: 5 });
  assertEquals([dls.train.length, dls.valid.length], [10, 2]);
  setSeed(4);
  const first = synthLearner({ logger: silentLogger });
  setSeed(4);
  const second = synthLearner({ logger: silentLogger });
  await first.fit(2, { lr: 0.05 });
  await second.fit(2, { lr: 0.05 });
  testClose(first.recorder.losses, second.recorder.losses, { eps: 0 });
  await first.fit(20, { lr: 0.05 });
  testClose(await first.model.a.item(), 2, { eps: 0.1 });
  testClose(await first.model.b.item(), 3, { eps: 0.1 });
  testClose(fill(1, 2), [-0.654158731456846, 0.096091808285564184], { eps: 1e-15 });
  assert(new VerboseCallback() instanceof Callback);
}, here);

Deno.test("the exported names", async () => {
  const listed = (await Deno.readTextFile(new URL("./exported_names.txt", import.meta.url))).trim().split("\n");
  assertEquals(Object.keys(entry).sort(), listed, "deno task names writes the list");
});

/** Names of fastai, PyTorch and JavaScript, written as there; in all others acronyms are words, as in `LrFinder`. */
const FOREIGN = [
  "APScoreBinary CSVLogger FBeta MCDropout PartialDL QHAdam RAdam RNNDropout RNNRegularizer ReduceLROnPlateau RMSProp SGD TerminateOnNaN topKAccuracy URLs WeightedDL",
  "EVENTS ORDER",
].join(" ").split(" ");

Deno.test("acronyms in names are words", () => {
  const names = Object.keys(entry); // those of `nn` are PyTorch's
  assertEquals(names.filter((name) => /[A-Z]{2}/.test(name) && !FOREIGN.includes(name)), []);
  assertEquals(FOREIGN.filter((name) => !names.includes(name)), []);
});

Deno.test("every callback is public", async () => {
  const inside = await import("../../src/callbacks/mod.ts"), testing = await import("../../testing.ts");
  const open: unknown[] = [...Object.values(entry), ...Object.values(testing)];
  assertEquals(Object.entries(inside).filter(([, value]) => !open.includes(value)).map(([name]) => name), []);
});

Deno.test("entry points of parts give the very things that the whole gives", async () => {
  const root = new URL("../../", import.meta.url);
  const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root))) as {
    exports: Record<string, string>;
  };
  const whole: Record<string, unknown> = { ...entry };
  for (const part of ["./distrib", "./live", "./metrics", "./plot", "./schedules", "./text", "./vision"]) {
    const names = Object.entries(await import(new URL(exports[part], root).href) as Record<string, unknown>);
    assert(names.length > 0, part);
    for (const [name, value] of names) assertEquals(whole[name] === value, true, `${part}: ${name}`);
  }
  assertEquals(await import(new URL(exports["./nn"], root).href), nn);
});
