/**
 * What a learner makes of its validation set.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { classesOf } from "../fit/predict.ts";
import { getPreds } from "../fit/get_preds.ts";
import { readAll } from "../tensor/mod.ts";
import type { Model, TrainLoop } from "../train/mod.ts";
import { aLearner } from "./a_learner.ts";
import type { Parts } from "./interpretation.ts";

/** Predicts the validation set of `learn`; see `Interpretation.fromLearner`. */
export async function judge<M extends Model>(learn: TrainLoop<M>): Promise<Parts> {
  const loop = aLearner("interpret a learner", learn);
  const { preds, decoded, targs, losses } = await getPreds(loop, { withLoss: true, withDecoded: true });
  const n = preds.shape[0];
  if (n === 0 || losses === undefined || decoded === undefined) {
    throw new DataError("Cannot interpret this learner: it has no validation items");
  }
  const known = classesOf(loop.dls), width = targs.size / n;
  // one logit an item tells class 1 from class 0
  const logit = decoded.dtype === "bool" && decoded.size === n && width === 1 &&
    (known === null || known.length === 2);
  const one = logit || decoded.dtype === "i32" && decoded.shape.length === 1 && targs.dtype === "i32";
  const several = !one && known !== null && width === known.length && decoded.size === targs.size;
  if (!one && !several && (known !== null || preds.size !== targs.size || targs.dtype !== "f32")) {
    throw new ConfigError(
      `Cannot interpret this learner: predictions are classes or as many numbers as targets, got predictions of ` +
        `[${preds.shape.join(", ")}] and targets of [${targs.shape.join(", ")}]; masks have SegmentationInterpretation`,
    );
  }
  const [got, want, loss] = (await readAll([decoded, targs, losses])).map((t) => Float64Array.from(t, Number));
  const classes = !logit && preds.shape.length === 2 ? preds.shape[1] : 2;
  return {
    kind: one ? "class" : several ? "classes" : "numbers",
    width,
    vocab: known ?? Array.from({ length: one ? classes : 0 }, (_, c) => c),
    decided: got,
    targets: want,
    losses: loss,
    items: (at) => loop.dls.validItems(at),
  };
}
