/**
 * Arguments that are given by their place: of a wrong type they are told by name when something is made of them, as options
 * are, and never computed with.
 */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  AccumMetric,
  AnnealError,
  AvgMetric,
  Callback,
  ClassificationInterpretation,
  combineScheds,
  DataLoaders,
  type EventName,
  FBeta,
  Learner,
  Lookahead,
  nn,
  Normalize,
  ops,
  ParamScheduler,
  plotLines,
  plotSchedules,
  RocAuc,
  SchedCos,
  SchedLin,
  ShortEpoch,
  silentLogger,
  type Tensor,
  tensor,
  TerminateOnNaN,
  zeros,
} from "../../mod.ts";
import { onDevices } from "../support/devices.ts";

const here = { kinds: ["cpu"] } as const;
// deno-lint-ignore no-explicit-any
const wrong = (value: unknown): any => value;

function refused(cases: readonly (readonly [() => unknown, string])[]): void {
  for (const [make, told] of cases) assertThrows(make, AnnealError, told);
}

onDevices("layers refuse arguments of a wrong type when they are made", () => {
  refused([
    [() => new nn.Conv2d(1, 1, wrong("3")), 'kernel is a whole number from 1, or 2 of them, got "3"'],
    [() => new nn.Conv2d(1, 1, wrong(undefined)), "got undefined"],
    [() => new nn.Conv1d(1, 1, wrong("3")), 'got "3"'],
    [() => new nn.ConvTranspose2d(1, 1, wrong([3, "3"])), 'got [3, "3"]'],
    [() => new nn.MaxPool2d(wrong("2")), 'Cannot make MaxPool2d with kernel "2": it takes a whole number from 1'],
    [() => new nn.AvgPool2d(0), "Cannot make AvgPool2d with kernel 0"],
    [() => new nn.AdaptiveAvgPool2d(wrong("1")), 'Cannot make AdaptiveAvgPool2d with size "1"'],
    [() => new nn.AdaptiveMaxPool2d(0), "Cannot make AdaptiveMaxPool2d with size 0"],
    [() => new nn.Flatten(wrong({ startDim: 1 })), "Cannot make Flatten with startAxis an object"],
    [() => new nn.LeakyReLU(wrong({ negativeSlope: 0.1 })), "Cannot make LeakyReLU with slope an object"],
    [() => new nn.Lambda(wrong("relu")), 'Cannot make Lambda with fn "relu": it takes a function'],
    [() => new nn.TabularModel(wrong(undefined), 2), "it takes the schema of a table, as dls.schema"],
  ]);
}, here);

onDevices("classes that take no arguments refuse them", () => {
  class Mine extends nn.Module {
    override forward(x: Tensor): Tensor {
      return x;
    }
  }
  refused([
    [() => new (wrong(nn.ReLU))({ inplace: true }), "Cannot make ReLU with an object: it takes no arguments"],
    [() => new (wrong(nn.Identity))(1, 2), "Cannot make Identity with 1, 2: it takes no arguments"],
    [() => new (wrong(Mine))("x"), 'Cannot make Mine with "x": it takes no arguments'],
    [() => new (wrong(RocAuc))({ average: "macro" }), "Cannot make RocAuc with an object: it takes no arguments"],
    [() => new (wrong(TerminateOnNaN))({ patience: 1 }), "Cannot make TerminateOnNaN with an object"],
  ]);
  new (wrong(nn.ReLU))(undefined);
}, here);

onDevices("schedules, callbacks, metrics and transforms refuse arguments of a wrong type", () => {
  refused([
    [() => SchedLin(wrong("1"), 2), "start must be a number or an array of numbers, got string"],
    [() => SchedCos(1, wrong(undefined)), "end must be a number"],
    [() => combineScheds(wrong(0.5), []), "pcts 0.5: it takes an array of numbers"],
    [() => new ParamScheduler(wrong({ lr: 3 })), "it takes schedules by name, as in { lr: SchedCos(1e-2, 0) }"],
    [() => new ParamScheduler(wrong([SchedLin(1, 2)])), "it takes schedules by name"],
    [() => new ShortEpoch({ pct: 2 }), "it takes a share of the batches"],
    [() => new AvgMetric(wrong("accuracy")), 'Cannot make AvgMetric with f "accuracy": it takes a function'],
    [() => new AccumMetric(wrong(undefined)), "Cannot make AccumMetric with f undefined"],
    [() => new FBeta(wrong(undefined)), "Cannot make FBeta with beta undefined: it takes a number above 0"],
    [() => new FBeta(-1), "Cannot make FBeta with beta -1"],
    [() => new Normalize(wrong("imagenet"), wrong(undefined)), 'Cannot make Normalize with mean "imagenet"'],
    [() => new Normalize([0.5], wrong(["0.2"])), "Cannot make Normalize with std"],
    [() => Lookahead(wrong("adam")), 'Cannot make Lookahead with inner "adam": it takes a function'],
  ]);
}, here);

onDevices("operations refuse operands, shapes and types that are none", async () => {
  const t = tensor([[1, 2], [3, 4]]);
  for (const value of ["1", undefined, null, [1, 2], true, 1n, {}]) {
    for (const name of ["add", "mul", "maximum", "eq", "pow"] as const) {
      assertThrows(() => t[name](wrong(value)), AnnealError, "operands are tensors and numbers", `${name} ${value}`);
      assertThrows(() => ops[name](1, wrong(value)), AnnealError, "operands are tensors and numbers");
      assertThrows(() => ops[name](wrong(value), t), AnnealError, "operands are tensors and numbers");
    }
    assertThrows(() => t.matmul(wrong(value)), AnnealError, "operands are tensors and numbers");
  }
  refused([
    [() => t.matmul(wrong(3)), "operands are tensors"],
    [() => t.reshape(wrong(4)), "Cannot reshape [2, 2] to 4: a shape is an array, as in [2, 3]"],
    [() => t.reshape(wrong("4")), "a shape is an array"],
    [() => t.reshape(wrong(undefined)), "a shape is an array"],
    [() => zeros(wrong(2)), "a shape is an array, as in [2, 3]"],
    [() => t.slice(wrong([null, 0])), "Cannot slice by 0: each axis has a range, as in [0, 1], or null for the whole"],
    [() => t.slice(wrong(["a"])), 'Cannot slice by "a": each axis has a range'],
    [() => t.slice(wrong(0)), "Cannot slice by 0: ranges stand in an array, one an axis, as in [[0, 1], null]"],
    [() => t.permute(wrong(0)), "Cannot permute [2, 2] by 0: axes stand in an array, as in [1, 0]"],
    [() => t.expand(wrong(3)), "Cannot expand [2, 2] to 3: a shape is an array, as in [2, 3]"],
    [() => t.pad(wrong(1)), "Cannot pad [2, 2] by 1: each axis needs [before, after]"],
    [() => ops.cat(wrong(t)), "Cannot cat a Tensor: tensors stand in an array, as in cat([a, b])"],
    [() => ops.stack(wrong(t)), "Cannot stack a Tensor: tensors stand in an array"],
    [() => ops.cat(wrong([1, t])), "operands are tensors and numbers"],
    [() => ops.where(wrong([true]), t, t), "operands are tensors and numbers"],
    [() => t.split(wrong("1")), "Cannot split into 1: it takes a size, or an array of them"],
    [() => t.cast(wrong("float32")), "Cannot cast to float32: the types are f32, f16, i32, u32 and bool"],
    [() => t.cast(wrong("f64")), "Cannot cast to f64"],
  ]);
  await assertRejects(async () => await wrong(t).cast(3).data(), AnnealError, "Cannot cast to 3");
  assertEquals([...await ops.sub(1, t).data()], [0, -1, -2, -3]);
}, here);

onDevices("parts of a fit that are none are told by name", async () => {
  const x = { data: Float32Array.from({ length: 16 }, (_, i) => Math.sin(i)), shape: [8, 2] };
  const y = { data: Int32Array.from({ length: 8 }, (_, i) => i % 2), shape: [8] };
  const make = (options: object = {}) =>
    new Learner(DataLoaders.fromArrays({ x, y }, { bs: 4 }), new nn.Linear(2, 2), {
      lossFunc: new nn.CrossEntropyLoss(),
      logger: silentLogger,
      ...options,
    });
  const told = async (text: string, look: () => Promise<unknown>) => void await assertRejects(look, AnnealError, text);
  await told("it must extend Callback, got function", () => make().fit(1, { cbs: wrong([() => 1]) }));
  class Unsorted extends Callback {
    override readonly order: number = NaN;
  }
  await told("Cannot add Unsorted with order NaN: it takes a number", () => make().fit(1, { cbs: Unsorted }));
  await told("it gives an optimizer, as Adam does, got 3", () => make({ optFunc: () => 3 }).fit(1));
  await told("Cannot start at epoch 5 of 2", () => make().fit(2, { startEpoch: 5 }));
  await make().fit(2, { startEpoch: 2 });
  await told(
    "it takes one of images, as visionLearner makes it",
    () => ClassificationInterpretation.fromLearner(wrong(make())),
  );
  const sets: [EventName, string, unknown][] = [
    ["beforeBatch", "xb", undefined],
    ["beforeBatch", "yb", [1]],
    ["afterPred", "pred", "x"],
    ["afterLoss", "loss", 3],
    ["afterLoss", "lossGrad", null],
  ];
  for (const [event, name, value] of sets) {
    const cb = wrong(new Callback());
    cb[event] = () => cb.learn[name] = value;
    await told(`Cannot go on with this batch with ${name}`, () => make().fit(1, { cbs: [cb] }));
  }
  for (
    const [member, event] of [["beforBatch", "beforeBatch"], ["afetrEpoch", "afterEpoch"], ["onEpochEnd", "afterEpoch"]]
      .concat([["on_train_begin", "beforeFit"], ["onTrainBatchEnd", "afterBatch"], ["after_fit", "afterFit"]])
  ) {
    class Misspelt extends Callback {}
    Object.defineProperty(Misspelt.prototype, member, { value: () => {} });
    assertThrows(() => make().addCb(new Misspelt()), AnnealError, `${member} is no event, did you mean ${event}?`);
  }
  class Own extends Callback {
    onClose(): void {}
    batches = 3;
    losses(): void {}
  }
  await make().fit(1, { cbs: [new Own()] });
}, here);

onDevices("loaders and figures refuse what they cannot show or hold", async () => {
  const { train } = DataLoaders.fromArrays({ x: [[1], [2]], y: [1, 2] });
  refused([
    [
      () => new DataLoaders(train, wrong(undefined)),
      "Cannot make DataLoaders with valid undefined: it takes a DataLoader",
    ],
    [() => new DataLoaders(wrong([[1, 2]]), train), "Cannot make DataLoaders with train"],
    [() => plotLines(wrong("x")), 'Cannot plotLines with series "x": it takes lines by name'],
    [() => plotLines(wrong({ loss: 3 })), "it takes lines by name"],
    [() => plotSchedules(wrong({ lr: 3 })), "it takes functions by name"],
  ]);
  await assertRejects(
    () => plotLines({ loss: [2, 1] }).save(wrong(undefined)),
    AnnealError,
    "path undefined: it takes a path",
  );
}, here);
