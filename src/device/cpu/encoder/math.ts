/**
 * Functions of four f32 lanes, written as WebAssembly: each within a few units in the last place of the exact value (bounds in
 * the table below, checked by tests/device/cpu/math_test.ts). Denormal results may be flushed towards 0 by `exp` only.
 *
 * | function | largest error, ulp | notes |
 * |---|---|---|
 * | exp | 2 | 0 below -104, infinity above 88.73 |
 * | log, log1p | 3 | -infinity at 0 (-1), NaN below |
 * | atan | 3 | |
 * | tanh | 3 | |
 * | erf | 4 | 1 from 4 on |
 * | sin, cos | 1.5e-7 absolute, for arguments up to 1e4 | in [-1, 1] for all others |
 *
 * @module
 */
import { lazy } from "../../../base/lazy.ts";
import { Fn, MEM, OP, T } from "./code.ts";
import { ModuleWriter } from "./module.ts";

// fitted by Chebyshev interpolation: (atan(t)/t - 1)/t^2, tanh(x)/x and erf(x)/x in x^2
const ATAN = [-0.333333313, 0.199995399, -0.142639562, 0.107437313, -0.0645192787];
const TANH = [1, -0.333333293, 0.133331678, -0.0539428569, 0.0216817469, -0.00813400325, 0.00210526211];
const ERF = [
  1.12837917,
  -0.376126385,
  0.112837826,
  -0.0268654383,
  0.00522105341,
  -0.000848439654,
  0.000112682538,
  -9.67359058e-6,
];
// (1 - erf(x))^(-1/8) in x - 1, from 1 to 4
const ERFC_ROOT = [
  1.26011205,
  0.415675908,
  0.201329187,
  0.0581177697,
  0.014687038,
  0.00519178808,
  -0.000216915185,
  0.00054789416,
];

/** The sign bit. */
const SIGN = 0x80000000 | 0;

/** Four equal i32 lanes. */
function splat(f: Fn, bits: number): Fn {
  return f.v128([bits, bits, bits, bits]);
}

/** Pushes the polynomial with `coefficients` (lowest first) of local `x`. */
function polynomial(lib: MathLibrary, f: Fn, coefficients: readonly number[], x: number): Fn {
  const last = coefficients.length - 1;
  f.f32x4(coefficients[last]);
  for (let i = last - 1; i >= 0; i--) lib.mulAdd(f.get(x), () => f.f32x4(coefficients[i]));
  return f;
}

/** e^x = 2^n e^r with n = round(x / ln 2); the power in two factors, so that neither overflows. */
function exp(lib: MathLibrary): Fn {
  const f = lib.fn();
  const x = 0, n = f.local(T.v128), r = f.local(T.v128), half = f.local(T.v128);
  f.get(x).f32x4(-104).op(OP.f32x4Pmax).f32x4(89).op(OP.f32x4Pmin).set(x);
  f.get(x).f32x4(Math.LOG2E).op(OP.f32x4Mul).op(OP.f32x4Nearest).tee(n);
  // n ln 2 in two parts, the first exact for |n| < 2^9
  lib.mulAdd(f.f32x4(-0.693359375), () => f.get(x)).set(r);
  lib.mulAdd(f.get(n).f32x4(2.12194440e-4), () => f.get(r)).set(r);
  polynomial(lib, f, [1, 1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040], r);
  f.get(n).op(OP.i32x4TruncSatF32S).tee(n).i32(1).op(OP.i32x4ShrS).tee(half);
  power(f).op(OP.f32x4Mul);
  f.get(n).get(half).op(OP.i32x4Sub);
  power(f).op(OP.f32x4Mul);
  return f;
}

/** 2^n for n in [-126, 127] on the stack. */
function power(f: Fn): Fn {
  return splat(f, 127).op(OP.i32x4Add).i32(23).op(OP.i32x4Shl);
}

/** log(x) = e ln 2 + 2 atanh((m - 1) / (m + 1)), x = m 2^e, m in [sqrt(1/2), sqrt(2)) */
function log(lib: MathLibrary): Fn {
  const f = lib.fn();
  const x = 0,
    tiny = f.local(T.v128),
    y = f.local(T.v128),
    e = f.local(T.v128),
    z = f.local(T.v128),
    z2 = f.local(T.v128);
  // denormals are scaled up by 2^23 first
  f.get(x).f32x4(1.17549435e-38).op(OP.f32x4Lt).set(tiny);
  f.get(x).f32x4(8388608).op(OP.f32x4Mul).get(x).get(tiny).op(OP.v128Bitselect).set(y);
  // subtracting the bits of sqrt(1/2) puts m in the range
  f.get(y);
  splat(f, 0x3f3504f3).op(OP.i32x4Sub).i32(23).op(OP.i32x4ShrS).set(e);
  f.get(y).get(e).i32(23).op(OP.i32x4Shl).op(OP.i32x4Sub).set(y); // m
  f.get(e).op(OP.f32x4ConvertI32S).get(tiny).f32x4(23).op(OP.v128And).op(OP.f32x4Sub).set(e);
  f.get(y).f32x4(1).op(OP.f32x4Sub).get(y).f32x4(1).op(OP.f32x4Add).op(OP.f32x4Div).tee(z);
  f.get(z).op(OP.f32x4Mul).set(z2);
  // m - 1 - h + z (h + ...) would be a last bit better; this is within 3
  f.get(e).f32x4(0.693359375).op(OP.f32x4Mul);
  f.get(z);
  polynomial(lib, f, [2, 2 / 3, 2 / 5, 2 / 7, 2 / 9, 2 / 11], z2).op(OP.f32x4Mul);
  f.get(e).f32x4(-2.12194440e-4).op(OP.f32x4Mul).op(OP.f32x4Add).op(OP.f32x4Add).set(z);
  // special values: log(inf) = inf, log(0) = -inf, log(< 0) = NaN
  f.get(x).get(z).get(x).f32x4(Infinity).op(OP.f32x4Eq).op(OP.v128Bitselect).set(z);
  f.f32x4(-Infinity).get(z).get(x).f32x4(0).op(OP.f32x4Eq).op(OP.v128Bitselect).set(z);
  f.f32x4(NaN).get(z).get(x).f32x4(0).op(OP.f32x4Ge).op(OP.v128Not).op(OP.v128Bitselect);
  return f;
}

/** log(1 + x): 2 atanh(x / (2 + x)) near 0, the logarithm elsewhere. */
function log1p(lib: MathLibrary): Fn {
  const log = lib.index("log");
  const f = lib.fn();
  const x = 0, z = f.local(T.v128), z2 = f.local(T.v128);
  f.get(x).get(x).f32x4(2).op(OP.f32x4Add).op(OP.f32x4Div).tee(z).get(z).op(OP.f32x4Mul).set(z2);
  f.get(z);
  polynomial(lib, f, [2, 2 / 3, 2 / 5, 2 / 7, 2 / 9, 2 / 11], z2).op(OP.f32x4Mul);
  f.get(x).f32x4(1).op(OP.f32x4Add).call(log);
  f.get(x).f32x4(-0.29).op(OP.f32x4Gt).get(x).f32x4(0.41).op(OP.f32x4Lt).op(OP.v128And).op(OP.v128Bitselect);
  return f;
}

/**
 * atan(t) for |t| <= tan(pi / 8), t itself, (|x| - 1) / (|x| + 1) or -1 / |x|, and as much of pi / 4 as was taken away.
 */
function atan(lib: MathLibrary): Fn {
  const f = lib.fn();
  const x = 0,
    a = f.local(T.v128),
    far = f.local(T.v128),
    mid = f.local(T.v128),
    t = f.local(T.v128),
    z = f.local(T.v128);
  f.get(x).op(OP.f32x4Abs).tee(a).f32x4(Math.tan(3 * Math.PI / 8)).op(OP.f32x4Gt).set(far);
  f.get(a).f32x4(Math.tan(Math.PI / 8)).op(OP.f32x4Gt).set(mid);
  f.f32x4(-1);
  f.get(a).f32x4(1).op(OP.f32x4Sub).get(a).get(mid).op(OP.v128Bitselect).get(far).op(OP.v128Bitselect);
  f.get(a);
  f.get(a).f32x4(1).op(OP.f32x4Add).f32x4(1).get(mid).op(OP.v128Bitselect).get(far).op(OP.v128Bitselect);
  f.op(OP.f32x4Div).tee(t).get(t).op(OP.f32x4Mul).set(z);
  f.f32x4(Math.PI / 2).f32x4(Math.PI / 4).get(mid).op(OP.v128And).get(far).op(OP.v128Bitselect);
  polynomial(lib, f, ATAN, z).get(z).op(OP.f32x4Mul).get(t).op(OP.f32x4Mul).get(t).op(OP.f32x4Add).op(OP.f32x4Add);
  signOf(f, x).op(OP.v128Or);
  return f;
}

/** An odd polynomial up to 0.625, 1 - 2 / (e^2x + 1) above. */
function tanh(lib: MathLibrary): Fn {
  const exp = lib.index("exp");
  const f = lib.fn();
  const x = 0, a = f.local(T.v128), t = f.local(T.v128), y = f.local(T.v128), near = f.local(T.v128);
  f.get(x).get(x).op(OP.f32x4Mul).set(t);
  polynomial(lib, f, TANH, t).get(x).op(OP.f32x4Mul).set(y);
  beyond(f, { x, a, y, near, limit: 0.625 }, () => {
    f.f32x4(1).f32x4(2);
    f.get(a).f32x4(2).op(OP.f32x4Mul).call(exp).f32x4(1).op(OP.f32x4Add);
    f.op(OP.f32x4Div).op(OP.f32x4Sub);
  });
  return f.get(y);
}

function signOf(f: Fn, x: number): Fn {
  f.get(x);
  return splat(f, SIGN).op(OP.v128And);
}

/** An odd polynomial up to 1, 1 - r(x)^-8 up to 4, 1 above. */
function erf(lib: MathLibrary): Fn {
  const f = lib.fn();
  const x = 0, a = f.local(T.v128), t = f.local(T.v128), y = f.local(T.v128), near = f.local(T.v128);
  f.get(x).get(x).op(OP.f32x4Mul).set(t);
  polynomial(lib, f, ERF, t).get(x).op(OP.f32x4Mul).set(y);
  beyond(f, { x, a, y, near, limit: 1 }, () => {
    f.get(a).f32x4(4).op(OP.f32x4Pmin).f32x4(1).op(OP.f32x4Sub).set(t);
    polynomial(lib, f, ERFC_ROOT, t).tee(t);
    for (let i = 0; i < 3; i++) f.get(t).op(OP.f32x4Mul).tee(t);
    f.set(t).f32x4(1).f32x4(1).get(t).op(OP.f32x4Div).op(OP.f32x4Sub);
  });
  return f.get(y);
}

/**
 * Where some lane's `|x|`, which goes to `a`, is not below `limit`, the lanes of `y` are replaced there by what `far` pushes, with the sign
 * of `x`: numbers near 0 are frequent, and cost half.
 */
function beyond(
  f: Fn,
  { x, a, y, near, limit }: { x: number; a: number; y: number; near: number; limit: number },
  far: () => void,
): void {
  f.get(x).op(OP.f32x4Abs).tee(a).f32x4(limit).op(OP.f32x4Lt).tee(near);
  f.op(OP.i32x4AllTrue).op(OP.i32Eqz).if(() => {
    f.get(y);
    far();
    signOf(f, x).op(OP.v128Or).get(near).op(OP.v128Bitselect).set(y);
  });
}

/** `value` with the lowest bits of its f32 fraction cleared, so that products with small whole numbers are exact. */
function short(value: number, bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  view.setInt32(0, view.getInt32(0) & (-1 << (24 - bits)));
  return view.getFloat32(0);
}

const PI_1 = short(Math.PI / 2, 10), PI_2 = short(Math.PI / 2 - PI_1, 10), PI_3 = Math.PI / 2 - PI_1 - PI_2;

/** sin(x) or cos(x) = +-sin(r) or +-cos(r), r = x - n pi / 2 in [-pi / 4, pi / 4]. */
function sine(lib: MathLibrary, turn: 0 | 1): Fn {
  const f = lib.fn();
  const x = 0, n = f.local(T.v128), r = f.local(T.v128), r2 = f.local(T.v128);
  f.get(x).f32x4(2 / Math.PI).op(OP.f32x4Mul).op(OP.f32x4Nearest).set(n);
  f.get(x).get(n).f32x4(PI_1).op(OP.f32x4Mul).op(OP.f32x4Sub);
  f.get(n).f32x4(PI_2).op(OP.f32x4Mul).op(OP.f32x4Sub);
  f.get(n).f32x4(PI_3).op(OP.f32x4Mul).op(OP.f32x4Sub);
  f.f32x4(-1).op(OP.f32x4Max).f32x4(1).op(OP.f32x4Min); // of large x nothing is left in r but rounding
  f.tee(r).get(r).op(OP.f32x4Mul).set(r2);
  f.get(n).op(OP.i32x4TruncSatF32S);
  splat(f, turn).op(OP.i32x4Add).set(n);
  polynomial(lib, f, [1, -1 / 2, 1 / 24, -1 / 720, 1 / 40320], r2);
  polynomial(lib, f, [1, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880], r2).get(r).op(OP.f32x4Mul);
  f.get(n);
  splat(f, 1).op(OP.v128And);
  splat(f, 1).op(OP.i32x4Eq).op(OP.v128Bitselect); // odd quarters: cosine
  f.get(n);
  splat(f, 2).op(OP.v128And).i32(30).op(OP.i32x4Shl).op(OP.v128Xor); // the second half turn: other sign
  if (turn === 0) f.set(r2).get(x).get(r2).get(x).f32x4(0).op(OP.f32x4Eq).op(OP.v128Bitselect); // sin(-0) = -0
  return f;
}

/** What f16 has ends before 65536. */
const HALF_END = 65536;
const INFINITE = 0x7f800000;

/** Pushes the sign bits of local `x`, of f32. */
function signs(f: Fn, x: number): Fn {
  f.get(x);
  return splat(f, SIGN).op(OP.v128And);
}

/**
 * The nearest number of f16, ties to even: adding 2^13 times the power of two below rounds thirteen bits away, and at least a half what
 * is less than a step of 2^-24. That is nothing for infinity, which keeps to it.
 */
function half(lib: MathLibrary): Fn {
  const f = lib.fn();
  const x = 0, a = f.local(T.v128), c = f.local(T.v128), y = f.local(T.v128);
  f.get(x).op(OP.f32x4Abs).tee(a);
  splat(f, INFINITE).op(OP.v128And).f32x4(2 ** 13).op(OP.f32x4Mul).f32x4(0.5).op(OP.f32x4Pmax).f32x4(2 ** 40);
  f.op(OP.f32x4Pmin).set(c);
  f.get(a).get(c).op(OP.f32x4Add).get(c).op(OP.f32x4Sub).set(y);
  splat(f, INFINITE).get(y).get(y).f32x4(HALF_END).op(OP.f32x4Ge).op(OP.v128Bitselect);
  return signs(f, x).op(OP.v128Or);
}

/** The bits of f16, in lanes of 32, as f32: its exponents are 112 below those of f32, and the last one is infinity's. */
function fromHalf(lib: MathLibrary): Fn {
  const f = lib.fn();
  const h = 0, y = f.local(T.v128);
  f.get(h).i32(13).op(OP.i32x4Shl);
  splat(f, 0x0fffe000).op(OP.v128And).f32x4(2 ** 112).op(OP.f32x4Mul).tee(y).f32x4(HALF_END).op(OP.f32x4Ge);
  splat(f, INFINITE).op(OP.v128And).get(y).op(OP.v128Or);
  f.get(h).i32(16).op(OP.i32x4Shl);
  return splat(f, SIGN).op(OP.v128And).op(OP.v128Or);
}

/** Numbers of f16, as f32, as their bits in lanes of 32. */
function toHalf(lib: MathLibrary): Fn {
  const f = lib.fn();
  const x = 0;
  f.get(x).op(OP.f32x4Abs).f32x4(HALF_END).op(OP.f32x4Pmin).f32x4(2 ** -112).op(OP.f32x4Mul).i32(13).op(OP.i32x4ShrU);
  splat(f, 0x7fff).op(OP.v128And);
  signs(f, x).i32(16).op(OP.i32x4ShrU);
  return f.op(OP.v128Or);
}

function placeOfConstant(bits: number): number {
  return CONSTANTS_AT + 4 * mathConstants().indexOf(bits);
}

/** Address of the constants of these functions, in every device's memory. */
export const CONSTANTS_AT = 1024;

/** A function whose constants come from memory: an instruction each, where the engine takes four to make one. */
class MathFn extends Fn {
  readonly #place: (bits: number) => number;

  /** @param place Gives the address of four bytes that hold these. */
  constructor(place: (bits: number) => number) {
    super([T.v128], [T.v128]);
    this.#place = place;
  }

  override v128(lanes: readonly [number, number, number, number]): this {
    const [bits] = lanes;
    if (bits === 0 || lanes.some((other) => other !== bits)) return super.v128(lanes);
    return this.i32(this.#place(bits)).mem(MEM.v128Load32Splat);
  }
}

/** The constants of all functions, to be put at {@link CONSTANTS_AT}. */
export const mathConstants: () => readonly number[] = lazy(() => {
  const found = new Set<number>();
  const library = new MathLibrary(new ModuleWriter(false), true, (bits) => (found.add(bits), 0));
  for (const name in FUNCTIONS) library.index(name as MathName);
  return [...found];
});

/** The functions of one module, added when first asked for. */
export class MathLibrary {
  readonly #module: ModuleWriter;
  readonly #fused: boolean;
  readonly #place: (bits: number) => number;
  readonly #known = new Map<MathName, number>();

  /**
   * @param module Where the functions go.
   * @param fused Whether the engine has relaxed SIMD: then polynomials are fused multiply-adds.
   * @param place Gives the address of four bytes of a constant.
   */
  constructor(module: ModuleWriter, fused: boolean, place: (bits: number) => number = placeOfConstant) {
    this.#module = module;
    this.#fused = fused;
    this.#place = place;
  }

  /** The index of a function. */
  index(name: MathName): number {
    let index = this.#known.get(name);
    if (index === undefined) this.#known.set(name, index = this.#module.add(FUNCTIONS[name](this)));
    return index;
  }

  /** A function of four lanes in the making. */
  fn(): Fn {
    return new MathFn(this.#place);
  }

  /** Multiplies the two vectors on the stack, and adds what `addend` pushes. */
  mulAdd(f: Fn, addend: () => void): Fn {
    if (!this.#fused) f.op(OP.f32x4Mul);
    addend();
    return f.op(this.#fused ? OP.f32x4RelaxedMadd : OP.f32x4Add);
  }
}

/** Functions that a module may need. */
const FUNCTIONS = {
  exp,
  log,
  log1p,
  atan,
  tanh,
  erf,
  sin: (lib: MathLibrary) => sine(lib, 0),
  cos: (lib: MathLibrary) => sine(lib, 1),
  half,
  fromHalf,
  toHalf,
} satisfies Record<string, (lib: MathLibrary) => Fn>;

/** The name of one. */
export type MathName = keyof typeof FUNCTIONS;
