/**
 * What is new in rows to predict for: words that training has not seen, numbers that are missing for the first time.
 *
 * @module
 */
import { count } from "./table.ts";
import type { TabularSchema } from "./tabular_schema.ts";

/** Takes a word that training has not seen, and its column; an empty one for a number that is missing. */
export type OnUnseen = (column: string, word: string) => void;

/** Words that a column's note shows. */
const SHOWN = 5;

/** Collects words that training has not seen, each once, until somebody tells of them. */
export class UnseenWords {
  readonly #known = new Map<string, Set<string>>();
  readonly #untold = new Map<string, string[]>();
  readonly #notes: string[] = [];

  /** Notes a word. */
  readonly see: OnUnseen = (column, word) => {
    const known = this.#known.get(column) ?? new Set();
    this.#known.set(column, known);
    if (known.has(word)) return;
    known.add(word);
    this.#untold.set(column, [...this.#untold.get(column) ?? [], word]);
  };

  /** Has a sentence told with the words. */
  note(line: string): void {
    this.#notes.push(line);
  }

  /** What was noted, and a line for each column with words that were not told of yet. */
  take(schema: TabularSchema): string[] {
    const lines = [...this.#untold].map(([column, words]) => {
      const number = schema.numeric.find(({ name }) => name === column);
      if (number !== undefined) {
        return `Column ${column}: a number is missing, as none was in training; it counts as ${
          Number(number.median.toPrecision(6))
        }`;
      }
      const own = schema.categorical.find(({ name }) => name === column)?.words ?? [];
      const did = words.length === 1 ? "did not occur in training and counts" : "did not occur in training and count";
      return `Column ${column}: ${listed(words, true)} ${did} as missing; its words are ${listed(own, false)}`;
    });
    this.#untold.clear();
    return [...this.#notes.splice(0), ...lines];
  }
}

function listed(words: readonly string[], quoted: boolean): string {
  const some = words.slice(0, SHOWN).map((word) => quoted ? JSON.stringify(word) : word).join(", ");
  return words.length > SHOWN ? `${some} and ${count(words.length - SHOWN)} more` : some;
}
