/**
 * Texts: encoders and what learners have to know about them.
 *
 * @module
 */
export {
  SequenceEncoder,
  type TextArch,
  type TextArchOptions,
  TextModel,
  type TextPooling,
} from "../text/architecture.ts";
export type { TextCache } from "../text/key_values.ts";
export { awdLstm, type AwdLstmArch, type AwdLstmOptions } from "../text/models/awd_lstm.ts";
export { applyLora, loadLora, Lora, type LoraOptions } from "../text/lora.ts";
export { bertModel, type BertOptions, type BertSizes } from "../text/models/bert.ts";
export { gptModel, type GptOptions, type GptSizes } from "../text/models/gpt.ts";
export type { ActivationName } from "../text/models/parts.ts";
export type { ConfigSource, FileSource } from "../text/weights.ts";
export {
  EmbeddingDropout,
  type LengthsOptions,
  type RecurrentLayer,
  WeightDropout,
} from "../text/models/weight_dropout.ts";
export {
  ModelResetter,
  type RegularizedModel,
  type RnnOutputs,
  RNNRegularizer,
  type RnnRegularizerOptions,
} from "../text/rnn_callbacks.ts";
export { RNNDropout } from "../text/rnn_dropout.ts";
export {
  type CharsOptions,
  type EncodeOptions,
  type OwnTokenizerOptions,
  Tokenizer,
  type TokenizerFileOptions,
  type WordsOptions,
} from "../text/tokenizer.ts";
export type { TextRule } from "../text/rules.ts";
export type { VocabOptions } from "../text/vocab.ts";
export {
  CategoryBlock,
  type CategoryBlockOptions,
  ColReader,
  DataBlock,
  type DataBlockOptions,
  parentLabel,
  RegexLabeller,
} from "../block/mod.ts";
export { ColSplitter, GrandparentSplitter, IndexSplitter, RandomSplitter } from "../data/splitters.ts";
export { getTextFiles, type GetTextFilesOptions } from "../text/data/text_files.ts";
export type { ShowTextOptions } from "../text/data/show_text.ts";
export {
  type LabelledTexts,
  type TextCsvOptions,
  TextDataLoaders,
  type TextFolderOptions,
  type TextInputs,
  type TextTableOptions,
  type TextTestOptions,
} from "../text/data/text_loaders.ts";
export { TextBlock, type TextBlockLoadersOptions, type TextBlockOptions } from "../text/data/text_block.ts";
export type { TextDataLoadersOptions } from "../text/data/text_options.ts";
export { type ClassifierOptions, poolTexts, TextClassifier } from "../text/classifier.ts";
export type { GenerateOptions } from "../text/generate_options.ts";
export { LanguageModel, TokenDecoder } from "../text/language_model.ts";
export {
  classifierSplitter,
  languageModelLearner,
  type LanguageModelOptions,
  LmLearner,
  lmSplitter,
  TextClassifierLearner,
  textClassifierLearner,
  type TextClassifierOptions,
  TextLearner,
  type TextLearnerOptions,
} from "../text/learner.ts";
export { loadLearner, type LoadLearnerOptions } from "../load/load_learner.ts";
export { type JudgedText, type TextConfusionOptions, TextInterpretation } from "../text/interpret.ts";
export { SampleText, type SampleTextOptions, type TextSample } from "../text/sample_text.ts";
