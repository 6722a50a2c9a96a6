/**
 * Above which probability a label is given, where an item may have several.
 *
 * @module
 */
import { checkOptions, text } from "../base/options.ts";
import type { Batch, DataLoader } from "../data/mod.ts";
import { type Figure, plotLines } from "../plot/mod.ts";
import type { Model, TrainLoop } from "../train/mod.ts";
import { type Counts, fbetaOf } from "../train/metrics/confusion.ts";
import { inTurn } from "../train/runs.ts";

/** Options of {@link chooseThresholds}. */
export interface ThresholdOptions {
  /** What is largest at the thresholds: F1, the mean over labels, or the share of right decisions; "f1" by default. */
  readonly by?: "f1" | "accuracy";
  /** Whether each label has a threshold of its own; true by default, else all have the same. */
  readonly perLabel?: boolean;
  /** Whether the learner's loss decides by them from now on; true by default. */
  readonly apply?: boolean;
  /** Another set to choose on; the validation set by default. */
  readonly dl?: DataLoader<Batch>;
}

/** Probabilities of a set, and which labels items have, `[items, labels]`. */
export interface Told {
  readonly n: number;
  readonly width: number;
  readonly probs: Float64Array;
  readonly given: Uint8Array;
}

/** Points of a curve. */
const GRID: readonly number[] = Array.from({ length: 99 }, (_, i) => (i + 1) / 100);
/** Most labels whose curves are drawn one by one. */
const MOST_CURVES = 8;

/** What {@link chooseThresholds} found. */
export class Thresholds {
  /** Names of the labels. */
  readonly labels: readonly string[];
  /** The threshold of each label; where all have the same, it stands for each. */
  readonly values: readonly number[];
  /** What was made largest. */
  readonly by: "f1" | "accuracy";
  /** It, at these thresholds. */
  readonly score: number;
  /** It, at the thresholds that the loss had. */
  readonly before: number;
  /** Labels that no item of the set has: their thresholds could not be chosen by F1, and are those that the loss had. */
  readonly untold: readonly string[];
  readonly #told: Told;
  readonly #perLabel: boolean;

  /** Takes what was found; `chooseThresholds` does. */
  constructor(
    found: Pick<Thresholds, "labels" | "values" | "by" | "score" | "before" | "untold">,
    told: Told,
    perLabel: boolean,
  ) {
    this.labels = found.labels;
    this.values = found.values;
    this.by = found.by;
    this.score = found.score;
    this.before = found.before;
    this.untold = found.untold;
    this.#told = told;
    this.#perLabel = perLabel;
  }

  /**
   * The score over the threshold, with what was chosen: of each label where they are up to 8, else the mean over labels, with
   * all thresholds alike.
   */
  plot(options: { readonly title?: string } = {}): Figure {
    const { title = "Thresholds" } = checkOptions("plot thresholds", options, { title: text });
    const { labels, values, by } = this, told = this.#told;
    const apart = this.#perLabel && labels.length > 1 && labels.length <= MOST_CURVES;
    const columns = apart ? labels.map((_, c) => c) : [null];
    const at = (c: number | null, t: number) =>
      c === null ? scoreOf(told, new Array<number>(told.width).fill(t), by) : scoreOfLabel(told, c, t, by);
    const lines = Object.fromEntries(
      columns.map((c) => [c === null ? by : labels[c], { x: GRID, y: GRID.map((t) => at(c, t)) }]),
    );
    const chosen = apart || !this.#perLabel || labels.length === 1
      ? columns.map((c) => ({
        name: c === null ? "chosen" : "",
        x: values[c ?? 0],
        y: at(c, values[c ?? 0]),
      }))
      : [];
    const rules = chosen.length === 0 ? [...new Set(values)] : [];
    return plotLines(lines, { title, xLabel: "threshold", yLabel: by, markers: chosen, rules });
  }
}

/**
 * Chooses on the validation set above which probability a label is given, so that F1 or accuracy there is largest, and has
 * the learner's loss decide by it: `predict`, `getPreds` with decisions and exports do. Any threshold between two
 * neighbouring probabilities decides alike; theirs is the middle, and of equally good places the one nearest to 0.5. A score
 * on the set that thresholds were chosen on is a little too good; metrics such as `accuracyMulti` have a `thresh` of their own.
 *
 * @throws ConfigError Where the loss is no `BCEWithLogitsLoss`.
 * @throws DataError Where there are no items, or probabilities that are no numbers.
 * @example
 * ```ts ignore
 * const found = await chooseThresholds(learn);
 * console.log(found.values, found.score); // one for each label, and the F1 they give
 * console.log((await learn.predict("photo.jpg")).labels);
 * ```
 */
export async function chooseThresholds<M extends Model>(
  learn: TrainLoop<M>,
  options: ThresholdOptions = {},
): Promise<Thresholds> {
  return await inTurn(learn, "getPreds", async () => {
    const { chooseThresholds } = await import("./later.ts"); // code that training does without
    return await chooseThresholds(learn, options);
  });
}

/** The harmonic mean of precision and recall; 0 where nothing was found. */
export const f1: (counts: Counts) => number = fbetaOf(1);

function scoreOfLabel({ n, width, probs, given }: Told, c: number, thresh: number, by: "f1" | "accuracy"): number {
  const counts = { tp: 0, fp: 0, fn: 0 };
  for (let i = c; i < n * width; i += width) {
    const yes = probs[i] > thresh;
    if (yes && given[i] === 1) counts.tp++;
    else if (yes) counts.fp++;
    else if (given[i] === 1) counts.fn++;
  }
  return by === "f1" ? f1(counts) : (n - counts.fp - counts.fn) / n;
}

/** The mean of the labels' scores. */
export function scoreOf(told: Told, values: readonly number[], by: "f1" | "accuracy"): number {
  return values.reduce((sum, t, c) => sum + scoreOfLabel(told, c, t, by), 0) / values.length;
}
