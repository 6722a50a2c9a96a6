/**
 * A run goes on with the same data and options only, wherever they differ; the error names what differs and the way on.
 */
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  augTransforms,
  Callback,
  Checkpoint,
  CSVLogger,
  DataLoaders,
  GradientClip,
  ImageDataLoaders,
  Learner,
  MixUp,
  nn,
  Normalize,
  ParamScheduler,
  RandomResizedCrop,
  Resize,
  SchedLin,
  SGD,
  silentLogger,
} from "../../mod.ts";
import { CheckpointError } from "../../src/base/errors.ts";
import { contentHash } from "../../src/data/content_hash.ts";
import { Adam, Lookahead, type OptFunc } from "../../src/optim/mod.ts";
import { setSeed, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { plain, writePng } from "../vision/support/images.ts";

const kinds = { kinds: ["cpu"] } as const;
const N = 20000;

class Crash extends Callback {
  override beforeBatch(): void {
    if (this.learn.trainIter === 3) throw new Error("power cut");
  }
}

/** A layer of somebody's own: with an option, and with a count that training changes. */
class Scaled extends nn.Module {
  calls = 0;
  readonly inner: nn.Linear = new nn.Linear(2, 2);
  constructor(readonly factor: number) {
    super();
  }
  override forward(x: Tensor): Tensor {
    this.calls++;
    return this.inner.forward(x).mul(this.factor);
  }
}

interface Setup {
  readonly dls?: DataLoaders;
  readonly model?: nn.Module;
  readonly loss?: nn.Loss | ((pred: Tensor, y: Tensor) => Tensor);
  readonly opt?: OptFunc;
  readonly cbs?: readonly Callback[];
}

function arrays(change: (y: Int32Array) => void = () => {}, options: Record<string, unknown> = {}): DataLoaders {
  const x = Float32Array.from({ length: 2 * N }, (_, i) => Math.sin(i * 1.7));
  const y = Int32Array.from({ length: N }, (_, i) => x[2 * i] > 0 ? 1 : 0);
  change(y);
  return DataLoaders.fromArrays({ x: { data: x, shape: [N, 2] }, y: { data: y, shape: [N] } }, {
    bs: 5000,
    seed: 3,
    ...options,
  });
}

async function fit(dir: string, setup: Setup, resume: boolean, fits = 1): Promise<Learner> {
  setSeed(1);
  const learn = new Learner(setup.dls ?? arrays(), setup.model ?? new nn.Linear(2, 2), {
    lossFunc: setup.loss ?? new nn.CrossEntropyLoss(),
    optFunc: setup.opt ?? Adam,
    logger: silentLogger,
  });
  const cbs = [new Checkpoint({ dir, everySteps: 1 }), ...setup.cbs ?? [], ...(resume ? [] : [new Crash()])];
  for (let i = 0; i < fits; i++) await learn.fit(2, { cbs, resume });
  return learn;
}

/** Begins a run, then goes on with it under another setup. */
async function changed(first: () => Setup | Promise<Setup>, second: () => Setup | Promise<Setup>): Promise<string> {
  const dir = await Deno.makeTempDir();
  try {
    const begun = await first();
    await assertRejects(() => fit(dir, begun, false), Error, "power cut");
    const { message } = await fit(dir, await second(), true).then(
      () => ({ message: "" }),
      (error) => error instanceof CheckpointError ? error : Promise.reject(error),
    );
    if (message !== "") {
      assert(message.startsWith(`Cannot go on from ${dir}/`), message);
      assert(message.includes(`await learn.load("${dir}/`), message);
    }
    return message;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const linear = (): nn.Module => new nn.Linear(2, 2);
const net = (layer: nn.Module) => () => ({ model: new nn.Sequential(linear(), layer) });
const loss = (make: () => Setup["loss"]) => (): Setup => ({ loss: make()! });
const cb = (make: () => Callback) => (): Setup => ({ cbs: [make()] });

const CHANGES: Readonly<Record<string, readonly [() => Setup, () => Setup, string]>> = {
  "labels in the middle": [
    () => ({}),
    () => ({ dls: arrays((y) => void y.subarray(9000, 9010).fill(7).fill(1)) }),
    "content of column 1",
  ],
  "one label in the middle": [
    () => ({}),
    () => ({ dls: arrays((y) => void (y[10001] = 1 - y[10001])) }),
    "training data: content of column 1 was ",
  ],
  "seed of the order": [
    () => ({}),
    () => ({ dls: arrays(undefined, { seed: 4 }) }),
    "training data: seed was 3 and is 4",
  ],
  "normalization": [() => ({}), () => ({ dls: arrays(undefined, { normalize: true }) }), "normalized by"],
  "dropout": [
    net(new nn.Dropout(0.1)),
    net(new nn.Dropout(0.9)),
    'layer 1 was Dropout {"p":0.1} and is Dropout {"p":0.9}',
  ],
  "slope": [net(new nn.LeakyReLU(0.1)), net(new nn.LeakyReLU(0.2)), "layer 1 was LeakyReLU"],
  "an option of one's own layer": [
    () => ({ model: new Scaled(1) }),
    () => ({ model: new Scaled(2) }),
    'layer (model) was Scaled {"factor":1,"calls":0} and is Scaled {"factor":2,"calls":0}',
  ],
  "a function as a layer": [
    net(new nn.Lambda((x) => x.mul(2))),
    net(new nn.Lambda((x) => x.mul(3))),
    "layer 1 was Lambda",
  ],
  "label smoothing": [
    () => ({}),
    loss(() => new nn.CrossEntropyLoss({ labelSmoothing: 0.3 })),
    '"labelSmoothing":0} and is CrossEntropyLoss {',
  ],
  "class weights": [
    loss(() => new nn.CrossEntropyLoss({ weight: tensor([1, 2]) })),
    loss(() => new nn.CrossEntropyLoss({ weight: tensor([1, 3]) })),
    "loss was CrossEntropyLoss",
  ],
  "a function as loss": [loss(() => (p) => p.mean()), loss(() => (p) => p.square().mean()), "loss was a function #"],
  "momentum": [
    () => ({ opt: SGD.with({ mom: 0.9 }) }),
    () => ({ opt: SGD.with({ mom: 0.8 }) }),
    'hyper-parameters of group 0 was {"mom":0.9,"wd":0} and is {"mom":0.8,"wd":0}',
  ],
  "eps": [() => ({}), () => ({ opt: Adam.with({ eps: 1e-3 }) }), "hyper-parameters of group 0"],
  "Lookahead": [
    () => ({ opt: Lookahead(Adam, { k: 3 }) }),
    () => ({ opt: Lookahead(Adam, { k: 5 }) }),
    "optimizer was LookaheadOptimizer",
  ],
  "MixUp": [cb(() => new MixUp(0.4)), cb(() => new MixUp(0.8)), "callback MixUp was MixUp"],
  "a callback less": [cb(() => new GradientClip(1)), () => ({}), 'callback GradientClip was GradientClip {"maxNorm":1'],
  "a schedule": [
    cb(() => new ParamScheduler({ lr: SchedLin(0.1, 0) })),
    cb(() => new ParamScheduler({ lr: SchedLin(0.1, 0.01) })),
    "callback ParamScheduler was ParamScheduler",
  ],
};

onDevices("data and options that differ are refused by name", async () => {
  for (const [what, [first, second, message]] of Object.entries(CHANGES)) {
    const told = await changed(first, second);
    assert(told.includes(message), `${what}: ${told || "went on"}`);
  }
}, kinds);

onDevices("what changes no number may change", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const same: Record<string, readonly [() => Setup, () => Setup]> = {
      "nothing": [() => ({}), () => ({})],
      "a layer that counts": [() => ({ model: new Scaled(2) }), () => ({ model: new Scaled(2) })],
      "the layout of a function": [
        loss(() => (p: Tensor) => p.square().mean()),
        loss(() => (p: Tensor) =>
          // the mean of squares
          p.square()
            .mean()
        ),
      ],
      "a log more": [() => ({}), cb(() => new CSVLogger({ fname: join(dir, "log.csv") }))],
    };
    for (const [what, [first, second]] of Object.entries(same)) assertEquals(await changed(first, second), "", what);
    // a count that two fits leave behind: the second fit is resumed by a learner that has not counted yet
    const ck = join(dir, "ck");
    await fit(ck, { model: new Scaled(1), cbs: [] }, true, 2);
    await fit(ck, { model: new Scaled(1), cbs: [] }, true, 2);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}, kinds);

onDevices("pictures: other files, order, classes, transforms; the same ones in another folder go on", async () => {
  const dir = await Deno.makeTempDir();
  const at = (name: string) => join(dir, name);
  const write = async (root: string, swap = false) => {
    for (
      const [name, colour] of [[swap ? "red" : "blue", [0, 0, 220]], [swap ? "blue" : "red", [220, 0, 0]]] as const
    ) {
      for (let i = 0; i < 8; i++) await writePng(join(root, name, `${i}.png`), plain(16, 16, [...colour]));
    }
  };
  const load = (root: string, options: Record<string, unknown> = {}) => async (): Promise<Setup> => {
    const dls = await ImageDataLoaders.fromFolder(at(root), {
      validPct: 0.25,
      seed: 1,
      bs: 2,
      itemTfms: [new RandomResizedCrop(8)],
      ...options,
    });
    return { dls, model: new nn.Sequential(new nn.AdaptiveAvgPool2d(1), new nn.Flatten(), new nn.Linear(3, 2)) };
  };
  try {
    await write(at("a"));
    await write(at("swapped"), true);
    await write(at("b"));
    await write(at("one"));
    await writePng(at("one/red/3.png"), plain(16, 16, [221, 1, 0]));
    assertEquals((await Deno.stat(at("one/red/3.png"))).size, (await Deno.stat(at("a/red/3.png"))).size);
    const first = load("a");
    assertEquals(await changed(first, load("b")), "");
    const steady = { itemTfms: [new Resize(8)] };
    for (
      const [what, second, message, begun] of [
        ["class folders swapped", load("swapped"), "content of files"],
        ["one picture with other pixels", load("one"), "content of files"],
        ["another split", load("a", { seed: 2 }), "names of files"],
        [
          "crops of another size",
          load("a", { itemTfms: [new RandomResizedCrop(8, { minScale: 0.5 })] }),
          "item transforms was RandomResizedCrop",
        ],
        [
          "normalized",
          load("a", { batchTfms: [new Normalize([0.5, 0.5, 0.5], [1, 1, 1])] }),
          "batch transforms was none and is Normalize",
        ],
        [
          "other changes at random",
          load("a", { batchTfms: augTransforms({ doFlip: false }) }),
          "batch transforms was AugTransforms",
          load("a", { batchTfms: augTransforms() }),
        ],
        ["resident: pixels", load("one", steady), "content of column 0", load("a", steady)],
        [
          "resident: transforms",
          load("a", { itemTfms: [new Resize(8, { method: "pad" })] }),
          "item transforms was Resize",
          load("a", steady),
        ],
        [
          "other classes",
          load("a", { vocab: ["red", "blue"] }),
          "training data: classes was blue, red and is red, blue",
        ],
      ] as const
    ) {
      const told = await changed(begun ?? first, second);
      assert(told.includes(message), `${what}: ${told || "went on"}`);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}, kinds);

onDevices("a run that failed before its first step does not stand in the way of another one", async () => {
  const dir = await Deno.makeTempDir();
  class Fails extends Callback {
    override afterPred(): void {
      throw new Error("the loss does not fit");
    }
  }
  try {
    await assertRejects(() => fit(dir, { cbs: [new Fails()] }, true), Error, "does not fit");
    const learn = await fit(dir, loss(() => new nn.CrossEntropyLoss({ labelSmoothing: 0.3 }))(), true);
    assertEquals(learn.recorder.rows.length, 2);
    // once a step was taken it does
    await assertRejects(() => fit(dir, {}, true), CheckpointError, "loss was CrossEntropyLoss");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}, kinds);

onDevices("training longer: the message says how", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const begun = await fit(dir, {}, true);
    const learn = new Learner(arrays(), linear(), { lossFunc: new nn.CrossEntropyLoss(), logger: silentLogger });
    const cbs = [new Checkpoint({ dir })];
    const error = await assertRejects(() => learn.fit(4, { cbs, resume: true }), CheckpointError, "startEpoch");
    const [, path] = /await learn\.load\("([^"]+)"\)/.exec(error.message)!;
    await learn.load(path);
    assertEquals(await learn.model.parameters()[0].data(), await begun.model.parameters()[0].data());
    await learn.fit(4, { startEpoch: 2 });
    assertEquals(learn.recorder.rows.map((r) => r.epoch), [2, 3]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}, kinds);

onDevices("checksums: every element of small arrays, spread pieces and both ends of large ones", async () => {
  const n = 20_000_000, data = new Uint8Array(n);
  const hash = (t: Tensor, wholeBytes: number) => contentHash(t, { wholeBytes });
  const of = async (at: number, wholeBytes = 1 << 30) => {
    const copy = data.slice();
    if (at >= 0) copy[at] = 1;
    return await hash(tensor(copy, { shape: [n] }), wholeBytes);
  };
  const whole = await of(-1), some = await of(-1, 1000);
  for (const at of [0, 12_345_678, n - 1]) assertNotEquals(await of(at), whole);
  for (const at of [0, 100, n - 1]) assertNotEquals(await of(at, 1000), some);
}, kinds);
