/**
 * Data described in parts: blocks, labellers, and what labels are.
 *
 * @module
 */
export {
  type BlockDatasets,
  BlockItems,
  type BlockOrMaker,
  type BlockSet,
  DataBlock,
  type DataBlockOptions,
  type InputBlock,
} from "./data_block.ts";
export { ColReader, type ColReaderOptions, type ColumnValues, parentLabel, RegexLabeller } from "./labellers.ts";
export {
  CategoryBlock,
  type CategoryBlockOptions,
  CategoryTarget,
  MultiCategoryBlock,
  MultiCategoryTarget,
  RegressionBlock,
  RegressionTarget,
  type Target,
  type TargetBlock,
} from "./target.ts";
