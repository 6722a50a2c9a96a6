// What was given is used, or refused with the way on: nothing is ignored in silence.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import {
  accuracy,
  accuracyMulti,
  Callback,
  CheckpointError,
  ConfigError,
  DataLoaders,
  EarlyStopping,
  foregroundAcc,
  Interpretation,
  Learner,
  nn,
  noGrad,
  Recorder,
  ReduceLROnPlateau,
  Resize,
  SaveModel,
  type Tensor,
  tensor,
  unetLearner,
  visionLearner,
} from "../../mod.ts";
import { F1ScoreMulti, RocAucMulti } from "../../src/entry/metrics.ts";
import { onDevices } from "../support/devices.ts";
import { tempDir } from "../support/temp.ts";

const here = { kinds: ["cpu"] } as const;

interface Made {
  readonly learn: Learner;
  readonly lines: string[];
}

function make(
  options: ConstructorParameters<typeof Learner>[2] = {},
  model: nn.Module = new nn.Linear(2, 3),
  valid = true,
): Made {
  const x = { data: Float32Array.from({ length: 48 }, (_, i) => i % 5), shape: [24, 2] };
  const y = { data: Int32Array.from({ length: 24 }, (_, i) => i % 3), shape: [24] };
  const dls = DataLoaders.fromArrays(valid ? { x, y, xValid: x, yValid: y } : { x, y }, { bs: 8, seed: 1 });
  const lines: string[] = [], logger = { line: (text: string) => void lines.push(text) };
  // deno-lint-ignore no-explicit-any
  return { learn: new Learner(dls, model as any, { lossFunc: new nn.CrossEntropyLoss(), logger, ...options }), lines };
}

const refused = (body: () => unknown, message: string) =>
  assertRejects(async () => void await body(), ConfigError, message);

onDevices("what is monitored on a validation set that is empty is refused; training losses are not", async () => {
  for (const cb of [new EarlyStopping(), new SaveModel(), new ReduceLROnPlateau()]) {
    await refused(
      () => make({ cbs: cb }, new nn.Linear(2, 3), false).learn.fit(2),
      "the validation set, which has no items",
    );
  }
  const path = tempDir();
  const cbs = [new EarlyStopping({ monitor: "train_loss" }), new SaveModel({ everyEpoch: 1 })];
  const { learn } = make({ cbs, path }, new nn.Linear(2, 3), false);
  await learn.fit(2);
  assertEquals(learn.recorder.rows.length, 2);
  await make({ cbs: new SaveModel({ atEnd: true }), path }, new nn.Linear(2, 3), false).learn.fit(1);
}, here);

onDevices("a file of weights that cannot be written costs the file, not the fit; the end says so", async () => {
  const path = tempDir(), models = join(path, "models");
  class Full extends Callback {
    override readonly order = 0;
    override async beforeEpoch(): Promise<void> { // a file lies in the place of the third
      if (this.learn.epoch === 2) await Deno.mkdir(join(models, "m_2.safetensors", "full"), { recursive: true });
    }
  }
  const { learn, lines } = make({ path, cbs: [new Full(), new SaveModel({ fname: "m", everyEpoch: 1 })] });
  const error = await assertRejects(() => learn.fit(4), CheckpointError, "m_2.safetensors");
  assert(error.message.includes(`the last good file is ${join(models, "m_3.safetensors")}`), error.message);
  assertEquals(learn.recorder.rows.length, 4);
  assert(lines.some((line) => line.includes("Training goes on")), lines.join("\n"));

  await Deno.writeTextFile(join(path, "file"), "");
  const before = make({ path, modelDir: "file", cbs: new SaveModel() });
  await assertRejects(() => before.learn.fit(2), CheckpointError, "Cannot write ");
  assertEquals(before.learn.recorder.rows.length, 0); // before it trained
  assertEquals([...Deno.readDirSync(models)].filter(({ name }) => !name.endsWith(".safetensors")), []);
}, here);

onDevices("a loss without a way back to a parameter is an error, also by detach() and in noGrad()", async () => {
  const loss = new nn.CrossEntropyLoss();
  for (
    const lossFunc of [
      (p: Tensor, y: Tensor) => loss.forward(p.detach(), y),
      (p: Tensor, y: Tensor) => noGrad(() => loss.forward(p, y)),
    ]
  ) {
    await refused(() => make({ lossFunc }).learn.fit(1), "depends on no parameter that requires a gradient");
  }
}, here);

class Hidden extends nn.Module {
  readonly #first = new nn.Linear(2, 4);
  readonly last = new nn.Linear(4, 3);
  readonly quiet: boolean;
  constructor(quiet: boolean) {
    super();
    this.quiet = quiet;
  }
  override forward(x: Tensor): Tensor {
    const inner = this.quiet ? noGrad(() => this.#first.forward(x)) : this.#first.forward(x);
    return this.last.forward(inner.relu());
  }
}

onDevices("parameters that nobody trains are told of, once a fit; those in noGrad() are not", async () => {
  const { learn, lines } = make({}, new Hidden(false));
  await learn.fit(2);
  const told = lines.filter((line) => line.includes("not trained"));
  assertEquals(told.length, 1, lines.join("\n"));
  assert(told[0].startsWith("2 parameters are not trained (of shape [4, 2], [4]): "), told[0]);
  assert(told[0].includes("no field of Hidden"), told[0]);
  for (const model of [new Hidden(true), new nn.Linear(2, 3)]) {
    const quiet = make({}, model);
    await quiet.learn.fit(1);
    assertEquals(quiet.lines.filter((line) => line.includes("not trained")), []);
  }
}, here);

onDevices("a learner's settings are looked at when a fit begins, too", async () => {
  const wrong: Readonly<Record<string, readonly unknown[]>> = {
    lossFunc: ["mse", nn.MSELoss, null],
    optFunc: ["adam", null],
    model: [null, nn.Linear],
    lr: ["1", NaN, null],
    wd: ["1", NaN],
    moms: [0.9, [0.9, 0.8]],
    path: [3, "https://example.org/runs"],
    modelDir: [3],
    logger: [null, "x"],
    trainBn: ["no"],
    wdBnBias: [1],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      const { learn } = make();
      Object.assign(learn, { [name]: value });
      await refused(() => learn.fitOneCycle(1), "Cannot ");
    }
  }
}, here);

onDevices("metrics named as other columns keep those; they fail by name, and in the first batch", async () => {
  const valid_loss = (p: Tensor, y: Tensor) => accuracy(p, y);
  const { learn } = make({ metrics: [valid_loss, valid_loss, accuracy] });
  await learn.fit(1);
  const row = learn.recorder.rows[0];
  assertEquals(Object.keys(row), [
    "epoch",
    "train_loss",
    "valid_loss",
    "valid_loss_2",
    "valid_loss_3",
    "accuracy",
    "time",
  ]);
  assertEquals(row.valid_loss_2, row.accuracy);
  assert(row.valid_loss !== row.accuracy);

  const broken = () => {
    throw new RangeError("no such class");
  };
  await assertRejects(() => make({ metrics: broken }).learn.fit(1), RangeError, "(in the metric broken)");
  class Epochs extends Callback {
    validated = false;
    override beforeValidate(): void {
      this.validated = true;
    }
  }
  for (const metrics of [accuracyMulti, new F1ScoreMulti(), new RocAucMulti()]) {
    const cb = new Epochs();
    await assertRejects(() => make({ metrics, cbs: cb }).learn.fit(1));
    assert(!cb.validated);
  }
  const x = tensor([[1, 2], [3, 4]]), dls = DataLoaders.fromArrays({ x, y: x, xValid: x, yValid: x }, { bs: 2 });
  const numbers = new Learner(dls, new nn.Linear(2, 2), { lossFunc: new nn.MSELoss(), metrics: foregroundAcc });
  await refused(() => numbers.fit(1), "it compares classes");
}, here);

onDevices("numbers out of their range are refused where they are given", async () => {
  for (
    const [options, message] of [
      [{ freezeEpochs: -1 }, "freezeEpochs -1"],
      [{ lrMult: -1 }, "lrMult -1"],
      [{ lrMult: 0 }, "lrMult 0"],
      [{ div: -1 }, "div -1"],
      [{ divFinal: 0 }, "divFinal 0"],
      [{ pctStart: 1.5 }, "pctStart 1.5"],
    ] as const
  ) {
    await refused(() => make().learn.fineTune(1, options), message);
  }
  await refused(() => make().learn.fitFlatCos(1, { divFinal: -1 }), "divFinal -1");
  for (const beta of [-0.1, 1, 2]) assertThrows(() => new Recorder({ beta }), ConfigError, `beta ${beta}`);
  for (const options of [{ axis: 0.5 }, { ignoreIndex: 1.5 }]) {
    assertThrows(() => new nn.CrossEntropyLoss(options), ConfigError, "a whole number");
  }
  for (const momentum of [-0.1, 2]) {
    assertThrows(() => new nn.BatchNorm1d(3, { momentum }), ConfigError, `momentum ${momentum}`);
  }
  assertThrows(() => new Resize([8, 8, 8] as unknown as [number, number]), ConfigError, "[height, width]");
  const { learn } = make();
  await learn.fit(1);
  const found = await Interpretation.fromLearner(learn);
  for (const k of [-1, 1.5, NaN, "3"]) await refused(() => found.topLosses(k as number), "with k ");
  assertEquals((await found.topLosses(2)).length, 2);
}, here);

onDevices("a string in the place of a number is shown as one; classes have names of their own", async () => {
  assertThrows(() => new nn.Linear("4" as unknown as number, 3), ConfigError, 'got "4"');
  await refused(() => make().learn.fit("3" as unknown as number), 'Cannot fit "3" epochs');
  const arrays = { x: [[1], [2]], y: { data: Int32Array.of(0, 1), shape: [2] } };
  assertThrows(() => DataLoaders.fromArrays(arrays, { vocab: ["a", "a"] }), ConfigError, 'two classes "a"');
}, here);

onDevices("a tensor is no number and no JSON: operators and JSON.stringify say what to write", async () => {
  const x = tensor([1, 2]), y = x as unknown as number;
  const deeds: readonly (() => unknown)[] = [
    () => y * 2,
    () => y < 3,
    () => -y,
    () => Math.max(y, 1),
    () => Number.isNaN(+y),
  ];
  for (const deed of deeds) assertThrows(deed, ConfigError, "Cannot use Tensor f32 [2] as a number");
  assertThrows(() => JSON.stringify({ preds: [x] }), ConfigError, "await x.array()");
  assertEquals(`${x}`, "Tensor f32 [2]");
  assertEquals(JSON.stringify(await x.array()), "[1,2]");
}, here);

onDevices("data that are still being loaded are told to be awaited", async () => {
  const later = Promise.resolve(make().learn.dls);
  for (const make of [visionLearner, unetLearner]) {
    // deno-lint-ignore no-explicit-any
    await refused(() => make(later as any, "simpleCnn", { pretrained: false }), "await it first");
  }
}, here);

onDevices("a hint at another name stands only where one is near", async () => {
  const of = async (monitor: string) =>
    (await assertRejects(
      () => make({ cbs: new EarlyStopping({ monitor }), metrics: accuracy }).learn.fit(1),
      ConfigError,
    )).message;
  for (const [monitor, meant] of [["val_loss", "valid_loss"], ["acc", "accuracy"], ["Accuracy", "accuracy"]]) {
    assert((await of(monitor)).includes(`did you mean ${meant}?`), await of(monitor));
  }
  for (const monitor of ["f1_score", "zz", ""]) {
    assert(!(await of(monitor)).includes("did you mean"), await of(monitor));
  }
}, here);
