// offsets.as.ts   places of elements along up to three axes

// dst[i] = the offset of element start + i, over axes of `sizes` (three words) with strides (three words) in bytes
function offsets(dst: usize, sizes: usize, strides: usize, start: i32, count: i32): void {
  const n1 = load<i32>(sizes, 4), n2 = load<i32>(sizes, 8);
  const s0 = load<i32>(strides), s1 = load<i32>(strides, 4), s2 = load<i32>(strides, 8);
  const lanes = i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(s2));
  let i2 = start % n2, rest = start / n2, i1 = rest % n1, i0 = rest / n1;
  while (count > 0) {
    let at = i0 * s0 + i1 * s1 + i2 * s2, i = 0;
    const run = min(n2 - i2, count);
    for (; i + 4 <= run; i += 4) { v128.store(dst, i32x4.add(i32x4.splat(at), lanes)); dst += 16; at += s2 << 2; }
    for (; i < run; i++) { store<i32>(dst, at); dst += 4; at += s2; }
    count -= run;
    i2 = 0;
    if (++i1 == n1) { i1 = 0; i0++; }
  }
}
