/**
 * Random numbers: one counter-based generator, Philox4x32-10, on the host and on the device. What is drawn depends on the
 * seed and on the order of the calls, never on when a tensor is computed.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { instanceOf, type OptionKind } from "../base/options.ts";

/** What {@link Rng.state} gives and {@link Rng.restore} takes: plain data, for checkpoints. */
export interface RngState {
  /** The generator's key, two u32 words. */
  readonly key: readonly [number, number];
  /** Number of device streams that were drawn. */
  readonly streams: number;
  /** Number of host blocks that were drawn. */
  readonly blocks: number;
}

const words = new Uint32Array(4);

/** Leaves the block of counter `(c0, c1, c2, 0)` under key `(k0, k1)` in {@link words}. */
function philox(c0: number, c1: number, c2: number, k0: number, k1: number): void {
  let c3 = 0;
  for (let round = 0; round < 10; round++) {
    const low0 = Math.imul(c0, 0xd2511f53), low1 = Math.imul(c2, 0xcd9e8d57);
    const high0 = mulHigh(c0, 0xd2511f53), high1 = mulHigh(c2, 0xcd9e8d57);
    c0 = high1 ^ c1 ^ k0;
    c2 = high0 ^ c3 ^ k1;
    c1 = low1;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

/** The upper 32 bits of a product of two words, by halves of 16 bits: no sum passes 2^32. */
function mulHigh(a: number, b: number): number {
  const ah = a >>> 16, al = a & 0xffff, bh = b >>> 16, bl = b & 0xffff;
  const first = Math.imul(ah, bl) + (Math.imul(al, bl) >>> 16) | 0;
  const second = Math.imul(al, bh) + (first & 0xffff) | 0;
  return Math.imul(ah, bh) + (first >>> 16) + (second >>> 16) | 0;
}

/** Counter word that keeps the host's blocks apart from the device's, whose third word is 0. */
const HOST = 1;

/**
 * A source of random numbers. The same seed and the same calls give the same numbers on every device.
 *
 * @example
 * ```ts ignore
 * const x = randn([3, 4], { rng: new Rng(7) });
 * ```
 */
export class Rng {
  #k0: number;
  #k1: number;
  #streams = 0;
  #blocks = 0;

  /**
   * A generator that starts from a seed.
   *
   * @param seed A whole number from 0 to 2^53 - 1.
   */
  constructor(seed: number = 0) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new ConfigError(`Cannot seed random numbers by ${seed}: seeds are whole numbers from 0 to 2^53 - 1`);
    }
    this.#k0 = seed >>> 0;
    this.#k1 = Math.floor(seed / 2 ** 32) >>> 0;
  }

  /** The two u32 words that the device's generator is keyed by. */
  get key(): Uint32Array {
    return Uint32Array.of(this.#k0, this.#k1);
  }

  /** A number of its own for one tensor of random numbers; drawn when the expression is built. */
  nextStream(): number {
    const stream = this.#streams;
    this.#streams = (stream + 1) >>> 0;
    return stream;
  }

  #next(): void {
    const n = this.#blocks++;
    philox(n | 0, Math.floor(n / 2 ** 32) | 0, HOST, this.#k0, this.#k1);
  }

  /** A number in [0, 1), of 53 random bits. */
  uniform(): number {
    this.#next();
    return fraction(words[0], words[1]);
  }

  /** A number of the standard normal distribution. */
  normal(): number {
    this.#next();
    return gauss(0);
  }

  /** A whole number in [0, n). */
  integer(n: number): number {
    if (!Number.isSafeInteger(n) || n < 1) {
      throw new ConfigError(`Cannot draw a whole number below ${n}: the bound is a whole number from 1`);
    }
    return Math.floor(this.uniform() * n);
  }

  /** The numbers 0 to n - 1 in random order. */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(this.uniform() * (i + 1));
      const t = order[i];
      order[i] = order[j];
      order[j] = t;
    }
    return order;
  }

  /** `n` numbers in [low, high), computed in f64. */
  uniformArray(n: number, low: number = 0, high: number = 1): Float32Array {
    const out = new Float32Array(n);
    for (let i = 0; i < n; i += 2) {
      this.#next();
      out[i] = low + (high - low) * fraction(words[0], words[1]);
      if (i + 1 < n) out[i + 1] = low + (high - low) * fraction(words[2], words[3]);
    }
    return out;
  }

  /** `n` numbers of a normal distribution, computed in f64. */
  normalArray(n: number, mean: number = 0, std: number = 1): Float32Array {
    const out = new Float32Array(n);
    for (let i = 0; i < n; i += 2) {
      this.#next();
      out[i] = mean + std * gauss(0);
      if (i + 1 < n) out[i + 1] = mean + std * gauss(1);
    }
    return out;
  }

  /** A generator of its own, which shares no numbers with this one. */
  fork(): Rng {
    this.#next();
    const child = new Rng();
    child.#k0 = words[0];
    child.#k1 = words[1];
    return child;
  }

  /** Where the generator stands. */
  get state(): RngState {
    return { key: [this.#k0, this.#k1], streams: this.#streams, blocks: this.#blocks };
  }

  /** Goes back to where `state` was taken. */
  restore({ key: [k0, k1], streams, blocks }: RngState): void {
    this.#k0 = k0 >>> 0;
    this.#k1 = k1 >>> 0;
    this.#streams = streams >>> 0;
    this.#blocks = blocks;
  }
}

/** A generator as an option. */
export const aGenerator: OptionKind<Rng> = instanceOf(Rng, "a generator, new Rng(seed)");

/** 53 bits of two words as a fraction. */
function fraction(high: number, low: number): number {
  return ((high >>> 5) * 0x4000000 + (low >>> 6)) * 2 ** -53;
}

/** One of the two normal numbers of the block (Box and Muller 1958). */
function gauss(which: 0 | 1): number {
  const u = 1 - fraction(words[0], words[1]); // in (0, 1]
  const angle = 2 * Math.PI * fraction(words[2], words[3]);
  const radius = Math.sqrt(-2 * Math.log(u));
  return radius * (which === 0 ? Math.cos(angle) : Math.sin(angle));
}

const shared: Rng = new Rng(0);

/** The generator that is used where none is given. */
export function defaultRng(): Rng {
  return shared;
}

/** Starts the default generator anew: everything drawn after it is the same for the same `seed`. */
export function setSeed(seed: number): void {
  shared.restore(new Rng(seed).state);
}
