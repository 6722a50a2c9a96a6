// native.as.ts   the loops around register tiles and packing that are machine code: products and convolutions as in matmul.as.ts and
//                conv.as.ts, with panels of B of up to 3 vectors of LANES columns and panels of A of MR rows
// in       d: the sizes and strides, as src/device/cpu/conv.ts lays them out
// work     tables, one panel of B, and what matmul packs or the block of a convolution
// maths    the order of summation of those files: K in blocks of KC, one after the other

// @ts-ignore: decorator
@external("native", "lanes") declare const LANES: i32;
// @ts-ignore: decorator
@external("native", "rows") declare const MR: i32; // half of LANES: a panel of A is half a vector wide

// C[rows, columns] = or += A B, both packed; panels of A are `next` bytes apart
// @ts-ignore: decorator
@external("native", "tiles") declare function tiles(
  kc: i32, a: usize, b: usize, c: usize, ldc: i32, rows: i32, columns: i32, add: i32, next: i32,
): void;

// Packs `panels` panels of `count` vectors of columns. `which`: 0 for B, 1 for A. All it reads lies from `low` to `high` bytes from a base.
// @ts-ignore: decorator
@external("native", "pack") declare function pack(
  which: i32, to: usize, from: usize, rows: usize, runs: usize, kc: i32, vectors: usize, count: i32, step: i32,
  panels: i32, fromStep: i32, toStep: i32, low: i32, high: i32,
): void;

const KC: i32 = 256, MC: i32 = 192;
const NC_VECTORS: i32 = 33; // with 16 lanes half of the second cache

// c[0..count] = or continues the sums over k of a[k] B[k, column], columns of B side by side from `b` on, its rows at `rows`
// @ts-ignore: decorator
@external("native", "row") declare function sumRow(
  kc: i32, a: usize, b: usize, rows: usize, c: usize, count: i32, add: i32, low: i32, high: i32,
): void;

// c[0..count] = the sums over k of a[k] B[k, column] for `groups` times eight vectors of eight columns, which lie side by side or are every
// second number. The table has for each its address in B and its place in C, in bytes; what is read of B lies from `low` to the vector at `high`
// @ts-ignore: decorator
@external("native", "lines") declare function sumLines(
  kc: i32, a: usize, rows: usize, c: usize, count: i32, table: usize, groups: i32, spacing: i32, low: f64, high: f64,
): void;

// convThin of conv_thin.as.ts
// @ts-ignore: decorator
@external("native", "thin") declare function thin(
  d: usize, a: usize, b: usize, c: usize, ldc: i32, rows: i32, start: i32, count: i32, begin: i32, end: i32, work: usize,
): void;

// Copies planes of `height` x `width` numbers, `planeStep` bytes apart, the innermost side by side; of them the borders are 0
// @ts-ignore: decorator
@external("native", "pad") declare function pad(
  to: usize, from: usize, planes: i32, planeStep: i32, height: i32, above: i32, below: i32, rowStep: i32, width: i32, left: i32, right: i32,
): void;

// where things lie in the working memory of a thread
const ROWS_B: usize = 0, RUNS_B: usize = 1024, ROWS_A: usize = 5184, RUNS_A: usize = 6208, COLUMNS: usize = 10368;
const VECTORS_A: usize = 14720, VECTORS_B: usize = 14976, PANEL: usize = 31360, BLOCKS: usize = 80512;
const VECTOR: usize = 128, RUN: usize = 16;

// src/device/cpu/native/panels.ts has the same numbers
const GATHER: i32 = 0, LINE: i32 = 7, TURN: i32 = 8, SECOND: i32 = 8;

// dst[i] = i step
function linear(dst: usize, step: i32, count: i32): void {
  for (let i = 0, at = 0; i < count; i++, at += step) store<i32>(dst + <usize>(i << 2), at);
}

// The rows as runs of neighbours, RUN bytes each: (offset of the lowest, how many, its place in the panel, bytes to the next place)
function findRuns(dst: usize, row: usize, kc: i32, step: i32): void {
  let k = 0;
  while (k < kc) {
    const r = load<i32>(row + <usize>(k << 2));
    let end = k + 1, d = 0;
    if (end < kc) {
      d = load<i32>(row + <usize>(end << 2)) - r;
      if (d == 4 || d == -4) while (end < kc && load<i32>(row + <usize>(end << 2)) - load<i32>(row + <usize>((end - 1) << 2)) == d) end++;
    }
    const back = d == -4 && end - k > 1;
    store<i32>(dst, back ? r - 4 * (end - 1 - k) : r);
    store<i32>(dst, end - k, 4);
    store<i32>(dst, (back ? end - 1 : k) * step, 8);
    store<i32>(dst, back ? -step : step, 12);
    dst += RUN;
    k = end;
  }
  store<i32>(dst, 0, 4);
}

// The lines of which a vector of 16 takes every second number: their number, and, if they are up to 3, their offsets and masks
function describeSeconds(v: usize, col: usize, valid: i32): i32 {
  let lines = 0;
  for (let i = 0; i < valid;) {
    const first = i, at = load<i32>(col + <usize>(i << 2));
    while (++i < valid && load<i32>(col + <usize>(i << 2)) - at == (i - first) << 3);
    if (lines < 3) {
      let low = 0, high = 0; // of the numbers 0 to 15 and 15 to 30 of the line
      for (let j = first; j < i; j++) if (j < 8) low |= 1 << (2 * j); else high |= 1 << (2 * j - 15);
      const d = v + 8 + <usize>(lines << 3);
      store<i32>(d, at - (first << 3));
      store<i32>(d, low, 4);
      store<i32>(d, high, 28);
    }
    lines++;
  }
  return lines;
}

// How to pack one vector of `lanes` columns at offsets `col`, of which `valid` exist: the others are 0 or repeat the last. `turn`: whether
// rows are neighbours.
function describe(v: usize, col: usize, valid: i32, lanes: i32, turn: bool): void {
  let lines = 0;
  const most = lanes == 16 ? 6 : 2;
  for (let i = 0; i < valid;) {
    const first = i, at = load<i32>(col + <usize>(i << 2));
    while (++i < valid && load<i32>(col + <usize>(i << 2)) - at == (i - first) << 2);
    if (lines < most) {
      const base = at - (first << 2);
      if (lanes == 16) {
        store<i32>(v + <usize>(lines << 3), base, 8);
        store<i32>(v + <usize>(lines << 3), ((1 << (i - first)) - 1) << first, 12);
      } else {
        store<i32>(v + <usize>(lines << 2), base, 8);
        const mask = v + (lines == 0 ? 32 : 96);
        for (let j = 0; j < lanes; j++) store<i32>(mask + <usize>(j << 2), j >= first && j < i ? -1 : 0);
      }
    }
    lines++;
  }
  let kind = GATHER;
  if (lines == 1 && valid == lanes) kind = LINE;
  else if (lines <= most && (!turn || lines <= lanes >> 2)) kind = lines;
  else if (turn) kind = TURN;
  if (kind == GATHER && lanes == 16) {
    const seconds = describeSeconds(v, col, valid);
    if (seconds <= 3) kind = SECOND + seconds;
  }
  store<i32>(v, kind);
  for (let i = 0; i < lanes; i++) store<i32>(v + <usize>(i << 2), load<i32>(col + <usize>(min(i, valid - 1) << 2)), 64);
}

// Describes `count` columns, vector after vector
function describeAll(v: usize, col: usize, count: i32, turn: bool): void {
  for (let i = 0; i < count; i += LANES) {
    describe(v, col + <usize>(i << 2), min(LANES, count - i), LANES, turn);
    v += VECTOR;
  }
}

// @ts-ignore: decorator
@inline function turned(step: i32, count: i32): bool {
  return (step == 4 || step == -4) && count >= 4;
}

// @ts-ignore: decorator
@inline function lowest(step: i32, count: i32): i32 {
  return min(0, step * (count - 1));
}

// @ts-ignore: decorator
@inline function highest(step: i32, count: i32): i32 {
  return max(0, step * (count - 1));
}

// What packRows needs of the rows of A, `m` of them `sm` bytes apart
function describeLeft(work: usize, m: i32, sm: i32, turn: bool): void {
  const col = work + COLUMNS, va = work + VECTORS_A;
  linear(col, sm, MR);
  describe(va, col, MR, MR, turn);
  if (m % MR != 0) describe(va + VECTOR, col, m % MR, MR, turn);
}

// And of a block of its k, `ska` bytes apart
// @ts-ignore: decorator
@inline function placeLeft(work: usize, ska: i32, kc: i32): void {
  linear(work + ROWS_A, ska, kc);
  findRuns(work + RUNS_A, work + ROWS_A, kc, MR << 2);
}

// Packs the panels of `count` rows of A, with what findRuns and describe found out at ROWS_A, RUNS_A and VECTORS_A; rows are `sm` bytes apart
function packRows(work: usize, to: usize, toStep: i32, a: usize, count: i32, kc: i32, sm: i32, low: i32, high: i32): void {
  const full = count / MR, rest = count - full * MR;
  const rows = work + ROWS_A, runs = work + RUNS_A, v = work + VECTORS_A;
  if (full > 0) {
    pack(1, to, a, rows, runs, kc, v, 1, MR << 2, full, sm * MR, toStep, low + lowest(sm, MR), high + highest(sm, MR));
  }
  if (rest == 0) return;
  to += <usize>full * <usize>toStep;
  a += <usize>(full * MR * sm);
  pack(1, to, a, rows, runs, kc, v + VECTOR, 1, MR << 2, 1, 0, 0, low + lowest(sm, rest), high + highest(sm, rest));
}

// Vectors of the next panel, of `left` columns: three, but two and two at the end, where one alone would keep the processor waiting
// @ts-ignore: decorator
@inline function vectorsOf(left: i32): i32 {
  const vectors = (left + LANES - 1) / LANES;
  return vectors == 4 ? 2 : min(3, vectors);
}

// The rows of B at RUNS_B for panels of `vectors` vectors: what findRuns found out at ROWS_B
// @ts-ignore: decorator
@inline function placeRuns(work: usize, kc: i32, vectors: i32): void {
  findRuns(work + RUNS_B, work + ROWS_B, kc, vectors * LANES << 2);
}

/** C = or += A B for one thread's share of rows and columns; as in matmul.as.ts. */
export function matmul(
  m: i32, n: i32, k: i32, a: usize, ars: i32, acs: i32, b: usize, brs: i32, bcs: i32, c: usize, ldc: i32, work: usize, more: i32,
): void {
  const NR = LANES * 3, most = NC_VECTORS * LANES, row = <usize>ldc * 4;
  const sm = ars << 2, ska = acs << 2, skb = brs << 2, sn = bcs << 2;
  const pa = work + BLOCKS, pb = pa + <usize>(MC * KC * 4), col = work + COLUMNS, vb = work + VECTORS_B;
  const turnB = turned(skb, k);
  describeLeft(work, m, sm, turned(ska, k));
  linear(col, sn, NR);
  describeAll(vb, col, NR, turnB);
  const width = ((n + most - 1) / most * NR + n - 1) / ((n + most - 1) / most * NR) * NR; // blocks of columns of about one size
  for (let jc = 0; jc < n; jc += width) {
    const nc = min(width, n - jc);
    for (let pc = 0; pc < k; pc += KC) {
      const kc = min(KC, k - pc), add = pc > 0 || more != 0 ? 1 : 0;
      placeLeft(work, ska, kc);
      linear(work + ROWS_B, skb, kc);
      let runs = 0; // vectors that the runs are for
      for (let ic = 0; ic < m; ic += MC) {
        const mc = min(MC, m - ic), from = a + <usize>(ic * sm + pc * ska);
        packRows(work, pa, kc * MR << 2, from, mc, kc, sm, lowest(ska, kc), highest(ska, kc));
        let panel = pb;
        for (let j = 0, vectors = 0; j < nc; j += vectors * LANES) {
          vectors = vectorsOf(nc - j);
          const cols = min(vectors * LANES, nc - j);
          if (ic == 0) {
            if (vectors != runs) placeRuns(work, kc, vectors);
            runs = vectors;
            // the last vector may have fewer columns
            const part = cols % LANES, last = vb + <usize>(vectors - 1) * VECTOR, lane = col + <usize>((vectors - 1) * LANES << 2);
            if (part != 0) describe(last, lane, part, LANES, turnB);
            pack(
              0, panel, b + <usize>(pc * skb + (jc + j) * sn), work + ROWS_B, work + RUNS_B, kc, vb, vectors, vectors * LANES << 2, 1, 0, 0, lowest(skb, kc) + lowest(sn, cols), highest(skb, kc) + highest(sn, cols),
            );
            if (part != 0) describe(last, lane, LANES, LANES, turnB);
          }
          tiles(kc, pa, panel, c + <usize>(ic * <i32>row + ((jc + j) << 2)), <i32>row, mc, cols, add, kc * MR << 2);
          panel += <usize>(kc * NR * 4);
        }
      }
    }
  }
}

/** Packs panels `from` to `to` of B, of 2 LANES columns each, for matmulPacked. */
export function packRight(
  n: i32, k: i32, b: usize, brs: i32, bcs: i32, dst: usize, from: i32, to: i32, work: usize,
): void {
  const width = LANES * 2, skb = brs << 2, sn = bcs << 2, col = work + COLUMNS, vb = work + VECTORS_B, turn = turned(skb, k);
  linear(col, sn, width);
  for (let pc = 0; pc < k; pc += KC) {
    const kc = min(KC, k - pc);
    linear(work + ROWS_B, skb, kc);
    for (let p = from; p < to; p++) {
      const cols = min(width, n - p * width), vectors = (cols + LANES - 1) / LANES;
      if (p == from || cols < width) {
        placeRuns(work, kc, vectors);
        describeAll(vb, col, cols, turn);
      }
      pack(
        0, dst + <usize>(p * k + pc) * <usize>(width << 2), b + <usize>(pc * skb + p * width * sn), work + ROWS_B, work + RUNS_B, kc, vb, vectors, vectors * LANES << 2, 1, 0, 0, lowest(skb, kc) + lowest(sn, cols), highest(skb, kc) + highest(sn, cols),
      );
    }
  }
}

/** The columns of C that panels `from` to `to` of B give; as in matmul.as.ts. */
export function matmulPacked(
  m: i32, n: i32, k: i32, a: usize, ars: i32, acs: i32, b: usize, c: usize, ldc: i32, from: i32, to: i32, work: usize,
): void {
  const width = LANES * 2, sm = ars << 2, ska = acs << 2, row = ldc << 2, pa = work + BLOCKS;
  describeLeft(work, m, sm, turned(ska, k));
  for (let pc = 0; pc < k; pc += KC) {
    const kc = min(KC, k - pc), next = kc * MR << 2;
    placeLeft(work, ska, kc);
    for (let ic = 0; ic < m; ic += MC) {
      const mc = min(MC, m - ic);
      packRows(work, pa, next, a + <usize>(ic * sm + pc * ska), mc, kc, sm, lowest(ska, kc), highest(ska, kc));
      for (let p = from; p < to; p++) {
        const panel = b + <usize>(p * k + pc) * <usize>(width << 2), at = c + <usize>(ic * row + (p * width << 2));
        tiles(kc, pa, panel, at, row, mc, min(width, n - p * width), pc > 0 ? 1 : 0, next);
      }
    }
  }
}

// The least offset, or with `up` the greatest, over axes of `sizes` (three words) with strides (three words)
function reach(sizes: usize, strides: usize, up: bool): i32 {
  let sum = 0;
  for (let i: usize = 0; i < 12; i += 4) {
    const end = (load<i32>(sizes + i) - 1) * load<i32>(strides + i);
    if (end > 0 == up) sum += end;
  }
  return sum;
}

// The tables for the block of A's k from `begin` on
function placeRows(d: usize, work: usize, begin: i32, kc: i32): void {
  const row = work + ROWS_A;
  offsets(row, d + 8, d + 28, begin, kc);
  for (let i = 0; i < kc; i++) store<i32>(row + <usize>(i << 2), load<i32>(row + <usize>(i << 2)) << 2);
  findRuns(work + RUNS_A, row, kc, MR << 2);
}

// Those for its rows, of a whole panel and of the last one
function describeRows(d: usize, work: usize): void {
  describeLeft(work, load<i32>(d), load<i32>(d, 24) << 2, turned(load<i32>(d, 36) << 2, load<i32>(d, 16)));
}

/** Packs A into panels of MR rows, [group, panel, k, MR]; work items are (block of k, group, panel). */
export function convPack(d: usize, height: i32, a: usize, dst: usize, from: i32, to: i32, work: usize): void {
  const m = load<i32>(d), k = load<i32>(d, 4), sg = load<i32>(d, 20) << 2, sm = load<i32>(d, 24) << 2;
  const low = reach(d + 8, d + 28, false) << 2, high = reach(d + 8, d + 28, true) << 2;
  const panels = (m + MR - 1) / MR, each = load<i32>(d, 88) * panels;
  describeRows(d, work);
  for (let item = from, block = -1; item < to;) {
    if (item / each != block) {
      block = item / each;
      placeRows(d, work, block * KC, min(KC, k - block * KC));
    }
    const begin = block * KC, kc = min(KC, k - begin);
    const number = item % each, group = number / panels, panel = number % panels, count = min(panels - panel, to - item);
    packRows(
      work, dst + <usize>(number * k + begin) * <usize>(MR << 2), k * MR << 2, a + <usize>(group * sg + panel * MR * sm),
      min(count * MR, m - panel * MR), kc, sm, low, high,
    );
    item += count;
  }
}

/** A block of C as in conv.as.ts; columns of C have room for a multiple of LANES. */
export function convBlock(
  d: usize, a: usize, b: usize, c: usize, ldc: i32, own: usize, first: i32, rows: i32,
  start: i32, count: i32, begin: i32, end: i32, work: usize,
): void {
  const m = load<i32>(d), k = load<i32>(d, 4), sm = load<i32>(d, 24) << 2, step = ldc << 2;
  const col = work + COLUMNS, vb = work + VECTORS_B, panel = work + PANEL, rowB = work + ROWS_B, runB = work + RUNS_B;
  if (own != 0) describeRows(d, work);
  offsets(col, d + 64, d + 76, start, count);
  // of all of A and B: what a block reads lies between
  const lowA = reach(d + 8, d + 28, false) << 2, highA = reach(d + 8, d + 28, true) << 2;
  const low = reach(d + 40, d + 52, false) + reach(d + 64, d + 76, false);
  const high = reach(d + 40, d + 52, true) + reach(d + 64, d + 76, true);
  const turn = turned(load<i32>(d, 60), load<i32>(d, 48));
  describeAll(vb, col, count, turn);
  const whole = (rows + MR - 1) / MR * MR;
  for (let p = begin; p < end; p += KC) {
    const kc = min(KC, end - p), add = p > begin ? 1 : 0;
    let panels = a + <usize>p * <usize>(MR << 2), next = k * MR << 2;
    if (own != 0) {
      panels = own;
      next = kc * MR << 2;
      placeRows(d, work, p, kc);
      const from = a + <usize>(first * sm);
      packRows(work, own, next, from, min(rows, m - first), kc, sm, lowA, highA);
    }
    offsets(rowB, d + 40, d + 52, p, kc);
    for (let j = 0, vectors = 0, runs = 0; j < count; j += vectors * LANES) {
      vectors = vectorsOf(count - j);
      if (turn && vectors != runs) placeRuns(work, kc, vectors);
      runs = vectors;
      pack(0, panel, b, rowB, runB, kc, vb + <usize>(j / LANES) * VECTOR, vectors, vectors * LANES << 2, 1, 0, 0, low, high);
      tiles(kc, panels, panel, c + <usize>(j << 2), step, whole, vectors * LANES, add, next);
    }
  }
}

/** As convPad, where the source's innermost axis lies side by side in memory and that of the copy has up to 48 elements. */
export function convPadNarrow(d: usize, src: usize, dst: usize, from: i32, to: i32): void {
  const lead = load<i32>(d) - 2, y = d + 4 + <usize>(lead * 16), x = y + 16;
  const ny = load<i32>(y), sy = load<i32>(y, 4), y0 = load<i32>(y, 8), y1 = load<i32>(y, 12);
  const nx = load<i32>(x), x0 = load<i32>(x, 8), x1 = load<i32>(x, 12), plane = <usize>(ny * nx * 4);
  for (let item = from; item < to;) {
    let at = src, inside = true, planes = 1, step = 0, rest = item;
    for (let axis = lead - 1; axis >= 0; axis--) {
      const e = d + 4 + <usize>(axis * 16), n = load<i32>(e), c = rest % n, begin = load<i32>(e, 8), end = load<i32>(e, 12);
      rest /= n;
      at += <usize>(c * load<i32>(e, 4));
      if (axis == lead - 1) { // as many as lie alike along this axis
        step = load<i32>(e, 4);
        planes = min((c < begin ? begin : c < end ? end : n) - c, to - item);
      }
      inside = inside && c >= begin && c < end;
    }
    const above = inside ? y0 : ny, below = inside ? ny - y1 : 0;
    pad(dst + <usize>item * plane, at + <usize>(y0 * sy), planes, step, ny, above, below, sy, nx, x0, nx - x1);
    item += planes;
  }
}

// Vectors of eight columns of lines, (address in B, place in C) of each, the last one once more to fill a group of eight; how many groups
function tabulate(d: usize, table: usize, b: usize, start: i32, count: i32): i32 {
  const n1 = load<i32>(d, 68), n2 = load<i32>(d, 72), s0 = load<i32>(d, 76), s1 = load<i32>(d, 80), s2 = load<i32>(d, 84);
  let i2 = start % n2, rest = start / n2, i1 = rest % n1, i0 = rest / n1, to = 0, at = table;
  while (count > 0) {
    const run = min(n2 - i2, count);
    let from = b + <usize>(i0 * s0 + i1 * s1 + i2 * s2), place = to;
    for (let left = run; left > 0; left -= 8) {
      store<u64>(at, <u64>from | <u64>place << 32);
      at += 8;
      from += <usize>(s2 << 3);
      place += 32;
    }
    to += run << 2;
    count -= run;
    i2 = 0;
    if (++i1 == n1) { i1 = 0; i0++; }
  }
  const last = load<u64>(at - 8);
  for (; (at - table) & 63; at += 8) store<u64>(at, last);
  return <i32>((at - table) >> 6);
}

/** As convThin: columns that lie in one line, or in lines that are evenly spaced, are summed by machine code. */
export function convThin(
  d: usize, a: usize, b: usize, c: usize, ldc: i32, rows: i32, start: i32, count: i32, begin: i32, end: i32, work: usize,
): void {
  const depth = load<i32>(d, 4), spacing = load<i32>(d, 84), col = work + COLUMNS, row = work + ROWS_B;
  // the same cases as there, or sums would be formed in another order
  const lines = depth <= 64 && begin == 0 && end == depth && load<i32>(d, 72) >= 4 && (spacing == 4 || spacing == 8);
  if (lines) {
    const least = reach(d + 40, d + 52, false) + reach(d + 64, d + 76, false), low = <f64>b + <f64>least;
    const most = reach(d + 40, d + 52, true) + reach(d + 64, d + 76, true), high = <f64>b + <f64>most;
    // a vector may go on after the last column: at the end of the memory it must not
    if (high + <f64>(spacing << 3) <= <f64>memory.size() * 65536) {
      const table = work + VECTORS_B, groups = tabulate(d, table, b, start, count);
      offsets(row, d + 40, d + 52, 0, depth);
      for (let i = 0; i < rows; i++) {
        sumLines(
          depth, a + <usize>(i * depth) * 4, row, c + <usize>(i * ldc) * 4, count, table, groups, spacing >> 2, low, high,
        );
      }
      return;
    }
  }
  let line = !lines && end - begin >= 16 && count >= 16;
  if (line) {
    offsets(col, d + 64, d + 76, start, count);
    const first = load<i32>(col);
    for (let j = 1; j < count && line; j++) line = load<i32>(col + <usize>(j << 2)) - first == j << 2;
  }
  if (!line) {
    thin(d, a, b, c, ldc, rows, start, count, begin, end, work);
    return;
  }
  const from = b + <usize>load<i32>(col);
  const low = reach(d + 40, d + 52, false), high = reach(d + 40, d + 52, true);
  for (let p = begin; p < end; p += KC) {
    const kc = min(KC, end - p), add = p > begin ? 1 : 0;
    offsets(row, d + 40, d + 52, p, kc);
    for (let i = 0; i < rows; i++) {
      sumRow(kc, a + <usize>(i * depth + p) * 4, from, row, c + <usize>(i * ldc) * 4, count, add, low, high);
    }
  }
}
