/**
 * How thresholds are chosen.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, flag, oneOf, type OptionTable, other } from "../base/options.ts";
import { type Batch, DataLoader } from "../data/mod.ts";
import { getPreds } from "../fit/get_preds.ts";
import { classesOf } from "../fit/predict.ts";
import { BCEWithLogitsLoss } from "../nn/mod.ts";
import { readAll } from "../tensor/mod.ts";
import type { Model, TrainLoop } from "../train/mod.ts";
import { aLearner } from "./a_learner.ts";
import { f1, scoreOf, type ThresholdOptions, Thresholds, type Told } from "./thresholds.ts";

const OPTIONS: OptionTable<ThresholdOptions> = {
  by: oneOf("f1", "accuracy"),
  perLabel: flag,
  apply: flag,
  dl: other("a DataLoader", (v) => v instanceof DataLoader),
};

/** See `chooseThresholds` of thresholds.ts. */
export async function chooseThresholds<M extends Model>(
  learn: TrainLoop<M>,
  options: ThresholdOptions = {},
): Promise<Thresholds> {
  const { by = "f1", perLabel = true, apply = true, dl } = checkOptions("choose thresholds", options, OPTIONS);
  const loop = aLearner("choose thresholds", learn), { lossFunc } = loop;
  if (!(lossFunc instanceof BCEWithLogitsLoss)) {
    const name = typeof lossFunc === "function" ? "a function" : lossFunc.constructor.name;
    throw new ConfigError(
      `Cannot choose thresholds: labels are decided by the thresholds of BCEWithLogitsLoss, this learner has ${name}`,
    );
  }
  const told = await tellOf(loop, dl), { width } = told, known = classesOf(loop.dls);
  const labels = Array.from({ length: width }, (_, c) => String(known?.length === width ? known[c] : c));
  const { thresh } = lossFunc, own = (c: number) => typeof thresh === "number" ? thresh : thresh[c] ?? 0.5;
  const untold = labels.filter((_, c) => by === "f1" && !some(told, c));
  const values = perLabel
    ? labels.map((_, c) => untold.includes(labels[c]) ? own(c) : best(told, [c], by))
    : new Array<number>(width).fill(untold.length === width ? own(0) : best(told, labels.map((_, c) => c), by));
  const score = scoreOf(told, values, by), before = scoreOf(told, labels.map((_, c) => own(c)), by);
  if (apply) loop.lossFunc = lossFunc.withThresh(perLabel && width > 1 ? values : values[0]);
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

/** The threshold for these labels together at which their score is largest. */
function best({ n, width, probs, given }: Told, labels: readonly number[], by: "f1" | "accuracy"): number {
  // from above all probabilities downwards: at each step the decisions for one probability change
  const counts = new Map<number, { tp: number; fp: number; fn: number }>();
  for (const c of labels) {
    let fn = 0;
    for (let i = 0; i < n; i++) fn += given[i * width + c];
    counts.set(c, { tp: 0, fp: 0, fn });
  }
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
