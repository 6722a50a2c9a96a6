/**
 * Flat, then down along a cosine.
 *
 * @module
 */
import { checkOptions, orNull, positive, share } from "../base/options.ts";
import { aHyper, type HyperValue } from "../optim/mod.ts";
import { combinedCos } from "../schedule/mod.ts";
import type { TrainLoop } from "../train/mod.ts";
import { FIT_COMMON, type FitCommon, resolveLr, runPlan, runPolicy, spreadLr } from "./fit.ts";
import { ParamScheduler } from "./param_scheduler.ts";

/** Options of {@link fitFlatCos}. */
export interface FlatCosOptions extends FitCommon {
  /** Learning rate of the flat part: a number, one a group, or a `slice`; the learner's by default. */
  readonly lr?: HyperValue | null;
  /** The last learning rate is `lr / divFinal`; 1e5 by default. */
  readonly divFinal?: number;
  /** Share of the fit that is flat; 0.75 by default. */
  readonly pctStart?: number;
}

/** Trains at a constant learning rate that falls along a cosine at the end. Momentum stays as it is. */
export async function fitFlatCos(learn: TrainLoop, nEpoch: number, options: FlatCosOptions = {}): Promise<void> {
  checkOptions("fitFlatCos", options, { lr: orNull(aHyper), divFinal: positive, pctStart: share, ...FIT_COMMON });
  const { divFinal = 1e5, pctStart = 0.75, cbs = [], resetOpt = false, wd, startEpoch, resume } = options;
  await runPolicy(learn, "fitFlatCos", options, async () => {
    const lr = spreadLr(learn, resolveLr(learn, options.lr, "lr"), resetOpt);
    const sched = combinedCos(pctStart, lr, lr, lr.map((v) => v / divFinal));
    const all = [new ParamScheduler({ lr: sched }), ...[cbs].flat()];
    const asked = { lr, divFinal, pctStart, wd, startEpoch };
    await runPlan(learn, nEpoch, { cbs: all, wd, startEpoch, resume }, { policy: "fitFlatCos", options: asked });
  });
}
