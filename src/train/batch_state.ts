/**
 * The batch under way, and what becomes of its memory.
 *
 * @module
 */
import { sourcesOf } from "../data/loader.ts";
import type { Batch } from "../data/mod.ts";
import { isLaunched, type Tensor } from "../tensor/mod.ts";

/**
 * Tensors of one batch. What callbacks asked the learner for may live on in their hands and is left to the garbage
 * collector; what nobody saw is given back when the next batch is done.
 */
export class BatchState {
  xb: readonly Tensor[] | null = null;
  yb: readonly Tensor[] | null = null;
  pred: Tensor | null = null;
  loss: Tensor | null = null;
  /** What is differentiated. */
  lossGrad: Tensor | null = null;
  /** Whether the batch came as far as zeroing its gradients. */
  zeroed = false;
  /** Whether somebody outside the loop has seen the inputs or targets. */
  seenInput = false;
  /** Whether somebody outside the loop has seen the prediction or the loss. */
  seenOutput = false;
  /** The loader's tensors, where they were made for this batch alone. */
  #own: Batch = [];
  readonly #made: Tensor[] = [];

  /**
   * @param batch Inputs, then targets.
   * @param nInp How many of them are inputs.
   * @param fresh Whether the tensors' memory was made for this batch.
   */
  constructor(batch: Batch = [], nInp: number = 0, fresh: boolean = false) {
    if (batch.length === 0) return;
    this.xb = batch.slice(0, nInp);
    this.yb = batch.slice(nInp);
    if (fresh) this.#own = [...batch, ...sourcesOf(batch)];
  }

  /** Notes results that exist for this batch: expressions, not tensors that lay in memory before. */
  made(result: Tensor): void {
    if (!isLaunched(result)) this.#made.push(result);
  }

  /** Gives back memory that nobody else can reach. */
  release(): void {
    if (!this.seenInput) { for (const t of this.#own) t.dispose(); }
    if (this.seenOutput) return;
    for (const t of this.#made) t.dispose();
  }
}
