/**
 * Metrics that need the whole set at once.
 *
 * @module
 */
import { checkArgument, checkOptions, func, integer, num, oneOf, type OptionTable, text } from "../base/options.ts";
import type { SavedState, StateDict } from "../io/state_dict.ts";
import type { Tensor } from "../tensor/mod.ts";
import { oneNumber } from "./avg_metric.ts";
import { gatherRows, joinRows } from "./join_rows.ts";
import { Metric, type MetricFunc, type MetricValue } from "./metric.ts";
import { snakeCase } from "./names.ts";
import type { Peers } from "./peers.ts";
import { inDataUnit } from "./target_scale.ts";
import type { MetricSource } from "./metric_source.ts";

/** Options of {@link AccumMetric}. */
export interface AccumMetricOptions {
  /** Name in the rows; by default the function's. */
  readonly name?: string;
  /** Takes the index of the largest prediction along this axis first. */
  readonly argmaxAxis?: number;
  /** What makes probabilities of the predictions first. */
  readonly activation?: "none" | "sigmoid" | "softmax";
  /** Makes 1 of predictions at or above this, 0 of others, after the activation. */
  readonly thresh?: number;
}

const ACCUM_METRIC: OptionTable<AccumMetricOptions> = {
  name: text,
  argmaxAxis: integer,
  activation: oneOf("none", "sigmoid", "softmax"),
  thresh: num,
};

/** A function of all predictions and targets of a set at once. */
export class AccumMetric extends Metric {
  /** Name in rows and messages. */
  override readonly name: string;
  readonly #f: MetricFunc;
  readonly #options: AccumMetricOptions;
  #parts: Tensor[][] = [];

  /**
   * Makes an AccumMetric.
   *
   * @param f Gives one number for whole sets of predictions and targets, batches one after another along axis 0.
   */
  constructor(f: MetricFunc, options: AccumMetricOptions = {}) {
    super();
    checkOptions("make AccumMetric", options, ACCUM_METRIC);
    checkArgument("make AccumMetric", "f", f, func<MetricFunc>());
    this.#f = f;
    this.#options = options;
    const name = options.name ?? f.name;
    this.name = name === "" ? "metric" : snakeCase(name);
  }

  /** Forgets what was accumulated. */
  override reset(): void {
    for (const part of this.#parts) for (const t of part) t.dispose();
    this.#parts = [];
  }

  /** Takes in a batch. */
  override accumulate(learn: MetricSource): void {
    // copies: what the batch leaves behind is not this metric's to keep
    const { pred, yb } = learn.batch;
    const [own, ...targets] = [pred ?? learn.pred, ...yb ?? learn.yb].map((t) => inDataUnit(learn, t));
    const parts = [this.#prepare(own), ...targets, ...(this.#decides ? [rowsWithNaN(own)] : [])];
    this.#parts.push(parts.map((t) => t.detach().keep()));
  }

  /** What each batch gave. */
  override stateDict(): StateDict {
    return { parts: this.#parts.map((part) => Object.fromEntries(part.map((t, i) => [i, t]))) };
  }

  /** See `Metric`. */
  override loadStateDict(state: SavedState): void {
    this.reset();
    this.#parts = state.states("parts").map((part) => part.names.map((name) => part.tensor(name)));
  }

  /** Whether comparisons lose what is no number: which rows had it is then kept too. */
  get #decides(): boolean {
    return this.#options.argmaxAxis !== undefined || this.#options.thresh !== undefined;
  }

  #prepare(pred: Tensor): Tensor {
    const { argmaxAxis, activation = "none", thresh } = this.#options;
    let p = activation === "sigmoid" ? pred.sigmoid() : activation === "softmax" ? pred.softmax() : pred;
    if (argmaxAxis !== undefined) p = p.argmax({ axis: argmaxAxis });
    if (thresh !== undefined) p = p.ge(thresh);
    return p;
  }

  /** Takes in the rows of all processes, in the order of the set. */
  override async gather(peers: Peers): Promise<boolean> {
    if (this.#parts.length === 0) return true;
    const whole: Tensor[] = [];
    for (let i = 0; i < this.#parts[0].length; i++) {
      whole.push(await gatherRows(peers, this.#parts.map((part) => part[i])));
    }
    this.reset();
    this.#parts = [whole];
    return true;
  }

  /** The value over what was accumulated. */
  override get value(): MetricValue | Promise<MetricValue> {
    return this.#parts.length === 0 ? null : this.#compute();
  }

  async #compute(): Promise<number> {
    const whole: Tensor[] = [];
    for (let i = 0; i < this.#parts[0].length; i++) whole.push(await joinRows(this.#parts.map((part) => part[i])));
    if (this.#decides && (await whole.pop()!.max().item()) > 0) return NaN;
    const [pred, ...yb] = whole;
    return await oneNumber(await this.#f(pred, ...yb), this.name).item();
  }
}

/** 1 for each row that has a NaN, 0 for others; f32. */
function rowsWithNaN(pred: Tensor): Tensor {
  const odd = pred.ne(pred).cast("f32");
  return pred.rank < 2 ? odd : odd.reshape([pred.shape[0], -1]).max({ axis: 1 });
}
