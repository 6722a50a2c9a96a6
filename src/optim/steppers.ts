/**
 * The building blocks of the optimizers, as fastai has them.
 *
 * @module
 */
import { checkOptions, flag } from "../base/options.ts";
import type { Hypers, Stepper } from "./stepper.ts";

/** `1 - hyper^step`: what an average that started from 0 is short of. The value now is used, whatever it was before. */
export function debias(name: "mom" | "sqrMom", hypers: Readonly<Hypers>, step: number): number {
  return 1 - hypers[name] ** step;
}

/** `p <- p (1 - lr wd)`, for parameters that decay. */
export const weightDecay: Stepper = {
  steady: true,
  defaults: { wd: 0 },
  apply: (u) => {
    u.p = u.p.mul(u.number("doWd", (h, { doWd }) => doWd ? 1 - h.lr * h.wd : 1));
  },
};

/** `g <- g + wd p`, for parameters that decay. */
export const l2Reg: Stepper = {
  steady: true,
  defaults: { wd: 0 },
  apply: (u) => {
    u.g = u.g.add(u.p.mul(u.number("doWd", (h, { doWd }) => doWd ? h.wd : 0)));
  },
};

/** `gradAvg <- mom gradAvg + d g`, with `d = 1 - mom` if dampened, else 1. */
export function averageGrad(options: { dampening?: boolean } = {}): Stepper {
  const { dampening = false } = checkOptions("average gradients", options, { dampening: flag });
  return {
    steady: true,
    defaults: { mom: 0.9 },
    stats: { gradAvg: "vector" },
    apply: (u) => {
      const g = dampening ? u.g.mul(u.number("group", (h) => 1 - h.mom)) : u.g;
      u.setStat("gradAvg", u.stat("gradAvg").mul(u.hyper("mom")).add(g));
    },
  };
}

/** `sqrAvg <- sqrMom sqrAvg + (1 - sqrMom) g^2` */
export const averageSqrGrad: Stepper = {
  steady: true,
  defaults: { sqrMom: 0.99 },
  stats: { sqrAvg: "vector" },
  apply: (u) => {
    const g2 = u.g.mul(u.number("group", (h) => 1 - h.sqrMom)).mul(u.g); // g g alone may be beyond f32
    u.setStat("sqrAvg", u.stat("sqrAvg").mul(u.hyper("sqrMom")).add(g2));
  },
};

/** Counts the steps of each parameter. */
export const stepStat: Stepper = { steady: true, counts: true, apply: () => {} };
