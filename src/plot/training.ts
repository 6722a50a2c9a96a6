/**
 * The figures of a training run, from plain records.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { byGroup, linePanel, plotLines, type SeriesData } from "./charts.ts";
import { Figure } from "./figure.ts";

/** Options of {@link schedFigure}. */
export interface SchedFigureOptions {
  /** The hyper-parameters to plot, in this order; all by default. */
  readonly keys?: readonly string[];
}

/**
 * Hyper-parameters over training steps, two plots in a row.
 *
 * @param hps Per name one entry per step: a number, or one per param group.
 * @throws {ConfigError} When a key was not recorded, naming those that were.
 */
export function schedFigure(
  hps: Readonly<Record<string, readonly (number | readonly number[])[]>>,
  options: SchedFigureOptions = {},
): Figure {
  const { keys = Object.keys(hps) } = options;
  const panels = keys.map((key) => {
    if (!Object.hasOwn(hps, key)) {
      const known = Object.keys(hps).join(", ");
      throw new ConfigError(
        `Cannot plot ${key}: it must be a recorded hyper-parameter (${known || "none was recorded"})`,
      );
    }
    const series: Record<string, SeriesData> = {};
    for (const [group, y] of byGroup(hps[key])) series[group === null ? key : `group ${group}`] = y;
    return linePanel(series, { xLabel: "step", yLabel: key });
  });
  if (panels.length === 0) return plotLines({}, { xLabel: "step" });
  return new Figure(panels, 2);
}

/** What {@link lossFigure} shows. */
export interface LossFigureOptions {
  /** Smoothed training losses, one a batch. */
  readonly losses: readonly number[];
  /** Batches done at the end of each epoch. */
  readonly iters: readonly number[];
  /** Validation losses, one an epoch; empty where there was no validation. */
  readonly validLosses?: readonly number[];
  /** Batches in front that aren't shown; 5 by default, none where there are no more than 10. */
  readonly skipStart?: number;
  /** Whether a dotted line stands at the end of each epoch. */
  readonly showEpochs?: boolean;
  /** Batches at which further dotted lines stand. */
  readonly rules?: readonly number[];
  /** Whether both axes are logarithmic. */
  readonly log?: boolean;
}

/** Batches in front that a longer curve leaves out. */
const SKIP_START = 5;

/**
 * Training and validation losses over batches.
 *
 * @throws {ConfigError} When there are more validation losses than epochs, or `skipStart` is no count.
 */
export function lossFigure(options: LossFigureOptions): Figure {
  const { losses, iters, validLosses = [], showEpochs = false, rules = [], log = false } = options;
  const { skipStart = losses.length > 2 * SKIP_START ? SKIP_START : 0 } = options;
  checkCount("skipStart", skipStart);
  if (validLosses.length > iters.length) {
    throw new ConfigError(
      `Cannot plot losses: at most one validation loss an epoch is taken, got ${validLosses.length} for ${iters.length}`,
    );
  }
  const x = losses.map((_, i) => i).slice(skipStart);
  const train = { x, y: losses.slice(skipStart) };
  const shown = validLosses.map((_, i) => i).filter((i) => iters[i] >= skipStart);
  const valid = { x: shown.map((i) => iters[i]), y: shown.map((i) => validLosses[i]) };
  return plotLines(shown.length > 0 ? { train, valid } : { train }, {
    title: "Learning curve",
    xLabel: "step",
    yLabel: "loss",
    xLog: log,
    yLog: log,
    legend: true,
    rules: showEpochs ? [...iters, ...rules] : rules,
  });
}

/** What {@link lrFindFigure} shows. */
export interface LrFindFigureOptions {
  /** Learning rates, one a batch. */
  readonly lrs: readonly number[];
  /** As many as `lrs`. */
  readonly losses: readonly number[];
  /** Points behind that aren't shown. */
  readonly skipEnd?: number;
  /** Points to mark. */
  readonly suggestions?: readonly { readonly name: string; readonly lr: number; readonly loss: number }[];
}

/**
 * Loss over learning rate, on a logarithmic axis, with a round marker for each suggestion.
 *
 * @throws {ConfigError} When `lrs` and `losses` differ in length, or `skipEnd` is no count.
 */
export function lrFindFigure(options: LrFindFigureOptions): Figure {
  const { lrs, losses, skipEnd = 5, suggestions = [] } = options;
  checkCount("skipEnd", skipEnd);
  if (lrs.length !== losses.length) {
    throw new ConfigError(`Cannot plot loss: as many lrs as losses are needed, got ${lrs.length} and ${losses.length}`);
  }
  const n = Math.max(0, lrs.length - skipEnd);
  const markers = suggestions.map(({ name, lr, loss }) => ({ name, x: lr, y: loss }));
  return plotLines({ loss: { x: lrs.slice(0, n), y: losses.slice(0, n) } }, {
    xLabel: "Learning Rate",
    yLabel: "Loss",
    xLog: true,
    markers,
  });
}

function checkCount(name: string, count: number): void {
  if (Number.isInteger(count) && count >= 0) return;
  throw new ConfigError(`Cannot plot losses: ${name} must be an integer of at least 0, got ${count}`);
}
