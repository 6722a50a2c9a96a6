/**
 * Tells of a loss that is no number any more: where it began, and whether the data is the cause.
 *
 * @module
 */
import type { DataLoader } from "../data/mod.ts";
import type { Batch } from "../data/mod.ts";
import type { Handled } from "./events.ts";
import { tell } from "./reporting.ts";
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

/** Says `what` of a loss that is no number, and what in a loader's data is the cause. */
export async function tellOddLoss(learn: TrainLoop, what: string, dl: DataLoader<Batch>): Promise<void> {
  const inData = await nanCauseText(learn, dl);
  const clean = dl.resident ? "its inputs and targets are numbers" : "its first 1,000 items are numbers";
  tell(
    learn.logger,
    `${what}: ${inData ?? `${clean}, so the weights or the loss have left them; try a lower learning rate`}`,
  );
}

/** What in a loader's data makes a loss NaN, in words: odd numbers, or indices out of range; null where nothing does. */
export async function nanCauseText(learn: TrainLoop, dl: DataLoader<Batch>): Promise<string | null> {
  const numbers = await oddNumbersText(dl, learn.dls.nInp);
  if (numbers !== null) return numbers;
  const { oddIndicesText } = await import("./odd_indices.ts"); // code that training does without
  return await oddIndicesText(learn, dl);
}

/** Where a loader's data has NaN or infinite numbers, in words; null where it has none. */
async function oddNumbersText(dl: DataLoader<Batch>, nInp: number | undefined): Promise<string | null> {
  const { odd, parts } = await dl.oddNumbers();
  if (odd.length === 0) return null;
  const inputs = nInp ?? Math.max(1, parts - 1);
  const name = (part: number): string => {
    const input = part < inputs, of = input ? inputs : parts - inputs, nth = input ? part : part - inputs;
    return `${input ? "input" : "target"}${of > 1 ? ` ${nth}` : ""}`;
  };
  return odd.map(({ part, item, value }) => `the ${name(part)} of item ${item} has ${value}`).join(", ");
}
