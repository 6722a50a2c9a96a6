/**
 * Nets of sequences: shapes, data and start values of three workloads. Everyone computes the same, from the same numbers.
 *
 * - `chargpt`: words and places of 128, four blocks (attention of 4 heads that sees what came before, 512 hidden, GELU, norms first), a
 *   norm and a layer; the next of 65 characters.
 * - `lstm`: words of 256, two layers of LSTM of 256, a layer; the next of 65 characters.
 * - `minilm`: words and places of 384, a norm, six blocks (12 heads, 1536 hidden, GELU, norms last), the mean over the tokens of each
 *   text, a layer; two classes. Texts have 33 to 64 tokens.
 *
 * Weights of two axes are drawn evenly, matrices from `[-1, 1) / sqrt(inputs)`, tables from `[-0.1, 0.1)`; the seed is the place of
 * the name among all names, sorted. Norms start at 1, biases at 0. No dropout.
 *
 * @module
 */
import { hashed } from "./workloads.ts";

/** Characters that there are. */
export const CHARS = 65;

/** Sizes: items of a batch, positions, width, blocks or layers, heads, hidden width, words. */
export const SIZES = {
  chargpt: { rows: 32, n: 64, dim: 128, blocks: 4, heads: 4, hidden: 512 },
  lstm: { rows: 32, n: 64, dim: 256, layers: 2 },
  minilm: { rows: 16, n: 64, dim: 384, blocks: 6, heads: 12, hidden: 1536, words: 30522 },
} as const;

/** Learning rates; the rest of Adam is that of `workloads.ts`. */
export const RATES = { chargpt: 1e-3, lstm: 1e-3, minilm: 2e-5 } as const;

/** The names of tables; other weights of two axes are matrices. */
const TABLES = ["words.weight", "places"];

/** The start of the weight `name` of `shape`; `place` is that of its name among all, sorted. */
export function weightOf(name: string, shape: readonly number[], place: number): Float32Array<ArrayBuffer> {
  const size = shape.reduce((a, b) => a * b, 1);
  if (shape.length < 2) return new Float32Array(size).fill(/norm\d?\.weight$/.test(name) ? 1 : 0);
  return hashed(size, TABLES.includes(name) ? 0.1 : 1 / Math.sqrt(shape[1]), place + 1);
}

/** `count` numbers of words below `below`. */
export function tokens(count: number, below: number): Int32Array<ArrayBuffer> {
  return Int32Array.from(hashed(count, 1, 7), (x) => Math.min(below - 1, Math.floor((x + 1) / 2 * below)));
}

/** What comes after each token; after the last, the first. */
export function shifted(ids: Int32Array): Int32Array<ArrayBuffer> {
  return Int32Array.from(ids, (_, i) => ids[(i + 1) % ids.length]);
}

/** How many tokens each text has. */
export function lengthsOf(rows: number, n: number): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: rows }, (_, i) => n - (i * 7) % (n / 2));
}

/** The class of each text. */
export function classes(rows: number): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: rows }, (_, i) => (i * 5 + 1) % 3 % 2);
}
