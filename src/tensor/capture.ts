/**
 * Capture and replay of training steps, for those who train: see `src/graph/captured_step.ts`.
 *
 * @module
 */
import { type CapturedStep, type ForwardTrace, StepCapture as NodeCapture, traceOf } from "../graph/captured_step.ts";
import { session } from "../graph/session.ts";
import type { Tensor } from "./tensor.ts";

export type { CapturedStep, ForwardTrace };

const nodesOf = (results: readonly Tensor[]) => results.map((t) => t.node);

/** The forward trace of a step with these results; null where its program would compute more, or they are there already. */
export function traceStep(results: readonly Tensor[]): ForwardTrace | null {
  return traceOf(session, nodesOf(results));
}

/** A step that is captured while it is built. */
export class StepCapture {
  readonly #capture: NodeCapture;

  private constructor(capture: NodeCapture) {
    this.#capture = capture;
  }

  /** Begins with a step's forward trace; null where the step cannot be captured. */
  static begin(trace: ForwardTrace): StepCapture | null {
    const capture = NodeCapture.begin(session, trace);
    return capture === null ? null : new StepCapture(capture);
  }

  /** The parameters that the forward pass reads; null for memory that is no parameter's. */
  get owners(): readonly (object | null)[] {
    return this.#capture.owners;
  }

  /** Says that gradients and update are recorded: what comes now is the epilogue. */
  built(): void {
    this.#capture.built();
  }

  /** Ends the step: launches it, with the epilogue. Null where what was launched is no step to be replayed. */
  end(results: readonly Tensor[]): CapturedStep | null {
    return this.#capture.end(nodesOf(results));
  }
}

/** The end of a step: launches what was recorded, and `results`. */
export function endStepWith(results: readonly Tensor[]): void {
  session.endStep(nodesOf(results));
}
