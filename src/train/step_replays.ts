/**
 * Steps like one before: their gradients and updates are not built again where nobody looks in between.
 *
 * @module
 */
import type { Collected } from "../graph/collect.ts";
import { type Front, frontOf, keepFront, Replay, tailOf, updatesOf } from "../graph/replay.ts";
import type { Node } from "../graph/node.ts";
import { boundary } from "../graph/runtime.ts";
import type { Optimizer, StepRecord } from "../optim/mod.ts";
import type { BatchState } from "./batch_state.ts";
import type { EventName } from "./events.ts";

/** Events between the loss and the end of a step: whoever handles one sees gradients, or weights before the step. */
export const INSIDE_STEP: readonly EventName[] = ["beforeBackward", "afterBackward", "beforeStep", "afterStep"];

/** Programs that are remembered: a last, smaller batch is another one than those before it. */
const MAX_PLANS = 8;
/** So many steps on end that could not be taken again, and no more are tried in this fit. */
const MAX_MISSES = 16;

/** A step that is being recorded. */
interface Step {
  readonly front: Front;
  readonly record: StepRecord;
  /** What it assigns. */
  readonly updates: readonly Node[];
}

interface Plan {
  readonly record: StepRecord;
  readonly replay: Replay;
}

/** What the steps of a learner have in common. */
export class StepReplays {
  /** The newest first; all of one optimizer. */
  #plans: Plan[] = [];
  #opt: Optimizer | null = null;
  /** The front part of the step under way, if the step may be recorded. */
  #front: Front | null = null;
  /** The step under way, once its update is recorded. */
  #step: Step | null = null;
  /** The step under way, if it is taken again. */
  #running: Replay | null = null;
  #misses = 0;
  /** Steps that were taken again. */
  count = 0;
  /** Whether any are. */
  enabled = true;

  /** Begins a fit. */
  beginFit(): void {
    this.#misses = 0;
  }

  /** Begins a batch: nothing is under way, whatever ended the one before. */
  beginBatch(): void {
    this.#running = this.#front = this.#step = null;
  }

  /**
   * Takes the step of a batch whose loss is there, if one like it was taken before.
   *
   * @returns False where the step has to be built.
   */
  repeat({ pred, loss, lossGrad }: BatchState, opt: Optimizer): boolean {
    if (!this.enabled || this.#misses >= MAX_MISSES || loss !== lossGrad || !opt.steady || opt.hasGrads) return false;
    if (this.#opt !== opt) this.#plans = []; // the old one's statistics can go
    this.#opt = opt;
    const front = frontOf([loss!.node, pred!.node]);
    if (front === null) return false;
    if (this.#again(front, opt)) return true;
    this.#misses++;
    const kept = keepFront(front);
    // gradients of others' parameters would add up from step to step
    if (kept !== null && opt.holds(kept.owners)) this.#front = kept;
    return false;
  }

  #again(front: Collected, opt: Optimizer): boolean {
    for (const { record, replay } of this.#plans) {
      if (!replay.fits(front) || !opt.stepAgain(record, () => replay.begin(front))) continue;
      opt.deferBoundary = true; // the boundary is the batch's end
      this.#running = replay;
      this.#misses = 0;
      this.count++;
      return true;
    }
    return false;
  }

  /** Has the optimizer step; takes it down where the step may be recorded. */
  step(opt: Optimizer): void {
    opt.deferBoundary = true; // the boundary is the batch's end
    const front = this.#front;
    if (front === null) return opt.step();
    const record = opt.recordStep();
    this.#step = { front, record, updates: updatesOf(front) };
  }

  /** The end of a batch: hands its program over, and remembers it where it may be taken again. */
  end({ pred, loss }: BatchState): void {
    const running = this.#running, step = this.#step;
    this.beginBatch();
    if (running !== null) {
      running.end();
      boundary();
      return;
    }
    const tail = step === null ? null : tailOf(step.front, step.updates);
    const run = boundary([loss!.node, pred!.node]);
    if (step === null || tail === null || run === null) return;
    const replay = Replay.of(step.front, tail, run, step.updates);
    if (replay !== null) this.#plans = [{ record: step.record, replay }, ...this.#plans].slice(0, MAX_PLANS);
  }
}
