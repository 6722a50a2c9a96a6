/**
 * What an exported learner says of itself.
 *
 * @module
 */
import type { BatchTransformJson, ItemTransformJson, Label } from "./data/mod.ts";
import type { HeadOptions } from "./models/mod.ts";

/** Key of the text in the file's metadata. */
export const LEARNER_KEY = "anneal.learner";

/** An exported learner's description of itself. */
export interface LearnerJson {
  /** Of this form; 1. */
  readonly version: 1;
  /** The architecture's name. */
  readonly arch: string;
  /** Channels of the images. */
  readonly nIn: number;
  /** Number of outputs. */
  readonly nOut: number;
  /** Options of the head that were given. */
  readonly head: HeadOptions;
  /** Where the body ends, if it was given. */
  readonly cut?: number | undefined;
  /** The classes in order. */
  readonly vocab: readonly Label[];
  /** Transforms of single images. */
  readonly itemTfms: readonly ItemTransformJson[];
  /** Transforms of batches that are not random. */
  readonly batchTfms: readonly BatchTransformJson[];
}
