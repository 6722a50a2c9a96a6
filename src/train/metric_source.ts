/**
 * What metrics see of a learner: the batch under way, the loss, the unit of the targets.
 *
 * @module
 */
import type { Tensor } from "../tensor/mod.ts";
import type { LossFunc } from "./loss_func.ts";
import type { TargetUnit } from "./target_scale.ts";

/** A learner, as metrics see it. */
export interface MetricSource extends TargetUnit {
  /** The batch under way; null where it has not come so far. */
  readonly batch: {
    readonly xb: readonly Tensor[] | null;
    readonly yb: readonly Tensor[] | null;
    readonly pred: Tensor | null;
    readonly loss: Tensor | null;
  };
  /** The model's output for the batch. */
  readonly pred: Tensor;
  /** Targets of the batch. */
  readonly yb: readonly Tensor[];
  /** The batch's loss. */
  readonly loss: Tensor;
  /** What is minimised. */
  readonly lossFunc: LossFunc;
}
