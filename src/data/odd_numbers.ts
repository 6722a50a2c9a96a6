/**
 * Numbers in a data set that no training can use.
 *
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { numbersOnHost, type Rng, Tensor } from "../tensor/mod.ts";
import { readPart } from "./collate.ts";
import type { Dataset, ItemPart } from "./dataset.ts";

/** The first number of a part of the items that is NaN or infinite. */
export interface OddNumber {
  /** Which part of an item: its inputs come first, then its targets. */
  readonly part: number;
  /** The item, counted from 0. */
  readonly item: number;
  /** NaN, or an infinity. */
  readonly value: number;
}

/** Numbers that are read at once. */
const BLOCK = 1 << 22;
/** Items of a dataset that are looked at. */
const MOST_ITEMS = 1000;

/** Looks through arrays, part by part. */
export async function oddInColumns(columns: readonly Tensor[]): Promise<OddNumber[]> {
  const found: OddNumber[] = [];
  for (const [part, column] of columns.entries()) {
    if (column.dtype !== "f32" || column.size === 0) continue;
    const [n] = column.shape, each = column.size / n, rows = Math.max(1, Math.floor(BLOCK / each));
    for (let from = 0; from < n; from += rows) {
      const to = Math.min(n, from + rows);
      const values = numbersOnHost(column, from * each, (to - from) * each) ??
        await column.slice([[from, to]]).data();
      const at = firstOdd(values);
      if (at < 0) continue;
      found.push({ part, item: from + Math.floor(at / each), value: values[at] });
      break;
    }
  }
  return found;
}

/** Looks through the first 1,000 items of a dataset. */
export async function oddInDataset(dataset: Dataset, rng: () => Rng): Promise<OddNumber[]> {
  const found = new Map<number, OddNumber>();
  for (let item = 0; item < Math.min(dataset.length, MOST_ITEMS); item++) {
    for (const [part, value] of (await dataset.get(item, rng())).entries()) {
      if (found.has(part)) continue;
      const values = await numbersOf(value), at = firstOdd(values);
      if (at >= 0) found.set(part, { part, item, value: Number(values[at]) });
    }
  }
  return [...found.values()].sort((a, b) => a.part - b.part);
}

async function numbersOf(part: ItemPart): Promise<ArrayLike<number | bigint>> {
  if (part instanceof Tensor) return await part.data();
  return readPart(part).data;
}

function firstOdd(values: ArrayLike<number | bigint>): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(Number(values[i]))) return i;
  return -1;
}
