/**
 * Exponential smoothing of losses, on the host in f64.
 *
 * @module
 */

/** A debiased moving average: `v = beta v + (1 - beta) x`, value `v / (1 - beta^n)`. */
export class Smooth {
  /** Weight of the past. */
  readonly beta: number;
  #average = 0;
  #count = 0;

  /** @param beta Weight of the past, in [0, 1). */
  constructor(beta: number = 0.98) {
    this.beta = beta;
  }

  /** Forgets everything. */
  reset(): void {
    this.#average = 0;
    this.#count = 0;
  }

  /** Takes one number in and gives the value after it. */
  push(x: number): number {
    this.#average = this.beta * this.#average + (1 - this.beta) * x;
    this.#count++;
    return this.value;
  }

  /** The smoothed value; NaN before the first number. */
  get value(): number {
    return this.#count === 0 ? NaN : this.#average / (1 - this.beta ** this.#count);
  }

  /** How many numbers were taken in. */
  get count(): number {
    return this.#count;
  }

  /** Everything that {@link restore} needs. */
  save(): { average: number; count: number } {
    return { average: this.#average, count: this.#count };
  }

  /** Goes on from what {@link save} gave. */
  restore({ average, count }: { average: number; count: number }): void {
    this.#average = average;
    this.#count = count;
  }
}
