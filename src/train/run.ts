/**
 * The loop itself: epochs, batches, and the events around them.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { shown } from "../base/options.ts";
import type { Batch, DataLoader } from "../data/mod.ts";
import { abandon, backwardTo, currentDevice, endStep, noGrad, type Parameter } from "../tensor/mod.ts";
import { BatchState } from "./batch_state.ts";
import { EventLoopYielder } from "../base/event_loop_yielder.ts";
import {
  Cancel,
  CancelBackward,
  CancelBatch,
  CancelEpoch,
  CancelFit,
  CancelStep,
  CancelTrain,
  CancelValid,
} from "./cancel.ts";
import type { EventName } from "./events.ts";
import { honourInterruption, throwIfAborted } from "./interruption.ts";
import { INSIDE_STEP } from "./captured_steps.ts";
import type { Handled } from "./events.ts";
import { computeLoss, onePred } from "./loss_func.ts";
import type { TrainLoop } from "./train_loop.ts";

interface PhaseEvents {
  readonly before: EventName;
  readonly afterCancel: EventName;
  readonly after: EventName;
  readonly cancel: abstract new (reason?: string) => Cancel;
}

type Phases = "Fit" | "Epoch" | "Train" | "Validate" | "Batch" | "Backward" | "Step";

const phase = (name: Phases, cancel: PhaseEvents["cancel"]): PhaseEvents => ({
  before: `before${name}`,
  afterCancel: `afterCancel${name}`,
  after: `after${name}`,
  cancel,
});
const FIT = phase("Fit", CancelFit), EPOCH = phase("Epoch", CancelEpoch);
const TRAIN = phase("Train", CancelTrain), VALIDATE = phase("Validate", CancelValid);
const BATCH = phase("Batch", CancelBatch),
  BACKWARD = phase("Backward", CancelBackward),
  STEP = phase("Step", CancelStep);

/**
 * Runs one phase: its `before` event and its body; its `afterCancel` event if one of them threw the phase's cancel; its
 * `after` event. Anything else that is thrown passes through, without the `after` event, as fastai has it.
 */
async function withEvents(learn: TrainLoop, phase: PhaseEvents, body: () => void | Promise<void>): Promise<void> {
  try {
    const pending = learn.fire(phase.before);
    if (pending !== undefined) await pending;
    const work = body();
    if (work !== undefined) await work;
  } catch (thrown) {
    if (!(thrown instanceof phase.cancel)) throw thrown;
    await learn.fire(phase.afterCancel);
  }
  const pending = learn.fire(phase.after);
  if (pending !== undefined) await pending;
}

/** Where an interrupted run goes on. */
export interface Resumption {
  /** The epoch. */
  readonly epoch: number;
  /** Training batches of it that were done; null where it had not begun. */
  readonly iter: number | null;
  /** Puts everything back as it was there; called right before the next batch, or the next epoch. */
  restore(): void | Promise<void>;
}

/** Runs epochs `startEpoch` to `nEpoch - 1`, or what is left of them. */
export async function runFit(
  learn: TrainLoop,
  nEpoch: number,
  startEpoch: number,
  from: Resumption | null = null,
): Promise<void> {
  if (!Number.isInteger(nEpoch) || nEpoch < 0) {
    throw new ConfigError(`Cannot fit ${shown(nEpoch)} epochs: the number must be whole and not negative`);
  }
  if (!Number.isInteger(startEpoch) || startEpoch < 0) {
    throw new ConfigError(`Cannot start at epoch ${startEpoch}: the number must be whole and not negative`);
  }
  if (startEpoch > nEpoch) {
    throw new ConfigError(
      `Cannot start at epoch ${startEpoch} of ${nEpoch}: the number of epochs counts those that were done before`,
    );
  }
  refuseNested(learn);
  if (startEpoch < nEpoch) refuseEmpty(learn.dls.train, "train");
  const yielder = new EventLoopYielder(learn.clock);
  const afterBatch = () => learn.interruption === null ? undefined : honourInterruption(learn, "batch");
  learn.steps.beginFit();
  learn.nEpoch = nEpoch;
  learn.running = true;
  learn.resuming = from !== null;
  try {
    await withEvents(learn, FIT, async () => {
      if (from?.iter === null) await goOn(learn, from);
      for (let epoch = from?.epoch ?? startEpoch; epoch < nEpoch; epoch++) {
        learn.epoch = epoch;
        await withEvents(learn, EPOCH, async () => {
          await honourInterruption(learn, "beforeEpoch");
          await train(learn, yielder, learn.resuming ? from : null, afterBatch);
          if (learn.dls.valid.length > 0) await validate(learn, learn.dls.valid, yielder, afterBatch);
        });
        if (epoch + 1 < nEpoch) await honourInterruption(learn, "afterEpoch");
      }
    });
  } finally {
    learn.running = learn.resuming = false;
    for (const cb of learn.cbs) cb.run = true; // afterFit did so already, unless an error came before it
    if (learn.hasOpt) learn.opt.deferBoundary = false; // loops by hand may go on with it
    if (learn.training) learn.model.eval(); // cut short in training
    learn.training = false;
    learn.batch.release();
    learn.batch = new BatchState();
    learn.dl = null;
    await learn.undoDeferred();
    if (learn.runs.depth <= 1) learn.forgetInterruption(); // otherwise it is the policy's
  }
}

/** A {@link ConfigError} where a fit is under way. */
export function refuseNested(learn: TrainLoop): void {
  if (learn.running) throw new ConfigError("Cannot fit: this learner is in a fit already, await that first");
}

/** Runs the validation part over `dl`, and puts the state of a fit that is under way back afterwards. */
export async function runValidate(learn: TrainLoop, dl: DataLoader<Batch>, signal?: AbortSignal): Promise<void> {
  refuseEmpty(dl, "validate");
  const restore = learn.saveBatch();
  learn.batch = new BatchState(); // that of a fit under way goes on afterwards
  try {
    await validate(
      learn,
      dl,
      new EventLoopYielder(learn.clock),
      () => throwIfAborted(signal, "go on with a validation"),
    );
  } finally {
    learn.batch.release();
    restore();
    if (learn.training) learn.model.train();
    if (!learn.running) await learn.undoDeferred();
  }
}

function refuseEmpty(dl: DataLoader<Batch>, what: string): void {
  if (dl.length > 0) return;
  throw new DataError(
    `Cannot ${what}: the loader has no batches; it has no items, or dropLast drops its only, shorter batch`,
  );
}

async function goOn(learn: TrainLoop, from: Resumption): Promise<void> {
  await from.restore();
  learn.resuming = false;
}

async function train(
  learn: TrainLoop,
  yielder: EventLoopYielder,
  from: Resumption | null,
  afterBatch: () => Handled,
): Promise<void> {
  learn.dl = learn.dls.train;
  learn.nIter = learn.dls.train.length;
  await withEvents(learn, TRAIN, async () => {
    if (from !== null) await goOn(learn, from);
    await allBatches(learn, learn.dls.train, yielder, { first: from?.iter ?? 0, afterBatch });
  });
}

async function validate(
  learn: TrainLoop,
  dl: DataLoader<Batch>,
  yielder: EventLoopYielder,
  afterBatch: () => Handled,
): Promise<void> {
  learn.dl = dl;
  learn.nIter = dl.length;
  await withEvents(learn, VALIDATE, () => allBatches(learn, dl, yielder, { first: 0, afterBatch }));
}

async function allBatches(
  learn: TrainLoop,
  dl: DataLoader<Batch>,
  yielder: EventLoopYielder,
  { first, afterBatch }: { readonly first: number; readonly afterBatch: () => Handled },
): Promise<void> {
  let i = first;
  const step = async (batch: Batch): Promise<void> => {
    await oneBatch(learn, i++, batch, !dl.resident);
    const pending = afterBatch();
    if (pending !== undefined) await pending;
    const pressure = currentDevice()?.pressure?.();
    if (pressure !== undefined && pressure !== null) await pressure;
    if (yielder.due) await yielder.yield();
  };
  if (dl.resident) { for (const batch of dl) await step(batch); }
  else for await (const batch of dl) await step(batch);
}

async function oneBatch(learn: TrainLoop, i: number, tensors: Batch, fresh: boolean): Promise<void> {
  const before = learn.batch;
  const batch = new BatchState(tensors, learn.dls.nInp ?? Math.max(1, tensors.length - 1), fresh);
  learn.iter = i;
  learn.batch = batch;
  if (learn.training) learn.steps.beginBatch();
  try {
    await withEvents(learn, BATCH, () => passes(learn, batch));
    endBatch(learn, batch);
  } catch (thrown) {
    if (thrown instanceof Cancel) endBatch(learn, batch);
    else giveUpBatch(learn);
    throw thrown;
  }
  before.release();
}

/** Forward, backward and step, up to the launch. */
async function passes(learn: TrainLoop, batch: BatchState): Promise<void> {
  const { model } = learn;
  const xb = batch.xb!;
  batch.pred = onePred(learn.training ? model.forward(...xb) : noGrad(() => model.forward(...xb)), model);
  batch.made(batch.pred);
  let pending = learn.fire("afterPred");
  if (pending !== undefined) await pending;
  const yb = batch.yb!;
  if (yb.length > 0) {
    batch.loss = batch.lossGrad = computeLoss(learn.lossFunc, batch.pred, yb);
    batch.made(batch.loss);
  }
  pending = learn.fire("afterLoss");
  if (pending !== undefined) await pending;
  if (!learn.training || batch.loss === null) return;
  if (batch.lossGrad !== null && batch.lossGrad !== batch.loss) batch.made(batch.lossGrad);
  const averager = learn.averager?.handles("afterBackward") ? learn.averager : null;
  let replayed: boolean = !learn.hears(INSIDE_STEP, averager);
  if (replayed) {
    const { steps, opt } = learn;
    replayed = averager === null ? steps.replay(batch, opt) : await steps.replayAveraged(batch, opt, averager);
  }
  if (!replayed) await buildStep(learn, batch);
  learn.opt.zeroGrad();
  batch.zeroed = true;
}

/** Backward pass and update, with their events. */
async function buildStep(learn: TrainLoop, batch: BatchState): Promise<void> {
  let strangers: readonly Parameter[] = [];
  await withEvents(learn, BACKWARD, () => {
    const reached = backwardTo(batch.lossGrad!);
    if (learn.trainIter === 0) strangers = strangersAmong(learn, reached);
    // a read in the middle splits the step's program: what outlives the batch must be in its first half
    batch.pred!.keep();
    batch.loss!.keep();
  });
  if (strangers.length > 0) (await import("./odd_indices.ts")).tellOfStrangers(learn, strangers); // code done without
  await withEvents(learn, STEP, () => learn.steps.step(batch, learn.opt));
}

/** Which parameters that got a gradient the model does not have, nor the optimizer. */
function strangersAmong(learn: TrainLoop, reached: readonly Parameter[]): Parameter[] {
  const known = new Set([...learn.model.parameters(), ...learn.groups().flat()]);
  return reached.filter((p) => !known.has(p));
}

/** The end of a step: launches it, with what is retained beyond it. A second call finds nothing to do. */
export function endBatch(learn: TrainLoop, batch: BatchState): void {
  const { pred, loss, zeroed } = batch;
  try {
    if (!learn.training || pred === null || loss === null) {
      endStep();
      return;
    }
    if (!zeroed && learn.hasOpt) learn.opt.holdGrads();
    learn.steps.end(batch);
  } catch (error) {
    abandon(); // nothing of the batch has happened
    throw error;
  }
}

/**
 * After an error: what was recorded before it still happens, as if it had been computed at once; where it cannot, nothing of
 * it does. Either way nothing of the batch is left for what comes next.
 */
function giveUpBatch(learn: TrainLoop): void {
  try {
    if (learn.hasOpt) learn.opt.zeroGrad();
    endStep();
  } catch {
    // the error that ended the batch is the one to tell
  }
  abandon();
}
