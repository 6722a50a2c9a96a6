/**
 * What a callback throws to skip the rest of a phase. A cancel is no error: the phase that it names catches it, fires
 * its `afterCancel…` event and goes on with its `after…` event.
 *
 * @module
 */

/** Base class of the cancels. Not an {@link AnnealError}: nothing went wrong. */
export class Cancel extends Error {
  /** Name in rows and messages. */
  override readonly name: string;

  /**
   * Makes a Cancel.
   *
   * @param reason Why, for whoever reads the cancel further out.
   */
  constructor(reason: string = "") {
    super(reason);
    this.name = new.target.name;
  }
}

/** Skips the rest of the backward pass. */
export class CancelBackward extends Cancel {}

/** Skips the optimizer's step; the gradients are zeroed all the same. */
export class CancelStep extends Cancel {}

/** Skips the rest of the batch: before the step, the gradients stay. */
export class CancelBatch extends Cancel {}

/** Skips the rest of the epoch's training; validation follows. */
export class CancelTrain extends Cancel {}

/** Skips the rest of the validation. */
export class CancelValid extends Cancel {}

/** Skips the rest of the epoch. */
export class CancelEpoch extends Cancel {}

/** Ends the run. */
export class CancelFit extends Cancel {}
