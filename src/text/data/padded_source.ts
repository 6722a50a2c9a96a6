/**
 * Batches of texts of unlike lengths: alike ones come together, and are filled up to one of few widths.
 *
 * @module
 */
import { textHash } from "../../base/checksum.ts";
import { type Batch, type BatchSource, noteSources, type SourceEpoch } from "../../data/mod.ts";
import { arange, type Rng, type Tensor, travelling } from "../../tensor/mod.ts";
import { listsHash } from "./token_lists.ts";

/** Widths are multiples of it. */
const STEP = 8;
/** Batches that are sorted together in an epoch of training, as fastai has it. */
const POOL = 50;

/**
 * Widths that texts of these lengths are filled up to: the `count` that need the least padding. With few of them few
 * programs are compiled, and steps are replayed.
 *
 * @param most The widest there may be.
 */
export function bucketsOf(lengths: readonly number[], count: number, most: number): number[] {
  const tally = new Map<number, number>();
  for (const n of lengths) {
    const width = Math.min(most, Math.max(STEP, Math.ceil(n / STEP) * STEP));
    tally.set(width, (tally.get(width) ?? 0) + 1);
  }
  const widths = [...tally.keys()].sort((a, b) => a - b), counts = widths.map((w) => tally.get(w)!);
  if (widths.length <= count) return widths;
  // least[j]: the cells that texts up to width j take, in so many buckets as rounds were made, the last of width j
  const below = counts.reduce<number[]>((sums, n) => [...sums, sums[sums.length - 1] + n], [0]);
  let least = widths.map((w, j) => w * below[j + 1]);
  const from: number[][] = [];
  for (let k = 1; k < count; k++) {
    const next = [...least], choice = widths.map(() => -1);
    for (let j = 0; j < widths.length; j++) {
      for (let i = 0; i < j; i++) {
        const cells = least[i] + widths[j] * (below[j + 1] - below[i + 1]);
        if (cells < next[j]) {
          next[j] = cells;
          choice[j] = i;
        }
      }
    }
    from.push(choice);
    least = next;
  }
  let j = widths.length - 1;
  const out = [widths[j]];
  for (let k = from.length - 1; k >= 0; k--) {
    const i = from[k][j];
    if (i < 0) continue; // fewer are as good
    out.unshift(widths[i]);
    j = i;
  }
  return out;
}

/** What a {@link PaddedSource} is made of. */
export interface PaddedParts {
  /** The texts. */
  readonly lists: readonly Int32Array[];
  /** The class of each; null without classes. */
  readonly codes: Int32Array | null;
  /** What fills up shorter texts. */
  readonly padId: number;
  /** Widths of batches, ascending; what is longer than all has its own. */
  readonly buckets: readonly number[];
  /** The widest there may be. */
  readonly most: number;
}

/** Texts with classes, in batches `[ids i32 [b, n], mask bool [b, n], class i32 [b]]`. */
export class PaddedSource implements BatchSource {
  readonly #parts: PaddedParts;
  #hash: Promise<string> | null = null;

  constructor(parts: PaddedParts) {
    this.#parts = parts;
  }

  size(): number {
    return this.#parts.lists.length;
  }

  async fingerprint(): Promise<Record<string, string>> {
    const { lists, codes, buckets } = this.#parts;
    this.#hash ??= listsHash(lists);
    return {
      content: await this.#hash,
      labels: codes === null ? "none" : `#${textHash(codes.join())}`,
      widths: buckets.join(", "),
    };
  }

  epoch(rng: Rng, { bs, shuffle }: { readonly bs: number; readonly shuffle: boolean }): SourceEpoch {
    return {
      order: shuffle ? this.#shuffled(rng, bs) : this.#sorted(Int32Array.from(this.#parts.lists, (_, i) => i)),
      batch: (items) => this.#batch(items),
    };
  }

  #sorted(items: Int32Array): Int32Array {
    const { lists } = this.#parts;
    return items.sort((a, b) => lists[b].length - lists[a].length || a - b); // the longest first: memory is taken once
  }

  /** Pools of random texts, each sorted; their batches at random, the one with the longest text first. */
  #shuffled(rng: Rng, bs: number): Int32Array {
    const { lists } = this.#parts, all = rng.permutation(lists.length);
    const longest = all.reduce((best, i) => lists[i].length > lists[best].length ? i : best, all[0] ?? 0);
    const at = all.indexOf(longest);
    if (at >= 0) [all[0], all[at]] = [all[at], all[0]];
    const full = all.length - all.length % bs; // a last, shorter batch is of random texts, as it may be left out
    const batches: Int32Array[] = [];
    for (let start = 0; start < full; start += bs * POOL) {
      const pool = this.#sorted(all.slice(start, Math.min(full, start + bs * POOL)));
      for (let k = 0; k < pool.length; k += bs) batches.push(pool.subarray(k, k + bs));
    }
    const places = rng.permutation(Math.max(0, batches.length - 1));
    const order = new Int32Array(all.length);
    batches.forEach((batch, k) => order.set(batch, k === 0 ? 0 : (1 + places[k - 1]) * bs));
    order.set(this.#sorted(all.slice(full)), full);
    return order;
  }

  #batch(items: Int32Array): Batch {
    const { codes } = this.#parts;
    const { ids, mask, lengths } = padded(Array.from(items, (i) => this.#parts.lists[i]), this.#parts);
    const y = codes === null ? [] : [travelling(Int32Array.from(items, (i) => codes[i]), [items.length], "i32")];
    return noteSources([ids, mask, ...y], [lengths]);
  }
}

/** Texts side by side, filled up to the width of the longest. */
export function padded(
  lists: readonly Int32Array[],
  { padId, buckets, most }: Pick<PaddedParts, "padId" | "buckets" | "most">,
): { readonly ids: Tensor; readonly mask: Tensor; readonly lengths: Tensor } {
  const b = lists.length, longest = lists.reduce((most, { length }) => Math.max(most, length), 1);
  const n = buckets.find((width) => width >= longest) ??
    Math.max(longest, Math.min(most, Math.ceil(longest / STEP) * STEP));
  const ids = new Int32Array(b * n).fill(padId);
  lists.forEach((list, i) => ids.set(list, i * n));
  const lengths = travelling(Int32Array.from(lists, ({ length }) => length), [b, 1], "i32");
  return { ids: travelling(ids, [b, n], "i32"), mask: arange(n).reshape([1, n]).lt(lengths), lengths };
}
