/**
 * Philox4x32-10 on four lanes at a time: counter-based random numbers, exact in integers.
 *
 * @module
 * @see Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"
 */
import { Fn, OP, T } from "./code.ts";
import type { MathLibrary } from "./math.ts";

const M0 = 0xd2511f53 | 0, M1 = 0xcd9e8d57 | 0, W0 = 0x9e3779b9 | 0, W1 = 0xbb67ae85 | 0;

/** `(index: v128, stream, key0, key1: i32) -> v128`: the first output word, or the second. */
export function philox(word: 0 | 1): Fn {
  const f = new Fn([T.v128, T.i32, T.i32, T.i32], [T.v128]);
  const c = [f.local(T.v128), f.local(T.v128), f.local(T.v128), f.local(T.v128)];
  const low = f.local(T.v128),
    high = f.local(T.v128),
    k0 = f.local(T.v128),
    k1 = f.local(T.v128),
    round = f.local(T.i32);
  const lo0 = f.local(T.v128), hi0 = f.local(T.v128), lo1 = f.local(T.v128), hi1 = f.local(T.v128);
  f.get(0).set(c[0]).get(1).op(OP.i32x4Splat).set(c[1]);
  for (const i of [2, 3]) f.v128([0, 0, 0, 0]).set(c[i]);
  f.get(2).op(OP.i32x4Splat).set(k0).get(3).op(OP.i32x4Splat).set(k1);
  const multiply = (x: number, m: number, lo: number, hi: number) => {
    f.get(x).v128([m, m, m, m]).op(OP.i64x2ExtmulLowU).set(low);
    f.get(x).v128([m, m, m, m]).op(OP.i64x2ExtmulHighU).set(high);
    f.get(low).get(high).shuffle([0, 2, 4, 6]).set(lo);
    f.get(low).get(high).shuffle([1, 3, 5, 7]).set(hi);
  };
  f.i32(0).set(round);
  f.loop(round, () => f.i32(10), 1, () => {
    multiply(c[0], M0, lo0, hi0);
    multiply(c[2], M1, lo1, hi1);
    f.get(hi1).get(c[1]).op(OP.v128Xor).get(k0).op(OP.v128Xor).set(c[0]);
    f.get(hi0).get(c[3]).op(OP.v128Xor).get(k1).op(OP.v128Xor).set(c[2]);
    f.get(lo1).set(c[1]).get(lo0).set(c[3]);
    f.get(k0).v128([W0, W0, W0, W0]).op(OP.i32x4Add).set(k0);
    f.get(k1).v128([W1, W1, W1, W1]).op(OP.i32x4Add).set(k1);
  });
  f.get(c[word]);
  return f;
}

/** Numbers in [0, 1) of 24 bits, from words on the stack. */
export function uniform(f: Fn): Fn {
  return f.i32(8).op(OP.i32x4ShrU).op(OP.f32x4ConvertI32U).f32x4(2 ** -24).op(OP.f32x4Mul);
}

/** `(x0, x1: v128) -> v128`: numbers of the standard normal distribution (Box and Muller). */
export function normal(math: MathLibrary): Fn {
  const f = new Fn([T.v128, T.v128], [T.v128]);
  const log = math.index("log"), cos = math.index("cos");
  uniform(f.get(0)).f32x4(2 ** -25).op(OP.f32x4Add).call(log).f32x4(-2).op(OP.f32x4Mul).op(OP.f32x4Sqrt);
  uniform(f.get(1)).f32x4(2 * Math.PI).op(OP.f32x4Mul).call(cos).op(OP.f32x4Mul);
  return f;
}
