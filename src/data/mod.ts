/**
 * Data: loaders, and data sets.
 *
 * @module
 */
export { type ArrayData, type Dataset, type DatasetFacts, type ItemPart } from "./dataset.ts";
export {
  type Batch,
  type BatchTfm,
  type Column,
  DataLoader,
  type DataLoaderOptions,
  type LoaderState,
  type Shard,
  sourcesOf,
} from "./loader.ts";
export {
  ArrayDataLoaders,
  type ArrayInputs,
  type Arrays,
  type ArraySetup,
  DataLoaders,
  type DataLoadersOptions,
  type FromArraysOptions,
  type InputsJson,
  type TestArraysOptions,
} from "./loaders.ts";
export {
  encodeRow,
  encodeRows,
  type FromCsvOptions,
  type TableRow,
  type TabularBatch,
  TabularDataLoaders,
} from "./tabular.ts";
export type { CategoricalColumn, NumericColumn, TabularSchema, TargetColumn } from "./tabular_schema.ts";
export { readCsv, type TextColumn, type TextTable } from "./csv.ts";
