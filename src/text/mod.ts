/**
 * Texts: what other parts need of them.
 *
 * @module
 */
export { TextDataLoaders } from "./data/text_loaders.ts";
export { LanguageModel } from "./language_model.ts";
export { LmLearner, TextClassifierLearner } from "./learner.ts";
export { TextClassifier } from "./classifier.ts";
export { TEXT_MAKERS } from "./makers.ts";
export { Tokenizer } from "./tokenizer.ts";
