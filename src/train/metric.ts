/**
 * What a metric is.
 *
 * @module
 */
import { refuseArguments } from "../base/options.ts";
import type { SavedState, StateDict } from "../io/state_dict.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { Handled } from "./events.ts";
import { snakeCase } from "./names.ts";
import type { Peers } from "./peers.ts";
import type { ScalarHistory } from "./scalar_history.ts";
import type { MetricSource } from "./metric_source.ts";

/** A metric's value; null where there was no data. */
export type MetricValue = number | null;

/** A number computed over a whole set, batch by batch. */
export abstract class Metric {
  /** Name in the recorder's rows; by default the class's without "Metric", in snake_case. */
  readonly name: string = snakeCase(this.constructor.name.replace(/(?<=.)Metric$/, ""));
  /** Numbers that gather on the device: the recorder brings those of all metrics to the host in one round trip. */
  readonly histories: readonly ScalarHistory[] = [];

  /** Takes no arguments: a class whose constructor does has one of its own, which gives none of them on. */
  constructor(...none: never[]) {
    refuseArguments(this, none);
  }

  /** Forgets what was accumulated. */
  abstract reset(): void;

  /**
   * Refuses a learner for which the number could mean nothing. Called at the first training batch of a fit, when
   * `learn.batch` has predictions and targets; this implementation takes everything.
   *
   * @throws ConfigError or ShapeError that names the metric and what does not fit.
   */
  check(_learn: MetricSource): void {}

  /** Takes in a batch: `learn.pred`, `learn.yb`, `learn.loss`. Reads nothing back if it can. */
  abstract accumulate(learn: MetricSource): Handled;

  /**
   * In a run of several processes: takes in what the others accumulated, so that `value` is the whole set's in each.
   * False, as here, where that is not known how: the processes' values are averaged then, by their numbers of items.
   */
  gather(_peers: Peers): Promise<boolean> {
    return Promise.resolve(false);
  }

  /**
   * What was accumulated, for checkpoints in the middle of an epoch with `trainMetrics`; null where a metric cannot tell:
   * those checkpoints then wait for the end of the epoch.
   */
  stateDict(): StateDict | null | Promise<StateDict | null> {
    return null;
  }

  /** Goes on from what {@link Metric.stateDict} gave. */
  loadStateDict(_state: SavedState): Handled {}

  /** The value over what was accumulated. A field or a getter; a promise is waited for. */
  abstract readonly value: MetricValue | Promise<MetricValue>;
}

/**
 * A metric as a function of the prediction and the targets of a batch, giving one number: averaged over the set. A tensor of
 * one number costs no read; a plain number, or a promise of either, is taken too.
 */
export type MetricFunc = (pred: Tensor, ...yb: Tensor[]) => Tensor | number | Promise<Tensor | number>;

/** A metric, the class of one that needs no arguments, or a function. */
export type MetricLike = Metric | (new () => Metric) | MetricFunc;
