/**
 * Dropout while predictions are made.
 *
 * @module
 */
import { checkOptions, type OptionTable, whole } from "../base/options.ts";
import type { Module } from "../nn/mod.ts";
import { defaultRng, Rng, type RngState } from "../tensor/mod.ts";
import { Callback } from "../train/mod.ts";

/** Options of {@link MCDropout}. */
export interface MCDropoutOptions {
  /** Seed of what is dropped; 0 by default. */
  readonly seed?: number;
}

const MC_DROPOUT: OptionTable<MCDropoutOptions> = { seed: whole(0) };

/**
 * Keeps dropout on while the model is evaluated, so that passes of predictions differ: how much says how unsure the model is
 * (Monte Carlo dropout). Layers whose class has "dropout" in its name, as in fastai. Each pass with one MCDropout drops
 * something else; another one with the same seed drops the same. Nothing that a fit draws changes.
 *
 * @example
 * ```ts ignore
 * const cbs = new MCDropout(), passes = [];
 * for (let i = 0; i < 10; i++) passes.push((await learn.getPreds({ cbs })).preds);
 * const spread = ops.stack(passes, { axis: 0 }).std({ axis: 0 }); // of the predictions' shape
 * ```
 * @see Gal & Ghahramani 2016, arXiv:1506.02142
 */
export class MCDropout extends Callback {
  readonly #seed: number;
  #passes = 0;
  /** Generators that layers draw from, and where they stood. */
  #before: { readonly rng: Rng; readonly state: RngState }[] = [];

  /** Takes the seed. */
  constructor(options: MCDropoutOptions = {}) {
    super();
    this.#seed = checkOptions("make MCDropout", options, MC_DROPOUT).seed ?? 0;
  }

  /** See `Callback.beforeValidate`. */
  override beforeValidate(): void {
    const { learn } = this, layers = this.#layers();
    // in fits by the epoch: a run that goes on drops what it would have dropped
    const own = new Rng(this.#seed + 2 ** 32 * (learn.running ? learn.epoch : 2 ** 20 + this.#passes++));
    const generators = new Set([defaultRng(), ...layers.flatMap((layer) => "rng" in layer ? [layer.rng] : [])]);
    this.#before = [...generators].filter((rng) => rng instanceof Rng).map((rng) => ({ rng, state: rng.state }));
    for (const { rng } of this.#before) rng.restore(own.fork().state);
    for (const layer of layers) layer.train();
  }

  /** See `Callback.afterCancelValidate`. */
  override afterCancelValidate(): void {
    this.afterValidate();
  }

  /** See `Callback.afterValidate`. */
  override afterValidate(): void {
    for (const layer of this.#layers()) layer.eval();
    for (const { rng, state } of this.#before.splice(0)) rng.restore(state);
  }

  #layers(): Module[] {
    return this.learn.model.modules().filter((layer) => /dropout/i.test(layer.constructor.name)) as Module[];
  }
}
