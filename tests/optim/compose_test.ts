/**
 * Optimizers of one's own, from steppers.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/base/errors.ts";
import {
  Adam,
  adamStep,
  averageGrad,
  averageSqrGrad,
  Lookahead,
  type OptFunc,
  Optimizer,
  type Stepper,
  stepStat,
  weightDecay,
} from "../../src/optim/mod.ts";
import { onDevices } from "../support/devices.ts";
import { assertValues, bits, param, stepWith } from "./support.ts";

/** `p <- p - lr rho sign(g)` */
const signStep: Stepper = {
  defaults: { rho: 0.5 },
  apply: (u) => {
    u.p = u.p.sub(u.g.sign().mul(u.number("group", (h) => h.lr * h.rho)));
  },
};

onDevices("a step of one's own, with its hyper-parameter", async () => {
  const Sign = Optimizer.from([signStep], { lr: 0.1, rho: 2 });
  const asAny: OptFunc = Sign; // learners take it
  const opt = Sign.with({ rho: 3 })([[param(1, 2)], [param(3)]], { lr: [0.1, 1] });
  stepWith(opt, [[5, -5], [0.1]]);
  await assertValues(opt.groups.flat(), [[0.7, 2.3], [0]]);
  opt.setHyper("rho", 1);
  stepWith(opt, [[5, 0], [-0.1]]);
  await assertValues(opt.groups.flat(), [[0.6, 2.3], [1]]);
  assertEquals(asAny([param(1)]).hypers, [{ lr: 0.1, rho: 2 }]);
  assertEquals(Optimizer.from([signStep])([param(1)]).hypers, [{ lr: 1e-3, rho: 0.5 }]);
  assertThrows(() => asAny([param(1)], { eps: 1 }), ConfigError, "the options are lr, rho");
});

onDevices("Adam from its pieces is Adam", async () => {
  const steppers = [weightDecay, averageGrad({ dampening: true }), averageSqrGrad, stepStat, adamStep];
  const one = Optimizer.from(steppers, { wd: 0.01 })([param(1, 2, 3)], { lr: 0.1 });
  const two = Adam([param(1, 2, 3)], { lr: 0.1 });
  for (const opt of [one, two]) for (let t = 0; t < 4; t++) stepWith(opt, [[0.1, -t, 3]]);
  assertEquals(await bits(one.groups[0]), await bits(two.groups[0]));
});

onDevices("Lookahead wraps it too", async () => {
  const opt = Lookahead(Optimizer.from([signStep]), { k: 2 })([param(1)], { lr: 0.2 });
  stepWith(opt, [[1]]);
  stepWith(opt, [[1]]);
  await assertValues(opt.groups[0], [[0.9]]);
});
