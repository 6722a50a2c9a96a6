// conv.as.ts   C[m, n] = sum over k of A[m, k] B[k, n], B read through windows: its element (k, n) lies row[k] + col[n] bytes from
//              the first, both offsets affine in up to three axes
// in       d: the sizes and strides, as src/device/cpu/conv.ts lays them out; all addresses in bytes
// work     offsets of KC rows, one panel of B, offsets of a block's columns
// maths    K in blocks of KC from the first of a range, one after the other: the order of summation depends on the range alone
// oracle   tests/support/reference_device.ts

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

// The rows as runs of equal steps, (first offset, bytes between rows: 4, 8 or 0, fours of rows or a single one), 12 bytes each, ended by
// a count of 0: what is found out here once is not asked for every panel.
function runs(dst: usize, row: usize, kc: i32): void {
  let k = 0;
  while (k < kc) {
    const r = load<u32>(row + <usize>(k << 2));
    let step = 0, count = 1;
    if (k + 4 <= kc) {
      step = load<u32>(row + <usize>(k << 2), 4) - r;
      if (step == 4 || step == 8) {
        let end = k + 1;
        while (end < kc && load<u32>(row + <usize>(end << 2)) - r == <u32>(step * (end - k))) end++;
        count = (end - k) >> 2;
        if (count == 0) { step = 0; count = 1; }
      } else step = 0;
    }
    store<i32>(dst, r); store<i32>(dst, step, 4); store<i32>(dst, count, 8);
    dst += 12;
    k += step == 0 ? 1 : count << 2;
  }
  store<i32>(dst, 0, 8);
}

// four columns of a panel: dst[8 k + j] = mem[row[k] + c_j]
function quarter(dst: usize, row: usize, run: usize, kc: i32, c0: usize, c1: usize, c2: usize, c3: usize): void {
  if (every(c0, c1, c2, c3, 4)) { // neighbours in memory
    for (let k = 0; k < kc; k++) { v128.store(dst, v128.load(c0 + load<u32>(row))); dst += 32; row += 4; }
    return;
  }
  if (every(c0, c1, c2, c3, 8)) { // every second one
    for (let k = 0; k < kc; k++) { v128.store(dst, alternate(c0 + load<u32>(row))); dst += 32; row += 4; }
    return;
  }
  for (let count = load<i32>(run, 8); count != 0; run += 12, count = load<i32>(run, 8)) {
    const r = load<u32>(run), step = load<i32>(run, 4);
    let p0 = c0 + r, p1 = c1 + r, p2 = c2 + r, p3 = c3 + r;
    if (step == 0) { v128.store(dst, gather(p0, p1, p2, p3)); dst += 32; continue; }
    // rows are neighbours: four of them at a time, turned
    if (step == 4) for (; count > 0; --count) {
      transpose(dst, v128.load(p0), v128.load(p1), v128.load(p2), v128.load(p3));
      dst += 128; p0 += 16; p1 += 16; p2 += 16; p3 += 16;
    } else for (; count > 0; --count) {
      transpose(dst, alternate(p0), alternate(p1), alternate(p2), alternate(p3));
      dst += 128; p0 += 32; p1 += 32; p2 += 32; p3 += 32;
    }
  }
}

// a panel of eight columns
function windows(dst: usize, base: usize, row: usize, run: usize, kc: i32, col: usize): void {
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
  quarter(dst, row, run, kc, c0, c1, c2, c3);
  quarter(dst + 16, row, run, kc, c4, c5, c6, c7);
}

// four rows that run backwards in memory: dst[4 k + w] = src[w sw - k]
function packTurned(dst: usize, src: usize, kc: i32, sw: i32): void {
  const s = <usize>(sw << 2);
  let k = 0;
  for (; k + 4 <= kc; k += 4) {
    const p = src - 12, a = v128.load(p), b = v128.load(p + s), c = v128.load(p + 2 * s), e = v128.load(p + 3 * s);
    const t0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5), t1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const t2 = v128.shuffle<f32>(c, e, 0, 4, 1, 5), t3 = v128.shuffle<f32>(c, e, 2, 6, 3, 7);
    v128.store(dst, v128.shuffle<f32>(t1, t3, 2, 3, 6, 7));
    v128.store(dst, v128.shuffle<f32>(t1, t3, 0, 1, 4, 5), 16);
    v128.store(dst, v128.shuffle<f32>(t0, t2, 2, 3, 6, 7), 32);
    v128.store(dst, v128.shuffle<f32>(t0, t2, 0, 1, 4, 5), 48);
    dst += 64;
    src -= 16;
  }
  for (; k < kc; k++) { v128.store(dst, gather(src, src + s, src + 2 * s, src + 3 * s)); dst += 16; src -= 4; }
}

// one panel of A, [k, height], of the row at `src` and those after it, of which `valid` exist, from `begin` on
function packPanel(d: usize, height: i32, src: usize, valid: i32, dst: usize, begin: i32, count: i32): void {
  const n1 = load<i32>(d, 12), n2 = load<i32>(d, 16);
  const sm = load<i32>(d, 24), s0 = load<i32>(d, 28), s1 = load<i32>(d, 32), s2 = load<i32>(d, 36);
  let i2 = begin % n2, rest = begin / n2, i1 = rest % n1, i0 = rest / n1;
  while (count > 0) {
    const run = min(n2 - i2, count), first = src + <usize>((i0 * s0 + i1 * s1 + i2 * s2) << 2);
    if (height != MR) for (let x = 0; x < run; x++) store<f32>(dst + <usize>(x << 2), load<f32>(first + <usize>((x * s2) << 2)));
    else if (s2 == -1 && valid >= MR) packTurned(dst, first, run, sm);
    else pack(dst, first, MR, min(MR, valid), run, sm, s2);
    dst += <usize>(run * height * 4);
    count -= run;
    i2 = 0;
    if (++i1 == n1) { i1 = 0; i0++; }
  }
}

/** Packs A into panels of `height` rows, MR or 1, [group, panel, k, height]; work items are (group, panel, block of k). */
export function convPack(d: usize, height: i32, a: usize, dst: usize, from: i32, to: i32, work: usize): void {
  const m = load<i32>(d), k = load<i32>(d, 4), sg = load<i32>(d, 20), sm = load<i32>(d, 24);
  const panels = (m + height - 1) / height, blocks = (k + KC - 1) / KC;
  for (let item = from; item < to; item++) {
    const panel = item / blocks, i = panel % panels * height, begin = item % blocks * KC;
    const src = a + <usize>((panel / panels * sg + i * sm) << 2), at = dst + <usize>(panel * k + begin) * <usize>(height * 4);
    packPanel(d, height, src, m - i, at, begin, min(KC, k - begin));
  }
}

// offsets of `count` columns from `start`; those past the end repeat the last one, and nobody looks at their sums
function columns(d: usize, col: usize, start: i32, count: i32): void {
  offsets(col, d + 64, d + 76, start, count);
  for (let j = count; j & (NR - 1); j++) store<i32>(col + <usize>(j << 2), load<i32>(col + <usize>((count - 1) << 2)));
}

/**
 * C = A B for `rows` rows from `first` (a multiple of MR), `count` columns from `start` and the k from `begin` to `end`. `a` are the rows'
 * packed panels; or, if `own` is not 0, the group's first element, and the panels of a block of k are packed there. `b` is the group's
 * first element; rows of C are `ldc` elements apart, with room for a multiple of MR rows and of NR columns.
 */
export function convBlock(
  d: usize, a: usize, b: usize, c: usize, ldc: i32, own: usize, first: i32, rows: i32,
  start: i32, count: i32, begin: i32, end: i32, work: usize,
): void {
  const m = load<i32>(d), k = load<i32>(d, 4), sm = load<i32>(d, 24), step = <usize>ldc * 4;
  const row = work, run = row + <usize>(KC * 4), panel = run + <usize>((KC + 1) * 12), col = panel + <usize>(KC * NR * 4);
  columns(d, col, start, count);
  for (let p = begin; p < end; p += KC) {
    const kc = min(KC, end - p), add = p > begin;
    let panels = a + <usize>p * <usize>(MR * 4), next = <usize>k * <usize>(MR * 4);
    if (own != 0) {
      panels = own;
      next = <usize>(kc * MR * 4);
      for (let i = 0; i < rows; i += MR) {
        packPanel(d, MR, a + <usize>(((first + i) * sm) << 2), m - first - i, own + <usize>(i * kc * 4), p, kc);
      }
    }
    offsets(row, d + 40, d + 52, p, kc);
    runs(run, row, kc);
    for (let j = 0; j < count; j += NR) {
      windows(panel, b, row, run, kc, col + <usize>(j << 2));
      let pa = panels, at = c + <usize>(j << 2);
      for (let i = 0; i < rows; i += MR) {
        tile(kc, pa, panel, at, step, add);
        pa += next;
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

// dst[0..count] = 0
function clear(dst: usize, count: i32): void {
  const end = dst + <usize>(count << 2), none = f32x4.splat(0);
  if (count < 4) { for (; dst < end; dst += 4) store<f32>(dst, 0); return; }
  for (; dst + 16 <= end; dst += 16) v128.store(dst, none);
  v128.store(end - 16, none);
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
      if (!inside || i < y0 || i >= y1) clear(to0, nx);
      else {
        let p = to0, q = at + <usize>(i * sy + x0 * sx);
        for (let j = 0; j < x0; j++) { store<f32>(p, 0); p += 4; }
        if (sx == 4 && x1 - x0 >= 4) {
          const end = p + <usize>((x1 - x0) << 2), move = q - p;
          for (; p + 16 <= end; p += 16) v128.store(p, v128.load(p + move));
          if (p < end) v128.store(end - 16, v128.load(end - 16 + move)); // the last four once more
          p = end;
        } else for (let j = x0; j < x1; j++) { store<f32>(p, load<f32>(q)); p += 4; q += <usize>sx; }
        for (let j = x1; j < nx; j++) { store<f32>(p, 0); p += 4; }
      }
      to0 += line;
    }
  }
}
