// scatter.as.ts   out[o, s, i] += sum over j with index[o, j, i] == s of src[o, j, i], in the order of j
// in       strides in elements: src and index [outer, n, inner], out [outer, size, inner]
// out      holds what the sums start from

/** Adds up `src` where `index` says, for inner columns `from` to `to`. `width` 1 for u8 indices, 4 otherwise. */
export function scatterAdd(
  outer: i32, n: i32, size: i32, from: i32, to: i32,
  src: usize, so: i32, sn: i32, si: i32, index: usize, xo: i32, xn: i32, xi: i32, width: i32, out: usize, oo: i32, os: i32, oi: i32,
): void {
  const lines = xi == 0 && si == 1 && oi == 1; // whole lines are added to one
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < n; j++) {
      let i = from;
      if (lines) {
        const s = at(index, <isize>o * xo + <isize>j * xn, width);
        if (<u32>s >= <u32>size) continue;
        let d = out + <usize>((<isize>o * oo + <isize>s * os + i) * 4), x = src + <usize>((<isize>o * so + <isize>j * sn + i) * 4);
        for (; i + 4 <= to; i += 4) {
          v128.store(d, f32x4.add(v128.load(d), v128.load(x)));
          d += 16;
          x += 16;
        }
      }
      for (; i < to; i++) {
        const s = at(index, <isize>o * xo + <isize>j * xn + <isize>i * xi, width);
        if (<u32>s >= <u32>size) continue;
        const d = out + <usize>((<isize>o * oo + <isize>s * os + <isize>i * oi) * 4);
        store<f32>(d, load<f32>(d) + load<f32>(src + <usize>((<isize>o * so + <isize>j * sn + <isize>i * si) * 4)));
      }
    }
  }
}

// @ts-ignore: decorator
@inline function at(index: usize, i: isize, width: i32): i32 {
  return width == 1 ? <i32>load<u8>(index + <usize>i) : load<i32>(index + <usize>(i * 4));
}
