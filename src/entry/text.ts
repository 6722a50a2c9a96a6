/**
 * Texts: encoders and what learners have to know about them.
 *
 * @module
 */
export { SequenceEncoder, type TextArch, type TextArchOptions, type TextPooling } from "../text/architecture.ts";
export { RNNDropout } from "../text/rnn_dropout.ts";
