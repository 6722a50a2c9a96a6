// conv.as.ts   C[m, n] = sum over k of A[m, k] B[k, n], B read through windows: its element (k, n) lies row[k] + col[n] bytes from
//              the first, both offsets affine in up to three axes
// in       d: the sizes and strides, as src/device/cpu/conv_plan.ts lays them out; all addresses in bytes
// work     row and column offsets and one panel of B, 256 (4 + 32) + 128 4 bytes
// maths    K in blocks of KC from the first of a range, one after the other: the order of summation depends on the range alone
// oracle   tests/support/reference_device.ts

// dst[i] = the offset of element start + i, over axes of `sizes` (three words) with strides (three words) in bytes
function offsets(dst: usize, sizes: usize, strides: usize, start: i32, count: i32): void {
  const n1 = load<i32>(sizes, 4), n2 = load<i32>(sizes, 8);
  const s0 = load<i32>(strides), s1 = load<i32>(strides, 4), s2 = load<i32>(strides, 8);
  let i2 = start % n2, rest = start / n2, i1 = rest % n1, i0 = rest / n1;
  while (count > 0) {
    let at = i0 * s0 + i1 * s1 + i2 * s2;
    const run = min(n2 - i2, count);
    for (let i = 0; i < run; i++) { store<i32>(dst, at); dst += 4; at += s2; }
    count -= run;
    i2 = 0;
    if (++i1 == n1) { i1 = 0; i0++; }
  }
}

// @ts-ignore: decorator
@inline function gather(a: usize, b: usize, c: usize, e: usize): v128 {
  return v128.load_lane<f32>(e, v128.load_lane<f32>(c, v128.load_lane<f32>(b, v128.load32_zero(a), 1), 2), 3);
}

// @ts-ignore: decorator
@inline function every(a: usize, b: usize, c: usize, e: usize, step: usize): bool {
  return b == a + step && c == b + step && e == c + step;
}

// @ts-ignore: decorator
@inline function alternate(p: usize): v128 { // the elements 0, 2, 4 and 6
  return v128.shuffle<f32>(v128.load(p), v128.load(p, 12), 0, 2, 5, 7);
}

// @ts-ignore: decorator
@inline function transpose(d: usize, a: v128, b: v128, c: v128, e: v128): void {
  const t0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5), t1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const t2 = v128.shuffle<f32>(c, e, 0, 4, 1, 5), t3 = v128.shuffle<f32>(c, e, 2, 6, 3, 7);
  v128.store(d, v128.shuffle<f32>(t0, t2, 0, 1, 4, 5));
  v128.store(d, v128.shuffle<f32>(t0, t2, 2, 3, 6, 7), 32);
  v128.store(d, v128.shuffle<f32>(t1, t3, 0, 1, 4, 5), 64);
  v128.store(d, v128.shuffle<f32>(t1, t3, 2, 3, 6, 7), 96);
}

// four columns of a panel: dst[8 k + j] = mem[row[k] + c_j]
function quarter(dst: usize, row: usize, kc: i32, c0: usize, c1: usize, c2: usize, c3: usize): void {
  if (every(c0, c1, c2, c3, 4)) { // neighbours in memory
    for (let k = 0; k < kc; k++) { v128.store(dst, v128.load(c0 + load<u32>(row))); dst += 32; row += 4; }
    return;
  }
  if (every(c0, c1, c2, c3, 8)) { // every second one
    for (let k = 0; k < kc; k++) { v128.store(dst, alternate(c0 + load<u32>(row))); dst += 32; row += 4; }
    return;
  }
  let k = 0;
  while (k < kc) {
    const r = load<u32>(row);
    if (k + 4 <= kc) {
      const r1 = load<u32>(row, 4), r2 = load<u32>(row, 8), r3 = load<u32>(row, 12);
      const near = every(r, r1, r2, r3, 4);
      if (near || every(r, r1, r2, r3, 8)) { // rows are neighbours: four of them at a time, turned
        if (near) transpose(dst, v128.load(c0 + r), v128.load(c1 + r), v128.load(c2 + r), v128.load(c3 + r));
        else transpose(dst, alternate(c0 + r), alternate(c1 + r), alternate(c2 + r), alternate(c3 + r));
        dst += 128;
        row += 16;
        k += 4;
        continue;
      }
    }
    v128.store(dst, gather(c0 + r, c1 + r, c2 + r, c3 + r));
    dst += 32;
    row += 4;
    k++;
  }
}

// a panel of eight columns
function windows(dst: usize, base: usize, row: usize, kc: i32, col: usize): void {
  const c0 = base + load<u32>(col), c1 = base + load<u32>(col, 4), c2 = base + load<u32>(col, 8), c3 = base + load<u32>(col, 12);
  const c4 = base + load<u32>(col, 16), c5 = base + load<u32>(col, 20), c6 = base + load<u32>(col, 24), c7 = base + load<u32>(col, 28);
  if (every(c0, c1, c2, c3, 4) && every(c4, c5, c6, c7, 4)) {
    for (let k = 0; k < kc; k++) {
      const r = load<u32>(row);
      v128.store(dst, v128.load(c0 + r));
      v128.store(dst, v128.load(c4 + r), 16);
      dst += 32;
      row += 4;
    }
    return;
  }
  quarter(dst, row, kc, c0, c1, c2, c3);
  quarter(dst + 16, row, kc, c4, c5, c6, c7);
}

/** Packs A into panels of MR rows, [group, panel, k, MR]; work items are (group, panel, block of k). */
export function convPack(d: usize, a: usize, dst: usize, from: i32, to: i32): void {
  const m = load<i32>(d), k = load<i32>(d, 4), n1 = load<i32>(d, 12), n2 = load<i32>(d, 16);
  const sg = load<i32>(d, 20), sm = load<i32>(d, 24), s0 = load<i32>(d, 28), s1 = load<i32>(d, 32), s2 = load<i32>(d, 36);
  const panels = (m + MR - 1) / MR, blocks = (k + KC - 1) / KC;
  for (let item = from; item < to; item++) {
    const panel = item / blocks, i = panel % panels * MR, begin = item % blocks * KC;
    const src = a + <usize>((panel / panels * sg + i * sm) << 2);
    let at = dst + <usize>(panel * k + begin) * <usize>(MR * 4), left = min(KC, k - begin);
    let i2 = begin % n2, rest = begin / n2, i1 = rest % n1, i0 = rest / n1;
    while (left > 0) {
      const run = min(n2 - i2, left);
      pack(at, src + <usize>((i0 * s0 + i1 * s1 + i2 * s2) << 2), MR, min(MR, m - i), run, sm, s2);
      at += <usize>run * <usize>(MR * 4);
      left -= run;
      i2 = 0;
      if (++i1 == n1) { i1 = 0; i0++; }
    }
  }
}

/**
 * C = A B for `rows` rows (a multiple of MR), `count` columns from `start` and the k from `begin` to `end`. `a` are packed panels, `b` the
 * group's first element; rows of C are `ldc` elements apart, with room for a multiple of NR.
 */
export function convBlock(
  d: usize, a: usize, b: usize, c: usize, ldc: i32, rows: i32, start: i32, count: i32, begin: i32, end: i32, work: usize,
): void {
  const k = load<i32>(d, 4), row = work, col = row + <usize>(KC * 4), panel = col + 512, step = <usize>ldc * 4;
  offsets(col, d + 64, d + 76, start, count);
  // columns past the end repeat the last one; nobody looks at their sums
  for (let j = count; j & (NR - 1); j++) store<i32>(col + <usize>(j << 2), load<i32>(col + <usize>((count - 1) << 2)));
  for (let p = begin; p < end; p += KC) {
    const kc = min(KC, end - p), add = p > begin;
    offsets(row, d + 40, d + 52, p, kc);
    for (let j = 0; j < count; j += NR) {
      windows(panel, b, row, kc, col + <usize>(j << 2));
      let pa = a + <usize>p * <usize>(MR * 4), at = c + <usize>(j << 2);
      for (let i = 0; i < rows; i += MR) {
        tile(kc, pa, panel, at, step, add);
        pa += <usize>k * <usize>(MR * 4);
        at += step * MR;
      }
    }
  }
}

/** dst = the sum of `parts` blocks of `count` elements (a multiple of 4), one after the other from `src`. */
export function convSum(dst: usize, src: usize, count: i32, parts: i32): void {
  const step = <usize>count * 4;
  for (let i: usize = 0; i < step; i += 16) {
    let at = src + i, sum = v128.load(at);
    for (let p = 1; p < parts; p++) { at += step; sum = f32x4.add(sum, v128.load(at)); }
    v128.store(dst + i, sum);
  }
}

/**
 * Copies a tensor into one with a border of zeros. `d`: the number of axes (at least 2), then of each its size, the source's stride in bytes,
 * and the part that is not border, from and to. Work items are all axes but the last two.
 */
export function convPad(d: usize, src: usize, dst: usize, from: i32, to: i32): void {
  const lead = load<i32>(d) - 2, y = d + 4 + <usize>(lead * 16), x = y + 16;
  const ny = load<i32>(y), sy = load<i32>(y, 4), y0 = load<i32>(y, 8), y1 = load<i32>(y, 12);
  const nx = load<i32>(x), sx = load<i32>(x, 4), x0 = load<i32>(x, 8), x1 = load<i32>(x, 12);
  const line = <usize>nx * 4;
  let to0 = dst + <usize>from * <usize>ny * line;
  for (let item = from; item < to; item++) {
    let rest = item, at = src, inside = true;
    for (let axis = lead - 1; axis >= 0; axis--) {
      const e = d + 4 + <usize>(axis * 16), n = load<i32>(e), c = rest % n;
      rest /= n;
      at += <usize>(c * load<i32>(e, 4));
      inside = inside && c >= load<i32>(e, 8) && c < load<i32>(e, 12);
    }
    for (let i = 0; i < ny; i++) {
      if (!inside || i < y0 || i >= y1) memory.fill(to0, 0, line);
      else {
        let p = to0, q = at + <usize>(i * sy + x0 * sx);
        for (let j = 0; j < x0; j++) { store<f32>(p, 0); p += 4; }
        let j = x0;
        if (sx == 4) for (; j + 4 <= x1; j += 4) { v128.store(p, v128.load(q)); p += 16; q += 16; }
        for (; j < x1; j++) { store<f32>(p, load<f32>(q)); p += 4; q += <usize>sx; }
        for (; j < nx; j++) { store<f32>(p, 0); p += 4; }
      }
      to0 += line;
    }
  }
}
