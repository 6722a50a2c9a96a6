// matmul.as.ts   C[m, n] = A[m, k] B[k, n], f32, any strides of A and B (in elements), rows of C `ldc` elements apart
// in       A, B: addresses of the first elements
// out      C: must not overlap A, B or work
// work     (MC KC + KC NC + MR NR) 4 bytes for the panels of one thread
// maths    K in blocks of KC, one after the other: the order of summation depends on k alone, wherever a tile lies
// oracle   tests/support/reference_device.ts

// Register tile: 8 accumulators are what two fma a cycle of latency four need. Every load costs a bounds check of three more
// instructions, so a row's number comes from a lane of one vector: 3 loads for 8 fma, where a 6x8 tile that loads each has 8 for 12.
const MR: i32 = 4, NR: i32 = 8;
const KC: i32 = 256, MC: i32 = 96, NC: i32 = 512; // a panel of B stays in the first cache, a block of A in the second

// dst[k W + w] = src[w sw + k sk] for w < valid, 0 up to W
function pack(dst: usize, src: usize, W: i32, valid: i32, kc: i32, sw: i32, sk: i32): void {
  const step = <usize>W * 4;
  if (sw == 1 && valid == W) { // rows lie ready: copy
    const row = <usize>sk * 4;
    for (let k = 0; k < kc; k++) {
      v128.store(dst, v128.load(src));
      if (W == 8) v128.store(dst, v128.load(src, 16), 16);
      dst += step;
      src += row;
    }
    return;
  }
  if (sk == 1 && valid == W) { // columns lie ready: transpose four by four
    const row = <usize>sw * 4;
    const k4 = kc & ~3;
    for (let w = 0; w < W; w += 4) {
      let s0 = src + <usize>w * row, s1 = s0 + row, s2 = s1 + row, s3 = s2 + row, d = dst + (<usize>w << 2);
      let k = 0;
      for (; k < k4; k += 4) {
        const a = v128.load(s0), b = v128.load(s1), c = v128.load(s2), e = v128.load(s3);
        const t0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5), t1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
        const t2 = v128.shuffle<f32>(c, e, 0, 4, 1, 5), t3 = v128.shuffle<f32>(c, e, 2, 6, 3, 7);
        v128.store(d, v128.shuffle<f32>(t0, t2, 0, 1, 4, 5));
        v128.store(d + step, v128.shuffle<f32>(t0, t2, 2, 3, 6, 7));
        v128.store(d + step * 2, v128.shuffle<f32>(t1, t3, 0, 1, 4, 5));
        v128.store(d + step * 3, v128.shuffle<f32>(t1, t3, 2, 3, 6, 7));
        d += step * 4;
        s0 += 16; s1 += 16; s2 += 16; s3 += 16;
      }
      for (; k < kc; k++) {
        store<f32>(d, load<f32>(s0)); store<f32>(d, load<f32>(s1), 4); store<f32>(d, load<f32>(s2), 8); store<f32>(d, load<f32>(s3), 12);
        d += step;
        s0 += 4; s1 += 4; s2 += 4; s3 += 4;
      }
    }
    return;
  }
  const row = <usize>(<isize>sk * 4);
  for (let w = 0; w < W; w++) {
    let d = dst + (<usize>w << 2);
    if (w < valid) {
      let s = src + <usize>(<isize>w * sw * 4);
      for (let k = 0; k < kc; k++) { store<f32>(d, load<f32>(s)); d += step; s += row; }
    } else for (let k = 0; k < kc; k++) { store<f32>(d, 0); d += step; }
  }
}

// One register tile: c[4, 8] = or += the product of packed panels of depth kc
function tile(kc: i32, a: usize, b: usize, c: usize, row: usize, add: bool): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  for (let k = kc; k > 0; --k) {
    const b0 = v128.load(b), b1 = v128.load(b, 16), all = v128.load(a);
    let x = v128.shuffle<f32>(all, all, 0, 0, 0, 0);
    c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
    x = v128.shuffle<f32>(all, all, 1, 1, 1, 1);
    c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
    x = v128.shuffle<f32>(all, all, 2, 2, 2, 2);
    c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
    x = v128.shuffle<f32>(all, all, 3, 3, 3, 3);
    c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
    a += 16;
    b += 32;
  }
  if (add) {
    let q = c;
    c00 = f32x4.add(c00, v128.load(q)); c01 = f32x4.add(c01, v128.load(q, 16)); q += row;
    c10 = f32x4.add(c10, v128.load(q)); c11 = f32x4.add(c11, v128.load(q, 16)); q += row;
    c20 = f32x4.add(c20, v128.load(q)); c21 = f32x4.add(c21, v128.load(q, 16)); q += row;
    c30 = f32x4.add(c30, v128.load(q)); c31 = f32x4.add(c31, v128.load(q, 16));
  }
  v128.store(c, c00); v128.store(c, c01, 16); c += row;
  v128.store(c, c10); v128.store(c, c11, 16); c += row;
  v128.store(c, c20); v128.store(c, c21, 16); c += row;
  v128.store(c, c30); v128.store(c, c31, 16);
}

// Tiles of `mc` rows from packed A and one panel of B
// @ts-ignore: decorator
@inline function column(kc: i32, pa: usize, panel: usize, c: usize, row: usize, add: bool, mc: i32, cols: i32, spare: usize): void {
  for (let i = 0; i < mc; i += MR) {
    const rows = min(MR, mc - i), at = c + <usize>i * row, a = pa + <usize>(i * kc * 4);
    if (rows == MR && cols == NR) tile(kc, a, panel, at, row, add);
    else edge(kc, a, panel, at, row, add, rows, cols, spare);
  }
}

// Packs `mc` rows of A
// @ts-ignore: decorator
@inline function packRows(pa: usize, a: usize, mc: i32, kc: i32, ars: i32, acs: i32): void {
  for (let i = 0; i < mc; i += MR) pack(pa + <usize>(i * kc * 4), a + <usize>(<isize>i * ars * 4), MR, min(MR, mc - i), kc, ars, acs);
}

// A tile at the edge: computed whole in `spare`, copied where it is valid
function edge(kc: i32, a: usize, b: usize, c: usize, row: usize, add: bool, rows: i32, cols: i32, spare: usize): void {
  tile(kc, a, b, spare, NR * 4, false);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      const d = c + <usize>i * row + (<usize>j << 2), v = load<f32>(spare + <usize>((i * NR + j) << 2));
      store<f32>(d, add ? load<f32>(d) + v : v);
    }
  }
}

/** C = A B for one thread's share of rows and columns; with `more` it is added to what is there. */
export function matmul(
  m: i32, n: i32, k: i32, a: usize, ars: i32, acs: i32, b: usize, brs: i32, bcs: i32, c: usize, ldc: i32, work: usize, more: i32,
): void {
  const pa = work, pb = work + <usize>(MC * KC * 4), spare = pb + <usize>(KC * NC * 4), row = <usize>ldc * 4;
  for (let jc = 0; jc < n; jc += NC) {
    const nc = min(NC, n - jc);
    for (let pc = 0; pc < k; pc += KC) {
      const kc = min(KC, k - pc), add = pc > 0 || more != 0;
      let fresh = true;
      for (let ic = 0; ic < m; ic += MC) {
        const mc = min(MC, m - ic);
        packRows(pa, a + <usize>((<isize>ic * ars + <isize>pc * acs) * 4), mc, kc, ars, acs);
        for (let j = 0; j < nc; j += NR) {
          const cols = min(NR, nc - j), panel = pb + <usize>(j * kc * 4);
          if (fresh) pack(panel, b + <usize>((<isize>pc * brs + (<isize>jc + j) * bcs) * 4), NR, cols, kc, bcs, brs);
          column(kc, pa, panel, c + <usize>ic * row + (<usize>(jc + j) << 2), row, add, mc, cols, spare);
        }
        fresh = false;
      }
    }
  }
}

/** Packs panels `from` to `to` of B, of NR columns each, for matmulPacked. */
export function packRight(
  n: i32, k: i32, b: usize, brs: i32, bcs: i32, dst: usize, from: i32, to: i32, work: usize,
): void {
  for (let p = from; p < to; p++) {
    for (let pc = 0; pc < k; pc += KC) {
      const at = b + <usize>((<isize>pc * brs + <isize>p * NR * bcs) * 4);
      pack(dst + <usize>(p * k + pc) * (NR * 4), at, NR, min(NR, n - p * NR), min(KC, k - pc), bcs, brs);
    }
  }
}

/** The columns of C that panels `from` to `to` of B give, which packRight has packed; sums in the order of matmul. */
export function matmulPacked(
  m: i32, n: i32, k: i32, a: usize, ars: i32, acs: i32, b: usize, c: usize, ldc: i32, from: i32, to: i32, work: usize,
): void {
  const spare = work + <usize>((MC * KC + KC * NC) * 4), row = <usize>ldc * 4;
  for (let pc = 0; pc < k; pc += KC) {
    const kc = min(KC, k - pc);
    for (let ic = 0; ic < m; ic += MC) {
      const mc = min(MC, m - ic);
      packRows(work, a + <usize>((<isize>ic * ars + <isize>pc * acs) * 4), mc, kc, ars, acs);
      for (let p = from; p < to; p++) {
        const panel = b + <usize>(p * k + pc) * (NR * 4), at = c + <usize>ic * row + (<usize>(p * NR) << 2);
        column(kc, work, panel, at, row, pc > 0, mc, min(NR, n - p * NR), spare);
      }
    }
  }
}
