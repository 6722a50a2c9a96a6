/**
 * The building blocks of the optimizers, as fastai has them.
 *
 * @module
 */
import { add, mul, square } from "../graph/elementwise.ts";
import { constant } from "../graph/leaves.ts";
import type { HostNumber, Stepper } from "./stepper.ts";

/** A hyper-parameter as it is. */
export const hyper = (name: string): HostNumber => ({ kind: "group", of: (h) => h[name] });

/** `1 - hyper^step`: what an average that started from 0 is short of. The value now is used, whatever it was before. */
export const debias = (name: string) => (h: Readonly<Record<string, number>>, step: number): number =>
  1 - h[name] ** step;

/** `p <- p (1 - lr wd)`, for parameters that decay. */
export const weightDecay: Stepper = {
  defaults: { wd: 0 },
  apply(u) {
    u.p = mul(u.p, u.number({ kind: "doWd", of: (h, { doWd }) => doWd ? 1 - h.lr * h.wd : 1 }));
  },
};

/** `g <- g + wd p`, for parameters that decay. */
export const l2Reg: Stepper = {
  defaults: { wd: 0 },
  apply(u) {
    u.g = add(u.g, mul(u.p, u.number({ kind: "doWd", of: (h, { doWd }) => doWd ? h.wd : 0 })));
  },
};

/** `gradAvg <- mom gradAvg + d g`, with `d = 1 - mom` if dampened, else 1. */
export function averageGrad({ dampening = false }: { dampening?: boolean } = {}): Stepper {
  return {
    defaults: { mom: 0.9 },
    stats: { gradAvg: "vector" },
    apply(u) {
      const g = dampening ? mul(u.g, u.number({ kind: "group", of: (h) => 1 - h.mom })) : u.g;
      u.setStat("gradAvg", add(mul(u.stat("gradAvg"), u.number(hyper("mom"))), g));
    },
  };
}

/** `sqrAvg <- sqrMom sqrAvg + (1 - sqrMom) g^2` */
export const averageSqrGrad: Stepper = {
  defaults: { sqrMom: 0.99 },
  stats: { sqrAvg: "vector" },
  apply(u) {
    const g2 = mul(square(u.g), u.number({ kind: "group", of: (h) => 1 - h.sqrMom }));
    u.setStat("sqrAvg", add(mul(u.stat("sqrAvg"), u.number(hyper("sqrMom"))), g2));
  },
};

/** Counts the steps of each parameter. */
export const stepStat: Stepper = { counts: true, apply() {} };

/** A zero that broadcasts. */
export const ZERO = constant(0);
