/**
 * How the importance of columns is measured.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, type OptionTable, other, text, whole } from "../base/options.ts";
import { type Batch, DataLoader, type EncodedRows, gatherRowsOf, TabularDataLoaders } from "../data/mod.ts";
import { validate } from "../fit/validate.ts";
import { Rng, tensor } from "../tensor/mod.ts";
import { type Model, smallerIsBetter, type TrainLoop } from "../train/mod.ts";
import { aLearner } from "./a_learner.ts";
import { type ColumnImportance, FeatureImportance, type FeatureImportanceOptions } from "./feature_importance.ts";

const OPTIONS: OptionTable<FeatureImportanceOptions> = {
  repeats: whole(1),
  seed: whole(0),
  metric: text,
  dl: other("a DataLoader of rows", (v) => v instanceof DataLoader),
};

/** See `featureImportance` of feature_importance.ts. */
export async function featureImportance<M extends Model>(
  learn: TrainLoop<M>,
  options: FeatureImportanceOptions = {},
): Promise<FeatureImportance> {
  const { repeats = 5, seed = 0, metric = "valid_loss", dl } = checkOptions("measure importance", options, OPTIONS);
  const loop = aLearner("measure importance", learn), dls: unknown = loop.dls;
  if (!(dls instanceof TabularDataLoaders)) {
    throw new ConfigError("Cannot measure importance: the learner is of no table, as tabularLearner makes it");
  }
  const names = ["valid_loss", ...loop.metrics.map(({ name }) => name)], place = names.indexOf(metric);
  if (place < 0) {
    throw new ConfigError(`Cannot measure importance by ${metric}: the learner has ${names.join(", ")}`);
  }
  const { schema } = dls, from = dl ?? dls.valid, rows = await gatherRowsOf(from), n = rows.targets.length;
  if (n === 0) throw new DataError("Cannot measure importance: there are no rows to measure on");
  const { numeric, categorical } = schema;
  const measure = async ({ words, numbers }: EncodedRows): Promise<number> => {
    const columns = [
      { tensor: tensor(words, { shape: [n, categorical.length] }) },
      { tensor: tensor(numbers, { shape: [n, numeric.length] }) },
      { tensor: tensor(rows.targets, { shape: [n] }) },
    ];
    const values = await validate(loop, { dl: new DataLoader<Batch>({ columns, bs: from.bs, seed: 0 }) });
    return values[place] ?? NaN;
  };
  const sign = smallerIsBetter(metric) ? 1 : -1, rng = new Rng(seed);
  return await loop.noLogging(async () => {
    const base = await measure(rows), found: ColumnImportance[] = [];
    const inputs = categorical.filter(({ marks }) => marks === undefined);
    for (const { name } of [...inputs, ...numeric]) {
      const ofWords = categorical.flatMap((c, i) => (c.marks ?? c.name) === name ? [i] : []);
      const ofNumbers = numeric.flatMap((c, i) => c.name === name ? [i] : []), values: number[] = [];
      for (let k = 0; k < repeats; k++) {
        const order = rng.permutation(n);
        const words = shuffled(rows.words, categorical.length, ofWords, order);
        const numbers = shuffled(rows.numbers, numeric.length, ofNumbers, order);
        values.push(sign * (await measure({ words, numbers }) - base));
      }
      const mean = values.reduce((a, b) => a + b, 0) / repeats;
      const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
      found.push({ name, mean, std: repeats > 1 ? Math.sqrt(squares / (repeats - 1)) : 0, values });
    }
    return new FeatureImportance(metric, base, found.sort((a, b) => b.mean - a.mean));
  });
}

/** Rows `[n, width]` in which some columns are those of other rows. */
function shuffled<T extends Int32Array | Float32Array>(
  rows: T,
  width: number,
  columns: readonly number[],
  order: Int32Array,
): T {
  const out = rows.slice() as T;
  for (const c of columns) order.forEach((r, i) => out[i * width + c] = rows[r * width + c]);
  return out;
}
