/**
 * Metrics that are means over the items of a set.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkArgument, checkOptions, func, text } from "../base/options.ts";
import type { SavedState, StateDict } from "../io/state_dict.ts";
import { full, Tensor } from "../tensor/mod.ts";
import { Metric, type MetricFunc, type MetricValue } from "./metric.ts";
import { snakeCase } from "./names.ts";
import type { Peers } from "./peers.ts";
import { ScalarHistory } from "./scalar_history.ts";
import { Smooth } from "./smooth.ts";
import { inDataUnit, lossInDataUnit } from "./target_scale.ts";
import type { MetricSource } from "./metric_source.ts";

/** Number of items of the batch under way. */
export function batchSize(learn: MetricSource): number {
  const { xb, yb } = learn.batch;
  return (yb?.[0] ?? xb?.[0])?.shape[0] ?? 1;
}

/** What a metric's function gave, as a tensor; throws where it is no number. */
export function oneNumber(value: unknown, name: string): Tensor {
  if (value instanceof Tensor) return value;
  if (typeof value === "number") return full([], value);
  throw new ConfigError(
    `Cannot use the metric ${name}: it gives one number, as a tensor, which stays on the device, or a plain one, got ${
      typeof value === "object" ? value === null ? "null" : `a ${value.constructor?.name ?? "value"}` : String(value)
    }`,
  );
}

/** Base of metrics that keep one number a batch on the device, with a weight on the host. */
export abstract class GatheredMetric extends Metric {
  /** One number a batch. */
  protected readonly history: ScalarHistory = new ScalarHistory();
  /** See `Metric`. */
  override readonly histories: readonly ScalarHistory[] = [this.history];
  /** Items of each batch. */
  protected weights: number[] = [];

  /** Forgets what was accumulated. */
  override reset(): void {
    this.history.clear();
    this.weights = [];
  }

  /** Takes in a batch. */
  override accumulate(learn: MetricSource): void | Promise<void> {
    if (this.history.full) return ScalarHistory.drain([this.history]).then(() => this.#push(learn));
    return this.#push(learn);
  }

  #push(learn: MetricSource): void | Promise<void> {
    const value = this.ofBatch(learn), items = batchSize(learn);
    if (value instanceof Promise) return value.then((v) => this.#keep(v, items));
    this.#keep(value, items);
  }

  #keep(value: Tensor | number | null, items: number): void {
    if (value === null) return;
    this.history.push(oneNumber(value, this.name), `the metric ${this.name}`);
    this.weights.push(items);
  }

  /** Batch `i` becomes the mean over the batches `i` of all processes, by their numbers of items. */
  override async gather(peers: Peers): Promise<boolean> {
    await ScalarHistory.drain([this.history]);
    const mine = new Float64Array(2 * this.weights.length);
    if (!peers.idle) {
      this.weights.forEach((w, i) => {
        mine[2 * i] = this.history.values[i] * w;
        mine[2 * i + 1] = w;
      });
    }
    const all = await peers.sum(mine);
    this.reset();
    for (let i = 0; i < all.length; i += 2) {
      if (all[i + 1] === 0) continue;
      this.history.values.push(all[i] / all[i + 1]);
      this.weights.push(all[i + 1]);
    }
    return true;
  }

  /** Items that were taken in. */
  get items(): number {
    return this.weights.reduce((a, b) => a + b, 0);
  }

  /** Each batch's number and weight. */
  override async stateDict(): Promise<StateDict> {
    await ScalarHistory.drain([this.history]);
    return { values: this.history.values, weights: this.weights };
  }

  /** See `Metric`. */
  override loadStateDict(state: SavedState): void {
    this.reset();
    for (const v of state.numbers("values")) this.history.values.push(v);
    this.weights = state.numbers("weights");
  }

  /** The value over what was accumulated. */
  override get value(): MetricValue | Promise<MetricValue> {
    if (this.history.waiting > 0) return ScalarHistory.drain([this.history]).then(() => this.#result());
    return this.#result();
  }

  #result(): MetricValue {
    return this.weights.length === 0 ? null : this.combine(this.history.values, this.weights);
  }

  /** Whether no batch was taken in. */
  get empty(): boolean {
    return this.weights.length === 0;
  }

  /** The number of the batch under way; null leaves the batch out. */
  protected abstract ofBatch(learn: MetricSource): Tensor | number | null | Promise<Tensor | number>;

  /** The value, of each batch's number and number of items. */
  protected combine(values: readonly number[], weights: readonly number[]): number {
    let sum = 0, count = 0;
    for (let i = 0; i < weights.length; i++) {
      sum += values[i] * weights[i];
      count += weights[i];
    }
    return sum / count;
  }
}

/**
 * The mean of a function of `(pred, ...yb)` over a set, in the unit of the data: each batch counts by its number of items.
 */
export class AvgMetric extends GatheredMetric {
  /** Name in rows and messages. */
  override readonly name: string;
  readonly #f: MetricFunc;

  /**
   * Makes an AvgMetric.
   *
   * @param f Gives one number for a batch, its mean over the items.
   * @param options `name`: by default the function's, in snake_case.
   */
  constructor(f: MetricFunc, options: { readonly name?: string } = {}) {
    super();
    checkOptions("make AvgMetric", options, { name: text });
    checkArgument("make AvgMetric", "f", f, func<MetricFunc>());
    const { name = f.name } = options;
    this.#f = f;
    this.name = name === "" ? "metric" : snakeCase(name);
  }

  /** The batch's own number. */
  protected override ofBatch(learn: MetricSource): Tensor | number | Promise<Tensor | number> {
    const { pred, yb } = learn.batch;
    const targets = (yb ?? learn.yb).map((y) => inDataUnit(learn, y));
    return this.#f(inDataUnit(learn, pred ?? learn.pred), ...targets);
  }
}

/** The mean loss over a set, in the unit of the data. */
export class AvgLoss extends GatheredMetric {
  /** Name in rows and messages. */
  override readonly name: string = "loss";

  /** The batch's own number. */
  protected override ofBatch(learn: MetricSource): Tensor | null {
    const { loss } = learn.batch;
    return loss === null ? null : lossInDataUnit(learn, loss.mean());
  }
}

/** e to the power of the mean loss. */
export class Perplexity extends AvgLoss {
  /** Name in rows and messages. */
  override readonly name: string = "perplexity";

  /** The value, of the numbers of all batches. */
  protected override combine(values: readonly number[], weights: readonly number[]): number {
    return Math.exp(super.combine(values, weights));
  }
}

/** {@link Perplexity}, under fastai's name. */
export const perplexity: typeof Perplexity = Perplexity;

/** The debiased moving average of the batches' losses, as the recorder's `train_loss` is. */
export class AvgSmoothLoss extends AvgLoss {
  /** Name in rows and messages. */
  override readonly name: string = "smooth_loss";
  readonly #beta: number;

  /**
   * Makes an AvgSmoothLoss.
   *
   * @param beta Weight of the past.
   */
  constructor(beta: number = 0.98) {
    super();
    this.#beta = beta;
  }

  /** The value, of the numbers of all batches. */
  protected override combine(values: readonly number[]): number {
    const smooth = new Smooth(this.#beta);
    for (const v of values) smooth.push(v);
    return smooth.value;
  }
}
