/**
 * Layers and losses.
 *
 * @module
 */
export {
  Dropout,
  Dropout2d,
  ELU,
  GELU,
  Hardsigmoid,
  Hardswish,
  LeakyReLU,
  LogSoftmax,
  Mish,
  ReLU,
  ReLU6,
  Sigmoid,
  SigmoidRange,
  SiLU,
  Softmax,
  Tanh,
} from "./activations.ts";
export {
  type AttendOptions,
  type AttentionForwardOptions,
  MultiheadAttention,
  type MultiheadAttentionOptions,
} from "./attention.ts";
export { Flatten, Identity, Lambda, Permute, Sequential, Unflatten } from "./containers.ts";
export {
  Conv1d,
  Conv2d,
  type ConvBase,
  type ConvLayerOptions,
  ConvTranspose2d,
  type ConvTransposeLayerOptions,
} from "./conv.ts";
export {
  type ClassLoss,
  type ClassLossOptions,
  CrossEntropyLoss,
  type CrossEntropyOptions,
  DiceLoss,
  type DiceLossOptions,
  FocalLoss,
  type FocalLossOptions,
  LabelSmoothingCrossEntropy,
  type LabelSmoothingOptions,
  NLLLoss,
} from "./cross_entropy.ts";
export {
  GRU,
  LSTM,
  type LstmState,
  type Recurrent,
  type RecurrentOptions,
  RNN,
  type RnnOptions,
  type SequenceOptions,
} from "./recurrent.ts";
export { Norm } from "./norm_base.ts";
export { RMSNorm, type RmsNormOptions } from "./rms_norm.ts";
export { GroupNorm, type GroupNormOptions, InstanceNorm2d, PixelShuffle } from "./group_norm.ts";
export { EmbeddingBag, type EmbeddingBagOptions } from "./embedding_bag.ts";
export { Embedding, type EmbeddingOptions, Linear, type LinearOptions } from "./linear.ts";
export { Loss, type LossOptions, type Reduction } from "./loss.ts";
export {
  BCELoss,
  BCEWithLogitsLoss,
  type BceWithLogitsOptions,
  HuberLoss,
  type HuberOptions,
  KLDivLoss,
  type KlDivOptions,
  L1Loss,
  MSELoss,
  SmoothL1Loss,
  type SmoothL1Options,
} from "./losses.ts";
export { PReLU, type PReluOptions } from "./prelu.ts";
export { type AnyModule, type LoadOptions, type LoadReport, Module } from "./module.ts";
export {
  type BatchMoments,
  BatchNorm,
  BatchNorm1d,
  BatchNorm2d,
  type BatchNormOptions,
  LayerNorm,
  LayerNorm2d,
  type LayerNormOptions,
} from "./norm.ts";
export {
  AdaptiveAvgPool2d,
  AdaptiveConcatPool2d,
  AdaptiveMaxPool2d,
  AvgPool2d,
  type AvgPoolLayerOptions,
  MaxPool2d,
  type MaxPoolLayerOptions,
  Upsample,
} from "./pool.ts";
export { SqueezeExcitation, type SqueezeExcitationOptions } from "./squeeze_excitation.ts";
export { StochasticDepth, type StochasticDepthOptions } from "./stochastic_depth.ts";
export { type SinusoidalOptions, SinusoidalPositions } from "./positions.ts";
export {
  type DecodeAttendOptions,
  type DecodeForward,
  type Forward,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  type TransformerLayer,
  type TransformerLayerOptions,
} from "./transformer.ts";
export { TransformerDecoder, TransformerEncoder, type TransformerOptions } from "./transformer_stack.ts";
export {
  kaimingNormal,
  type KaimingOptions,
  kaimingUniform,
  type WeightInit,
  xavierNormal,
  type XavierOptions,
  xavierUniform,
} from "./weight_init.ts";
export { Parameter } from "../tensor/mod.ts";
export { embeddingSize, type TabularInputs, TabularModel, type TabularModelOptions } from "./tabular.ts";
export {
  type CollabInputs,
  EmbeddingDotBias,
  type EmbeddingDotBiasOptions,
  EmbeddingNN,
  type EmbeddingNNOptions,
  type WhoseOptions,
} from "./collab.ts";
