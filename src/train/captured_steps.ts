/**
 * Which steps of a learner are built, captured and replayed. Each step is one of three things: **ignored**, built and no
 * more, where somebody looks into it or it differs from step to step; **captured** while it is built, where no step like it
 * is known; **replayed** where one is: its gradients and update are not built again.
 *
 * @module
 */
import type { CapturedUpdate, Optimizer } from "../optim/mod.ts";
import {
  type CapturedStep,
  endStep,
  endStepWith,
  type ForwardTrace,
  StepCapture,
  stepInput,
  type Tensor,
  traceStep,
} from "../tensor/mod.ts";
import type { BatchState } from "./batch_state.ts";
import type { EventName } from "./events.ts";
import type { GradAverager } from "./peers.ts";

/** Events between the loss and the end of a step: whoever handles one sees gradients, or weights before the step. */
export const INSIDE_STEP: readonly EventName[] = ["beforeBackward", "afterBackward", "beforeStep", "afterStep"];

/** Steps that are remembered: a last, smaller batch is another one than those before it. */
const MAX_CAPTURED = 8;
/** So many steps on end that no captured one matched, and all others of this fit are ignored. */
const MAX_MISSES = 16;

/** A step that may be replayed. */
interface Captured {
  readonly update: CapturedUpdate;
  /** All of it; or the update, where something is done with the gradients before. */
  readonly step: CapturedStep;
  /** Then, what computes the gradients. */
  readonly gradients: CapturedStep | null;
}

/** What is known of the step under way. */
interface Current {
  /** The capture of the step, or of the part of it under way. */
  capture: StepCapture | null;
  /** Its update, once that is built. */
  update: CapturedUpdate | null;
  /** The captured step that it replays. */
  replay: CapturedStep | null;
  /** Whether gradients are averaged before the update, so that there are two programs. */
  averaged: boolean;
  /** The first of the two, once it is captured. */
  gradients: CapturedStep | null;
}

const nothing = (): Current => ({ capture: null, update: null, replay: null, averaged: false, gradients: null });

/** What a step gives: its loss, its predictions, and what gradients are taken of where that is something else. */
function resultsOf({ loss, lossGrad, pred }: BatchState): Tensor[] {
  return lossGrad === null || lossGrad === loss ? [loss!, pred!] : [loss!, pred!, lossGrad];
}

/** The captured steps of a learner, and the step under way. */
export class CapturedSteps {
  /** The newest first; all of one optimizer. */
  #captured: Captured[] = [];
  #opt: Optimizer | null = null;
  #current = nothing();
  #misses = 0;
  /** Steps that were replayed. */
  count = 0;
  /** Whether any are. */
  enabled = true;

  /** Begins a fit. */
  beginFit(): void {
    this.#misses = 0;
  }

  /** Begins a batch: nothing is under way, whatever ended the one before. */
  beginBatch(): void {
    this.#current = nothing();
  }

  /**
   * Replays the step of a batch whose loss is there, if one like it was captured.
   *
   * @returns False where the step has to be built.
   */
  replay(batch: BatchState, opt: Optimizer): boolean {
    const trace = this.#trace(batch, opt);
    if (trace === null) return false;
    for (const { update, step, gradients } of this.#captured) {
      if (gradients !== null || !step.matches(trace)) continue;
      if (!opt.replayStep(update, (undo) => step.replay(trace, undo))) continue;
      this.#replays(step, opt);
      return true;
    }
    this.#capture(trace, opt);
    return false;
  }

  /** The same, with gradients that are averaged before the update: two programs. */
  async replayAveraged(batch: BatchState, opt: Optimizer, averager: GradAverager): Promise<boolean> {
    const trace = batch.loss === batch.lossGrad ? this.#trace(batch, opt) : null;
    if (trace === null) return false;
    for (const { update, step, gradients } of this.#captured) {
      if (gradients === null || !gradients.matches(trace) || !opt.canReplay(update)) continue;
      opt.deferBoundary = true;
      gradients.replay(trace, () => {});
      const mean = await averager.average(opt.capturedRanges(update), batch.loss!, () => gradients.finish());
      const loss = batch.loss = stepInput(mean);
      const rest = traceStep([loss]);
      if (
        rest !== null && step.matches(rest) && opt.replayStep(update, (undo) => step.replay(rest, undo))
      ) this.#replays(step, opt);
      else { // something has changed meanwhile
        opt.adoptGrads(update);
        opt.scaleGrads(averager.factor);
        opt.step();
      }
      return true;
    }
    this.#capture(trace, opt);
    this.#current.averaged = true;
    return false;
  }

  /** What the step of a batch is computed from; null where the step is to be ignored. */
  #trace(batch: BatchState, opt: Optimizer): ForwardTrace | null {
    if (!this.enabled || this.#misses >= MAX_MISSES || !opt.steady || opt.hasGrads) return null;
    if (this.#opt !== opt) this.#captured = []; // the old one's statistics can go
    this.#opt = opt;
    return traceStep(resultsOf(batch));
  }

  #replays(step: CapturedStep, opt: Optimizer): void {
    opt.deferBoundary = true; // the step ends with the batch
    this.#current.replay = step;
    this.#misses = 0;
    this.count++;
  }

  #capture(trace: ForwardTrace, opt: Optimizer): void {
    this.#misses++;
    const capture = StepCapture.begin(trace);
    // gradients of others' parameters would add up from step to step
    if (capture !== null && opt.holds(capture.owners)) this.#current.capture = capture;
  }

  /** Has the optimizer step, and captures that where the step is captured. */
  step({ loss }: BatchState, opt: Optimizer): void {
    opt.deferBoundary = true; // the step ends with the batch
    const current = this.#current;
    if (current.averaged) current.capture = this.#captureRest(loss!);
    if (current.capture === null) return opt.step();
    current.update = opt.captureStep();
    current.capture.built();
  }

  /** The update is a program of its own, after the one that computed the gradients. */
  #captureRest(loss: Tensor): StepCapture | null {
    const rest = this.#current.gradients === null ? null : traceStep([loss]);
    return rest === null ? null : StepCapture.begin(rest);
  }

  /** The end of a batch, or of its first part: launches it, and remembers it where it may be replayed. */
  end(batch: BatchState): void {
    const current = this.#current;
    const { capture, update, replay, gradients } = current;
    const results = current.averaged ? [batch.loss!, batch.pred!] : resultsOf(batch);
    if (current.averaged && update === null && capture !== null) {
      current.capture = null;
      capture.built();
      current.gradients = capture.end(results);
      return;
    }
    this.beginBatch();
    if (replay !== null) {
      replay.finish();
      endStep();
      return;
    }
    const step = capture === null || update === null ? null : capture.end(results);
    if (capture === null || update === null) endStepWith(results);
    else if (step !== null) this.#captured = [{ update, step, gradients }, ...this.#captured].slice(0, MAX_CAPTURED);
  }
}
