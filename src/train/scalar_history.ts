/**
 * Numbers that gather on the device, one or a few a batch, and are read in blocks: a training batch reads nothing back.
 *
 * @module
 */
import { ShapeError } from "../base/errors.ts";
import { fmtShape } from "../base/shape.ts";
import { assign, type Memory, memory, onAbandon, readAll, readAllSync, type Tensor, viewOf } from "../tensor/mod.ts";

/** Numbers that wait on the device before they must be read. */
const CAPACITY = 4096;

/** Numbers of a history that were on the device when it was asked. */
interface Block {
  readonly history: ScalarHistory;
  readonly tensor: Tensor;
  readonly generation: number;
}

/** A list of numbers: pushed lazily on the device, in {@link ScalarHistory.values} once they were drained. */
export class ScalarHistory {
  /** Numbers that have come to the host, oldest first. */
  readonly values: number[] = [];
  #memory: Memory | null = null;
  #count = 0;
  #taken = 0;
  #generation = 0;
  /** Takes one number back that was pushed in this generation. */
  #takeBack = this.#takeBackIn(0);

  /** Whether the next {@link push} has no room before a {@link drain}. */
  get full(): boolean {
    return this.#count >= CAPACITY;
  }

  /** Numbers that are on the device only. */
  get waiting(): number {
    return this.#count - this.#taken;
  }

  /** Records that `value` (one number) is stored by the next launch. `what` names it in errors. */
  push(value: Tensor, what: string): void {
    if (value.size !== 1) {
      throw new ShapeError(
        `Cannot record ${what}: it must be one number, got a tensor of shape ${fmtShape(value.shape)}`,
      );
    }
    this.#memory ??= memory(CAPACITY);
    // no second tensor of the same value: it would keep the value's memory
    const number = value.dtype === "f32" ? value : value.cast("f32");
    assign([{ memory: this.#memory, value: number, at: this.#count++ }]);
    onAbandon(this.#takeBack);
  }

  #takeBackIn(generation: number): () => void {
    return () => {
      if (generation === this.#generation) this.#count--;
    };
  }

  /** Forgets everything. */
  clear(): void {
    this.#count = this.#taken = this.values.length = 0;
    this.#takeBack = this.#takeBackIn(++this.#generation);
  }

  /** Brings what waits in each of `histories` to the host, in one round trip. Two calls at once must not overlap. */
  static async drain(histories: readonly ScalarHistory[]): Promise<void> {
    const blocks = ScalarHistory.#blocks(histories);
    if (blocks.length > 0) ScalarHistory.#take(blocks, await readAll(blocks.map((b) => b.tensor)));
  }

  /** The same without giving up the thread; false where the device cannot. */
  static drainSync(histories: readonly ScalarHistory[]): boolean {
    const blocks = ScalarHistory.#blocks(histories);
    if (blocks.length === 0) return true;
    const values = readAllSync(blocks.map((b) => b.tensor));
    if (values === null) return false;
    ScalarHistory.#take(blocks, values);
    return true;
  }

  static #blocks(histories: readonly ScalarHistory[]): Block[] {
    return histories.filter((h) => h.waiting > 0).map((history) => ({
      history,
      tensor: viewOf(history.#memory!, [history.waiting], { offset: history.#taken }),
      generation: history.#generation,
    }));
  }

  static #take(blocks: readonly Block[], values: readonly ArrayLike<number>[]): void {
    blocks.forEach(({ history: h, generation }, i) => {
      if (generation !== h.#generation) return; // cleared meanwhile
      for (let j = 0; j < values[i].length; j++) h.values.push(values[i][j]);
      h.#taken += values[i].length;
      if (h.#taken === h.#count) h.#count = h.#taken = 0;
    });
  }
}
