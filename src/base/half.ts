/**
 * Sixteen-bit floating point numbers, to and from f32.
 *
 * @module
 */

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** IEEE half precision to f32; exact. */
export function halfToFloat(half: Uint16Array): Float32Array {
  const out = new Float32Array(half.length);
  for (let i = 0; i < half.length; i++) {
    const h = half[i];
    const sign = h & 0x8000 ? -1 : 1;
    const exponent = (h >> 10) & 31;
    const fraction = h & 1023;
    if (exponent === 0) out[i] = sign * fraction * 2 ** -24;
    else if (exponent === 31) out[i] = fraction === 0 ? sign * Infinity : NaN;
    else out[i] = sign * (1024 + fraction) * 2 ** (exponent - 25);
  }
  return out;
}

/** bfloat16, the upper half of an f32, to f32; exact. */
export function bfloatToFloat(values: Uint16Array): Float32Array {
  const out = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = values[i] << 16;
  return new Float32Array(out.buffer);
}

/** f32 to IEEE half precision, rounding to the nearest, halves to even. */
export function floatToHalf(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    float[0] = values[i];
    const b = bits[0];
    const sign = (b >>> 16) & 0x8000;
    const size = Math.abs(values[i]);
    if (Number.isNaN(size)) out[i] = sign | 0x7e00;
    else if (size >= 65520) out[i] = sign | 0x7c00;
    else if (size < 2 ** -14) out[i] = sign | roundEven(size * 2 ** 24);
    else {
      const exponent = ((b >>> 23) & 255) - 127;
      // the carry of a fraction that rounds up runs into the exponent, as it should
      out[i] = sign | (((exponent + 15) << 10) + roundEven((size / 2 ** exponent - 1) * 1024));
    }
  }
  return out;
}

/** The nearest number to `x` that half precision has, halves to even; infinity from 65520 on. */
export function roundToHalf(x: number): number {
  const size = Math.abs(Math.fround(x));
  if (!(size < 65520)) return size >= 65520 ? Math.sign(x) * Infinity : NaN;
  float[0] = size;
  // eleven bits of the number, ten below 2^-14 in steps of 2^-24
  const unit = size < 2 ** -14 ? 2 ** -24 : 2 ** ((bits[0] >>> 23) - 137);
  const rounded = roundEven(size / unit) * unit;
  return x < 0 || Object.is(x, -0) ? -rounded : rounded;
}

/** f32 to bfloat16, rounding to the nearest, halves to even. */
export function floatToBfloat(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    float[0] = values[i];
    const b = bits[0];
    out[i] = Number.isNaN(values[i]) ? 0x7fc0 : (b + 0x7fff + ((b >>> 16) & 1)) >>> 16;
  }
  return out;
}

function roundEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}
