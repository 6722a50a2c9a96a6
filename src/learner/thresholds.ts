/**
 * Above which probability a label is given, where an item may have several.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { checkArgument, checkOptions, flag, oneOf, type OptionTable, other, text } from "../base/options.ts";
import { type Batch, DataLoader } from "../data/mod.ts";
import { getPreds } from "../fit/get_preds.ts";
import { classesOf } from "../fit/predict.ts";
import { BCEWithLogitsLoss } from "../nn/mod.ts";
import { type Figure, plotLines } from "../plot/mod.ts";
import { readAll } from "../tensor/mod.ts";
import { type Model, TrainLoop } from "../train/mod.ts";

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

const OPTIONS: OptionTable<ThresholdOptions> = {
  by: oneOf("f1", "accuracy"),
  perLabel: flag,
  apply: flag,
  dl: other("a DataLoader", (v) => v instanceof DataLoader),
};

const A_LEARNER = other<TrainLoop>("a Learner", (v) => v instanceof TrainLoop);

/** Probabilities of a set, and which labels items have, `[items, labels]`. */
interface Told {
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
  const { by = "f1", perLabel = true, apply = true, dl } = checkOptions("choose thresholds", options, OPTIONS);
  checkArgument("choose thresholds", "learn", learn as TrainLoop, A_LEARNER);
  const { lossFunc } = learn;
  if (!(lossFunc instanceof BCEWithLogitsLoss)) {
    const name = typeof lossFunc === "function" ? "a function" : lossFunc.constructor.name;
    throw new ConfigError(
      `Cannot choose thresholds: labels are decided by the thresholds of BCEWithLogitsLoss, this learner has ${name}`,
    );
  }
  const told = await tellOf(learn as unknown as TrainLoop, dl), { width } = told;
  const known = classesOf(learn.dls);
  const labels = Array.from({ length: width }, (_, c) => String(known?.length === width ? known[c] : c));
  const { thresh } = lossFunc, own = (c: number) => typeof thresh === "number" ? thresh : thresh[c] ?? 0.5;
  const untold = labels.filter((_, c) => by === "f1" && !some(told, c));
  const values = perLabel
    ? labels.map((_, c) => untold.includes(labels[c]) ? own(c) : best(told, [c], by))
    : new Array<number>(width).fill(untold.length === width ? own(0) : best(told, labels.map((_, c) => c), by));
  const score = scoreOf(told, values, by), before = scoreOf(told, labels.map((_, c) => own(c)), by);
  if (apply) learn.lossFunc = lossFunc.withThresh(perLabel && width > 1 ? values : values[0]);
  return new Thresholds({ labels, values, by, score, before, untold }, told, perLabel);
}

async function tellOf(learn: TrainLoop, dl: DataLoader<Batch> | undefined): Promise<Told> {
  const { preds, targs } = await getPreds(learn, dl === undefined ? {} : { dl });
  const n = preds.shape[0], width = n === 0 ? 0 : preds.size / n;
  if (n === 0) throw new DataError("Cannot choose thresholds: there are no items to choose them on");
  if (targs.size !== preds.size) {
    throw new DataError("Cannot choose thresholds: the items have no labels, or not as many as predictions");
  }
  const [p, t] = await readAll([preds, targs]), probs = Float64Array.from(p, Number);
  const odd = probs.findIndex((v) => Number.isNaN(v));
  if (odd >= 0) {
    throw new DataError(`Cannot choose thresholds: the prediction for item ${Math.floor(odd / width)} is no number`);
  }
  return { n, width, probs, given: Uint8Array.from(t, (v) => Number(v) > 0.5 ? 1 : 0) };
}

function some({ n, width, given }: Told, c: number): boolean {
  for (let i = 0; i < n; i++) if (given[i * width + c] === 1) return true;
  return false;
}

/** Right and wrong decisions of one label. */
interface Counts {
  tp: number;
  fp: number;
  fn: number;
}

function f1({ tp, fp, fn }: Counts): number {
  return tp === 0 ? 0 : 2 * tp / (2 * tp + fp + fn);
}

/** The threshold for these labels together at which their score is largest. */
function best({ n, width, probs, given }: Told, labels: readonly number[], by: "f1" | "accuracy"): number {
  // from above all probabilities downwards: at each step the decisions for one probability change
  const counts = new Map(labels.map((c): [number, Counts] => {
    let fn = 0;
    for (let i = 0; i < n; i++) fn += given[i * width + c];
    return [c, { tp: 0, fp: 0, fn }];
  }));
  let right = labels.length * n - [...counts.values()].reduce((sum, { fn }) => sum + fn, 0), sum = 0;
  const at = labels.flatMap((c) => Array.from({ length: n }, (_, i) => i * width + c));
  at.sort((a, b) => probs[b] - probs[a]);
  let top = -Infinity, found = 0.5;
  const consider = (high: number, low: number) => {
    const score = by === "f1" ? sum : right, thresh = between(low, high);
    if (score < top - 1e-12 || score <= top + 1e-12 && Math.abs(thresh - 0.5) >= Math.abs(found - 0.5)) return;
    top = Math.max(top, score);
    found = thresh;
  };
  consider(1, probs[at[0]]);
  for (let k = 0; k < at.length;) {
    const p = probs[at[k]];
    for (; k < at.length && probs[at[k]] === p; k++) {
      const own = counts.get(at[k] % width)!;
      sum -= f1(own);
      if (given[at[k]] === 1) {
        own.tp++;
        own.fn--;
        right++;
      } else {
        own.fp++;
        right--;
      }
      sum += f1(own);
    }
    if (k < at.length || p > 0) consider(p, k < at.length ? probs[at[k]] : 0);
  }
  return found;
}

/** A number that `high` is above and `low` is not, as f32 compares them. */
function between(low: number, high: number): number {
  const middle = Math.fround((low + high) / 2);
  return middle < high ? Math.max(middle, low) : low;
}

function scoreOfLabel({ n, width, probs, given }: Told, c: number, thresh: number, by: "f1" | "accuracy"): number {
  const counts: Counts = { tp: 0, fp: 0, fn: 0 };
  for (let i = c; i < n * width; i += width) {
    const yes = probs[i] > thresh;
    if (yes && given[i] === 1) counts.tp++;
    else if (yes) counts.fp++;
    else if (given[i] === 1) counts.fn++;
  }
  return by === "f1" ? f1(counts) : (n - counts.fp - counts.fn) / n;
}

/** The mean of the labels' scores. */
function scoreOf(told: Told, values: readonly number[], by: "f1" | "accuracy"): number {
  return values.reduce((sum, t, c) => sum + scoreOfLabel(told, c, t, by), 0) / values.length;
}
