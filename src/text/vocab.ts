/**
 * Vocabularies: which tokens have a number.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { SPECIAL } from "./rules.ts";

/** Which tokens a vocabulary has. */
export interface VocabOptions {
  /** How often a token occurs at least; 3 by default, of characters 1. */
  readonly minFreq?: number;
  /** Most tokens; 60,000 by default. */
  readonly maxVocab?: number;
}

/** How often each token occurs, in the order in which they were seen first. */
export type TokenCounts = Map<string, number>;

/** Adds the tokens of a text. */
export function countTokens(counts: TokenCounts, tokens: Iterable<string>): void {
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
}

/**
 * The tokens with a number, in its order: first those with a meaning, then the most frequent, of equally frequent ones those
 * that were seen first, as fastai has them.
 *
 * @param special Tokens with a meaning; they are there whether they occur or not.
 */
export function makeVocab(
  counts: TokenCounts,
  special: readonly string[] = Object.values(SPECIAL),
  options: VocabOptions = {},
): string[] {
  const { minFreq = 3, maxVocab = 60_000 } = options;
  if (!Number.isInteger(minFreq) || minFreq < 1) {
    throw new ConfigError(`Cannot make a vocabulary: minFreq is a whole number from 1, got ${minFreq}`);
  }
  if (!Number.isInteger(maxVocab) || maxVocab <= special.length) {
    throw new ConfigError(
      `Cannot make a vocabulary: maxVocab is a whole number above ${special.length}, the number of tokens with a ` +
        `meaning, got ${maxVocab}`,
    );
  }
  const frequent = [...counts].sort((a, b) => b[1] - a[1]).slice(0, maxVocab); // the sort keeps the order of equal ones
  const others = frequent.filter(([token, n]) => n >= minFreq && !special.includes(token)).map(([token]) => token);
  return [...special, ...others].slice(0, maxVocab);
}
