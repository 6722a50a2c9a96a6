/**
 * Loaders of ratings: users, items, and what the ones think of the others.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, flag, num, type OptionTable, text } from "../base/options.ts";
import type { TableSource } from "./read_table.ts";
import type { TabularDataLoaders } from "./tabular.ts";

/** Options of {@link CollabDataLoaders.fromTable}. */
export interface CollabOptions {
  /** Column of users; the first one by default. */
  readonly user?: string;
  /** Column of items; the second one by default. */
  readonly item?: string;
  /** Column of ratings; the third one by default. */
  readonly rating?: string;
  /** Whether rows without a rating are left out; by default they are an error. */
  readonly dropMissingTarget?: boolean;
  /** Fraction of ratings to measure on, drawn at random; 0.2 by default. */
  readonly validPct?: number;
  /** Ratings a batch; 64 by default. */
  readonly bs?: number;
  /** Seed of the split and of the order; 0 by default. */
  readonly seed?: number;
}

const COLLAB: OptionTable<CollabOptions> = {
  user: text,
  item: text,
  rating: text,
  dropMissingTarget: flag,
  validPct: num,
  bs: num,
  seed: num,
};

/** Makers of loaders of ratings. */
export class CollabDataLoaders {
  private constructor() {}

  /**
   * Loaders of a table of ratings: batches of users and items, i32 `[n, 2]`, no numbers, f32 `[n, 0]`, and ratings, f32
   * `[n]`, as they are. Numbers of users and items are names, too.
   *
   * @param source A file (CSV, Parquet, Arrow, JSON lines), rows, columns, or a table.
   */
  static async fromTable(source: TableSource, options: CollabOptions = {}): Promise<TabularDataLoaders> {
    const { user, item, rating, ...rest } = checkOptions("load ratings", options, COLLAB);
    const told = user !== undefined && item !== undefined && rating !== undefined;
    const [{ fromTable }, { tableOf }] = await Promise.all([import("./from_table.ts"), import("./table_of.ts")]);
    const table = await tableOf(source, {}, told ? [user, item, rating] : undefined);
    const [u, i, r] = [user, item, rating].map((name, k) => name ?? table.names[k]);
    if (u === undefined || i === undefined || r === undefined || new Set([u, i, r]).size < 3) {
      throw new ConfigError(
        `Cannot load ratings: users, items and ratings are three columns, got ${
          [u, i, r].map((n) => n ?? "none").join(", ")
        }`,
      );
    }
    return await fromTable(table, {
      ...rest,
      target: r,
      task: "regress",
      categorical: [u, i],
      numeric: [],
      scaleTarget: false,
    });
  }
}
