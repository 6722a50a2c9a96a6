/**
 * The number of each fit of a script, which is how its checkpoints know whose they are when the script runs again.
 *
 * @module
 */

/** Counts the fits of a learner, probes left out. A call such as `fineTune` may consist of several. */
export class FitCount {
  #next = 0;
  /** Number of the first fit of the call under way, or of the last one. */
  #first = 0;
  /** Whether that call was cut short and may go on. */
  #cutShort = false;

  /** The number of a fit that begins now. */
  next(): number {
    return this.#next++;
  }

  /** Says that the call under way was stopped on purpose, to go on another time. */
  leaveOpen(): void {
    this.#cutShort = true;
  }

  /**
   * Runs one call. With `resume`, after one that was cut short, it is that one again: a notebook's cell that is run a second
   * time.
   */
  async within<T>(resume: boolean, call: () => Promise<T>): Promise<T> {
    if (resume && this.#cutShort) this.#next = this.#first;
    this.#first = this.#next;
    this.#cutShort = false;
    try {
      return await call();
    } catch (error) {
      this.#cutShort = true;
      throw error;
    }
  }
}
