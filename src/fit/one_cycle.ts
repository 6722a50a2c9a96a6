/**
 * The one-cycle policy.
 *
 * @module
 */
import { checkOptions, nums, type OptionTable, orNull, other, positive, share } from "../base/options.ts";
import { aHyper, type HyperValue } from "../optim/mod.ts";
import { combinedCos, type ScheduleFunc } from "../schedule/mod.ts";
import type { TrainLoop } from "../train/mod.ts";
import { FIT_COMMON, type FitCommon, resolveLr, runPlan, runPolicy, spreadLr } from "./fit.ts";
import { ParamScheduler } from "./param_scheduler.ts";

/** Options of {@link fitOneCycle}. */
export interface OneCycleOptions extends FitCommon {
  /** Largest learning rate: a number, one a group, or a `slice`; the learner's `lr` by default. */
  readonly lrMax?: HyperValue | null;
  /** The first learning rate is `lrMax / div`; 25 by default. */
  readonly div?: number;
  /** The last learning rate is `lrMax / divFinal` (of `lrMax`, not of the first as in PyTorch); 1e5 by default. */
  readonly divFinal?: number;
  /** Share of the fit in which the learning rate rises; 0.25 by default. */
  readonly pctStart?: number;
  /** Momentum at the start, at the peak and at the end; the learner's by default. */
  readonly moms?: readonly [number, number, number];
}

/** What the options of {@link fitOneCycle} may be. */
export const ONE_CYCLE: OptionTable<OneCycleOptions> = {
  lrMax: orNull(aHyper),
  div: positive,
  divFinal: positive,
  pctStart: share,
  moms: other("three numbers", (v) => nums.holds(v) && (v as readonly number[]).length === 3),
  ...FIT_COMMON,
};

/**
 * Trains with a learning rate that rises and falls along cosines, and a momentum that does the opposite.
 *
 * @see Smith 2018, arXiv:1803.09820
 */
export async function fitOneCycle(learn: TrainLoop, nEpoch: number, options: OneCycleOptions = {}): Promise<void> {
  checkOptions("fitOneCycle", options, ONE_CYCLE);
  const {
    div = 25,
    divFinal = 1e5,
    pctStart = 0.25,
    moms = learn.moms,
    cbs = [],
    resetOpt = false,
    wd,
    startEpoch,
    resume,
  } = options;
  await runPolicy(learn, "fitOneCycle", options, async () => {
    const lr = spreadLr(learn, resolveLr(learn, options.lrMax, "lrMax"), resetOpt);
    const scheds: Record<string, ScheduleFunc> = {
      lr: combinedCos(pctStart, lr.map((v) => v / div), lr, lr.map((v) => v / divFinal)),
    };
    if ("mom" in learn.opt.hypers[0]) scheds.mom = combinedCos(pctStart, ...moms);
    const all = [new ParamScheduler(scheds), ...[cbs].flat()];
    const asked = { lrMax: lr, div, divFinal, pctStart, moms, wd, startEpoch };
    await runPlan(learn, nEpoch, { cbs: all, wd, startEpoch, resume }, { policy: "fitOneCycle", options: asked });
  });
}
