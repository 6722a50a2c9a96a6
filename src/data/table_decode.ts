/**
 * Inputs of a model as rows of a table again.
 *
 * @module
 */
import type { DataLoader } from "./loader.ts";
import type { TabularBatch } from "./tabular.ts";
import type { EncodedRows, TableCell, TableRow } from "./table_encode.ts";
import type { TabularSchema } from "./tabular_schema.ts";
import { readAll, type Tensor } from "../tensor/mod.ts";
import { DataError } from "../base/errors.ts";

/** Rows of a set as numbers, with their targets. */
export interface EncodedSet extends EncodedRows {
  /** Targets as batches have them, `[rows]`. */
  readonly targets: Int32Array | Float32Array;
}

/** All rows of a loader, in order. */
export async function gatherRowsOf(dl: DataLoader<TabularBatch>): Promise<EncodedSet> {
  const words: number[][] = [], numbers: number[][] = [], targets: number[][] = [];
  let whole = false;
  const all = dl.inOrder();
  all.shard = null; // each of several processes has the whole set
  for await (const batch of all as AsyncIterable<readonly Tensor[]>) {
    if (batch.length !== 3) {
      throw new DataError(
        "Cannot measure on rows without targets: a loader of a table's rows gives words, numbers and targets, this one " +
          `${batch.length} ${batch.length === 1 ? "part" : "parts"}, as testDl's do`,
      );
    }
    whole = batch[2].dtype !== "f32";
    const [w, n, y] = await readAll(batch);
    words.push(Array.from(w, Number));
    numbers.push(Array.from(n, Number));
    targets.push(Array.from(y, Number));
  }
  return {
    words: Int32Array.from(words.flat()),
    numbers: Float32Array.from(numbers.flat()),
    targets: whole ? Int32Array.from(targets.flat()) : Float32Array.from(targets.flat()),
  };
}

/**
 * The cells of these rows by column name: words, numbers as exactly as inputs hold them, null for what is missing or unseen.
 *
 * @param at Which rows.
 */
export function decodeRows(schema: TabularSchema, { words, numbers }: EncodedRows, at: readonly number[]): TableRow[] {
  const { numeric, categorical } = schema;
  const marks = new Map(categorical.flatMap(({ marks }, c) => marks === undefined ? [] : [[marks, c]]));
  return at.map((r) => {
    const row: Record<string, TableCell> = {};
    numeric.forEach(({ name, mean, std }, c) => {
      const mark = marks.get(name), missing = mark !== undefined && words[r * categorical.length + mark] === 2;
      row[name] = missing ? null : unscaled(numbers[r * numeric.length + c], mean, std);
    });
    categorical.forEach(({ name, words: own, marks, numbers: areNumbers }, c) => {
      if (marks !== undefined) return;
      const word = own[words[r * categorical.length + c] - 1];
      row[name] = word === undefined ? null : areNumbers === true ? Number(word) : word;
    });
    return row;
  });
}

/** `x std + mean`, without the digits that an f32 `x` does not hold. */
function unscaled(x: number, mean: number, std: number): number {
  const value = x * std + mean, step = Math.max(Math.abs(x), 2 ** -20) * std * 2 ** -23;
  if (value === 0 || !(step > 0) || !Number.isFinite(value)) return value;
  const digits = Math.floor(Math.log10(Math.abs(value))) + 1 - Math.ceil(Math.log10(step));
  return digits < 1 ? 0 : Number(value.toPrecision(Math.min(15, digits)));
}
