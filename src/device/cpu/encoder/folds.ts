/**
 * Accumulators of reductions: four lanes, folded across at the end of a row.
 *
 * @module
 */
import type { ReduceKind } from "../../contract.ts";
import type { Reduction } from "../../rows.ts";
import type { VectorWriter } from "./vector_writer.ts";
import { MEM, OP, T } from "./code.ts";

/** One reduction with its accumulator, and what goes with it. */
interface Fold extends Reduction {
  readonly acc: number;
  /** What chunks were added to: sums of f32 as two pairs of f64, of integers as they are; for argmax the indices. */
  readonly total: number;
  readonly high: number;
}

const START: Readonly<Record<string, readonly [number, number, number]>> = {
  // f32, i32, u32 bits
  sum: [0, 0, 0],
  prod: [0x3f800000, 1, 1],
  max: [0xff800000 | 0, -0x80000000, 0],
  min: [0x7f800000, 0x7fffffff, -1],
};

/** Bytes of a fold that is put aside. */
export const FOLD_BYTES = 48;

/** Folds that are formed in one pass over a row. */
export class Folds {
  readonly list: readonly Fold[];
  readonly #w: VectorWriter;

  constructor(w: VectorWriter, reductions: readonly Reduction[]) {
    this.#w = w;
    this.list = reductions.map((reduction) => {
      return { ...reduction, acc: w.f.local(T.v128), total: w.f.local(T.v128), high: w.f.local(T.v128) };
    });
  }

  #start(fold: Fold): readonly [number, number, number, number] {
    const type = this.#w.types[fold.a];
    const kind = fold.kind === "argmax" ? "max" : fold.kind === "argmin" ? "min" : fold.kind;
    const bits = START[kind][type === "f32" ? 0 : type === "i32" ? 1 : 2];
    return [bits, bits, bits, bits];
  }

  begin(): void {
    const { f } = this.#w;
    for (const fold of this.list) {
      f.v128(this.#start(fold)).set(fold.acc);
      f.v128(isArg(fold.kind) ? [-1, -1, -1, -1] : this.#start(fold)).set(fold.total);
      f.v128([0, 0, 0, 0]).set(fold.high);
    }
  }

  /** Moves chunks' sums to the totals. */
  chunk(): void {
    const { f } = this.#w;
    for (const fold of this.list) {
      if (fold.kind !== "sum") continue;
      if (this.#wide(fold)) {
        f.get(fold.total).get(fold.acc).op(OP.f64x2PromoteLow).op(OP.f64x2Add).set(fold.total);
        f.get(fold.high).get(fold.acc).get(fold.acc).shuffle([2, 3, 2, 3]).op(OP.f64x2PromoteLow).op(OP.f64x2Add).set(
          fold.high,
        );
      } else f.get(fold.total).get(fold.acc).op(this.#add(fold)).set(fold.total);
      f.v128([0, 0, 0, 0]).set(fold.acc);
    }
  }

  /** Whether totals are f64: chunks of f32 are short, but there may be many. */
  #wide(fold: Fold): boolean {
    return fold.kind === "sum" && this.#w.types[fold.a] === "f32";
  }

  #add(fold: Fold): number {
    return this.#w.types[fold.a] === "f32" ? OP.f32x4Add : OP.i32x4Add;
  }

  /** Takes in the current values; `spread` says that a single value stands in all lanes. `number` pushes their indices. */
  take(spread: boolean, number: () => void): void {
    const { f } = this.#w;
    for (const fold of this.list) {
      const value = this.#w.value(fold.a);
      if (isArg(fold.kind)) {
        this.#takeArg(fold, value, number);
        continue;
      }
      if (spread && (fold.kind === "sum" || fold.kind === "prod")) {
        const alone = f.local(T.v128);
        f.get(value).v128(this.#start(fold)).v128([-1, 0, 0, 0]).op(OP.v128Bitselect).set(alone);
        this.#combine(fold, fold.acc, alone);
        f.release(alone);
      } else this.#combine(fold, fold.acc, value);
      f.set(fold.acc);
    }
  }

  #combine(fold: Fold, a: number, b: number): void {
    const { f } = this.#w;
    const float = this.#w.types[fold.a] === "f32", unsigned = this.#w.types[fold.a] === "u32";
    f.get(a).get(b);
    switch (fold.kind) {
      case "sum":
        f.op(this.#add(fold));
        return;
      case "prod":
        f.op(float ? OP.f32x4Mul : OP.i32x4Mul);
        return;
      case "max":
        f.op(float ? OP.f32x4Max : unsigned ? OP.i32x4MaxU : OP.i32x4MaxS);
        return;
      default:
        f.op(float ? OP.f32x4Min : unsigned ? OP.i32x4MinU : OP.i32x4MinS);
    }
  }

  /** Pushes the mask of lanes in which `b` beats `a`: it is larger (smaller), or the first NaN. */
  #beats(fold: Fold, a: number, b: number): void {
    const { f } = this.#w;
    const max = fold.kind === "argmax";
    const type = this.#w.types[fold.a];
    f.get(b).get(a);
    if (type === "f32") {
      f.op(max ? OP.f32x4Gt : OP.f32x4Lt);
      f.get(b).get(b).op(OP.f32x4Ne).get(a).get(a).op(OP.f32x4Eq).op(OP.v128And).op(OP.v128Or);
    } else if (type === "u32") f.op(max ? OP.i32x4GtU : OP.i32x4LtU);
    else f.op(max ? OP.i32x4GtS : OP.i32x4LtS);
  }

  #takeArg(fold: Fold, value: number, number: () => void): void {
    const { f } = this.#w;
    const mask = f.local(T.v128);
    this.#beats(fold, fold.acc, value);
    // the first element of all is taken whatever it is
    f.get(fold.total).v128([-1, -1, -1, -1]).op(OP.i32x4Eq).op(OP.v128Or).set(mask);
    f.get(value).get(fold.acc).get(mask).op(OP.v128Bitselect).set(fold.acc);
    number();
    f.get(fold.total).get(mask).op(OP.v128Bitselect).set(fold.total);
    f.release(mask);
  }

  /** Puts the folds aside, at the address that `push` pushes. */
  save(push: () => void): void {
    const { f } = this.#w;
    this.list.forEach(({ acc, total, high }, i) =>
      [acc, total, high].forEach((local, n) => {
        push();
        f.get(local).mem(MEM.v128Store, i * FOLD_BYTES + n * 16);
      })
    );
  }

  /** Takes in folds that were put aside, of elements that come after those of these. */
  absorb(push: () => void): void {
    const { f } = this.#w;
    const value = f.local(T.v128);
    this.list.forEach((fold, i) => {
      const part = (n: number) => {
        push();
        f.mem(MEM.v128Load, i * FOLD_BYTES + n * 16);
      };
      if (fold.kind === "sum") {
        const add = this.#wide(fold) ? OP.f64x2Add : this.#add(fold);
        f.get(fold.total);
        part(1);
        f.op(add).set(fold.total).get(fold.high);
        part(2);
        f.op(add).set(fold.high);
        return;
      }
      part(0);
      f.set(value);
      if (isArg(fold.kind)) this.#takeArg(fold, value, () => part(1));
      else {
        this.#combine(fold, fold.acc, value);
        f.set(fold.acc);
      }
    });
    f.release(value);
  }

  /** Leaves results in the instructions' locals; `across` folds the lanes of a vector first. */
  end(across: boolean): void {
    const { f } = this.#w;
    this.chunk();
    for (const fold of this.list) {
      const out = this.#w.value(fold.id);
      const at = fold.kind === "sum" ? fold.total : fold.acc;
      if (this.#wide(fold)) {
        if (across) { // all four lanes in f64, the sum in every lane
          f.get(fold.total).get(fold.high).op(OP.f64x2Add).set(fold.total);
          f.get(fold.total).get(fold.total).get(fold.total).shuffle([2, 3, 0, 1]).op(OP.f64x2Add);
          f.op(OP.f32x4DemoteF64x2).set(out).get(out).get(out).shuffle([0, 0, 0, 0]).set(out);
        } else {
          f.get(fold.total).op(OP.f32x4DemoteF64x2).set(out);
          f.get(out).get(fold.high).op(OP.f32x4DemoteF64x2).shuffle([0, 1, 4, 5]).set(out);
        }
        continue;
      }
      if (across) { for (const shift of [2, 1]) this.#across(fold, at, shift); }
      f.get(isArg(fold.kind) ? fold.total : at).set(out);
      if (across) f.get(out).get(out).shuffle([0, 0, 0, 0]).set(out);
    }
  }

  #across(fold: Fold, at: number, shift: number): void {
    const { f } = this.#w;
    const other = f.local(T.v128);
    const lanes = [shift, (1 + shift) & 3, (2 + shift) & 3, (3 + shift) & 3] as const;
    f.get(at).get(at).shuffle(lanes).set(other);
    if (!isArg(fold.kind)) {
      this.#combine(fold, at, other);
      f.set(at);
    } else {
      const index = f.local(T.v128), mask = f.local(T.v128), back = f.local(T.v128);
      f.get(fold.total).get(fold.total).shuffle(lanes).set(index);
      // the other lane wins if it beats this one, or, neither beating the other, if it comes first
      this.#beats(fold, at, other);
      f.set(mask);
      this.#beats(fold, other, at);
      f.set(back);
      f.get(mask).get(back).op(OP.v128Not).get(index).get(fold.total).op(OP.i32x4LtU).op(OP.v128And).op(OP.v128Or).set(
        mask,
      );
      // lanes that saw nothing hold index -1, the largest of all
      f.get(index).v128([-1, -1, -1, -1]).op(OP.i32x4Eq).op(OP.v128Not).get(mask).op(OP.v128And);
      f.get(fold.total).v128([-1, -1, -1, -1]).op(OP.i32x4Eq).op(OP.v128Or).set(mask);
      f.get(other).get(at).get(mask).op(OP.v128Bitselect).set(at);
      f.get(index).get(fold.total).get(mask).op(OP.v128Bitselect).set(fold.total);
      for (const l of [index, mask, back]) f.release(l);
    }
    f.release(other);
  }
}

const isArg = (kind: ReduceKind) => kind === "argmax" || kind === "argmin";
