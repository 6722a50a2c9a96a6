/**
 * Lookahead: every `k` steps, slow weights follow the fast ones part of the way, and the fast ones start again from there.
 *
 * @module
 * @see Zhang et al. 2019, arXiv:1907.08610
 */
import { ConfigError } from "../base/errors.ts";
import { checkArgument, checkOptions, func, num } from "../base/options.ts";
import { ops } from "../tensor/mod.ts";
import type { Part } from "./arena.ts";
import { makeFactory, type OptFunc, type OptOptions } from "./factory.ts";
import type { ParamsLike } from "./params_like.ts";
import { Optimizer } from "./optimizer.ts";
import { RAdam } from "./rules.ts";
import type { OptimizerState } from "./state.ts";
import type { Update } from "./stepper.ts";

/** Options of {@link Lookahead}. */
export interface LookaheadOptions {
  /** Steps between two looks back; 6 by default. */
  readonly k?: number;
  /** How far the slow weights follow, in [0, 1]; 0.5 by default. */
  readonly alpha?: number;
}

/** Name of the statistic that holds the slow weights. */
const SLOW = "slowWeights";

/** An optimizer whose parameters are pulled back every `k` steps. */
class LookaheadOptimizer extends Optimizer {
  readonly k: number;
  readonly alpha: number;
  #count = 0;
  /** Whether the slow weights hold anything yet. */
  #copied = false;

  constructor(params: ParamsLike, inner: Optimizer, { k = 6, alpha = 0.5 }: LookaheadOptions) {
    super(params, [...inner.steppers, { steady: true, stats: { [SLOW]: "vector" }, apply() {} }], inner.values);
    if (!Number.isInteger(k) || k < 1) {
      throw new ConfigError(`Cannot look back every ${k} steps: k is a whole number from 1`);
    }
    if (!(alpha >= 0 && alpha <= 1)) throw new ConfigError(`Cannot follow by ${alpha}: alpha is from 0 to 1`);
    this.k = k;
    this.alpha = alpha;
  }

  protected override get always(): boolean {
    return true;
  }

  protected override get kind(): object {
    return LookaheadOptimizer.prototype;
  }

  protected override beginStep(): () => void {
    const count = this.#count++, copied = this.#copied;
    return () => {
      this.#count = count;
      this.#copied = copied;
    };
  }

  protected override endStep(): void {
    this.#copied = true;
  }

  protected override afterUpdate(u: Update, { members }: Part): void {
    // numbers, not structure: the program is the same at every step
    const flag = (on: () => boolean) => u.number("group", () => on() ? 1 : 0).gt(0);
    const due = () => this.#count % this.k === 0;
    const slow = ops.where(flag(() => this.#copied), u.stat(SLOW), u.before);
    const next = slow.add(u.p.sub(slow).mul(u.number("group", () => due() ? this.alpha : 0)));
    u.setStat(SLOW, next);
    // parameters of other groups are none of its business
    const pulled = members.includes(null) ? u.flagged(members.map((m) => m !== null)).and(flag(due)) : flag(due);
    u.p = ops.where(pulled, next, u.p);
  }

  override clearState(): void {
    super.clearState();
    this.#count = 0;
    this.#copied = false;
  }

  protected override hasStat(started: boolean, name: string): boolean {
    return name === SLOW ? this.#copied : started;
  }

  override stateDict(): OptimizerState {
    return { ...super.stateDict(), count: this.#count };
  }

  protected override restore(state: OptimizerState): void {
    this.#count = state.count ?? 0;
    this.#copied = state.state.some((s) => s.slowWeights !== undefined);
  }
}

/** Wraps a kind of optimizer in Lookahead. */
export function Lookahead(inner: OptFunc, options: LookaheadOptions = {}): OptFunc {
  const { k = 6, alpha = 0.5 } = checkOptions("make Lookahead", options, { k: num, alpha: num });
  checkArgument("make Lookahead", "inner", inner, func<OptFunc>());
  const make = (params: ParamsLike, options: OptOptions) => {
    const { k: ownK = k, alpha: ownAlpha = alpha, ...rest } = options;
    return new LookaheadOptimizer(params, inner(params, rest), { k: ownK, alpha: ownAlpha });
  };
  return makeFactory(make, inner.lr === undefined ? {} : { lr: inner.lr });
}

/** Ranger: Lookahead over RAdam, with `mom` 0.95, `wd` 0.01 and `eps` 1e-6. */
export const ranger: OptFunc = Lookahead(RAdam.with({ mom: 0.95, wd: 0.01, eps: 1e-6 }));
