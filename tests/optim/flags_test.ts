/**
 * What keeps parameters from training or decaying: frozen groups, flags, missing gradients.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/base/errors.ts";
import { Adam, Lamb, type OptFunc, QHAdam, RAdam, ranger, SGD } from "../../src/optim/mod.ts";
import { Parameter, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { assertValues, bits, param, stepWith } from "./support.ts";

const requires = (groups: readonly (readonly Parameter[])[]) => groups.map((g) => g.map((p) => p.requiresGrad));

Deno.test("freezing trains the last group, and what is forced to", () => {
  const groups = [4, 4, 4].map((n) => Array.from({ length: n }, () => param(1)));
  const opt = SGD(groups);
  opt.setFlag(groups[1][1], "forceTrain", true);
  opt.setFlag(groups[1][3], "forceTrain", true);
  opt.setFlag(param(1), "forceTrain", true); // not among its parameters: nothing happens
  const [F, T] = [false, true];
  opt.freeze();
  assertEquals(requires(opt.groups), [[F, F, F, F], [F, T, F, T], [T, T, T, T]]);
  opt.freezeTo(1);
  assertEquals(requires(opt.groups), [[F, F, F, F], [T, T, T, T], [T, T, T, T]]);
  opt.freezeTo(-2);
  assertEquals(requires(opt.groups), [[F, F, F, F], [T, T, T, T], [T, T, T, T]]);
  for (const n of [-4, 4]) {
    const told = `Cannot freeze up to group ${n}: there are 3 parameter groups, so that n is from -3 to 3`;
    assertThrows(() => opt.freezeTo(n), ConfigError, told);
  }
  opt.freezeTo(-3);
  assertEquals(requires(opt.groups), [[T, T, T, T], [T, T, T, T], [T, T, T, T]]);
  opt.freezeTo(3);
  assertEquals(requires(opt.groups), [[F, F, F, F], [F, T, F, T], [F, F, F, F]]);
  opt.unfreeze();
  assertEquals(requires(opt.groups), [[T, T, T, T], [T, T, T, T], [T, T, T, T]]);
});

onDevices("doWd false: no decay, decoupled or not", async () => {
  for (const decoupleWd of [true, false]) {
    const p = [param(1), param(1), param(1)];
    const opt = SGD(p, { lr: 0.01, wd: 1, decoupleWd });
    opt.setFlag(p[0], "doWd", false);
    opt.setFlag(p[1], "doWd", true);
    stepWith(opt, [[1], [1], [1]]);
    await assertValues(p, [[0.99], [0.98], [0.98]]);
  }
});

onDevices("the last decaying group follows changed flags", async () => {
  const p = [param(1), param(1)];
  const opt = Adam(p, { lr: 0.1, wd: 1, eps: 0 });
  stepWith(opt, [[1], [1]]);
  await assertValues(p, [[0.8], [0.8]]);
  opt.setFlag(p[1], "doWd", false);
  stepWith(opt, [[1], [1]]);
  await assertValues(p, [[0.62], [0.7]]);
});

onDevices("a parameter that is left out lends its step count to nobody", async () => {
  for (const make of [Adam, RAdam, QHAdam, Lamb, ranger]) {
    const values = [[0.5, -1], [0.3, 2]], gradients = [[0.1, -0.2], [0.3, 0.4]];
    const alone = values.map((v) => param(...v)), joined = [param(1, 2), ...values.map((v) => param(...v))];
    const a = make(alone, { lr: 0.1, wd: 0.1 }), b = make(joined, { lr: 0.1, wd: 0.1 });
    a.setFlag(alone[1], "doWd", false); // two kinds of parameters are stepped
    b.setFlag(joined[2], "doWd", false);
    for (let i = 0; i < 8; i++) {
      stepWith(a, gradients);
      stepWith(b, [i === 2 ? [1, 1] : null, ...gradients]);
    }
    assertEquals(await bits(joined.slice(1)), await bits(alone));
  }
});

const EVERY: Readonly<Record<string, OptFunc>> = {
  SGD: SGD.with({ mom: 0.9, wd: 0.1 }),
  Adam: Adam.with({ wd: 0.1 }),
  ranger,
};

for (const [name, make] of Object.entries(EVERY)) {
  onDevices(`${name}: frozen and gradient-less parameters keep every bit`, async () => {
    const shapes = [[17], [2, 3], [1], [5]];
    const p = shapes.map((shape, i) =>
      new Parameter(
        tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, j) => Math.sin(i * 9 + j)), {
          shape,
        }),
      )
    );
    const opt = make(p, { lr: 0.03 });
    const gradients = p.map((q) => Array.from({ length: q.size }, (_, j) => Math.cos(j)));
    stepWith(opt, gradients);
    stepWith(opt, gradients);
    p[1].requiresGrad = false;
    const before = await bits(p);
    const statistics = () => opt.stateDict().state.map((s) => s.gradAvg!);
    const averages = await bits(statistics());
    stepWith(opt, [gradients[0], gradients[1], null, gradients[3]]);
    const after = await bits(p), averagesAfter = await bits(statistics());
    for (const i of [1, 2]) {
      assertEquals(after[i], before[i], `parameter ${i}`);
      assertEquals(averagesAfter[i], averages[i], `average of parameter ${i}`);
    }
    for (const i of [0, 3]) assertEquals(after[i].some((b, j) => b === before[i][j]), false, `parameter ${i} moved`);
    if (name !== "SGD") assertEquals(opt.stateDict().state.map((s) => s.step), [3, 2, 2, 3]);
  });
}

onDevices("a group that is frozen as a whole costs nothing", (device) => {
  const groups = [[param(1), param(2)], [param(3)]];
  const opt = Adam(groups, { lr: 0.1 });
  opt.freeze();
  const before = device.stats().dispatches;
  stepWith(opt, [[1], [1], [1]]);
  assertEquals(device.stats().dispatches - before, 2); // the gradient, the step
  assertEquals(opt.stateDict().state.map((s) => s.step), [undefined, undefined, 1]);
});
