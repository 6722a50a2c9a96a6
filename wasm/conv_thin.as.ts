// conv_thin.as.ts   C = A B as in conv.as.ts, for products of one or two rows: B is read where it lies
// in       A in panels of one row, [group, m, k]
// maths    columns, or rows where those are neighbours, share a vector; which of it depends on sizes and strides alone
// oracle   tests/support/reference_device.ts

// @ts-ignore: decorator
@inline function put(c: usize, v: v128, add: bool): void {
  v128.store(c, add ? f32x4.add(v, v128.load(c)) : v);
}

// c[0..16] = or += sum over k of a[k] B[k, column], columns in four quarters of neighbours, or of every second one
// @ts-ignore: decorator
@inline function thin16(near: bool, a: usize, row: usize, kc: i32, p0: usize, p1: usize, p2: usize, p3: usize, c: usize, add: bool): void {
  let v0 = f32x4.splat(0), v1 = v0, v2 = v0, v3 = v0;
  for (let k = kc; k > 0; --k) {
    const x = v128.load32_splat(a), r = load<u32>(row);
    v0 = fma(x, near ? v128.load(p0 + r) : alternate(p0 + r), v0);
    v1 = fma(x, near ? v128.load(p1 + r) : alternate(p1 + r), v1);
    v2 = fma(x, near ? v128.load(p2 + r) : alternate(p2 + r), v2);
    v3 = fma(x, near ? v128.load(p3 + r) : alternate(p3 + r), v3);
    a += 4;
    row += 4;
  }
  put(c, v0, add); put(c + 16, v1, add); put(c + 32, v2, add); put(c + 48, v3, add);
}

// four columns, wherever they lie; along rows that are neighbours lanes are rows
function thin4(a: usize, row: usize, run: usize, kc: i32, p0: usize, p1: usize, p2: usize, p3: usize, c: usize, add: bool): void {
  let sum = f32x4.splat(0), v0 = sum, v1 = sum, v2 = sum, v3 = sum;
  if (every(p0, p1, p2, p3, 4)) {
    for (let k = kc; k > 0; --k) { sum = fma(v128.load32_splat(a), v128.load(p0 + load<u32>(row)), sum); a += 4; row += 4; }
    put(c, sum, add);
    return;
  }
  for (let count = load<i32>(run, 8); count != 0; run += 12, count = load<i32>(run, 8)) {
    const r = load<u32>(run), step = load<i32>(run, 4);
    let q0 = p0 + r, q1 = p1 + r, q2 = p2 + r, q3 = p3 + r;
    if (step == 0) { sum = fma(v128.load32_splat(a), gather(q0, q1, q2, q3), sum); a += 4; continue; }
    if (step == 4) for (; count > 0; --count) {
      const x = v128.load(a);
      v0 = fma(x, v128.load(q0), v0); v1 = fma(x, v128.load(q1), v1); v2 = fma(x, v128.load(q2), v2); v3 = fma(x, v128.load(q3), v3);
      a += 16; q0 += 16; q1 += 16; q2 += 16; q3 += 16;
    } else for (; count > 0; --count) {
      const x = v128.load(a);
      v0 = fma(x, alternate(q0), v0); v1 = fma(x, alternate(q1), v1); v2 = fma(x, alternate(q2), v2); v3 = fma(x, alternate(q3), v3);
      a += 16; q0 += 32; q1 += 32; q2 += 32; q3 += 32;
    }
  }
  const s = f32x4.add(v128.shuffle<f32>(v0, v1, 0, 4, 1, 5), v128.shuffle<f32>(v0, v1, 2, 6, 3, 7));
  const t = f32x4.add(v128.shuffle<f32>(v2, v3, 0, 4, 1, 5), v128.shuffle<f32>(v2, v3, 2, 6, 3, 7));
  const across = f32x4.add(v128.shuffle<f32>(s, t, 0, 1, 4, 5), v128.shuffle<f32>(s, t, 2, 3, 6, 7));
  put(c, f32x4.add(sum, across), add);
}

// @ts-ignore: decorator
@inline function stride4(col: usize): i32 { // bytes between four columns that are evenly spaced, or 0
  const c0 = load<i32>(col), s = load<i32>(col, 4) - c0;
  return load<i32>(col, 8) - c0 == 2 * s && load<i32>(col, 12) - c0 == 3 * s ? s : 0;
}

// c[0..count] = sum over k of a[k] B[k, column], columns `step` bytes, 4 or 8, from each other
function thinRun(a: usize, row: usize, kc: i32, p: usize, step: i32, count: i32, c: usize): void {
  const near = step == 4, four = <usize>(step << 2);
  let j = 0;
  for (; j + 16 <= count; j += 16) {
    if (near) thin16(true, a, row, kc, p, p + four, p + 2 * four, p + 3 * four, c, false);
    else thin16(false, a, row, kc, p, p + four, p + 2 * four, p + 3 * four, c, false);
    p += 4 * four;
    c += 64;
  }
  while (j < count) {
    if (j + 4 > count) { // the last four once more, or one by one if there are fewer
      if (count < 4) {
        let sum = f32x4.splat(0);
        for (let k = 0; k < kc; k++) sum = fma(v128.load32_zero(a + <usize>(k << 2)), v128.load32_zero(p + load<u32>(row + <usize>(k << 2))), sum);
        store<f32>(c, f32x4.extract_lane(sum, 0));
        j++;
        p += <usize>step;
        c += 4;
        continue;
      }
      const back = <usize>(j + 4 - count);
      p -= back * <usize>step;
      c -= back * 4;
    }
    let sum = f32x4.splat(0), x = a, r = row;
    if (near) for (let k = kc; k > 0; --k) { sum = fma(v128.load32_splat(x), v128.load(p + load<u32>(r)), sum); x += 4; r += 4; }
    else for (let k = kc; k > 0; --k) { sum = fma(v128.load32_splat(x), alternate(p + load<u32>(r)), sum); x += 4; r += 4; }
    v128.store(c, sum);
    j += 4;
    p += four;
    c += 16;
  }
}

// @ts-ignore: decorator
@inline function four(near: bool, p: usize): v128 {
  return near ? v128.load(p) : alternate(p);
}

// c[0..count] of four lines, one after the other, = sum over k of a[k] B[k, column]: eight sums of four columns at a time, the last ones
// once more where they do not fill four
// @ts-ignore: decorator
@inline function thinFour(near: bool, a: usize, row: usize, kc: i32, p0: usize, p1: usize, p2: usize, p3: usize, count: i32, c: usize): void {
  const last = count - 4, line = <usize>count * 4, scale = near ? 2 : 3;
  for (let j = 0; j < count; j += 8) {
    const one = min(j, last), two = min(j + 4, last), f = <usize>(one << scale), s = <usize>(two << scale);
    let v0 = f32x4.splat(0), v1 = v0, v2 = v0, v3 = v0, v4 = v0, v5 = v0, v6 = v0, v7 = v0, x = a, r = row;
    for (let k = kc; k > 0; --k) {
      const w = v128.load32_splat(x), o = load<u32>(r), q0 = p0 + o, q1 = p1 + o, q2 = p2 + o, q3 = p3 + o;
      v0 = fma(w, four(near, q0 + f), v0); v1 = fma(w, four(near, q0 + s), v1);
      v2 = fma(w, four(near, q1 + f), v2); v3 = fma(w, four(near, q1 + s), v3);
      v4 = fma(w, four(near, q2 + f), v4); v5 = fma(w, four(near, q2 + s), v5);
      v6 = fma(w, four(near, q3 + f), v6); v7 = fma(w, four(near, q3 + s), v7);
      x += 4;
      r += 4;
    }
    let d = c + <usize>(one << 2), e = c + <usize>(two << 2);
    v128.store(d, v0); v128.store(e, v1); d += line; e += line;
    v128.store(d, v2); v128.store(e, v3); d += line; e += line;
    v128.store(d, v4); v128.store(e, v5); d += line; e += line;
    v128.store(d, v6); v128.store(e, v7);
  }
}

// all rows of a block whose columns lie in evenly spaced lines, and whose inner axis is one block
function thinLines(
  d: usize, a: usize, b: usize, c: usize, ldc: i32, rows: i32, start: i32, count: i32, row: usize, kc: i32,
): void {
  const n1 = load<i32>(d, 68), n2 = load<i32>(d, 72), s0 = load<i32>(d, 76), s1 = load<i32>(d, 80), s2 = load<i32>(d, 84);
  let i2 = start % n2, rest = start / n2, i1 = rest % n1, i0 = rest / n1;
  while (count > 0) {
    const p = b + <usize>(i0 * s0 + i1 * s1 + i2 * s2);
    let x = a, q = c;
    if (i2 == 0 && count >= n2 << 2) { // four whole lines
      const turn = s0 - n1 * s1; // from the end of one plane to the next
      const p1 = p + <usize>(s1 + (i1 + 1) / n1 * turn), p2 = p + <usize>(2 * s1 + (i1 + 2) / n1 * turn);
      const p3 = p + <usize>(3 * s1 + (i1 + 3) / n1 * turn);
      for (let i = 0; i < rows; i++) {
        if (s2 == 4) thinFour(true, x, row, kc, p, p1, p2, p3, n2, q);
        else thinFour(false, x, row, kc, p, p1, p2, p3, n2, q);
        x += <usize>kc * 4;
        q += <usize>ldc * 4;
      }
      c += <usize>n2 * 16;
      count -= n2 << 2;
      i0 += (i1 + 4) / n1;
      i1 = (i1 + 4) % n1;
      continue;
    }
    const run = min(n2 - i2, count);
    for (let i = 0; i < rows; i++) {
      thinRun(x, row, kc, p, s2, run, q);
      x += <usize>kc * 4;
      q += <usize>ldc * 4;
    }
    c += <usize>run * 4;
    count -= run;
    i2 = 0;
    if (++i1 == n1) { i1 = 0; i0++; }
  }
}

// c[0..count] = or += sum over k of a[k] B[k, column], all columns in a line, which is read from one end to the other
function thinLine(a: usize, row: usize, kc: i32, b: usize, count: i32, c: usize, add: bool): void {
  const end = c + <usize>((count + 3) >> 2 << 4), last = c + <usize>(count << 2) - 16;
  if (!add) memory.fill(c, 0, end - c);
  for (let k = kc >> 2; k > 0; --k) {
    const x0 = v128.load32_splat(a), x1 = v128.load32_splat(a, 4), x2 = v128.load32_splat(a, 8), x3 = v128.load32_splat(a, 12);
    const r0 = load<u32>(row), r1 = load<u32>(row, 4), r2 = load<u32>(row, 8), r3 = load<u32>(row, 12);
    let q = c, at = b;
    for (; q <= last; q += 16) {
      let v = fma(x0, v128.load(at + r0), v128.load(q));
      v = fma(x1, v128.load(at + r1), v);
      v = fma(x2, v128.load(at + r2), v);
      v128.store(q, fma(x3, v128.load(at + r3), v));
      at += 16;
    }
    for (let j = count & 3; j > 0; --j) {
      let v = fma(x0, v128.load32_zero(at + r0), v128.load32_zero(q));
      v = fma(x1, v128.load32_zero(at + r1), v);
      v = fma(x2, v128.load32_zero(at + r2), v);
      store<f32>(q, f32x4.extract_lane(fma(x3, v128.load32_zero(at + r3), v), 0));
      q += 4;
      at += 4;
    }
    a += 16;
    row += 16;
  }
  for (let k = kc & 3; k > 0; --k) {
    const x = v128.load32_splat(a);
    let q = c, at = b + load<u32>(row);
    for (; q <= last; q += 16) { v128.store(q, fma(x, v128.load(at), v128.load(q))); at += 16; }
    for (let j = count & 3; j > 0; --j) {
      store<f32>(q, f32x4.extract_lane(fma(x, v128.load32_zero(at), v128.load32_zero(q)), 0));
      q += 4;
      at += 4;
    }
    a += 4;
    row += 4;
  }
}

// whether `count` columns lie side by side
function inLine(col: usize, count: i32): bool {
  const first = load<i32>(col);
  for (let j = 1; j < count; j++) if (load<i32>(col + <usize>(j << 2)) - first != j << 2) return false;
  return true;
}

/** As {@link convBlock}, for so few rows that packing would not pay: A in panels of one row, B read where it lies. */
export function convThin(
  d: usize, a: usize, b: usize, c: usize, ldc: i32, rows: i32, start: i32, count: i32, begin: i32, end: i32, work: usize,
): void {
  const depth = load<i32>(d, 4), row = work, run = row + <usize>(KC * 4), cols = run + <usize>((KC + 1) * 12);
  const spacing = load<i32>(d, 84);
  if (depth <= 64 && begin == 0 && end == depth && load<i32>(d, 72) >= 4 && (spacing == 4 || spacing == 8)) {
    offsets(row, d + 40, d + 52, 0, depth);
    thinLines(d, a, b, c, ldc, rows, start, count, row, depth);
    return;
  }
  columns(d, cols, start, count);
  const line = end - begin >= 16 && count >= 16 && inLine(cols, count);
  for (let p = begin; p < end; p += KC) {
    const kc = min(KC, end - p), add = p > begin;
    offsets(row, d + 40, d + 52, p, kc);
    if (line) {
      for (let i = 0; i < rows; i++) {
        thinLine(a + <usize>(i * depth + p) * 4, row, kc, b + load<u32>(cols), count, c + <usize>(i * ldc) * 4, add);
      }
      continue;
    }
    runs(run, row, kc);
    let j = 0, col = cols, to = c;
    while (j < count) {
      const p0 = b + load<u32>(col), p1 = b + load<u32>(col, 16);
      let s = j + 16 <= count ? stride4(col) : 0;
      if (s == 4 || s == 8) if (stride4(col + 16) != s || stride4(col + 32) != s || stride4(col + 48) != s) s = 0;
      let x = a + <usize>p * 4, q = to;
      if (s == 4 || s == 8) {
        const p2 = b + load<u32>(col, 32), p3 = b + load<u32>(col, 48);
        for (let i = 0; i < rows; i++) {
          if (s == 4) thin16(true, x, row, kc, p0, p1, p2, p3, q, add);
          else thin16(false, x, row, kc, p0, p1, p2, p3, q, add);
          x += <usize>depth * 4;
          q += <usize>ldc * 4;
        }
        j += 16;
        col += 64;
        to += 64;
      } else {
        const c1 = b + load<u32>(col, 4), c2 = b + load<u32>(col, 8), c3 = b + load<u32>(col, 12);
        for (let i = 0; i < rows; i++) {
          thin4(x, row, run, kc, p0, c1, c2, c3, q, add);
          x += <usize>depth * 4;
          q += <usize>ldc * 4;
        }
        j += 4;
        col += 16;
        to += 16;
      }
    }
  }
}
