/**
 * Learners for tables and for ratings.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkArgument, checkOptions, flag, instanceOf, num, nums, type OptionTable, other } from "../base/options.ts";
import { withoutUndefined } from "../base/without_undefined.ts";
import { type Batch, type DataLoaders, TabularDataLoaders } from "../data/mod.ts";
import {
  CrossEntropyLoss,
  EmbeddingDotBias,
  EmbeddingNN,
  MSELoss,
  TabularModel,
  type TabularModelOptions,
} from "../nn/mod.ts";
import { learnerOptions, type TrainLoopOptions } from "../train/mod.ts";
import { Learner } from "./learner.ts";

/** Options of {@link tabularLearner}: those of the learner and of the model. */
export interface TabularLearnerOptions extends TrainLoopOptions<TabularModel>, TabularModelOptions {
  /** Outputs; the number of the target's classes, or 1 for a number, by default. */
  readonly nOut?: number;
}

const tabularOptions = (): OptionTable<TabularLearnerOptions> => ({
  ...learnerOptions<TabularModel>(),
  layers: nums,
  dropout: num,
  embedDropout: num,
  nOut: num,
});

function aTable(what: string, dls: unknown): TabularDataLoaders {
  checkArgument(
    what,
    "dls",
    dls as TabularDataLoaders,
    instanceOf(TabularDataLoaders, "TabularDataLoaders, as DataLoaders.fromTable makes them"),
  );
  return dls as TabularDataLoaders;
}

/**
 * A learner for a table: a `TabularModel` of its columns; fastai's `tabular_learner`.
 *
 * @example
 * ```ts ignore
 * const learn = tabularLearner(await DataLoaders.fromCsv("adult.csv", { target: "salary" }), { metrics: [accuracy] });
 * await learn.fitOneCycle(3, { lrMax: 1e-2 });
 * ```
 */
export function tabularLearner(dls: TabularDataLoaders, options: TabularLearnerOptions = {}): Learner<TabularModel> {
  checkOptions("make a tabular learner", options, tabularOptions());
  const { layers, dropout, embedDropout, nOut, ...rest } = options;
  const { schema } = aTable("make a tabular learner", dls);
  const outputs = nOut ?? (schema.target.kind === "classify" ? schema.target.classes.length : 1);
  const model = new TabularModel(schema, outputs, withoutUndefined({ layers, dropout, embedDropout }));
  const lossFunc = schema.target.kind === "classify" ? new CrossEntropyLoss() : new MSELoss();
  return new Learner<TabularModel>(dls as unknown as DataLoaders<Batch>, model, { lossFunc, ...rest });
}

/** Options of {@link collabLearner}: those of the learner, and of the model. The defaults are fastai's. */
export interface CollabLearnerOptions extends TrainLoopOptions<EmbeddingDotBias | EmbeddingNN> {
  /** Numbers in a vector; 50 by default. */
  readonly nFactors?: number;
  /** Whether vectors go through layers ({@link EmbeddingNN}), not into a product; false by default. */
  readonly useNN?: boolean;
  /** Widths of these layers; [nFactors] by default. */
  readonly layers?: readonly number[];
  /** Range of the ratings, through a sigmoid: a little more than the ratings' own, such as [0, 5.5]; free by default. */
  readonly yRange?: readonly [low: number, high: number];
}

const collabOptions = (): OptionTable<CollabLearnerOptions> => ({
  ...learnerOptions<EmbeddingDotBias | EmbeddingNN>(),
  nFactors: num,
  useNN: flag,
  layers: nums,
  yRange: other("two numbers", (v) => nums.holds(v) && (v as readonly number[]).length === 2),
});

/**
 * A learner for ratings: vectors and biases of users and items; fastai's `collab_learner`.
 *
 * @param dls Loaders of ratings, as `CollabDataLoaders` makes them.
 * @example
 * ```ts ignore
 * const dls = await CollabDataLoaders.fromTable("ratings.csv", { user: "user", item: "movie", rating: "rating" });
 * const learn = collabLearner(dls, { nFactors: 50, yRange: [0, 5.5] });
 * await learn.fitOneCycle(5, { lrMax: 5e-3, wd: 0.1 });
 * ```
 */
export function collabLearner(
  dls: TabularDataLoaders,
  options: CollabLearnerOptions = {},
): Learner<EmbeddingDotBias | EmbeddingNN> {
  checkOptions("make a learner of ratings", options, collabOptions());
  const { nFactors = 50, useNN = false, layers, yRange, ...rest } = options;
  const { schema } = aTable("make a learner of ratings", dls);
  if (layers !== undefined && !useNN) {
    throw new ConfigError("Cannot make a learner of ratings with { layers }: they are of { useNN: true }");
  }
  const range = yRange === undefined ? {} : { yRange };
  const model = useNN
    ? new EmbeddingNN(schema, { layers: layers ?? [nFactors], ...range })
    : EmbeddingDotBias.fromSchema(nFactors, schema, range);
  const lossFunc = new MSELoss();
  return new Learner<EmbeddingDotBias | EmbeddingNN>(dls as unknown as DataLoaders<Batch>, model, {
    lossFunc,
    ...rest,
  });
}
