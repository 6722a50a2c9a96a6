/**
 * Parts of a learner that are something else than they should be: told by name, with what to write instead, before anything
 * is trained.
 */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  ConfigError,
  DataLoaders,
  EarlyStopping,
  GradientAccumulation,
  Learner,
  LrFinder,
  nn,
  silentLogger,
  type Tensor,
  valley,
} from "../../mod.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";

const here = { kinds: ["cpu"] } as const;
const dls = (): DataLoaders => {
  const x = { data: fillF32(1, 24), shape: [12, 2] };
  const y = { data: Int32Array.from({ length: 12 }, (_, i) => i % 2), shape: [12] };
  return DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 4 });
};
const learner = (options: object, model: nn.Module = new nn.Linear(2, 2)): Learner =>
  new Learner(dls(), model as nn.Linear, { lossFunc: new nn.CrossEntropyLoss(), logger: silentLogger, ...options });

onDevices("a loss or a model that gives no tensor is told", async () => {
  const entropy = new nn.CrossEntropyLoss();
  const losses: [unknown, string][] = [
    [async (p: Tensor, y: Tensor) => await entropy.forward(p, y), "got a promise: leave out async"],
    [() => 5, "it gives a tensor, got 5"],
    [() => undefined, "got undefined: is a return missing?"],
    [(p: Tensor) => [p], "got an array of 1"],
    [{ forward: () => null }, "Object: it gives a tensor, got null"],
  ];
  for (const [lossFunc, told] of losses) {
    await assertRejects(() => learner({ lossFunc }).fit(1), ConfigError, told);
    await assertRejects(() => learner({ lossFunc }).validate(), ConfigError, told);
  }
  class Pair extends nn.Module {
    readonly a = new nn.Linear(2, 2);
    override forward(x: Tensor): Tensor {
      return [this.a.forward(x), x] as unknown as Tensor;
    }
  }
  await assertRejects(
    () => learner({}, new Pair()).fit(1),
    ConfigError,
    "Pair.forward gives: a model gives one tensor",
  );
}, here);

onDevices("a learner without data or a model tells what comes where", () => {
  const make = (data: unknown, model: unknown) => () =>
    new Learner(data as DataLoaders, model as nn.Linear, { lossFunc: new nn.CrossEntropyLoss() });
  const linear = new nn.Linear(2, 2);
  assertThrows(make(undefined, linear), ConfigError, "data come first, new Learner(dls, model)");
  assertThrows(make(linear, dls()), ConfigError, "data come first");
  assertThrows(make(Promise.resolve(dls()), linear), ConfigError, "await it first");
  assertThrows(make(dls(), undefined), ConfigError, "the model comes second");
  assertThrows(make(dls(), nn.Linear), ConfigError, "got Linear: make one, new Linear(");
  assertThrows(make(dls(), (x: Tensor) => x), ConfigError, "new nn.Lambda(f) makes a module of a function");
}, here);

onDevices("the finder's suggestions are functions, and its learning rates grow", async () => {
  for (const suggestFuncs of ["valley", ["valley"], { v: "valley" }, [undefined]]) {
    await assertRejects(() => learner({}).lrFind({ suggestFuncs: suggestFuncs as never }), ConfigError, "suggestFuncs");
  }
  await assertRejects(() => learner({}).lrFind({ startLr: 1, endLr: 0.1 }), ConfigError, "startLr must be below endLr");
  assertThrows(() => new LrFinder({ startLr: [1e-4, 2], endLr: 1 }), ConfigError, "startLr must be below endLr");
  assertEquals(Object.keys(await learner({}).lrFind({ suggestFuncs: { mine: valley } })).slice(0, 1), ["mine"]);
}, here);

onDevices("callbacks say what they take, and which column was meant", async () => {
  assertThrows(() => new GradientAccumulation({ nAcc: 64 } as never), ConfigError, "new GradientAccumulation(64)");
  assertThrows(() => new GradientAccumulation("64" as never), ConfigError, 'with "64"');
  const cbs = [new EarlyStopping({ monitor: "val_loss" })];
  await assertRejects(() => learner({}).fit(1, { cbs }), ConfigError, "did you mean valid_loss?");
}, here);
