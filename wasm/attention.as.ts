// attention.as.ts   softmax(scale Q K^T + mask) V without the matrix of scores: blocks of it, one after the other
// in       d: the sizes and strides, as src/device/cpu/attention.ts lays them out; Q, K, V, the mask and the gradient by any strides
// out      out: [batch, n, heads, dv], then the logarithm of each row's sum, [batch, heads, n];
//          grad: gradients of Q, K and V, each as [batch, rows, heads, columns], one after the other
// work     what matmul takes; `own` is ROWS BC 8 bytes for blocks of scores, and three lines
// maths    rows in blocks of ROWS_FORWARD or ROWS_BACKWARD, keys in blocks of BC, in their order: bits depend on the shape alone
// oracle   tests/support/reference_device_attention.ts

// C[m, n] = or += A B, see matmul.as.ts
// @ts-ignore: decorator
@external("k", "matmul") declare function matmul(
  m: i32, n: i32, k: i32, a: usize, ars: i32, acs: i32, b: usize, brs: i32, bcs: i32, c: usize, ldc: i32, work: usize, add: i32,
): void;

const ROWS_FORWARD: i32 = 64, ROWS_BACKWARD: i32 = 128, BC: i32 = 256;
const LINE: usize = 1024; // bytes of a row of scores

// places of the plan's words
const N = 0, M = 1, D = 2, DV = 3, HEADS = 4, KV_HEADS = 5, CAUSAL = 6, MASK = 7, SCALE = 8;
const Q = 9, K = 13, V = 17, MASKS = 21, DY = 25, DROP = 29; // strides of [batch, head, row, column]; words of (p, seed, stream)
const BOOL = 1, NONE = -1;
const LOWEST: f32 = -3.4028234663852886e38; // added to a score it hides the key

// @ts-ignore: decorator
@inline function word(d: usize, i: i32): i32 {
  return load<i32>(d + (<usize>i << 2));
}

// bytes from a view's first element to a row's
// @ts-ignore: decorator
@inline function place(d: usize, view: i32, batch: i32, head: i32, row: i32): usize {
  return <usize>(<isize>(batch * word(d, view) + head * word(d, view + 1) + row * word(d, view + 2)) << 2);
}

// e^x of x below 89, 0 below -87
// @ts-ignore: decorator
@inline function exp4(x: v128): v128 {
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.4426950408889634)));
  const r = f32x4.sub(f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375))), f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let y = f32x4.add(f32x4.mul(f32x4.splat(1 / 720.0), r), f32x4.splat(1 / 120.0));
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(1 / 24.0));
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(1 / 6.0));
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(0.5));
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(1));
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(1));
  y = i32x4.add(y, i32x4.shl(i32x4.trunc_sat_f32x4_s(n), 23)); // y 2^n
  return v128.andnot(y, f32x4.lt(x, f32x4.splat(-87)));
}

// @ts-ignore: decorator
@inline function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(f32x4.splat(x)), 0);
}

// log x of a number above 0 that is no denormal, = e ln 2 + 2 atanh((y - 1) / (y + 1)), x = y 2^e
function log1(x: f32): f32 {
  const e = (reinterpret<i32>(x) - 0x3f3504f3) >> 23;
  const y = reinterpret<f32>(reinterpret<i32>(x) - (e << 23));
  const z = <f64>(y - 1) / <f64>(y + 1), q = z * z;
  return <f32>(<f64>e * 0.6931471805599453 + 2 * z * (1 + q * (1 / 3.0 + q * (1 / 5.0 + q * (1 / 7.0 + q / 9.0)))));
}

// @ts-ignore: decorator
@inline function sum4(x: v128): f32 {
  return f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

// @ts-ignore: decorator
@inline function max4(x: v128): f32 {
  return max(max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)), max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)));
}

// @ts-ignore: decorator
@inline function masked(x: f32, kind: i32, at: usize): f32 {
  return (kind == BOOL ? load<u32>(at) != 0 : load<f32>(at) > LOWEST) ? (kind == BOOL ? x : x + load<f32>(at)) : -Infinity;
}

// The greatest of `count` scores at s, times `scale`. Up to a multiple of four they become -infinity.
function greatest(s: usize, count: i32, scale: f32): f32 {
  let a = f32x4.splat(-Infinity), b = a, c = 0;
  for (; c + 8 <= count; c += 8) {
    const at = s + (<usize>c << 2);
    a = f32x4.pmax(a, v128.load(at)); // a NaN is left out here, and is in the sum
    b = f32x4.pmax(b, v128.load(at, 16));
  }
  let most = max4(f32x4.pmax(a, b));
  for (; c < count; c++) {
    const x = load<f32>(s + (<usize>c << 2));
    if (x > most) most = x;
  }
  fillUp(s, count);
  return most * scale;
}

// @ts-ignore: decorator
@inline function fillUp(s: usize, count: i32): void {
  for (let c = count; (c & 3) != 0; c++) store<f32>(s + (<usize>c << 2), -Infinity);
}

// Scales `count` scores at s and masks them, the mask's bytes `step` apart; up to a multiple of four they become -infinity. The greatest.
function mask4(s: usize, count: i32, scale: f32, kind: i32, mask: usize, step: i32): f32 {
  const by = f32x4.splat(scale), low = f32x4.splat(-Infinity);
  let top = low, c = 0;
  for (; c + 4 <= count; c += 4) {
    const at = s + (<usize>c << 2);
    let x = f32x4.mul(v128.load(at), by), m: v128;
    if (step == 4) m = v128.load(mask);
    else if (step == 0) m = v128.load32_splat(mask);
    else m = i32x4(load<i32>(mask), load<i32>(mask + step), load<i32>(mask + 2 * step), load<i32>(mask + 3 * step));
    x = kind == BOOL
      ? v128.bitselect(low, x, i32x4.eq(m, i32x4.splat(0)))
      : v128.bitselect(f32x4.add(x, m), low, f32x4.gt(m, f32x4.splat(LOWEST)));
    mask += <usize>(step << 2);
    v128.store(at, x);
    top = f32x4.pmax(top, x);
  }
  let most = max4(top);
  for (; c < count; c++) {
    const at = s + (<usize>c << 2), x = masked(load<f32>(at) * scale, kind, mask);
    mask += <usize>step;
    store<f32>(at, x);
    if (x > most) most = x;
  }
  fillUp(s, count);
  return most;
}

// Zeros from score `from` to the end of a block of `cols`
// @ts-ignore: decorator
@inline function clear(s: usize, from: i32, cols: i32): void {
  for (let c = (from + 3) & ~3; c < cols; c += 4) v128.store(s + (<usize>c << 2), f32x4.splat(0));
}

// What each of `count` weights of a row is multiplied by: 0 where it is dropped, else `kept`. The number of a weight is the first word of
// Philox4x32-10 at (its row-major index, stream, 0, 0); `counter` is the index of the first one.
function keep(dst: usize, count: i32, counter: i32, d: usize, params: usize): void {
  const p = load<f32>(params + (<usize>word(d, DROP) << 2)), kept = f32x4.splat(1 / (1 - p)), least = f32x4.splat(p);
  const seed = params + (<usize>word(d, DROP + 1) << 2), stream = i32x4.splat(load<i32>(params + (<usize>word(d, DROP + 2) << 2)));
  const first0 = load<i32>(seed), first1 = load<i32>(seed, 4);
  const m0 = i32x4.splat(0xd2511f53), m1 = i32x4.splat(0xcd9e8d57);
  for (let c = 0; c < count; c += 4) {
    let c0 = i32x4.add(i32x4.splat(counter + c), i32x4(0, 1, 2, 3)), c1 = stream, c2 = i32x4.splat(0), c3 = c2;
    let k0 = first0, k1 = first1;
    for (let round = 0; round < 10; round++) {
      const l0 = i64x2.extmul_low_i32x4_u(c0, m0), l1 = i64x2.extmul_low_i32x4_u(c2, m1);
      const h0 = i64x2.extmul_high_i32x4_u(c0, m0), h1 = i64x2.extmul_high_i32x4_u(c2, m1);
      c0 = v128.xor(v128.xor(v128.shuffle<i32>(l1, h1, 1, 3, 5, 7), c1), i32x4.splat(k0));
      c2 = v128.xor(v128.xor(v128.shuffle<i32>(l0, h0, 1, 3, 5, 7), c3), i32x4.splat(k1));
      c1 = v128.shuffle<i32>(l1, h1, 0, 2, 4, 6);
      c3 = v128.shuffle<i32>(l0, h0, 0, 2, 4, 6);
      k0 += 0x9e3779b9;
      k1 += 0xbb67ae85;
    }
    const u = f32x4.mul(f32x4.convert_i32x4_u(i32x4.shr_u(c0, 8)), f32x4.splat(5.9604644775390625e-8));
    v128.store(dst + (<usize>c << 2), v128.and(f32x4.ge(u, least), kept));
  }
}

// x[0..count) *= by
function stretch(x: usize, count: i32, by: f32): void {
  const all = f32x4.splat(by);
  let c = 0;
  for (; c + 4 <= count; c += 4) v128.store(x + (<usize>c << 2), f32x4.mul(v128.load(x + (<usize>c << 2)), all));
  for (; c < count; c++) store<f32>(x + (<usize>c << 2), load<f32>(x + (<usize>c << 2)) * by);
}

/** Blocks of rows; work items are [batch, head, block]. */
export function attention(
  d: usize, q: usize, k: usize, v: usize, mask: usize, out: usize, params: usize, from: i32, to: i32, work: usize, own: usize,
): void {
  const n = word(d, N), m = word(d, M), dk = word(d, D), dv = word(d, DV), heads = word(d, HEADS), group = heads / word(d, KV_HEADS);
  const causal = word(d, CAUSAL) != 0, kind = word(d, MASK), scale = reinterpret<f32>(word(d, SCALE)), drops = word(d, DROP) != NONE;
  const by = f32x4.splat(kind == 0 ? scale : 1); // what is left to do for the scores
  const step = word(d, MASKS + 3) << 2, blocks = (n + ROWS_FORWARD - 1) / ROWS_FORWARD, wide = heads * dv;
  const line = own + <usize>(ROWS_BACKWARD * BC * 8), tops = line + LINE, totals = tops + 512;
  const logs = out + (<usize>(load<i32>(d + 128) * n) * <usize>wide << 2);
  for (let item = from; item < to; item++) {
    const head = item / blocks % heads, batch = item / blocks / heads, first = item % blocks * ROWS_FORWARD;
    const rows = min(ROWS_FORWARD, n - first), end = causal ? min(m, first + rows) : m;
    const y = out + (<usize>((batch * n + first) * wide + head * dv) << 2);
    for (let i = 0; i < rows; i++) {
      store<f32>(tops + (<usize>i << 2), -Infinity);
      store<f32>(totals + (<usize>i << 2), 0);
    }
    for (let j = 0; j < end; j += BC) {
      const cols = min(BC, end - j);
      matmul(
        rows, cols, dk, q + place(d, Q, batch, head, first), word(d, Q + 2), word(d, Q + 3),
        k + place(d, K, batch, head / group, j), word(d, K + 3), word(d, K + 2), own, BC, work, 0,
      );
      for (let i = 0; i < rows; i++) {
        const s = own + <usize>i * LINE, row = first + i, at = <usize>i << 2;
        const count = causal ? max(0, min(cols, row + 1 - j)) : cols;
        const top = load<f32>(tops + at);
        const most = max(
          top,
          kind == 0
            ? greatest(s, count, scale)
            : mask4(s, count, scale, kind, mask + place(d, MASKS, batch, head, row) + <usize>(<isize>j * step), step),
        );
        const base = most == -Infinity ? <f32>0 : most, low = f32x4.splat(base);
        if (drops) keep(line, count, ((batch * heads + head) * n + row) * m + j, d, params);
        let sum = f32x4.splat(0);
        for (let c = 0; c < count; c += 4) {
          const place = s + (<usize>c << 2);
          let p = exp4(f32x4.sub(f32x4.mul(v128.load(place), by), low));
          sum = f32x4.add(sum, p);
          if (drops) p = f32x4.mul(p, v128.load(line + (<usize>c << 2)));
          v128.store(place, p);
        }
        clear(s, count, cols);
        const fade = top == base ? <f32>1 : exp1(top - base);
        store<f32>(totals + at, load<f32>(totals + at) * fade + sum4(sum));
        store<f32>(tops + at, most);
        if (j > 0 && fade != 1) stretch(y + <usize>(i * wide << 2), dv, fade);
      }
      matmul(
        rows, dv, cols, own, BC, 1, v + place(d, V, batch, head / group, j), word(d, V + 2), word(d, V + 3), y, wide, work, j > 0 ? 1 : 0,
      );
    }
    for (let i = 0; i < rows; i++) {
      const top = load<f32>(tops + (<usize>i << 2)), total = load<f32>(totals + (<usize>i << 2));
      if (total != 0) stretch(y + <usize>(i * wide << 2), dv, 1 / total); // of a row that is masked altogether, all is 0
      store<f32>(logs + (<usize>((batch * heads + head) * n + first + i) << 2), total == 0 ? <f32>0 : top + log1(total));
    }
  }
}

// The sum over `count` columns of a row of the gradient, `step` elements apart, times the result
function dot(dy: usize, step: i32, y: usize, count: i32): f32 {
  let c = 0, sum: f32 = 0;
  if (step == 1) {
    let all = f32x4.splat(0);
    for (; c + 4 <= count; c += 4) {
      all = f32x4.add(all, f32x4.mul(v128.load(dy + (<usize>c << 2)), v128.load(y + (<usize>c << 2))));
    }
    sum = sum4(all);
  }
  for (; c < count; c++) sum += load<f32>(dy + (<usize>(<isize>c * step) << 2)) * load<f32>(y + (<usize>c << 2));
  return sum;
}

/** Gradients; work items are [batch, head of keys]. `out` is what attention has given, `grad` its three results. */
export function attentionGrad(
  d: usize, q: usize, k: usize, v: usize, mask: usize, dy: usize, out: usize, grad: usize, params: usize,
  from: i32, to: i32, work: usize, own: usize,
): void {
  const n = word(d, N), m = word(d, M), dk = word(d, D), dv = word(d, DV), heads = word(d, HEADS), few = word(d, KV_HEADS), group = heads / few;
  const causal = word(d, CAUSAL) != 0, kind = word(d, MASK), scale = reinterpret<f32>(word(d, SCALE)), drops = word(d, DROP) != NONE;
  const full = f32x4.splat(scale), by = f32x4.splat(kind == 0 ? scale : 1); // what is left to do for the scores
  const step = word(d, MASKS + 3) << 2, size = load<i32>(d + 128);
  const second = own + <usize>(ROWS_BACKWARD * BC * 4), line = second + <usize>(ROWS_BACKWARD * BC * 4), deltas = line + LINE;
  const logs = out + (<usize>(size * n) * <usize>(heads * dv) << 2);
  const gradK = grad + (<usize>(size * n) * <usize>(heads * dk) << 2), gradV = gradK + (<usize>(size * m) * <usize>(few * dk) << 2);
  for (let item = from; item < to; item++) {
    const batch = item / few, kv = item % few;
    for (let j = 0; j < m; j += BC) {
      const cols = min(BC, m - j);
      const toK = gradK + (<usize>((batch * m + j) * few + kv) * <usize>dk << 2), toV = gradV + (<usize>((batch * m + j) * few + kv) * <usize>dv << 2);
      let fresh = true; // whether nothing has been added to the keys' gradients
      for (let head = kv * group; head < (kv + 1) * group; head++) {
        for (let first = causal ? j / ROWS_BACKWARD * ROWS_BACKWARD : 0; first < n; first += ROWS_BACKWARD) {
          const rows = min(ROWS_BACKWARD, n - first), seen = causal ? min(cols, first + rows - j) : cols;
          const fromQ = q + place(d, Q, batch, head, first), fromDy = dy + place(d, DY, batch, head, first);
          const fromK = k + place(d, K, batch, kv, j), fromV = v + place(d, V, batch, kv, j);
          const y = out + (<usize>((batch * n + first) * heads + head) * <usize>dv << 2);
          matmul(rows, seen, dk, fromQ, word(d, Q + 2), word(d, Q + 3), fromK, word(d, K + 3), word(d, K + 2), own, BC, work, 0);
          matmul(rows, seen, dv, fromDy, word(d, DY + 2), word(d, DY + 3), fromV, word(d, V + 3), word(d, V + 2), second, BC, work, 0);
          for (let i = 0; i < rows; i++) {
            const s = own + <usize>i * LINE, t = second + <usize>i * LINE, row = first + i;
            const count = causal ? max(0, min(seen, row + 1 - j)) : seen;
            if (kind == 0) fillUp(s, count);
            else mask4(s, count, scale, kind, mask + place(d, MASKS, batch, head, row) + <usize>(<isize>j * step), step);
            if (drops) keep(line, count, ((batch * heads + head) * n + row) * m + j, d, params);
            const low = v128.load32_splat(logs + (<usize>((batch * heads + head) * n + row) << 2));
            const at = deltas + (<usize>i << 2);
            store<f32>(at, dot(fromDy + <usize>(<isize>(i * word(d, DY + 2)) << 2), word(d, DY + 3), y + (<usize>(i * heads) * <usize>dv << 2), dv));
            const delta = v128.load32_splat(at);
            for (let c = 0; c < count; c += 4) {
              const place = <usize>c << 2;
              const p = exp4(f32x4.sub(f32x4.mul(v128.load(s + place), by), low));
              let kept = p, g = v128.load(t + place);
              if (drops) {
                const r = v128.load(line + place);
                kept = f32x4.mul(p, r);
                g = f32x4.mul(g, r);
              }
              v128.store(s + place, kept);
              // beyond the last column there may be anything in g, and p is 0
              const ds = f32x4.mul(f32x4.mul(p, f32x4.sub(g, delta)), full);
              v128.store(t + place, c + 4 <= count ? ds : v128.and(ds, f32x4.ne(p, f32x4.splat(0))));
            }
            clear(s, count, seen);
            clear(t, count, seen);
          }
          const add = fresh ? 0 : 1;
          matmul(seen, dv, rows, own, 1, BC, fromDy, word(d, DY + 2), word(d, DY + 3), toV, few * dv, work, add);
          matmul(seen, dk, rows, second, 1, BC, fromQ, word(d, Q + 2), word(d, Q + 3), toK, few * dk, work, add);
          if (fresh && seen < cols) { // the others come with later rows
            zero(toV + (<usize>(seen * few) * <usize>dv << 2), cols - seen, dv, few * dv);
            zero(toK + (<usize>(seen * few) * <usize>dk << 2), cols - seen, dk, few * dk);
          }
          fresh = false;
          matmul(
            rows, dk, seen, second, BC, 1, fromK, word(d, K + 2), word(d, K + 3),
            grad + (<usize>((batch * n + first) * heads + head) * <usize>dk << 2), heads * dk, work, j > 0 ? 1 : 0,
          );
        }
      }
      if (fresh) { // no row sees these keys
        zero(toV, cols, dv, few * dv);
        zero(toK, cols, dk, few * dk);
      }
    }
  }
}

// Rows of zeros, `step` elements apart
function zero(dst: usize, rows: i32, count: i32, step: i32): void {
  for (let i = 0; i < rows; i++) {
    memory.fill(dst, 0, <usize>count << 2);
    dst += <usize>step << 2;
  }
}
