/**
 * Tells of a loss that is no number any more: where it began, and whether the data is the cause.
 *
 * @module
 */
import type { Batch, DataLoader } from "../data/mod.ts";
import type { Handled } from "./events.ts";
import type { TrainLoop } from "./train_loop.ts";

/** Looks at losses when they are read anyway, so that a step costs nothing, and says once a fit what it saw. */
export class NanWatch {
  #first: { readonly index: number; readonly loss: number } | null = null;
  #told = false;
  #toldValid = false;

  /** Takes in the loss of the fit's training batch `index`. */
  look(loss: number, index: number): void {
    if (!Number.isFinite(loss) && this.#first === null) this.#first = { index, loss };
  }

  /** Says where the loss stopped being a number, if it did; `firstIter` is the batch that the epoch began with. */
  report(learn: TrainLoop, firstIter: number): Handled {
    if (this.#first === null || this.#told) return;
    this.#told = true;
    if (learn.phase === "probe") return; // the finder's reason says so
    const { index, loss } = this.#first;
    return tellOddLoss(
      learn,
      `The loss is ${loss} in epoch ${learn.epoch}, batch ${index - firstIter}`,
      learn.dls.train,
    );
  }

  /** The same for the validation set's loss. */
  reportValid(learn: TrainLoop, loss: number | null | undefined): Handled {
    if (typeof loss !== "number" || Number.isFinite(loss) || this.#toldValid || this.#told) return;
    this.#toldValid = true;
    return tellOddLoss(learn, `The validation loss is ${loss} in epoch ${learn.epoch}`, learn.dls.valid);
  }
}

/** See `odd_indices.ts`, which training does without. */
async function tellOddLoss(learn: TrainLoop, what: string, dl: DataLoader<Batch>): Promise<void> {
  await (await import("./odd_indices.ts")).tellOddLoss(learn, what, dl);
}
