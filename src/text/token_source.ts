/**
 * What tokenizers of every kind do.
 *
 * @module
 */
import type { Json } from "../base/json.ts";

/** Tokens with a meaning, by their number; null where a tokenizer has none of the kind. */
export interface SpecialIds {
  /** Of tokens that have no number of their own. */
  readonly unk: number | null;
  /** Behind the end of the shorter texts of a batch. */
  readonly pad: number;
  /** The beginning of a text. */
  readonly bos: number | null;
  /** The end of a text. */
  readonly eos: number | null;
}

/** Cuts texts into tokens and puts them together again: what a tokenizer is made of. */
export interface TokenSource {
  /** Name of the kind, as its JSON has it. */
  readonly kind: "words" | "chars" | "huggingface" | "own";
  /** Tokens by their numbers; none before they were learnt. */
  readonly vocab: readonly string[];
  /** Tokens with a meaning. */
  readonly special: SpecialIds;
  /** Tokens before and behind every text. */
  readonly around: { readonly before: readonly number[]; readonly after: readonly number[] };
  /** The tokens of a text, with nothing before and behind. */
  tokens(text: string): readonly string[];
  /** Their numbers. */
  ids(text: string): readonly number[];
  /** The text that tokens stand for. */
  join(ids: readonly number[]): string;
  /** The same, with tokens for whatever occurs in texts; itself where they are given. */
  learn(texts: Iterable<string>): TokenSource | Promise<TokenSource>;
  /** As plain data. */
  toJSON(): { readonly [name: string]: Json | undefined };
}
