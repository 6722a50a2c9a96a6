/**
 * Metrics that are computed on the host from everything a set gave.
 *
 * @module
 */
import { sizeOf } from "../../base/shape.ts";
import type { SavedState, StateDict } from "../../io/state_dict.ts";
import { readAll, type Tensor } from "../../tensor/mod.ts";
import { gatherRows } from "../join_rows.ts";
import { Metric, type MetricValue } from "../metric.ts";
import type { Peers } from "../peers.ts";
import { inDataUnit } from "../target_scale.ts";
import type { MetricSource } from "../metric_source.ts";
import { orNaN } from "./task.ts";

/** All predictions, or all targets, of a set: rows of `width` numbers, one after the other. */
export interface Rows {
  /** The numbers, row by row. */
  readonly data: Float64Array;
  /** Numbers in a row. */
  readonly width: number;
}

/** Keeps what {@link WholeSet.prepare} makes of each batch on the device, and reads all of it when the set is done. */
export abstract class WholeSet extends Metric {
  #preds: Tensor[] = [];
  #targs: Tensor[] = [];

  /** A batch's predictions as `prepare` takes them; those of the model. */
  protected logits(_learn: MetricSource, pred: Tensor): Tensor {
    return pred;
  }

  /** What is kept of a batch's predictions. A NaN among them makes the value NaN. */
  protected abstract prepare(pred: Tensor): Tensor;

  /** The value, of all predictions and all targets. */
  protected abstract compute(pred: Rows, targ: Rows): number;

  /** Forgets what was accumulated. */
  override reset(): void {
    for (const t of [...this.#preds, ...this.#targs]) t.dispose();
    this.#preds = [];
    this.#targs = [];
  }

  /** Takes in a batch. */
  override accumulate(learn: MetricSource): void {
    const { pred, yb } = learn.batch;
    // copies: what the batch leaves behind is not this metric's to keep
    const p = this.logits(learn, inDataUnit(learn, pred ?? learn.pred));
    this.#preds.push(orNaN(this.prepare(p), p).detach().keep());
    this.#targs.push(inDataUnit(learn, (yb ?? learn.yb)[0]).detach().keep());
  }

  /** Takes in the rows of all processes, in the order of the set. */
  override async gather(peers: Peers): Promise<boolean> {
    if (this.#preds.length === 0) return true;
    const preds = await gatherRows(peers, this.#preds), targs = await gatherRows(peers, this.#targs);
    this.reset();
    this.#preds = [preds];
    this.#targs = [targs];
    return true;
  }

  /** What each batch gave. */
  override stateDict(): StateDict {
    return { parts: this.#preds.map((pred, i) => ({ pred, targ: this.#targs[i] })) };
  }

  /** See `Metric`. */
  override loadStateDict(state: SavedState): void {
    this.reset();
    const parts = state.states("parts");
    this.#preds = parts.map((p) => p.tensor("pred"));
    this.#targs = parts.map((p) => p.tensor("targ"));
  }

  /** The value over what was accumulated; read from the device now. */
  override get value(): MetricValue | Promise<MetricValue> {
    return this.#preds.length === 0 ? null : this.#read();
  }

  async #read(): Promise<number> {
    const values = await readAll([...this.#preds, ...this.#targs]);
    const n = this.#preds.length;
    const pred = join(values.slice(0, n), this.#preds[0]), targ = join(values.slice(n), this.#targs[0]);
    if (pred.data.some(Number.isNaN) || targ.data.some(Number.isNaN)) return NaN;
    return this.compute(pred, targ);
  }
}

function join(parts: readonly ArrayLike<number>[], like: Tensor): Rows {
  const data = new Float64Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return { data, width: sizeOf(like.shape.slice(1)) };
}
