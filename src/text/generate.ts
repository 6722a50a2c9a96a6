/**
 * Texts that a language model writes on.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions } from "../base/options.ts";
import { defaultRng, noGrad, Rng, stepInput } from "../tensor/mod.ts";
import { GENERATE, type GenerateOptions } from "./generate_options.ts";
import type { LanguageModel } from "./language_model.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Tokens of the start that go through a model with a state at once; what is left goes one by one. */
const CHUNK = 16;
/** Widths that a window of a model without a state is filled up to: so many, doubled or times four. */
const NARROWEST = 16;
/** Positions of a window where a model has no limit. */
const WINDOW = 512;
/** Positions that keys and values are kept of: so many, or as many times four as a text needs. */
const KEPT = 64;

/**
 * The numbers of the tokens after those given. A model with a state takes each token once, and so does one that keeps keys and
 * values, up to its limit; from there on, and without, each token is what the last tokens up to the limit give. The model must
 * be out of training; its state is as it was afterwards.
 *
 * @param ids The start: one token at least.
 * @param n How many tokens to write.
 */
export async function generate(
  model: LanguageModel,
  ids: readonly number[],
  n: number,
  { tokenizer, ...options }: GenerateOptions & { readonly tokenizer: Tokenizer },
): Promise<number[]> {
  const { temperature = 1, topK, minP = 0, seed, noUnk = true } = checkOptions("write on", options, GENERATE);
  if (!Number.isInteger(n) || n < 0) {
    throw new ConfigError(`Cannot write ${n} tokens: the number is whole and not negative`);
  }
  if (!(temperature >= 0 && temperature < Infinity)) {
    throw new ConfigError(`Cannot write at temperature ${temperature}: it is a number from 0`);
  }
  if (!(minP >= 0 && minP < 1)) throw new ConfigError(`Cannot write with minP ${minP}: it is a probability below 1`);
  const rng = seed === undefined ? defaultRng().fork() : new Rng(seed);
  const never = [tokenizer.padId, ...(noUnk && tokenizer.unkId !== null ? [tokenizer.unkId] : [])];
  const { eosId, bosId } = tokenizer, last = eosId === bosId || tokenizer.kind !== "huggingface" ? null : eosId;
  const all = [...ids], written: number[] = [];
  const before = model.encoder.carriedState(); // of a fit that is under way
  const writer = model.encoder.carriesState ? withState(model) : withCache(model, ids.length + n) ?? inWindow(model);
  model.reset();
  try {
    let fresh: readonly number[] = all;
    while (written.length < n) {
      const given = await writer.scores(fresh, all);
      const token = drawToken(given, { temperature, topK: topK ?? given.length, minP, never }, rng);
      written.push(token);
      if (token === last) break;
      all.push(token);
      fresh = [token];
    }
  } finally {
    writer.dispose?.();
    model.reset();
    if (before.size > 0) model.encoder.carry(before);
  }
  return written;
}

/** Gives scores after tokens that are new. */
interface Writer {
  scores(fresh: readonly number[], all: readonly number[]): Promise<ArrayLike<number>>;
  /** Gives memory back. */
  dispose?(): void;
}

async function scoresOf(model: LanguageModel, ids: Int32Array, at: number): Promise<ArrayLike<number>> {
  return await noGrad(() => model.next(stepInput(ids, { shape: [1, ids.length] }), stepInput(Int32Array.of(at))))
    .data();
}

function withState(model: LanguageModel): Writer {
  return {
    scores: async (fresh) => {
      let scores: ArrayLike<number> = [];
      for (let at = 0; at < fresh.length;) { // two widths, so that two programs are compiled and no more
        const width = fresh.length - at >= CHUNK ? CHUNK : 1;
        scores = await scoresOf(model, Int32Array.from(fresh.slice(at, at + width)), width - 1);
        at += width;
      }
      return scores;
    },
  };
}

/** The first of widths, each `factor` times the one before, that so many tokens fit in; `most` at most. */
function widthFor(tokens: number, most: number, narrowest: number, factor: number): number {
  let width = narrowest;
  while (width < tokens) width *= factor;
  return Math.min(width, most);
}

/** The last tokens up to a limit, in a row of some width. */
function windowOf(all: readonly number[], most: number, factor: number): { ids: Int32Array; last: number } {
  const seen = all.slice(-most), ids = new Int32Array(widthFor(seen.length, most, NARROWEST, factor));
  ids.set(seen); // what is behind changes nothing before it
  return { ids, last: seen.length - 1 };
}

function inWindow(model: LanguageModel): Writer {
  const most = model.encoder.maxLength ?? WINDOW;
  return {
    scores: async (_, all) => {
      const { ids, last } = windowOf(all, most, 2);
      return await scoresOf(model, ids, last);
    },
  };
}

/** With keys and values of the positions so far; null where the model keeps none. */
function withCache(model: LanguageModel, length: number): Writer | null {
  const { encoder } = model, most = encoder.maxLength ?? WINDOW;
  const cache = encoder.cache(widthFor(length, most, KEPT, 4));
  if (cache === null) return null;
  let filled = false;
  const features = (fresh: readonly number[], all: readonly number[]) => {
    if (filled && fresh.length === 1 && all.length <= most) {
      return cache.next(stepInput(Int32Array.from(fresh), { shape: [1, 1] }), all.length - 1);
    }
    // the start, or a window that moves, in which each token has another place each time
    const { ids, last } = windowOf(all, most, 4);
    filled = true;
    return cache.start(stepInput(ids, { shape: [1, ids.length] }))
      .indexSelect(stepInput(Int32Array.of(last)), { axis: 1 });
  };
  return {
    scores: async (fresh, all) => await noGrad(() => model.decoder.forward(features(fresh, all)).reshape([-1])).data(),
    dispose: () => cache.dispose(),
  };
}

/** Which tokens are drawn. */
interface Choice {
  readonly temperature: number;
  readonly topK: number;
  readonly minP: number;
  readonly never: readonly number[];
}

/** A token by its probability. */
export function drawToken(scores: ArrayLike<number>, { temperature, topK, minP, never }: Choice, rng: Rng): number {
  const values = Float64Array.from(scores);
  if (values.some(Number.isNaN)) throw new DataError("Cannot write on: the model's scores are not numbers (NaN)");
  for (const id of never) if (id < values.length) values[id] = -Infinity;
  const best = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (temperature === 0) return values.indexOf(best);
  const plain = values.map((v) => Math.exp(v - best)), sum = plain.reduce((a, b) => a + b, 0);
  const least = plain.some((p) => p / sum >= minP) ? minP : 0;
  const order = Array.from(plain, (_, i) => i).filter((i) => plain[i] > 0 && plain[i] / sum >= least);
  const kept = topK < order.length ? order.sort((a, b) => plain[b] - plain[a] || a - b).slice(0, topK) : order;
  const weights = kept.map((i) => Math.exp((values[i] - best) / temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  let left = rng.uniform() * total;
  for (const [k, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return kept[k];
  }
  return kept[kept.length - 1];
}
