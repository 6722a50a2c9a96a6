/**
 * Loss scaling: small gradients would be 0 in f16, so the loss is multiplied by a large number and the gradients are divided by it.
 * Where they are infinite or NaN then, the step is skipped and the number halved.
 *
 * @module
 * @see Micikevicius et al. 2018, arXiv:1710.03740
 */
import { Buffer, ops, rereadAll, stepInput, type Tensor, tensor } from "../tensor/mod.ts";

/** How a loss scale moves; see `MixedPrecision`. */
export interface ScaleRules {
  /** What it is at first. */
  readonly initScale: number;
  /** What it is multiplied by after `growthInterval` steps in a row whose gradients were finite. */
  readonly growthFactor: number;
  /** What it is multiplied by where they were not. */
  readonly backoffFactor: number;
  readonly growthInterval: number;
}

/** A loss scale, and what has become of the steps with it. */
export interface ScaleState {
  readonly scale: number;
  /** Steps in a row whose gradients were finite, since the scale grew last. */
  readonly finite: number;
  /** Steps that were skipped. */
  readonly skipped: number;
  /** How many of the last ones on end. */
  readonly inARow: number;
}

/** The largest f32: what is no larger in size is finite. */
const LARGEST = 3.4028234663852886e38;

/**
 * A loss scale on the device: a step that moves it needs no read and, since it is memory and no part of a program, no other
 * program. What skips a step is a choice of the step's own kernels.
 */
export class GradScaler {
  /** `[scale, finite, skipped, inARow]` */
  readonly state: Buffer;
  /** Whether the gradients at hand are not finite, bool `[]`, once a step has divided them by the scale, until they are forgotten. */
  found: Tensor | null = null;
  /** Has the host take in whether the last step was skipped. */
  settle: () => Promise<void> = () => Promise.resolve();
  /** Steps that were taken or skipped. */
  steps = 0;
  readonly #rules: ScaleRules;

  /** Starts from the rules' first scale. */
  constructor(rules: ScaleRules) {
    this.#rules = rules;
    this.state = new Buffer(tensor([rules.initScale, 0, 0, 0]));
  }

  #part(i: number): Tensor {
    return this.state.slice([[i, i + 1]]).reshape([]);
  }

  /** What losses are multiplied by, `[]`. */
  get scale(): Tensor {
    return this.#part(0);
  }

  /** Records what a step with the gradients at hand makes of the state. */
  update(): void {
    const { found, state } = this;
    if (found === null) return;
    const { growthFactor, backoffFactor, growthInterval } = this.#rules;
    const next = (factors: number[], terms: number[]) => state.mul(stepInput(factors)).add(stepInput(terms));
    const grown = next([growthFactor, 0, 1, 0], [0, 0, 0, 0]).minimum(LARGEST);
    const stayed = next([1, 1, 1, 0], [0, 1, 0, 0]);
    const skipped = next([backoffFactor, 0, 1, 1], [0, 0, 1, 1]);
    const due = this.#part(1).add(1).ge(growthInterval);
    state.assign(ops.where(found, skipped, ops.where(due, grown, stayed)));
  }

  /** After a step that was replayed: the state is read anew. */
  reread(): void {
    rereadAll(this.state.storage, []);
  }

  /** Goes back to a state. */
  restore({ scale, finite, skipped, inARow }: ScaleState): void {
    this.state.assign(tensor([scale, finite, skipped, inARow]));
  }
}

/** Whether an element of `g` is infinite or NaN: 1 or 0, `[]`. */
export function notFinite(g: Tensor): Tensor {
  return ops.where(g.abs().le(LARGEST), 0, 1).max();
}
