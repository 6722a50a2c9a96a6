/**
 * The values that fastai's own notebooks assert of optimizers.
 */
import { assertEquals } from "@std/assert";
import {
  Adam,
  averageGrad,
  averageSqrGrad,
  l2Reg,
  Lamb,
  Larc,
  Lookahead,
  Optimizer,
  QHAdam,
  RAdam,
  RMSProp,
  SGD,
  sgdStep,
  weightDecay,
} from "../../src/optim/mod.ts";
import { Parameter, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { assertValues, param, stepWith } from "./support.ts";

/** Scalars 0, 1, 2, 3, and gradients of a tenth of them. */
const four = () => [0, 1, 2, 3].map((i) => new Parameter(tensor(i)));
const FOUR = [[0], [0.1], [0.2], [0.3]];

onDevices("single steppers: sgd, decay, l2", async () => {
  for (
    const [steppers, hypers, p, g] of [
      [[sgdStep], { lr: 1, wd: 0 }, 0.9, 0.1],
      [[weightDecay], { lr: 1, wd: 0.1 }, 0.9, 0.1],
      [[l2Reg], { lr: 1, wd: 0.1 }, 1, 0.2],
    ] as const
  ) {
    // what becomes of the gradient inside the step is shown by a statistic that takes it
    const seen = {
      stats: { seen: "vector" as const },
      apply: (u: Parameters<typeof sgdStep.apply>[0]) => u.setStat("seen", u.g),
    };
    const opt = Optimizer.from([...steppers, seen], hypers)([param(1)]);
    stepWith(opt, [[0.1]]);
    await assertValues([...opt.groups[0], opt.stateDict().state[0].seen as Tensor], [[p], [g]]);
  }
});

onDevices("SGD: every parameter by a hundredth of itself, groups by their own rates", async () => {
  const plain = SGD(four(), { lr: 0.1 });
  stepWith(plain, FOUR);
  await assertValues(plain.groups.flat(), [[0], [0.99], [1.98], [2.97]]);
  stepWith(plain, FOUR);
  await assertValues(plain.groups.flat(), [[0], [0.98], [1.96], [2.94]]);
  const decayed = SGD(four(), { lr: 0.1, wd: 0.1 });
  stepWith(decayed, FOUR);
  await assertValues(decayed.groups.flat(), [[0], [0.98], [1.96], [2.94]]);
  const [a, b, c, d] = four();
  const split = SGD([[a, b], [c, d]], { lr: [0.01, 0.1] });
  stepWith(split, FOUR);
  await assertValues(split.groups.flat(), [[0], [0.999], [1.98], [2.97]]);
});

onDevices("SGD: without a gradient nothing happens, decay included", async () => {
  const opt = SGD(four(), { lr: 0.1, wd: 0.1 });
  stepWith(opt, [null, [0.1], null, [0.3]]);
  await assertValues(opt.groups.flat(), [[0], [0.98], [2], [2.94]]);
  assertEquals(opt.groups[0][2].grad, null);
});

onDevices("averages of gradients, dampened and not", async () => {
  const g = [1, 2, 3];
  for (
    const [stepper, name, once, twice] of [
      [averageGrad(), "gradAvg", 1, 1.9],
      [averageGrad({ dampening: true }), "gradAvg", 0.1, 0.19],
    ] as const
  ) {
    const opt = Optimizer.from([stepper], { mom: 0.9 })([param(1, 1, 1)]);
    for (const factor of [once, twice]) {
      stepWith(opt, [g]);
      await assertValues([opt.stateDict().state[0][name] as Tensor], [g.map((x) => x * factor)]);
    }
  }
  const squares = Optimizer.from([averageSqrGrad])([param(1, 1, 1)]);
  for (const factor of [0.01, 0.0199]) {
    stepWith(squares, [g]);
    await assertValues([squares.stateDict().state[0].sqrAvg!], [g.map((x) => x * x * factor)]);
  }
});

onDevices("SGD with momentum: the second step has 1.9 gradients", async () => {
  const opt = SGD(four(), { lr: 0.1, mom: 0.9 });
  stepWith(opt, FOUR);
  stepWith(opt, FOUR);
  await assertValues(opt.groups.flat(), [0, 1, 2, 3].map((i) => [i * (1 - 0.1 * (0.1 + 0.19))]));
  await assertValues(opt.stateDict().state.map((s) => s.gradAvg!), [0, 1, 2, 3].map((i) => [i * 0.19]));
  const decayed = SGD(four(), { lr: 0.1, mom: 0.9, wd: 0.1 });
  stepWith(decayed, FOUR);
  await assertValues(decayed.groups.flat(), [[0], [0.98], [1.96], [2.94]]);
});

const P = [1, 2, 3], G = [0.1, 0.2, 0.3];

onDevices("RMSProp", async () => {
  for (const [mom, second] of [[0, -0.1 * 0.1 / (Math.sqrt(0.0199 * 0.01) + 1e-8)], [0.9, -1.34687]]) {
    const opt = RMSProp([param(...P)], { lr: 0.1, mom });
    stepWith(opt, [G]);
    await assertValues(opt.groups[0], [[0, 1, 2]], 1e-5);
    stepWith(opt, [G]);
    await assertValues(opt.groups[0], [[second, 1 + second, 2 + second]], 1e-4);
  }
});

onDevices("Adam: steps of the learning rate; the epsilon shows", async () => {
  const opt = Adam([param(...P)], { lr: 0.1, wd: 0 });
  stepWith(opt, [G]);
  await assertValues(opt.groups[0], [[0.900009999, 1.900005, 2.9000033]]);
  stepWith(opt, [G]);
  await assertValues(opt.groups[0], [[0.8, 1.8, 2.8]], 1e-3);
});

onDevices("Adam: gradients of changing sign, decay, a scheduled momentum", async () => {
  const gradients = [0.1, -0.2, 0.3];
  for (
    const [wd, moms, want] of [
      [0, [0.9, 0.9, 0.9], [0.9000099990, 0.9365684617, 0.9023343304]],
      [0.01, [0.9, 0.9, 0.9], [0.8990099990, 0.9346694517, 0.8995006509]],
      [0, [0.95, 0.9, 0.85], [0.9000099990, 0.9515241964, 0.9134566999]], // debiased by the momentum of now
    ] as const
  ) {
    const opt = Adam([param(1)], { lr: 0.1, wd });
    for (let t = 0; t < 3; t++) {
      opt.setHyper("mom", moms[t]);
      stepWith(opt, [[gradients[t]]]);
      await assertValues(opt.groups[0], [[want[t]]], 3e-7);
    }
  }
});

onDevices("RAdam: five plain steps, then a rectified one", async () => {
  const opt = RAdam([param(...P)], { lr: 0.1 });
  for (let t = 0; t < 5; t++) stepWith(opt, [G]);
  await assertValues(opt.groups[0], [[0.95, 1.9, 2.85]]);
  stepWith(opt, [G]);
  const v = 0.0816792;
  await assertValues(opt.groups[0], [[0.95 - 0.1 * v, 1.9 - 0.1 * v, 2.85 - 0.1 * v]], 1e-5);
});

onDevices("QHAdam: steps of the learning rate", async () => {
  const opt = QHAdam([param(...P)], { lr: 0.1 });
  stepWith(opt, [G]);
  await assertValues(opt.groups[0], [[0.9, 1.9, 2.9]], 1e-5);
  stepWith(opt, [G]);
  await assertValues(opt.groups[0], [[0.8, 1.8, 2.8]], 1e-3);
});

onDevices("Larc: a rate for each tensor, bounded where clipped", async () => {
  for (
    const [clip, rates, second] of [
      [true, [0.02, 0.1], [0.999, 1.998, 2.997]],
      [false, [0.02, 0.2], [0.998, 1.996, 2.994]],
    ] as const
  ) {
    const opt = Larc([param(...P), param(...P)], { lr: 0.1, clip });
    stepWith(opt, [G, [0.01, 0.02, 0.03]]);
    await assertValues(opt.groups[0], [[0.998, 1.996, 2.994], second]);
    const { state } = opt.stateDict();
    await assertValues(state.map((s) => s.localLr!), rates.map((r) => [r]));
    assertEquals(state[0].localLr!.shape, []);
  }
});

onDevices("Lamb: one step, and its cap", async () => {
  const opt = Lamb([param(...P)], { lr: 0.1 });
  stepWith(opt, [G]);
  await assertValues(opt.groups[0], [[0.78398371, 1.78397291, 2.78396931]]);
  // rms(p) is 100 times rms of the step, of which 10 counts; parameters of zeros step by lr
  const capped = Lamb([param(100, 100), param(0, 0)], { lr: 0.1, eps: 1e-12 });
  stepWith(capped, [[1, 1], [1, 1]]);
  await assertValues(capped.groups[0], [[99, 99], [-0.1, -0.1]], 1e-5);
});

onDevices("Lookahead: five steps, then half way back", async () => {
  const opt = Lookahead(SGD)([param(...P)], { lr: 0.1 });
  for (let t = 0; t < 5; t++) stepWith(opt, [G]);
  await assertValues(opt.groups[0], [P.map((p, i) => p - 0.5 * G[i])]);
  stepWith(opt, [G]);
  await assertValues(opt.groups[0], [P.map((p, i) => 0.5 * p + 0.5 * (p - 0.6 * G[i]))]);
});
