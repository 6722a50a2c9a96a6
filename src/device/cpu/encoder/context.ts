/**
 * A module in the making, with everything that the kernels of a program share.
 *
 * @module
 */
import type { Tile } from "../tile.ts";
import { T } from "./code.ts";
import { MathLibrary } from "./math.ts";
import { ModuleWriter } from "./module.ts";
import { normal, philox } from "./philox.ts";

/** Numbers of parameters, all i32, of the hand-written kernels. */
const KERNELS = {
  matmul: 13,
  packRight: 9,
  matmulPacked: 12,
  attention: 11,
  attentionGrad: 13,
  scatterAdd: 18,
  convPad: 5,
  convPadNarrow: 5,
  convPack: 7,
  convPackThin: 7,
  convBlock: 13,
  convThin: 11,
  convSum: 4,
  barrier: 2,
} as const;

/** Functions that come from outside: powers and remainders of one number, and the hand-written kernels. */
export type Import = "pow" | "fmod" | keyof typeof KERNELS;

/** The module of one program. */
export class Context {
  readonly module: ModuleWriter;
  readonly math: MathLibrary;
  readonly imports: Readonly<Record<Import, number>>;
  /** Data that kernels read, such as the starts of segments: placed by whoever owns the memory. */
  readonly data: { readonly words: Int32Array; address: number }[] = [];
  readonly #place: (words: Int32Array) => number;
  readonly #random = new Map<string, number>();

  /** The tile of the product kernels. */
  readonly tile: Tile;

  /**
   * @param shared Whether threads share the memory.
   * @param fused Whether maps may use relaxed SIMD.
   * @param place Puts words in memory for as long as the program lives; gives their address.
   */
  constructor(shared: boolean, fused: boolean, tile: Tile, place: (words: Int32Array) => number) {
    this.module = new ModuleWriter(shared);
    this.tile = tile;
    this.#place = place;
    const kernel = (name: keyof typeof KERNELS) =>
      this.module.import(name, new Array<typeof T.i32>(KERNELS[name]).fill(T.i32));
    this.imports = {
      pow: this.module.import("pow", [T.f32, T.f32], [T.f32]),
      fmod: this.module.import("fmod", [T.f32, T.f32], [T.f32]),
      matmul: kernel("matmul"),
      packRight: kernel("packRight"),
      matmulPacked: kernel("matmulPacked"),
      attention: kernel("attention"),
      attentionGrad: kernel("attentionGrad"),
      scatterAdd: kernel("scatterAdd"),
      convPad: kernel("convPad"),
      convPadNarrow: kernel("convPadNarrow"),
      convPack: kernel("convPack"),
      convPackThin: kernel("convPackThin"),
      convBlock: kernel("convBlock"),
      convThin: kernel("convThin"),
      convSum: kernel("convSum"),
      barrier: kernel("barrier"),
    };
    this.math = new MathLibrary(this.module, fused);
  }

  /** Puts words in memory; gives their address. */
  place(words: readonly number[]): number {
    return this.#place(Int32Array.from(words));
  }

  /** The index of a function of random numbers. */
  random(name: "word0" | "word1" | "normal"): number {
    let index = this.#random.get(name);
    if (index === undefined) {
      index = this.module.add(name === "normal" ? normal(this.math) : philox(name === "word0" ? 0 : 1));
      this.#random.set(name, index);
    }
    return index;
  }
}
