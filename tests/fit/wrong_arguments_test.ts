/**
 * Arguments that are given by their place: of a wrong type they are told by name when something is made of them, as options
 * are, and never computed with.
 */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  AccumMetric,
  AnnealError,
  AvgMetric,
  combineScheds,
  FBeta,
  Lookahead,
  nn,
  Normalize,
  ops,
  ParamScheduler,
  SchedCos,
  SchedLin,
  ShortEpoch,
  tensor,
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
    [() => t.split(wrong("1")), "Cannot split into 1: it takes a size, or an array of them"],
    [() => t.cast(wrong("float32")), "Cannot cast to float32: the types are f32, i32, u32 and bool"],
    [() => t.cast(wrong("f64")), "Cannot cast to f64"],
  ]);
  await assertRejects(async () => await wrong(t).cast(3).data(), AnnealError, "Cannot cast to 3");
  assertEquals([...await ops.sub(1, t).data()], [0, -1, -2, -3]);
}, here);
