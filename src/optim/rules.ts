/**
 * The optimizers: decay, statistics, and a rule for the step. Defaults are fastai's, which differ from PyTorch's: Adam has
 * `eps` 1e-5, `sqrMom` 0.99 and decoupled decay of 0.01; SGD's momentum is not dampened; decay is decoupled everywhere.
 *
 * @module
 */
import { ops, type Tensor } from "../tensor/mod.ts";
import type { OptFunc } from "./factory.ts";
import { optFunc } from "./optimizer.ts";
import { averageGrad, averageSqrGrad, debias, l2Reg, stepStat, weightDecay } from "./steppers.ts";
import type { Stepper, Update } from "./stepper.ts";

/** `sqrt(sqrAvg) / sqrt(debias) + eps` */
function root(u: Update): Tensor {
  const each = u.number("step", (h, { step }) => 1 / Math.sqrt(debias("sqrMom", h, step)));
  return u.stat("sqrAvg").sqrt().mul(each).add(u.hyper("eps"));
}

/** `p <- p - lr g` */
export const sgdStep: Stepper = {
  steady: true,
  apply: (u) => {
    u.p = u.p.sub(u.g.mul(u.hyper("lr")));
  },
};

/** `p <- p - lr gradAvg` */
export const momentumStep: Stepper = {
  steady: true,
  apply: (u) => {
    u.p = u.p.sub(u.stat("gradAvg").mul(u.hyper("lr")));
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
  steady: true,
  defaults: { eps: 1e-8 },
  apply: (u) => {
    const den = u.stat("sqrAvg").sqrt().add(u.hyper("eps"));
    u.p = u.p.sub((momentum ? u.stat("gradAvg") : u.g).div(den).mul(u.hyper("lr")));
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
  steady: true,
  defaults: { eps: 1e-5 },
  apply: (u) => {
    const size = u.number("step", (h, { step }) => h.lr / debias("mom", h, step));
    u.p = u.p.sub(u.stat("gradAvg").div(root(u)).mul(size));
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
  steady: true,
  defaults: { eps: 1e-5, beta: 0 },
  apply: (u) => {
    let den = root(u);
    if (smooth) { // softplus with sharpness beta
      const beta = u.hyper("beta");
      den = den.mul(beta).softplus().div(beta);
    }
    const size = u.number(
      "step",
      (h, { step }) => h.lr * (rectification(h.sqrMom, step) ?? 1) / debias("mom", h, step),
    );
    const adaptive = u.number("step", (h, { step }) => rectification(h.sqrMom, step) === null ? 0 : 1);
    const avg = u.stat("gradAvg");
    u.p = u.p.sub(ops.where(adaptive.gt(0), avg.div(den), avg).mul(size));
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
  steady: true,
  defaults: { nu1: 0.7, nu2: 1, eps: 1e-8 },
  apply: (u) => {
    const ownMean = u.number("group", (h) => 1 - h.nu1), ownSquare = u.number("group", (h) => 1 - h.nu2);
    const ofMean = u.number("step", (h, { step }) => h.nu1 / debias("mom", h, step));
    const ofSquare = u.number("step", (h, { step }) => h.nu2 / debias("sqrMom", h, step));
    const num = u.g.mul(ownMean).add(u.stat("gradAvg").mul(ofMean));
    const den = u.g.mul(ownSquare).mul(u.g).add(u.stat("sqrAvg").mul(ofSquare));
    u.p = u.p.sub(num.div(den.sqrt().add(u.hyper("eps"))).mul(u.hyper("lr")));
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
  steady: true,
  defaults: { trustCoeff: 0.02, eps: 1e-8 },
  stats: { localLr: "number" },
  apply: (u) => {
    const p = u.sums(u.p.square()).sqrt(), g = u.sums(u.g.square()).sqrt();
    const den = p.mul(u.hyper("wd")).add(g).add(u.hyper("eps"));
    const trusted = p.mul(u.number("group", (h) => h.lr * h.trustCoeff)).div(den);
    const local = clip ? trusted.minimum(u.hyper("lr")) : trusted;
    u.setStat("localLr", local);
    u.p = u.p.sub(u.perElement(local).mul(momentum ? u.stat("gradAvg") : u.g));
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
  steady: true,
  defaults: { eps: 1e-5 },
  apply: (u) => {
    const mean = u.stat("gradAvg").mul(u.number("step", (h, { step }) => 1 / debias("mom", h, step)));
    const step = mean.div(root(u));
    const rms = (x: Tensor) => u.sums(x.square()).div(u.sizes).sqrt();
    const r1 = rms(u.p), r2 = rms(step);
    const q = ops.where(r1.eq(0).or(r2.eq(0)), 1, r1.div(r2).minimum(10));
    u.p = u.p.sub(step.mul(u.perElement(q).mul(u.hyper("lr"))));
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
