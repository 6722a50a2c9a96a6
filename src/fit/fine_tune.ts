/**
 * Fine-tuning: the head first, then everything.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, num, type OptionTable, orNull, positive, whole } from "../base/options.ts";
import { slice } from "../optim/mod.ts";
import type { Phase, TrainLoop } from "../train/mod.ts";
import { resolveLr, runPolicy } from "./fit.ts";
import { freeze, unfreeze } from "./freeze.ts";
import { fitOneCycle, ONE_CYCLE, type OneCycleOptions } from "./one_cycle.ts";

/** Options of {@link fineTune}; the others go to both parts. */
export interface FineTuneOptions extends Omit<OneCycleOptions, "lrMax"> {
  /** Learning rate of the head in the first part, halved in the second; 2e-3 by default. */
  readonly baseLr?: number | null;
  /** Epochs of the first part; 1 by default. */
  readonly freezeEpochs?: number;
  /** The first group's learning rate in the second part is `baseLr / 2 / lrMult`; 100 by default. */
  readonly lrMult?: number;
  /** `pctStart` of the second part, 0.3 by default; the first part's is 0.99. */
  readonly pctStart?: number;
  /** `div` of the second part, 5 by default; the first part's is 25. */
  readonly div?: number;
}

const { lrMax: _, ...SHARED } = ONE_CYCLE;
const FINE_TUNE: OptionTable<FineTuneOptions> = {
  ...SHARED,
  baseLr: orNull(num),
  freezeEpochs: whole(0),
  lrMult: positive,
};

/**
 * Trains the last group for `freezeEpochs` epochs with the others frozen, then everything for `nEpoch` epochs at smaller,
 * discriminative learning rates. Callbacks tell the parts by `learn.phase`, "frozen" and "unfrozen"; the first part's
 * numbers end up in `recorder.history`. `startEpoch` counts through both parts.
 */
export async function fineTune(learn: TrainLoop, nEpoch: number, options: FineTuneOptions = {}): Promise<void> {
  checkOptions("fineTune", options, FINE_TUNE);
  const { baseLr, freezeEpochs = 1, lrMult = 100, pctStart = 0.3, div = 5, startEpoch = 0, ...rest } = options;
  await runPolicy(learn, "fineTune", options, async () => {
    const lr = baseLr === undefined ? 2e-3 : resolveLr(learn, baseLr, "baseLr");
    if (typeof lr !== "number" || !(lr > 0)) {
      throw new ConfigError(`Cannot fine-tune with baseLr ${lr}: it must be a number above 0; slices are made from it`);
    }
    if (startEpoch < freezeEpochs) {
      freeze(learn);
      await inPhase(
        learn,
        "frozen",
        () => fitOneCycle(learn, freezeEpochs, { ...rest, lrMax: slice(lr), pctStart: 0.99, startEpoch }),
      );
    }
    if (learn.cutShort) return; // the first part is not over
    unfreeze(learn);
    const half = lr / 2;
    await inPhase(learn, "unfrozen", () =>
      fitOneCycle(learn, nEpoch, {
        ...rest,
        lrMax: slice(half / lrMult, half),
        pctStart,
        div,
        startEpoch: Math.max(0, startEpoch - freezeEpochs),
      }));
  });
}

/** Runs `body` with `learn.phase` set. */
export async function inPhase<T>(learn: TrainLoop, phase: Phase, body: () => Promise<T>): Promise<T> {
  const before = learn.phase;
  learn.phase = phase;
  try {
    return await body();
  } finally {
    learn.phase = before;
  }
}
