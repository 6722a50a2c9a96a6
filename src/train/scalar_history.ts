/**
 * Numbers that gather on the device, one or a few a batch, and are read in blocks: a training batch reads nothing back.
 *
 * @module
 */
import { ShapeError } from "../base/errors.ts";
import { fmtShape } from "../base/shape.ts";
import { assignAll } from "../graph/assign.ts";
import { cast } from "../graph/elementwise.ts";
import { leaf, scalar } from "../graph/leaves.ts";
import type { Node } from "../graph/node.ts";
import { read, readSync } from "../graph/runtime.ts";
import { Storage } from "../graph/storage.ts";

/** Numbers that wait on the device before they must be read. */
const CAPACITY = 4096;

/** A list of numbers: pushed lazily on the device, in {@link values} once they were drained. */
export class ScalarHistory {
  /** Numbers that have come to the host, oldest first. */
  readonly values: number[] = [];
  #storage: Storage | null = null;
  #count = 0;
  #taken = 0;
  #generation = 0;

  /** Whether the next {@link push} has no room before a {@link drain}. */
  get full(): boolean {
    return this.#count >= CAPACITY;
  }

  /** Numbers that are on the device only. */
  get waiting(): number {
    return this.#count - this.#taken;
  }

  /** Records that the value of `node` (one number) is stored at the next boundary. `what` names it in errors. */
  push(node: Node, what: string): void {
    if (node.size !== 1) {
      throw new ShapeError(`Cannot record ${what}: it must be one number, got a tensor of shape ${fmtShape(node.shape)}`);
    }
    this.#storage ??= new Storage(CAPACITY * 4);
    const value = node.dtype === "f32" ? node : cast(node, "f32");
    // the position is a number that travels with the run: the program stays the same from batch to batch
    assignAll([{ storage: this.#storage, value, at: scalar(this.#count, "u32") }]);
    this.#count++;
  }

  /** Forgets everything. */
  clear(): void {
    this.#count = this.#taken = this.values.length = 0;
    this.#generation++;
  }

  /** The leaf over the numbers that wait. */
  block(): Block {
    const node = leaf(this.#storage!, [this.waiting], "f32", { offset: this.#taken });
    return { history: this, node, generation: this.#generation };
  }

  /** Takes in what was read of `block`. */
  take(block: Block, numbers: ArrayLike<number>): void {
    if (block.generation !== this.#generation) return; // cleared meanwhile
    for (let i = 0; i < numbers.length; i++) this.values.push(numbers[i]);
    this.#taken += numbers.length;
    if (this.#taken === this.#count) this.#count = this.#taken = 0;
  }
}

/** Numbers of a history that were on the device when it was asked. */
interface Block {
  readonly history: ScalarHistory;
  readonly node: Node;
  readonly generation: number;
}

/** Brings what waits in each of `histories` to the host, in one round trip. Two at once must not overlap. */
export async function drain(histories: readonly ScalarHistory[]): Promise<void> {
  const open = histories.filter((h) => h.waiting > 0);
  if (open.length === 0) return;
  const blocks = open.map((h) => h.block());
  const values = await read(blocks.map((b) => b.node));
  blocks.forEach((b, i) => b.history.take(b, values[i]));
}

/** The same without giving up the thread; false where the device cannot. */
export function drainSync(histories: readonly ScalarHistory[]): boolean {
  const open = histories.filter((h) => h.waiting > 0);
  if (open.length === 0) return true;
  const blocks = open.map((h) => h.block());
  const values = readSync(blocks.map((b) => b.node));
  if (values === null) return false;
  blocks.forEach((b, i) => b.history.take(b, values[i]));
  return true;
}
