// resample.as.ts   bilinear resizing with antialiasing of images u8 [height, width, 3], as src/vision/data/resample.ts plans it
// in       for each output pixel: its first input pixel, how many there are, and `width` weights with 22 bits behind the point
// out      rows of 3 bytes a pixel; up to 15 bytes behind the last one are overwritten
// maths    sums in i32 that start from one half, shifted and cut to [0, 255]: the bits are those of scalar arithmetic

const HALF: i32 = 1 << 21;

// four sums as bytes, the first in the lowest
// @ts-ignore: decorator
@inline function bytes(sums: v128): v128 {
  const whole = i32x4.shr_s(sums, 22), halves = i16x8.narrow_i32x4_s(whole, whole);
  return i8x16.narrow_i16x8_u(halves, halves);
}

/** Rows of `out` pixels of `height` rows that lie `stride` bytes apart. */
export function rows(
  from: usize, stride: i32, height: i32, to: usize, out: i32, start: usize, count: usize, weights: usize, width: i32,
): void {
  for (let y = 0; y < height; y++, from += <usize>stride) {
    for (let x = 0; x < out; x++, to += 3) {
      let sums = i32x4.splat(HALF);
      let pixel = from + <usize>(load<i32>(start + (<usize>x << 2)) * 3);
      let weight = weights + (<usize>(x * width) << 2);
      for (let k = load<i32>(count + (<usize>x << 2)); k > 0; k--, pixel += 3, weight += 4) {
        const values = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(pixel)));
        sums = i32x4.add(sums, i32x4.mul(values, v128.load32_splat(weight)));
      }
      v128.store32_lane(to, bytes(sums), 0);
    }
  }
}

/** `out` rows of `row` bytes, of rows that lie side by side. */
export function columns(
  from: usize, row: i32, to: usize, out: i32, start: usize, count: usize, weights: usize, width: i32,
): void {
  for (let y = 0; y < out; y++, to += <usize>row) {
    const first = from + <usize>(load<i32>(start + (<usize>y << 2)) * row);
    const taps = load<i32>(count + (<usize>y << 2)), weight = weights + (<usize>(y * width) << 2);
    for (let i = 0; i < row; i += 16) {
      let a = i32x4.splat(HALF), b = a, c = a, d = a;
      let pixels = first + <usize>i;
      for (let k = 0; k < taps; k++, pixels += <usize>row) {
        const w = v128.load32_splat(weight + (<usize>k << 2)), values = v128.load(pixels);
        const low = i16x8.extend_low_i8x16_u(values), high = i16x8.extend_high_i8x16_u(values);
        a = i32x4.add(a, i32x4.mul(i32x4.extend_low_i16x8_u(low), w));
        b = i32x4.add(b, i32x4.mul(i32x4.extend_high_i16x8_u(low), w));
        c = i32x4.add(c, i32x4.mul(i32x4.extend_low_i16x8_u(high), w));
        d = i32x4.add(d, i32x4.mul(i32x4.extend_high_i16x8_u(high), w));
      }
      const ab = i16x8.narrow_i32x4_s(i32x4.shr_s(a, 22), i32x4.shr_s(b, 22));
      const cd = i16x8.narrow_i32x4_s(i32x4.shr_s(c, 22), i32x4.shr_s(d, 22));
      v128.store(to + <usize>i, i8x16.narrow_i16x8_u(ab, cd));
    }
  }
}
