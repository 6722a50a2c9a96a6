/**
 * Labels and their numbers.
 *
 * @module
 */
import { DataError } from "../base/errors.ts";

/** What an item is, such as what an image shows: the name of its class. */
export type Label = string | number | boolean;

/** Ascending as in Python: numbers and booleans by value, strings by code points. */
function compare(a: Label, b: Label): number {
  if (typeof a !== "string" || typeof b !== "string") return Number(a) - Number(b);
  const x = Array.from(a), y = Array.from(b);
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    if (x[i] !== y[i]) return x[i].codePointAt(0)! - y[i].codePointAt(0)!;
  }
  return x.length - y.length;
}

/**
 * The classes among `labels`, each once, sorted.
 *
 * @param what The items, for errors.
 * @throws {DataError} If labels are of different types, one is NaN or an empty text, or there is just one class.
 */
export function vocabOf(labels: readonly Label[], what: string = "images"): readonly Label[] {
  const none = labels.findIndex((label) => typeof label === "number" && Number.isNaN(label));
  if (none >= 0) {
    throw new DataError(
      `Cannot tell classes apart: label ${none} of training, counted from 0, is NaN; leave its item out`,
    );
  }
  const empty = labels.indexOf("");
  if (empty >= 0) {
    throw new DataError(
      `Cannot tell classes apart: label ${empty} of training, counted from 0, is an empty text; name its class, or leave ` +
        "its item out",
    );
  }
  const vocab = [...new Set(labels)];
  const kinds = [...new Set(vocab.map((label) => typeof label))];
  if (kinds.length > 1) {
    throw new DataError(`Cannot sort classes: labels must be of one type, got ${kinds.join(" and ")}`);
  }
  if (vocab.length < 2) {
    const got = vocab.length === 0 ? "none" : `only ${fmtLabel(vocab[0])}, ${labels.length} times`;
    throw new DataError(`Cannot tell classes apart: the training ${what} need at least two labels, got ${got}`);
  }
  return vocab.sort(compare);
}

/** A label in a message. */
export function fmtLabel(label: Label): string {
  return typeof label === "string" ? `"${label}"` : String(label);
}

/**
 * The place of every label in `vocab`.
 *
 * @param files The items by name, for errors.
 * @throws {DataError} On a label that isn't there, which names it and its item.
 */
export function codesOf(labels: readonly Label[], vocab: readonly Label[], files: readonly string[]): Int32Array {
  const index = new Map(vocab.map((label, i) => [label, i]));
  return Int32Array.from(labels, (label, i) => {
    const code = index.get(label);
    if (code !== undefined) return code;
    const known = vocab.length <= 12 ? `, which has ${vocab.map(fmtLabel).join(", ")}` : "";
    throw new DataError(
      `Cannot number the label ${fmtLabel(label)} of ${files[i]}: it does not occur in the training set${known}`,
    );
  });
}
