/**
 * Which columns of a table a model makes use of.
 *
 * @module
 */
import { checkOptions, text } from "../base/options.ts";
import type { TabularDataLoaders } from "../data/mod.ts";
import { type Figure, plotBars } from "../plot/mod.ts";
import type { Model, TrainLoop } from "../train/mod.ts";
import { inTurn } from "../train/runs.ts";

/** Options of {@link featureImportance}. */
export interface FeatureImportanceOptions {
  /** How often each column is shuffled; 5 by default. */
  readonly repeats?: number;
  /** Seed of the orders; 0 by default: the same numbers every time. */
  readonly seed?: number;
  /** What gets worse: "valid_loss", the default, or the name of one of the learner's metrics. */
  readonly metric?: string;
  /** Other rows to measure on, with targets; by default those of validation. */
  readonly dl?: TabularDataLoaders["valid"];
}

/** How much one column matters. */
export interface ColumnImportance {
  /** The column. */
  readonly name: string;
  /** How much worse the number is, on average, where the column's cells are shuffled; below 0 where it is better. */
  readonly mean: number;
  /** Deviation of the repeats (over n - 1); 0 of a single one. */
  readonly std: number;
  /** How much worse, repeat by repeat. */
  readonly values: readonly number[];
}

/** What {@link featureImportance} found. */
export class FeatureImportance {
  /** What was measured, such as "valid_loss". */
  readonly metric: string;
  /** It, with no column shuffled. */
  readonly base: number;
  /** The columns, what matters most first. */
  readonly columns: readonly ColumnImportance[];

  /** Takes what was measured. */
  constructor(metric: string, base: number, columns: readonly ColumnImportance[]) {
    this.metric = metric;
    this.base = base;
    this.columns = columns;
  }

  /** A bar for each column, with whiskers of one deviation. */
  plot(options: { readonly title?: string } = {}): Figure {
    const { title = "Importance of columns" } = checkOptions("plot importance", options, { title: text });
    const by = (pick: (c: ColumnImportance) => number) =>
      Object.fromEntries(this.columns.map((c) => [c.name, pick(c)]));
    const xLabel = `${this.metric} gets worse by, shuffled`;
    return plotBars(by((c) => c.mean), { errors: by((c) => c.std), title, xLabel });
  }
}

/**
 * How much worse a table's learner gets where the cells of one column change places among the rows (Breiman 2001,
 * doi:10.1023/A:1010933404324, section 10): the model is not trained again. A column of numbers is shuffled together with
 * what says which were missing. Of columns that tell the same, such as a date and its year, each may seem to matter little.
 *
 * @example
 * ```ts ignore
 * const importance = await featureImportance(learn, { metric: "accuracy" });
 * console.log(importance.columns[0]); // { name: "age", mean: 0.08, std: 0.004, values: [ … ] }
 * await importance.plot().save("importance.png");
 * ```
 */
export async function featureImportance<M extends Model>(
  learn: TrainLoop<M>,
  options: FeatureImportanceOptions = {},
): Promise<FeatureImportance> {
  return await inTurn(learn, "validate", async () => {
    const { featureImportance } = await import("./later.ts"); // code that training does without
    return await featureImportance(learn, options);
  });
}
