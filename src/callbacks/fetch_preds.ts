/**
 * Predictions after every epoch.
 *
 * @module
 */
import { checkOptions } from "../base/options.ts";
import { GET_PREDS, getPreds, type GetPredsOptions, type Preds } from "../fit/get_preds.ts";
import { Callback } from "../train/mod.ts";

/** Computes predictions after each validation, without the callbacks that watch the fit. */
export class FetchPreds extends Callback {
  /** The predictions of the last epoch; null before the first. */
  preds: Preds | null = null;
  readonly #options: GetPredsOptions;

  /**
   * Makes a FetchPreds.
   *
   * @param options As of `getPreds`.
   */
  constructor(options: GetPredsOptions = {}) {
    super();
    this.#options = checkOptions("make FetchPreds", options, GET_PREDS);
  }

  /** See `Callback.afterValidate`. */
  override async afterValidate(): Promise<void> {
    const { phase } = this.learn;
    if (phase === "predict" || phase === "probe") return; // its own pass is a validation too
    this.preds = await getPreds(this.learn, this.#options);
  }
}
