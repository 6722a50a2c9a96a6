/**
 * Batches of one long stream of texts, for language models.
 *
 * @module
 */
import { DataError } from "../../base/errors.ts";
import type { Batch, BatchSource, SourceEpoch } from "../../data/mod.ts";
import { type Rng, travelling } from "../../tensor/mod.ts";
import { listsHash } from "./token_lists.ts";

/** What a {@link StreamSource} is made of. */
export interface StreamParts {
  /** The texts. */
  readonly lists: readonly Int32Array[];
  /** Steps of a batch. */
  readonly seqLen: number;
}

/**
 * Texts one after the other, in another order every epoch, cut into as many rows as a batch has: batches `[x, y]`, i32
 * `[bs, seqLen]`, in which y is x shifted by one, and each row goes on where that of the batch before ended. The last batch
 * may have fewer steps; what does not fill the rows is left out. As fastai's `LMDataLoader`.
 */
export class StreamSource implements BatchSource {
  readonly #parts: StreamParts;
  readonly #total: number;
  #hash: Promise<string> | null = null;

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#total = parts.lists.reduce((n, { length }) => n + length, 0);
  }

  /** Tokens of all texts. */
  get tokens(): number {
    return this.#total;
  }

  /** Tokens of a row. */
  #row(bs: number): number {
    return Math.max(0, Math.floor((this.#total - 1) / bs));
  }

  size(bs: number): number {
    return Math.ceil(this.#row(bs) / this.#parts.seqLen) * bs;
  }

  async fingerprint(): Promise<Record<string, string>> {
    this.#hash ??= listsHash(this.#parts.lists);
    return { content: await this.#hash, steps: String(this.#parts.seqLen) };
  }

  epoch(rng: Rng, { bs, shuffle }: { readonly bs: number; readonly shuffle: boolean }): SourceEpoch {
    const { lists, seqLen } = this.#parts, row = this.#row(bs);
    const texts = shuffle ? rng.permutation(lists.length) : Int32Array.from(lists, (_, i) => i);
    const starts = new Float64Array(texts.length + 1);
    texts.forEach((t, i) => starts[i + 1] = starts[i] + lists[t].length);
    /** Copies `n` tokens of the stream, from `from` on. */
    const copy = (from: number, n: number, into: Int32Array, at: number): void => {
      let low = 0, high = texts.length - 1;
      while (low < high) { // the text that holds the first
        const middle = (low + high + 1) >> 1;
        if (starts[middle] <= from) low = middle;
        else high = middle - 1;
      }
      for (let i = low; n > 0; i++) {
        const part = lists[texts[i]].subarray(from - starts[i], from - starts[i] + n);
        into.set(part, at);
        at += part.length;
        from += part.length;
        n -= part.length;
      }
    };
    const batch = (items: Int32Array): Batch => {
      const steps = Array.from(items, (item) => Math.min(seqLen, row - Math.floor(item / bs) * seqLen));
      const [n] = steps, b = items.length;
      if (steps.some((other) => other !== n)) {
        throw new DataError(
          "Cannot cut a batch of a stream: its rows have different lengths, take whole batches of it",
        );
      }
      const x = new Int32Array(b * n), y = new Int32Array(b * n), line = new Int32Array(n + 1);
      items.forEach((item, r) => {
        copy(item % bs * row + Math.floor(item / bs) * seqLen, n + 1, line, 0);
        x.set(line.subarray(0, n), r * n);
        y.set(line.subarray(1), r * n);
      });
      return [travelling(x, [b, n], "i32"), travelling(y, [b, n], "i32")];
    };
    return { order: Int32Array.from({ length: this.size(bs) }, (_, i) => i), batch };
  }
}
