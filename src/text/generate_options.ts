/**
 * How a language model writes on.
 *
 * @module
 */
import { flag, num, type OptionTable, whole } from "../base/options.ts";

/** Options of `generate`. */
export interface GenerateOptions {
  /** Below 1 likely tokens become likelier, above 1 less likely; 0 always takes the likeliest. 1 by default. */
  readonly temperature?: number;
  /** Only so many of the likeliest tokens are drawn from; all by default. */
  readonly topK?: number;
  /** Tokens less probable than this are not drawn; 0 by default. Where all are, it is left aside. */
  readonly minP?: number;
  /** Seed of what is drawn; by default the default generator is drawn from. */
  readonly seed?: number;
  /** Whether the token that stands for unknown ones is not drawn; true by default. */
  readonly noUnk?: boolean;
}

/** What these options may be. */
export const GENERATE: OptionTable<GenerateOptions> = {
  temperature: num,
  topK: whole(1),
  minP: num,
  seed: num,
  noUnk: flag,
};
