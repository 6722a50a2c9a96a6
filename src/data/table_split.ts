/**
 * Which rows of a table are learned from, and which are measured on.
 *
 * @module
 */
import { inBlocks } from "../base/event_loop_yielder.ts";
import { ConfigError, DataError } from "../base/errors.ts";
import { Rng } from "../tensor/mod.ts";
import { longPermutation, splitOrder } from "./random_split.ts";
import { codedColumn, columnOf, placeIn, type Table } from "./table.ts";

const VALID: ReadonlySet<string> = new Set(["1", "1.0", "true", "t", "yes", "y", "valid", "validation", "val"]);
const TRAIN: ReadonlySet<string> = new Set(["", "0", "0.0", "false", "f", "no", "n", "train", "training"]);

/** Rows by number, ascending. */
export interface RowSplit {
  /** To learn from. */
  readonly train: Int32Array;
  /** To measure on. */
  readonly valid: Int32Array;
}

/** Of `rows`, those that a column marks are measured on. */
export async function splitByColumn(table: Table, name: string, rows: Int32Array): Promise<RowSplit> {
  const { texts, places, codes } = await codedColumn(columnOf(table, name));
  const held = texts.map((text, i) => {
    const word = text.toLowerCase();
    if (!VALID.has(word) && !TRAIN.has(word)) {
      throw new DataError(
        `Cannot split ${
          placeIn(table, places[i])
        } by column "${name}": 1, true, yes or valid marks rows to measure on, ` +
          `0, false, no or train the others, got ${JSON.stringify(text)}`,
      );
    }
    return VALID.has(word);
  });
  const valid = rows.filter((r) => held[codes[r]]);
  if (valid.length === 0) throw new DataError(`Cannot split ${table.file} by column "${name}": it marks no row`);
  return { train: rows.filter((r) => !held[codes[r]]), valid };
}

/**
 * Of `rows`, a fraction drawn at random is measured on.
 *
 * @param classes The class of each row of the table: each gives its share as nearly as whole rows can, and keeps at least one
 * row for training. Null draws from all rows alike.
 */
export async function splitAtRandom(
  rows: Int32Array,
  validPct: number,
  seed: number,
  classes: Int32Array | null,
): Promise<RowSplit> {
  if (!(validPct >= 0 && validPct < 1)) {
    throw new ConfigError(`Cannot hold out ${validPct} of the rows: validPct is a fraction from 0, below 1`);
  }
  const order = await longPermutation(new Rng(seed), rows.length), wanted = Math.floor(validPct * rows.length);
  const held = new Uint8Array(rows.length);
  if (classes === null) { for (const i of splitOrder(order, validPct).valid) held[i] = 1; }
  else {
    // members of each class, in the order in which they first come
    const members = new Map<number, number>();
    await inBlocks(order.length, (from, to) => {
      for (let k = from; k < to; k++) {
        const c = classes[rows[order[k]]];
        members.set(c, (members.get(c) ?? 0) + 1);
      }
    });
    // largest remainders: shares are rounded down, then the rows that are lacking come from those cut most
    const shares = [...members].map(([c, n]) => {
      const share = validPct * n, take = Math.min(Math.floor(share), n - 1);
      return { c, n, take, rest: share - take };
    });
    let lacking = wanted - shares.reduce((sum, { take }) => sum + take, 0);
    for (const share of [...shares].sort((a, b) => b.rest - a.rest)) {
      if (lacking === 0) break;
      if (share.take >= share.n - 1) continue;
      share.take++;
      lacking--;
    }
    const left = new Map(shares.map(({ c, take }) => [c, take]));
    await inBlocks(order.length, (from, to) => {
      for (let k = from; k < to; k++) {
        const c = classes[rows[order[k]]], n = left.get(c)!;
        if (n === 0) continue;
        held[order[k]] = 1;
        left.set(c, n - 1);
      }
    });
  }
  return { train: rows.filter((_, i) => held[i] === 0), valid: rows.filter((_, i) => held[i] === 1) };
}
