// math.wgsl   functions that generated kernels call, for scalars or, with other aliases, for four elements at once
// in     F f32, I i32, U u32, B bool: all scalars here; the code generator makes them vectors of four where it can
// out    a few ulp everywhere; NaN and infinities as IEEE 754 says, found by their bits because compilers may assume them away
// grid   none: a library
// oracle tests/support/math.ts
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;

fn is_nan(x: F) -> B {
  return (bitcast<U>(x) & U(0x7fffffffu)) > U(0x7f800000u);
}

// x, though no compiler knows it: zero is 0
fn hidden(x: F, zero: u32) -> F {
  return bitcast<F>(bitcast<U>(x) ^ U(zero));
}

// -x, from which compilers subtract nothing by algebra
fn neg_f(x: F) -> F {
  return bitcast<F>(bitcast<U>(x) ^ U(0x80000000u));
}

// comparisons that are false for NaN on their own, for compilers that make max and min of a choice by them
fn lt_f(a: F, b: F) -> B {
  return (a < b) & !(is_nan(a) | is_nan(b));
}

fn le_f(a: F, b: F) -> B {
  return (a <= b) & !(is_nan(a) | is_nan(b));
}

// infinite or NaN
fn is_special(x: F) -> B {
  return (bitcast<U>(x) & U(0x7f800000u)) == U(0x7f800000u);
}

fn with_sign(x: F, sign: F) -> F {
  return bitcast<F>((bitcast<U>(x) & U(0x7fffffffu)) | (bitcast<U>(sign) & U(0x80000000u)));
}

fn nan_max(a: F, b: F) -> F {
  return select(select(b, a, a > b), a + b, is_nan(a) | is_nan(b));
}

fn nan_min(a: F, b: F) -> F {
  return select(select(b, a, a < b), a + b, is_nan(a) | is_nan(b));
}

fn sign_f(x: F) -> F {
  return select(select(select(F(0.0), F(-1.0), x < F(0.0)), F(1.0), x > F(0.0)), x, is_nan(x));
}

// 2^n for n in [-126, 127]
fn pow2i(n: I) -> F {
  return bitcast<F>((n + I(127)) << U(23u));
}

// exp(r) - 1 for |r| <= ln(2) / 2: the series, to r^8 / 8!
fn expm1_core(r: F) -> F {
  var p = fma(r, F(2.48015873e-5), F(1.98412698e-4));
  p = fma(p, r, F(1.38888889e-3));
  p = fma(p, r, F(8.33333333e-3));
  p = fma(p, r, F(4.16666667e-2));
  p = fma(p, r, F(0.166666667));
  p = fma(p, r, F(0.5));
  return fma(p * r, r, r);
}

// exp(t + small) for finite sums; ln(2) is split so that n times its first part, 355 / 512, is exact. It is taken away by way of
// whole numbers: compilers that see n times both parts add these up
fn exp_sum(t: F, small: F) -> F {
  let n = round(clamp(t + small, F(-104.0), F(89.0)) * F(1.44269504));
  let i = I(n);
  let r = fma(n, F(2.12194440e-4), (clamp(t, F(-150.0), F(150.0)) - F(i * I(355)) * F(0.001953125)) + small);
  let h = i >> U(1u);
  return (expm1_core(clamp(r, F(-1.0), F(1.0))) + F(1.0)) * pow2i(h) * pow2i(i - h);
}

fn exp_f(x: F) -> F {
  return select(exp_sum(x, F(0.0)), x, is_nan(x));
}

// (e, s) with x = 2^e m, m in [sqrt(1/2), sqrt(2)): x is finite and above 0; e comes back, ln(m) is log_fraction
fn log_exponent(x: F) -> I {
  return (bitcast<I>(x) - I(0x3f3504f3)) >> U(23u);
}

// ln(1 + f) = 2 atanh(s), s = f / (2 + f), 1 + f in [sqrt(1/2), sqrt(2)]: the series, to s^9 / 9
fn log_fraction(f: F) -> F {
  let s = f / (F(2.0) + f);
  let z = s * s;
  var p = fma(z, F(0.222222222), F(0.285714286));
  p = fma(p, z, F(0.4));
  p = fma(p, z, F(0.666666667));
  // 2 s = f - s f, which keeps the digits of f
  return f - s * (f - z * p);
}

fn log_f(x: F) -> F {
  let tiny = x < F(1.17549435e-38);
  let y = select(x, x * F(8388608.0), tiny);
  let e = log_exponent(y);
  let m = bitcast<F>(bitcast<I>(y) - (e << U(23u)));
  let n = F(e) - select(F(0.0), F(23.0), tiny);
  var r = fma(n, F(0.693359375), fma(n, F(-2.12194440e-4), log_fraction(m - F(1.0))));
  let bits = bitcast<U>(x);
  r = select(r, bitcast<F>(bits | U(0x7fc00000u)), x < F(0.0));
  r = select(r, bitcast<F>(bits | U(0xff800000u)), x == F(0.0));
  return select(r, x, is_special(x) & !(x < F(0.0)));
}

// near 0 the series on x itself, which 1 + x would round
fn log1p_f(x: F) -> F {
  let near = abs(x + F(0.05)) < F(0.3);
  return select(log_f(F(1.0) + x), log_fraction(select(F(0.0), x, near)), near);
}

// atan(t) for |t| <= tan(pi / 8), t itself, (|x| - 1) / (|x| + 1) or -1 / |x|, and as much of pi / 4 as was taken away
fn atan_f(x: F) -> F {
  let a = abs(x);
  let far = a > F(2.41421356);
  let mid = a > F(0.414213562);
  // of numbers near the largest, divisions may be anything. The limit stands here alone: Mesa's compiler got all of it wrong
  // for x that is a tanh where |x| was limited at once
  let divisor = select(select(F(1.0), a + F(1.0), mid), min(a, F(1e30)), far);
  let t = select(select(a, a - F(1.0), mid), F(-1.0), far) / divisor;
  let z = t * t;
  var p = fma(z, F(-0.0645192787), F(0.107437313));
  p = fma(p, z, F(-0.142639562));
  p = fma(p, z, F(0.199995399));
  p = fma(p, z, F(-0.333333313));
  let turn = select(select(F(0.0), F(0.785398163), mid), F(1.57079633), far);
  return select(with_sign(turn + fma(p * z, t, t), x), x, is_nan(x));
}

// near 0 a Pade approximant [5/4]; elsewhere 1 - 2 / (exp(2 |x|) + 1), which is 1 where exp overflows
fn tanh_f(x: F) -> F {
  let a = abs(x);
  let z = x * x;
  let near = x * fma(z, z + F(105.0), F(945.0)) / fma(z, fma(z, F(15.0), F(420.0)), F(945.0));
  let far = with_sign(F(1.0) - F(2.0) / (exp_sum(F(2.0) * a, F(0.0)) + F(1.0)), x);
  return select(select(far, near, a < F(0.7)), x, is_nan(x));
}

// near 0 the series; elsewhere 1 - exp(-x^2) q(1 / (1 + x / 2)), q fitted to erfc(x) exp(x^2) on [0.84, 10]
fn erf_f(x: F) -> F {
  let a = abs(x);
  let z = x * x;
  var p = fma(z, F(-1.45e-7), F(1.6462114e-6));
  p = fma(p, z, F(-1.4925650e-5));
  p = fma(p, z, F(1.2055333e-4));
  p = fma(p, z, F(-8.5483275e-4));
  p = fma(p, z, F(5.2239776e-3));
  p = fma(p, z, F(-2.6866171e-2));
  p = fma(p, z, F(1.1283792e-1));
  p = fma(p, z, F(-3.7612639e-1));
  let near = fma(p, z * x, F(1.1283792) * x);
  let t = F(1.0) / fma(a, F(0.5), F(1.0));
  var q = fma(t, F(0.060909107), F(-0.11956652));
  q = fma(q, t, F(-0.06630688));
  q = fma(q, t, F(0.17612391));
  q = fma(q, t, F(0.12481186));
  q = fma(q, t, F(0.26263072));
  q = fma(q, t, F(0.27929337));
  q = fma(q, t, F(0.28236389));
  q = fma(q, t, F(-1.0833544e-5));
  let b = min(a, F(10.0));
  let far = with_sign(F(1.0) - exp_sum(-b * b, F(0.0)) * q, x);
  return select(select(far, near, a < F(0.84)), x, is_nan(x));
}

// x - n pi / 2; the parts of pi / 2 are short enough for n times each to be exact up to |x| = 10^4. Of large x nothing is left
// but rounding, which must not leave the polynomials' range
fn quarter_rest(x: F, n: F) -> F {
  let r = fma(n, F(-7.5497901e-8), fma(n, F(-4.837512969970703e-4), fma(n, F(-1.5703125), x)));
  return clamp(r, F(-1.0), F(1.0));
}

// sin(r) or cos(r) of the quarter that `turn` (0 to 3) says, |r| <= pi / 4
fn quarter_sin(r: F, turn: I) -> F {
  let z = r * r;
  var s = fma(z, F(2.7557319e-6), F(-1.9841270e-4));
  s = fma(s, z, F(8.3333333e-3));
  s = fma(s, z, F(-0.16666667));
  let sine = fma(s * z, r, r);
  var c = fma(z, F(-2.7557319e-7), F(2.4801587e-5));
  c = fma(c, z, F(-1.3888889e-3));
  c = fma(c, z, F(4.1666667e-2));
  c = fma(c, z, F(-0.5));
  let cosine = fma(c, z, F(1.0));
  let y = select(sine, cosine, (turn & I(1)) == I(1));
  return select(y, -y, (turn & I(2)) == I(2));
}

fn sin_f(x: F) -> F {
  let n = round(x * F(0.636619772));
  let r = quarter_rest(x, n);
  return select(quarter_sin(r, I(clamp(n, F(-1e9), F(1e9)))), bitcast<F>(bitcast<U>(x) | U(0x7fc00000u)), is_special(x));
}

fn cos_f(x: F) -> F {
  let n = round(x * F(0.636619772));
  let r = quarter_rest(x, n);
  return select(quarter_sin(r, I(clamp(n, F(-1e9), F(1e9))) + I(1)), bitcast<F>(bitcast<U>(x) | U(0x7fc00000u)), is_special(x));
}

// 2^(y log2|x|) in parts: with x = 2^n m the whole number n times the first digits of y is exact, and so is what is left
// of it when the nearest whole number is taken away
fn pow_f(x: F, y: F) -> F {
  let a = abs(x);
  let tiny = a < F(1.17549435e-38);
  let v = select(a, a * F(8388608.0), tiny);
  let e = log_exponent(v);
  let n = F(e) - select(F(0.0), F(23.0), tiny);
  let first = bitcast<F>(bitcast<U>(y) & U(0xfffff000u));
  let log2_m = F(1.44269504) * log_fraction(bitcast<F>(bitcast<I>(v) - (e << U(23u))) - F(1.0));
  let whole_part = first * n;
  let rest = fma(y, log2_m, (y - first) * n);
  let k = round(clamp(whole_part + rest, F(-151.0), F(129.0)));
  let f = clamp((whole_part - k) + rest, F(-1.0), F(1.0));
  let i = I(k);
  let h = i >> U(1u);
  var r = (expm1_core(f * F(0.693147181)) + F(1.0)) * pow2i(h) * pow2i(i - h);
  r = select(r, exp_f(y * log_f(a)), is_special(a) | is_special(y) | (a == F(0.0)) | !(abs(whole_part) < F(1000.0)));
  let whole = floor(y) == y;
  let odd = whole & (abs(y) < F(16777216.0)) & ((I(clamp(y, F(-1.7e7), F(1.7e7))) & I(1)) == I(1));
  let minus = (bitcast<U>(x) & U(0x80000000u)) != U(0u);
  r = select(r, -r, minus & odd);
  r = select(r, bitcast<F>(bitcast<U>(x) | U(0x7fc00000u)), (x < F(0.0)) & !whole & !is_special(x) & !is_special(y));
  r = select(r, x + y, is_nan(x) | is_nan(y));
  return select(r, F(1.0), (y == F(0.0)) | (x == F(1.0)) | ((x == F(-1.0)) & is_special(y) & !is_nan(y)));
}

// C's fmod, exact: the remainder of whole numbers of 24 bits, eight more binary places of the quotient a round
fn mod_f(a: F, b: F) -> F {
  let x = bitcast<U>(a) & U(0x7fffffffu);
  let y = bitcast<U>(b) & U(0x7fffffffu);
  let ex = max(x >> U(23u), U(1u));
  let ey = max(y >> U(23u), U(1u));
  let divisor = max((y & U(0x7fffffu)) | select(U(0u), U(0x800000u), y >= U(0x800000u)), U(1u));
  let dividend = (x & U(0x7fffffu)) | select(U(0u), U(0x800000u), x >= U(0x800000u));
  var places = select(ex - ey, U(0u), ex < ey);
  var r = dividend % divisor;
  while (any(places > U(0u))) {
    let now = min(places, U(8u));
    r = (r << now) % divisor;
    places -= now;
  }
  let scale = bitcast<I>(ey) - I(150);
  let h = scale >> U(1u);
  var result = with_sign(F(r) * pow2i(h) * pow2i(scale - h), a);
  result = select(result, a, x < y);
  let nan = bitcast<F>(bitcast<U>(a) | U(0x7fc00000u));
  return select(result, nan, (x >= U(0x7f800000u)) | (y > U(0x7f800000u)) | (y == U(0u)));
}

fn div_i(a: I, b: I) -> I {
  return select(a / select(b, I(1), b == I(0)), I(0), b == I(0));
}

// GLSL leaves % of negative numbers open
fn mod_i(a: I, b: I) -> I {
  let d = select(b, I(1), b == I(0));
  return select(a - a / d * d, I(0), b == I(0));
}

fn div_u(a: U, b: U) -> U {
  return select(a / select(b, U(1u), b == U(0u)), U(0u), b == U(0u));
}

fn mod_u(a: U, b: U) -> U {
  return select(a % select(b, U(1u), b == U(0u)), U(0u), b == U(0u));
}

// saturating, NaN gives 0; the largest f32 below 2^31 is 2^31 - 128
fn f_to_i(x: F) -> I {
  let y = I(clamp(x, F(-2147483648.0), F(2147483520.0)));
  return select(select(y, I(2147483647), x >= F(2147483648.0)), I(0), is_nan(x));
}

fn f_to_u(x: F) -> U {
  let y = U(clamp(x, F(0.0), F(4294967040.0)));
  return select(select(y, U(0xffffffffu), x >= F(4294967296.0)), U(0u), is_nan(x));
}

// upper half of the 64-bit product, by halves of 16 bits
fn mul_high(a: U, b: U) -> U {
  let al = a & U(0xffffu);
  let ah = a >> U(16u);
  let bl = b & U(0xffffu);
  let bh = b >> U(16u);
  let low = al * bl;
  let mid = ah * bl + (low >> U(16u));
  let mid2 = al * bh + (mid & U(0xffffu));
  return ah * bh + (mid >> U(16u)) + (mid2 >> U(16u));
}

struct Philox {
  x: U,
  y: U,
}

// words 0 and 1 of the Philox4x32-10 block of counter (index, stream, 0, 0)
fn philox(index: U, stream: U, seed0: U, seed1: U) -> Philox {
  var c0 = index;
  var c1 = stream;
  var c2 = U(0u);
  var c3 = U(0u);
  var k0 = seed0;
  var k1 = seed1;
  for (var i = 0u; i < 10u; i++) {
    let high0 = mul_high(c0, U(0xd2511f53u));
    let high1 = mul_high(c2, U(0xcd9e8d57u));
    let low0 = c0 * U(0xd2511f53u);
    let low1 = c2 * U(0xcd9e8d57u);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 += U(0x9e3779b9u);
    k1 += U(0xbb67ae85u);
  }
  return Philox(c0, c1);
}

fn random_bits(index: U, stream: U, seed0: U, seed1: U) -> U {
  return philox(index, stream, seed0, seed1).x;
}

fn random_uniform(index: U, stream: U, seed0: U, seed1: U) -> F {
  return F(philox(index, stream, seed0, seed1).x >> U(8u)) * F(5.9604644775390625e-8);
}

fn random_normal(index: U, stream: U, seed0: U, seed1: U) -> F {
  let p = philox(index, stream, seed0, seed1);
  let u = F(p.x >> U(8u)) * F(5.9604644775390625e-8) + F(2.98023223876953125e-8);
  let turn = F(p.y >> U(8u)) * F(5.9604644775390625e-8);
  return sqrt(F(-2.0) * log_f(u)) * cos_f(F(6.28318531) * turn);
}

// the nearest number that f16 has, ties to even: thirteen bits are rounded away, or below 2^-14 what is less than a step of 2^-24
fn half_f(x: F) -> F {
  let size = bitcast<U>(x) & U(0x7fffffffu);
  let near = (size + U(0xfffu) + ((size >> U(13u)) & U(1u))) & U(0xffffe000u);
  let large = select(near, U(0x7f800000u), near >= U(0x47800000u));
  let small = bitcast<U>(round(bitcast<F>(size) * F(16777216.0)) * F(5.9604644775390625e-8));
  let rounded = select(select(large, small, size < U(0x38800000u)), U(0x7fc00000u), size > U(0x7f800000u));
  return bitcast<F>(rounded | (bitcast<U>(x) & U(0x80000000u)));
}

// numbers of f16 by their bits: the built-in functions may lose denormals, infinities and NaN
fn half_of(bits: vec4u) -> vec4f {
  let size = bits & vec4u(0x7fffu);
  let whole = size << vec4u(13u);
  let large = select(whole + vec4u(0x38000000u), whole | vec4u(0x7f800000u), size >= vec4u(0x7c00u));
  let small = bitcast<vec4u>(vec4f(size) * 5.9604644775390625e-8);
  return bitcast<vec4f>(select(large, small, size < vec4u(0x400u)) | ((bits & vec4u(0x8000u)) << vec4u(16u)));
}

fn half_four(words: vec2u) -> vec4f {
  return half_of(vec4u(words.x & 0xffffu, words.x >> 16u, words.y & 0xffffu, words.y >> 16u));
}

fn half_at(word: u32, at: u32) -> f32 {
  return half_of(vec4u((word >> (16u * (at % 2u))) & 0xffffu)).x;
}

// their bits, of numbers that f16 has
fn bits_of_half(x: vec4f) -> vec4u {
  let size = bitcast<vec4u>(x) & vec4u(0x7fffffffu);
  let special = select(vec4u(0x7c00u), vec4u(0x7e00u), size > vec4u(0x7f800000u));
  let large = select((size >> vec4u(13u)) - vec4u(0x1c000u), special, size >= vec4u(0x47800000u));
  let small = vec4u(bitcast<vec4f>(size) * 16777216.0);
  let bits = select(large, small, size < vec4u(0x38800000u));
  return bits | ((bitcast<vec4u>(x) >> vec4u(16u)) & vec4u(0x8000u));
}

fn half_words(x: vec4f) -> vec2u {
  let bits = bits_of_half(x);
  return vec2u(bits.x | (bits.y << 16u), bits.z | (bits.w << 16u));
}

fn half_bits(x: f32) -> u32 {
  return bits_of_half(vec4f(x)).x;
}
