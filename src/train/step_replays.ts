/**
 * Steps like one before: their gradients and updates are not built again where nobody looks in between.
 *
 * @module
 */
import type { Collected } from "../graph/collect.ts";
import { type Front, frontOf, keepFront, Replay, tailOf, updatesOf } from "../graph/replay.ts";
import type { Node } from "../graph/node.ts";
import { scalar } from "../graph/leaves.ts";
import { boundary } from "../graph/runtime.ts";
import type { Optimizer, StepRecord } from "../optim/mod.ts";
import { Tensor } from "../tensor/mod.ts";
import type { BatchState } from "./batch_state.ts";
import type { EventName } from "./events.ts";
import type { GradAverager } from "./peers.ts";

/** Events between the loss and the end of a step: whoever handles one sees gradients, or weights before the step. */
export const INSIDE_STEP: readonly EventName[] = ["beforeBackward", "afterBackward", "beforeStep", "afterStep"];

/** Programs that are remembered: a last, smaller batch is another one than those before it. */
const MAX_PLANS = 8;
/** So many steps on end that could not be taken again, and no more are tried in this fit. */
const MAX_MISSES = 16;

/** A step, or the update of one, that is being recorded. */
interface Step {
  readonly front: Front;
  readonly record: StepRecord;
  /** What it assigns. */
  readonly updates: readonly Node[];
}

/** A step that may be taken again. */
interface Plan {
  readonly record: StepRecord;
  /** All of it; or the update, where something is done with the gradients before. */
  readonly replay: Replay;
  /** Then, what computes the gradients. */
  readonly gradients: Replay | null;
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
  /** Whether something is done with the gradients of the step under way before its update. */
  #around = false;
  /** What computes these gradients, once it is recorded. */
  #gradients: Replay | null = null;
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
    this.#running =
      this.#front =
      this.#step =
      this.#gradients =
        null;
    this.#around = false;
  }

  /**
   * Takes the step of a batch whose loss is there, if one like it was taken before.
   *
   * @returns False where the step has to be built.
   */
  repeat(batch: BatchState, opt: Optimizer): boolean {
    const front = this.#frontOf(batch, opt);
    if (front === null) return false;
    for (const { record, replay, gradients } of this.#plans) {
      if (gradients !== null || !replay.fits(front) || !opt.stepAgain(record, () => replay.begin(front))) continue;
      this.#repeats(replay, opt);
      return true;
    }
    this.#miss(front, opt);
    return false;
  }

  /** The same, with gradients that are averaged before the update: two programs. */
  async repeatAround(batch: BatchState, opt: Optimizer, averager: GradAverager): Promise<boolean> {
    const front = this.#frontOf(batch, opt);
    if (front === null) return false;
    for (const { record, replay, gradients } of this.#plans) {
      if (gradients === null || !gradients.fits(front) || !opt.canRepeat(record)) continue;
      opt.deferBoundary = true;
      gradients.begin(front);
      const mean = await averager.average(opt.recordedRanges(record), batch.loss!, () => gradients.end());
      const loss = batch.loss = new Tensor(scalar(mean));
      const rest = frontOf([loss.node]);
      if (rest !== null && replay.fits(rest) && opt.stepAgain(record, () => replay.begin(rest))) {
        this.#repeats(replay, opt);
      } else { // something has changed meanwhile
        opt.adoptGrads(record);
        opt.scaleGrads(averager.factor);
        opt.step();
      }
      return true;
    }
    this.#miss(front, opt);
    this.#around = true;
    return false;
  }

  /** What the step of a batch is computed from; null where it is not one to be taken again. */
  #frontOf({ pred, loss, lossGrad }: BatchState, opt: Optimizer): Collected | null {
    if (!this.enabled || this.#misses >= MAX_MISSES || loss !== lossGrad || !opt.steady || opt.hasGrads) return null;
    if (this.#opt !== opt) this.#plans = []; // the old one's statistics can go
    this.#opt = opt;
    return frontOf([loss!.node, pred!.node]);
  }

  #repeats(replay: Replay, opt: Optimizer): void {
    opt.deferBoundary = true; // the boundary is the batch's end
    this.#running = replay;
    this.#misses = 0;
    this.count++;
  }

  #miss(front: Collected, opt: Optimizer): void {
    this.#misses++;
    const kept = keepFront(front);
    // gradients of others' parameters would add up from step to step
    if (kept !== null && opt.holds(kept.owners)) this.#front = kept;
  }

  /** Has the optimizer step; takes it down where the step may be recorded. */
  step({ loss }: BatchState, opt: Optimizer): void {
    opt.deferBoundary = true; // the boundary is the batch's end
    const front = this.#around ? this.#frontOfUpdate(loss!.node) : this.#front;
    if (front === null) return opt.step();
    const record = opt.recordStep();
    this.#step = { front, record, updates: updatesOf(front) };
  }

  #frontOfUpdate(loss: Node): Front | null {
    const front = this.#gradients === null ? null : frontOf([loss]);
    return front === null ? null : keepFront(front);
  }

  /** The end of a batch, or of its first part: hands its program over, and remembers it where it may be taken again. */
  end({ pred, loss }: BatchState): void {
    const running = this.#running, step = this.#step, front = this.#front, gradients = this.#gradients;
    const results = [loss!.node, pred!.node];
    if (this.#around && step === null && front !== null) {
      this.#front = null;
      this.#gradients = replayOf(front, updatesOf(front), results);
      return;
    }
    this.beginBatch();
    if (running !== null) {
      running.end();
      boundary();
      return;
    }
    const replay = step === null ? null : replayOf(step.front, step.updates, results);
    if (step === null) boundary(results);
    else if (replay !== null) {
      this.#plans = [{ record: step.record, replay, gradients }, ...this.#plans].slice(0, MAX_PLANS);
    }
  }
}

/** Hands over what was recorded: `updates`, and what others did; null where that cannot be taken again. */
function replayOf(front: Front, updates: readonly Node[], results: readonly Node[]): Replay | null {
  const tail = tailOf(front, updates);
  const run = boundary(results);
  return tail === null || run === null ? null : Replay.of(front, tail, run, updates);
}
