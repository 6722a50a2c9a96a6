/**
 * The learner: a model, its data, its optimizer, and the policies that train it.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { MixedPrecision, type MixedPrecisionOptions } from "../callbacks/mixed_precision.ts";
import type { DistributedOptions } from "../distrib/mod.ts";
import { lateParts, type MetricValue, type Model, TrainLoop } from "../train/mod.ts";
import { inTurn } from "../train/runs.ts";
import type { ExportHubOptions } from "../fit/export_hub.ts";
import type { LearnerOnnxOptions } from "../fit/export_onnx.ts";
import { fineTune, type FineTuneOptions } from "../fit/fine_tune.ts";
import { fit, type FitOptions } from "../fit/fit.ts";
import { fitFlatCos, type FlatCosOptions } from "../fit/flat_cos.ts";
import { freeze, freezeTo, unfreeze } from "../fit/freeze.ts";
import { getPreds, type GetPredsOptions, type Preds } from "../fit/get_preds.ts";
import { lrFind, type LrFindOptions, type LrFindResult } from "../fit/lr_find.ts";
import { fitOneCycle, type OneCycleOptions } from "../fit/one_cycle.ts";
import { predict, type PredictInput, type Prediction } from "../fit/predict.ts";
import type { LoadOptions, ModelReport, SaveOptions } from "../fit/save.ts";
import type { SavePredsOptions } from "../fit/save_preds.ts";
import { fitSgdr, type SgdrOptions } from "../fit/sgdr.ts";
import { validate, type ValidateOptions } from "../fit/validate.ts";
import { exportHub, exportLearner, savePreds } from "../fit/written.ts";

/**
 * Trains a model on data. Every policy is also a free function that takes the learner first.
 *
 * @example
 * ```ts ignore
 * const learn = new Learner(dls, model, { lossFunc: new nn.CrossEntropyLoss(), metrics: [accuracy] });
 * await learn.fitOneCycle(3, { lrMax: 1e-2 });
 * console.log(learn.recorder.rows.at(-1));
 * ```
 */
export class Learner<M extends Model = Model> extends TrainLoop<M> {
  /** See {@link fit}. */
  fit(nEpoch: number, options: FitOptions = {}): Promise<void> {
    return fit(this, nEpoch, options);
  }

  /** See {@link fitOneCycle}. */
  fitOneCycle(nEpoch: number, options: OneCycleOptions = {}): Promise<void> {
    return fitOneCycle(this, nEpoch, options);
  }

  /** See {@link fitFlatCos}. */
  fitFlatCos(nEpoch: number, options: FlatCosOptions = {}): Promise<void> {
    return fitFlatCos(this, nEpoch, options);
  }

  /** See {@link fitSgdr}. */
  fitSgdr(nCycles: number, cycleLen: number, options: SgdrOptions = {}): Promise<void> {
    return fitSgdr(this, nCycles, cycleLen, options);
  }

  /** See {@link fineTune}. */
  fineTune(nEpoch: number, options: FineTuneOptions = {}): Promise<void> {
    return fineTune(this, nEpoch, options);
  }

  /** See {@link lrFind}. */
  lrFind(options: LrFindOptions = {}): Promise<LrFindResult> {
    return lrFind(this, options);
  }

  /** See {@link validate}. */
  validate(options: ValidateOptions = {}): Promise<readonly MetricValue[]> {
    return validate(this, options);
  }

  /** See {@link getPreds}. */
  getPreds(options: GetPredsOptions = {}): Promise<Preds> {
    return getPreds(this, options);
  }

  /** See {@link savePreds}. */
  savePreds(path: string, options: SavePredsOptions = {}): Promise<void> {
    return savePreds(this, path, options);
  }

  /** See {@link predict}. */
  predict(...item: PredictInput[]): Promise<Prediction> {
    return predict(this, ...item);
  }

  /**
   * Adds a {@link DistributedTrainer}: the model trains in all processes that MPI's launcher started, each with its part
   * of every batch. In a process started alone nothing changes.
   */
  distributed(options: DistributedOptions = {}): this {
    const { distributed } = lateParts;
    if (distributed === null) {
      throw new ConfigError(
        'Cannot train in several processes: that part is not loaded, import "@anneal/anneal/distrib"',
      );
    }
    return this.addCb(distributed(options));
  }

  /**
   * Trains in half precision: adds a {@link MixedPrecision}, in place of one that is there.
   *
   * @param options Those of {@link MixedPrecision}.
   */
  toFp16(options: MixedPrecisionOptions = {}): this {
    const mixed = new MixedPrecision(options);
    return this.toFp32().addCb(mixed);
  }

  /** Trains in f32 again: takes the {@link MixedPrecision} away. */
  toFp32(): this {
    return this.findCb(MixedPrecision) === null ? this : this.removeCb(MixedPrecision);
  }

  /** See {@link summary}. */
  async summary(): Promise<string> {
    const { summary } = await import("../fit/later.ts"); // code that many scripts do without
    return await summary(this);
  }

  /** See {@link save}. */
  async save(file: string, options: SaveOptions = {}): Promise<string> {
    return await inTurn(this, "save", async () => {
      const { save } = await import("../fit/later.ts");
      return await save(this, file, options);
    });
  }

  /** See {@link load}. */
  async load(file: string, options: LoadOptions = {}): Promise<ModelReport> {
    return await inTurn(this, "load", async () => {
      const { load } = await import("../fit/later.ts");
      return await load(this, file, options);
    });
  }

  /** See {@link exportLearner}. */
  export(file: string = "export", options: LearnerOnnxOptions = {}): Promise<string> {
    return exportLearner(this, file, options);
  }

  /** See {@link exportHub}. */
  exportHub(folder: string, options: ExportHubOptions = {}): Promise<readonly string[]> {
    return exportHub(this, folder, options);
  }

  /** See {@link freeze}. */
  freeze(): void {
    freeze(this);
  }

  /** See {@link freezeTo}. */
  freezeTo(n: number): void {
    freezeTo(this, n);
  }

  /** See {@link unfreeze}. */
  unfreeze(): void {
    unfreeze(this);
  }
}
