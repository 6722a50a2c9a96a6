/**
 * The optimizers: decay, statistics, and a rule for the step. Defaults are fastai's, which differ from PyTorch's: Adam has
 * `eps` 1e-5, `sqrMom` 0.99 and decoupled decay of 0.01; SGD's momentum is not dampened; decay is decoupled everywhere.
 *
 * @module
 */
import { add, div, eq, gt, minimum, mul, or, softplus, sqrt, square, sub, where } from "../graph/elementwise.ts";
import { constant } from "../graph/leaves.ts";
import type { Node } from "../graph/node.ts";
import { type OptFunc, optFunc } from "./factory.ts";
import { averageGrad, averageSqrGrad, debias, hyper, l2Reg, stepStat, weightDecay, ZERO } from "./steppers.ts";
import type { Stepper, Update } from "./stepper.ts";

const debiasMom = debias("mom"), debiasSqr = debias("sqrMom");

/** `sqrt(sqrAvg / debias)` */
function rootMeanSquare(u: Update): Node {
  return sqrt(mul(u.stat("sqrAvg"), u.number({ kind: "step", of: (h, { step }) => 1 / debiasSqr(h, step) })));
}

/** `p <- p - lr g` */
export const sgdStep: Stepper = {
  apply: (u) => {
    u.p = sub(u.p, mul(u.g, u.number(hyper("lr"))));
  },
};

/** `p <- p - lr gradAvg` */
export const momentumStep: Stepper = {
  apply: (u) => {
    u.p = sub(u.p, mul(u.stat("gradAvg"), u.number(hyper("lr"))));
  },
};

/**
 * Stochastic gradient descent: `p -= lr g`, or with `mom` the sum `p -= lr (g + mom g' + mom^2 g'' ...)`. Whether there is
 * momentum is decided when the optimizer is made.
 */
export const SGD: OptFunc = optFunc({
  defaults: { mom: 0, wd: 0 },
  steppers: ({ uses, decoupleWd }) => [
    decoupleWd ? weightDecay : l2Reg,
    ...(uses("mom") ? [averageGrad(), momentumStep] : [sgdStep]),
  ],
});

const rmsPropStep = (momentum: boolean): Stepper => ({
  defaults: { eps: 1e-8 },
  apply: (u) => {
    const den = add(sqrt(u.stat("sqrAvg")), u.number(hyper("eps")));
    u.p = sub(u.p, mul(u.number(hyper("lr")), div(momentum ? u.stat("gradAvg") : u.g, den)));
  },
});

/** RMSProp: `p -= lr g / (sqrt(sqrAvg) + eps)`; with `mom` the average gradient instead of `g`. */
export const RMSProp: OptFunc = optFunc({
  defaults: { mom: 0, sqrMom: 0.99, eps: 1e-8, wd: 0 },
  steppers: ({ uses, decoupleWd }) => [
    decoupleWd ? weightDecay : l2Reg,
    ...(uses("mom") ? [averageGrad(), averageSqrGrad, rmsPropStep(true)] : [averageSqrGrad, rmsPropStep(false)]),
  ],
});

/** `p <- p - lr / debias1 gradAvg / (sqrt(sqrAvg / debias2) + eps)` */
export const adamStep: Stepper = {
  defaults: { eps: 1e-5 },
  apply: (u) => {
    const size = u.number({ kind: "step", of: (h, { step }) => h.lr / debiasMom(h, step) });
    u.p = sub(u.p, mul(size, div(u.stat("gradAvg"), add(rootMeanSquare(u), u.number(hyper("eps"))))));
  },
};

/** Adam with decoupled decay (AdamW), or with `decoupleWd: false` the l2 form. */
export const Adam: OptFunc = optFunc({
  defaults: { mom: 0.9, sqrMom: 0.99, eps: 1e-5, wd: 0.01 },
  steppers: ({ decoupleWd }) => [
    decoupleWd ? weightDecay : l2Reg,
    averageGrad({ dampening: true }),
    averageSqrGrad,
    stepStat,
    adamStep,
  ],
});

/** The rectification of RAdam at a step: null while the variance is not tractable. */
function rectification(sqrMom: number, step: number): number | null {
  const limit = 2 / (1 - sqrMom) - 1;
  const power = sqrMom ** step;
  const r = limit - 2 * step * power / (1 - power);
  return r > 5 ? Math.sqrt((r - 4) * (r - 2) * limit / ((limit - 4) * (limit - 2) * r)) : null;
}

const radamStep = (smooth: boolean): Stepper => ({
  defaults: { eps: 1e-5, beta: 0 },
  apply: (u) => {
    let den = add(rootMeanSquare(u), u.number(hyper("eps")));
    if (smooth) { // softplus(den) with sharpness beta, linear above 20
      const beta = u.number(hyper("beta"));
      const x = mul(den, beta);
      den = where(gt(x, constant(20)), den, div(softplus(x), beta));
    }
    const size = u.number({
      kind: "step",
      of: (h, { step }) => h.lr * (rectification(h.sqrMom, step) ?? 1) / debiasMom(h, step),
    });
    const adaptive = u.number({ kind: "step", of: (h, { step }) => rectification(h.sqrMom, step) === null ? 0 : 1 });
    const avg = u.stat("gradAvg");
    u.p = sub(u.p, mul(size, where(gt(adaptive, ZERO), div(avg, den), avg)));
  },
});

/** Rectified Adam. `beta` above 0 smooths the denominator by softplus. */
export const RAdam: OptFunc = optFunc({
  defaults: { mom: 0.9, sqrMom: 0.99, eps: 1e-5, wd: 0, beta: 0 },
  steppers: ({ uses, decoupleWd }) => [
    decoupleWd ? weightDecay : l2Reg,
    averageGrad({ dampening: true }),
    averageSqrGrad,
    stepStat,
    radamStep(uses("beta")),
  ],
});

const qhadamStep: Stepper = {
  defaults: { nu1: 0.7, nu2: 1, eps: 1e-8 },
  apply: (u) => {
    const number = (of: (h: Readonly<Record<string, number>>) => number) => u.number({ kind: "group", of });
    const mean = u.number({ kind: "step", of: (h, { step }) => h.nu1 / debiasMom(h, step) });
    const variance = u.number({ kind: "step", of: (h, { step }) => h.nu2 / debiasSqr(h, step) });
    const num = add(mul(u.g, number((h) => 1 - h.nu1)), mul(u.stat("gradAvg"), mean));
    const den = add(mul(square(u.g), number((h) => 1 - h.nu2)), mul(u.stat("sqrAvg"), variance));
    u.p = sub(u.p, mul(u.number(hyper("lr")), div(num, add(sqrt(den), u.number(hyper("eps"))))));
  },
};

/** Quasi-hyperbolic Adam. */
export const QHAdam: OptFunc = optFunc({
  defaults: { mom: 0.999, sqrMom: 0.999, nu1: 0.7, nu2: 1, eps: 1e-8, wd: 0 },
  steppers: ({ decoupleWd }) => [
    decoupleWd ? weightDecay : l2Reg,
    averageGrad({ dampening: true }),
    averageSqrGrad,
    stepStat,
    qhadamStep,
  ],
});

const larcStep = (clip: boolean, momentum: boolean): Stepper => ({
  defaults: { trustCoeff: 0.02, eps: 1e-8 },
  stats: { localLr: "number" },
  apply: (u) => {
    const p = sqrt(u.sums(square(u.p))), g = sqrt(u.sums(square(u.g)));
    const den = add(add(g, mul(p, u.number(hyper("wd")))), u.number(hyper("eps")));
    const trusted = div(mul(u.number({ kind: "group", of: (h) => h.lr * h.trustCoeff }), p), den);
    const local = clip ? minimum(trusted, u.number(hyper("lr"))) : trusted;
    u.setStat("localLr", local);
    u.p = sub(u.p, mul(u.perElement(local), momentum ? u.stat("gradAvg") : u.g));
  },
});

/** Layer-wise adaptive rates: each tensor's own rate, from the norms of the tensor and its gradient; `clip` bounds it by `lr`. */
export const Larc: OptFunc = optFunc({
  defaults: { mom: 0.9, trustCoeff: 0.02, eps: 1e-8, wd: 0 },
  switches: ["clip", "decoupleWd"],
  steppers: ({ uses, clip, decoupleWd }) => [
    decoupleWd ? weightDecay : l2Reg,
    ...(uses("mom") ? [averageGrad()] : []),
    larcStep(clip, uses("mom")),
  ],
});

const lambStep: Stepper = {
  defaults: { eps: 1e-5 },
  apply: (u) => {
    const mean = mul(u.stat("gradAvg"), u.number({ kind: "step", of: (h, { step }) => 1 / debiasMom(h, step) }));
    const step = div(mean, add(rootMeanSquare(u), u.number(hyper("eps"))));
    const rms = (x: Node) => sqrt(div(u.sums(square(x)), u.sizes));
    const r1 = rms(u.p), r2 = rms(step);
    const q = where(or(eq(r1, ZERO), eq(r2, ZERO)), constant(1), minimum(div(r1, r2), constant(10)));
    u.p = sub(u.p, mul(mul(u.number(hyper("lr")), u.perElement(q)), step));
  },
};

/** Layer-wise adaptive moments: Adam's step, scaled to the size of each tensor. */
export const Lamb: OptFunc = optFunc({
  defaults: { mom: 0.9, sqrMom: 0.99, eps: 1e-5, wd: 0 },
  steppers: ({ decoupleWd }) => [
    decoupleWd ? weightDecay : l2Reg,
    averageGrad({ dampening: true }),
    averageSqrGrad,
    stepStat,
    lambStep,
  ],
});
