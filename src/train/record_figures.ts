/**
 * Figures of what was recorded.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { flag, num, type OptionTable, texts } from "../base/options.ts";
import { type Figure, lossFigure, lrFindFigure, schedFigure } from "../plot/mod.ts";
import type { FitRecord, LrCurve } from "./fit_record.ts";
import type { PlotLossOptions } from "./recorder_options.ts";

/** What the options of {@link plotSched} may be. */
export const PLOT_SCHED: OptionTable<{ readonly keys?: readonly string[] }> = { keys: texts };
/** What the options of {@link plotLoss} may be. */
export const PLOT_LOSS: OptionTable<PlotLossOptions> = { skipStart: num, withValid: flag, log: flag, showEpochs: flag };
/** What the options of {@link plotLrFind} may be. */
export const PLOT_LR_FIND: OptionTable<{ readonly skipEnd?: number }> = { skipEnd: num };

/** The scheduled hyper-parameters of a fit, those in `keys` or all, step by step. */
export function plotSched({ hps }: FitRecord, { keys }: { readonly keys?: readonly string[] }): Figure {
  return schedFigure(hps, keys === undefined ? {} : { keys });
}

/** The losses of a fit: smoothed training losses by step, validation losses at the ends of epochs. */
export function plotLoss({ losses, iters, rows }: FitRecord, options: PlotLossOptions): Figure {
  const { withValid = true, log = false, showEpochs = false } = options;
  const skip = options.skipStart === undefined ? {} : { skipStart: options.skipStart };
  const validLosses = withValid && rows.some((r) => typeof r.valid_loss === "number")
    ? rows.map((r) => r.valid_loss ?? NaN)
    : [];
  return lossFigure({ losses, iters, validLosses, log, showEpochs, ...skip });
}

/** The curve of a probe of the learning-rate finder, its suggestions marked. */
export function plotLrFind(curve: LrCurve | null, { skipEnd = 5 }: { readonly skipEnd?: number }): Figure {
  if (curve === null) {
    throw new ConfigError("Cannot plot the learning-rate finder's curve: there is none yet, call lrFind() first");
  }
  const { lrs, losses, points } = curve;
  const suggestions = Object.entries(points).map(([name, [lr, loss]]) => ({ name, lr, loss }));
  return lrFindFigure({ lrs, losses, skipEnd, suggestions });
}
