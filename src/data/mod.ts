/**
 * Data: loaders, and data sets.
 *
 * @module
 */
export type { OddNumber } from "./odd_numbers.ts";
export type { ArrayData, BatchSource, Dataset, DatasetFacts, ItemPart, SourceEpoch } from "./dataset.ts";
export { partialDataloaders, PartialSampler, type Sampler, weightedDataloaders, WeightedSampler } from "./samplers.ts";
export { PartialDL, type PartialDLOptions, WeightedDL, type WeightedDLOptions } from "./sampled_loaders.ts";
export { DataLoader, noteSources, sourcesOf } from "./loader.ts";
export type { Batch, BatchTfm, Column, DataLoaderOptions, LoaderState, Shard } from "./loader_options.ts";
export {
  ArrayDataLoaders,
  type ArrayInputs,
  type Arrays,
  type ArraySetup,
  DataLoaders,
  type DataLoadersOptions,
  type FromArraysOptions,
  type InputsJson,
  type TargetScale,
  type TestArraysOptions,
} from "./loaders.ts";
export type { FromCsvOptions, FromTableOptions } from "./from_table.ts";
export { type TabularBatch, TabularDataLoaders, type TestTableOptions } from "./tabular.ts";
export { decodeRows, type EncodedSet, gatherRowsOf } from "./table_decode.ts";
export { type EncodedRows, encodeRow, encodeRows, type TableCell, type TableRow } from "./table_encode.ts";
export type { CategoricalColumn, NumericColumn, TabularSchema, TargetColumn } from "./tabular_schema.ts";
export { addDatepart, type DatepartOptions } from "./datepart.ts";
export { schemaFromJson } from "./schema_json.ts";
export {
  Categorify,
  FillMissing,
  type FillMissingOptions,
  type FillStrategy,
  type ProcName,
  type TableProc,
} from "./table_procs.ts";
export type { CellFormat, CellOptions } from "./table_cells.ts";
export type { ColumnKind } from "./table_kinds.ts";
export type { CsvOptions } from "./csv_form.ts";
export type { NumberColumn, ReadTableOptions, Table, TableColumn, TextColumn, TextType } from "./table.ts";
export type { TextTable } from "./csv.ts";
export type { WrittenColumn, WrittenTable } from "./table_text.ts";
export type { ReadJsonLinesOptions } from "./json_lines.ts";
export { loadIdx, readArrow, readCsv, readJsonLines, readNpy, readNpz, readParquet } from "./readers.ts";
export { type ReadAnyTableOptions, readTable, type TableFormat, type TableSource } from "./read_table.ts";
export type { IdxArray } from "./idx.ts";
export type { FileArray } from "./npy.ts";
export { CollabDataLoaders, type CollabOptions } from "./collab.ts";
