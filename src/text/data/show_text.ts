/**
 * Batches of texts as tables.
 *
 * @module
 */
import { DataError } from "../../base/errors.ts";
import { checkOptions, num, whole } from "../../base/options.ts";
import type { DataLoader } from "../../data/mod.ts";
import { readAll, type Tensor } from "../../tensor/mod.ts";
import type { Tokenizer } from "../tokenizer.ts";
import { textTable } from "./text_table.ts";

/** Options of tables of texts. */
export interface ShowTextOptions {
  /** Most texts; 9 by default. */
  readonly maxN?: number;
  /** Columns of a line; those of the terminal by default, or 100. */
  readonly width?: number;
}

/** What the options of tables of texts may be. */
export const SHOW_TEXT = { maxN: whole(1), width: num };

/** What is shown of loaders of texts. */
interface Shown {
  readonly train: DataLoader<readonly Tensor[]>;
  readonly tokenizer: Tokenizer;
  readonly isLm: boolean;
  label(code: number): string;
}

/** Rows of numbers as texts; padding is left out. */
export function textsOf(tokenizer: Tokenizer, ids: ArrayLike<number>, n: number): string[] {
  const rows = Array.from({ length: ids.length / n }, (_, i) => Array.from(ids).slice(i * n, (i + 1) * n));
  return rows.map((row) => tokenizer.decode(row.filter((id) => id !== tokenizer.padId)));
}

/** The texts of the first training batch, with their classes or what comes next. */
export async function showTextBatch(dls: Shown, options: ShowTextOptions): Promise<string> {
  const { maxN = 9, width } = checkOptions("show a batch", options, SHOW_TEXT);
  const batch = await dls.train.peek();
  if (batch === null) throw new DataError("Cannot show a batch: the training loader has none");
  const [x, y] = [batch[0], batch[batch.length - 1]];
  const n = Math.min(maxN, x.shape[0]);
  const [ids, targets] = await readAll([x.slice([[0, n]]), y.slice([[0, n]])]);
  const texts = textsOf(dls.tokenizer, ids, x.shape[1]);
  if (dls.isLm) {
    const next = textsOf(dls.tokenizer, targets, y.shape[1]);
    return textTable(
      [{ name: "text", wide: true }, { name: "what comes next", wide: true }],
      texts.map((t, i) => [t, next[i]]),
      width,
    );
  }
  return textTable(
    [{ name: "text", wide: true }, { name: "class" }],
    texts.map((t, i) => [t, dls.label(targets[i])]),
    width,
  );
}
