/**
 * Warm restarts.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, num, orNull } from "../base/options.ts";
import { aHyper, type HyperValue } from "../optim/mod.ts";
import { combineScheds, SchedCos } from "../schedule/mod.ts";
import type { TrainLoop } from "../train/mod.ts";
import { FIT_COMMON, type FitCommon, resolveLr, runPlan, runPolicy, spreadLr } from "./fit.ts";
import { ParamScheduler } from "./param_scheduler.ts";

/** Options of {@link fitSgdr}. */
export interface SgdrOptions extends FitCommon {
  /** Learning rate at the start of each cycle: a number, one a group, or a `slice`; the learner's by default. */
  readonly lrMax?: HyperValue | null;
  /** Each cycle is this many times as long as the one before: a whole number from 1; 2 by default. */
  readonly cycleMult?: number;
}

/**
 * Trains `nCycles` cycles, the first of `cycleLen` epochs; in each the learning rate falls along a cosine to 0 and starts
 * again at `lrMax`. Every restart lands on the first batch of its cycle (in fastai some come a batch late).
 *
 * @see Loshchilov & Hutter 2017, arXiv:1608.03983
 */
export async function fitSgdr(
  learn: TrainLoop,
  nCycles: number,
  cycleLen: number,
  options: SgdrOptions = {},
): Promise<void> {
  checkOptions("fitSgdr", options, { lrMax: orNull(aHyper), cycleMult: num, ...FIT_COMMON });
  const { cycleMult = 2, cbs = [], resetOpt = false, wd, startEpoch, resume } = options;
  for (const [name, n] of Object.entries({ nCycles, cycleLen, cycleMult })) {
    if (!Number.isInteger(n) || n < 1) {
      throw new ConfigError(`Cannot plan cycles with ${name} ${n}: it must be a whole number from 1`);
    }
  }
  const lengths = Array.from({ length: nCycles }, (_, i) => cycleLen * cycleMult ** i);
  const nEpoch = lengths.reduce((a, b) => a + b, 0);
  await runPolicy(learn, "fitSgdr", options, async () => {
    const lr = spreadLr(learn, resolveLr(learn, options.lrMax, "lrMax"), resetOpt);
    const zero = lr.map(() => 0);
    const sched = combineScheds(lengths.map((n) => n / nEpoch), lengths.map(() => SchedCos(lr, zero)));
    const all = [new ParamScheduler({ lr: sched }), ...[cbs].flat()];
    const asked = { lrMax: lr, nCycles, cycleLen, cycleMult, wd, startEpoch };
    await runPlan(learn, nEpoch, { cbs: all, wd, startEpoch, resume }, { policy: "fitSgdr", options: asked });
  });
}
