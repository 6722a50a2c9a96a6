/**
 * The constants of one kernel: shapes, strides and offsets travel in a small uniform buffer, never in shader text.
 *
 * @module
 */

const COMPONENTS = "xyzw";
const bits = new DataView(new ArrayBuffer(4));

/** Collects 32-bit words and names them as they are read in WGSL: `K[2].y`. */
export class Words {
  readonly #values: number[];

  /** @param fixed Words that a hand-written shader expects at the start. */
  constructor(fixed: readonly number[] = []) {
    this.#values = [...fixed];
  }

  /** WGSL text for `value` (an integer that wraps to 32 bits), as u32. */
  add(value: number): string {
    const i = this.#values.push(value) - 1;
    return `K[${i >> 2}].${COMPONENTS[i & 3]}`;
  }

  /** WGSL text for the f32 `value`, NaN and infinities included. */
  addFloat(value: number): string {
    bits.setFloat32(0, value);
    return `bitcast<f32>(${this.add(bits.getUint32(0))})`;
  }

  /** Number of vectors of four that the text must declare; at least one. */
  get vectors(): number {
    return Math.max(1, Math.ceil(this.#values.length / 4));
  }

  /** The words, padded to whole vectors. */
  toArray(): Uint32Array {
    const out = new Uint32Array(this.vectors * 4);
    this.#values.forEach((value, i) => out[i] = value); // wraps
    return out;
  }
}
