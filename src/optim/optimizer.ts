/**
 * Optimizers: groups of parameters with their hyper-parameters and statistics. A step is one kernel a group, whatever the
 * number of tensors.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { endStep, onAbandon, type Parameter, stepInput, type Tensor } from "../tensor/mod.ts";
import type { Part } from "./arena.ts";
import { buildUpdate, rereadPart } from "./build_update.ts";
import { composedBy, type OptFunc, optFuncBy, type OptFuncSpec, type OptOptions } from "./factory.ts";
import type { ParamsLike } from "./params_like.ts";
import {
  activeParts,
  activeSlots,
  adoptGrads,
  flushScale,
  forgetGrads,
  gradNorm,
  type GradRange,
  holdAllGrads,
  rangesOf,
  scaleGrads,
  unscaleGrads,
} from "./grads.ts";
import type { GradScaler } from "./grad_scaler.ts";
import { checkGroups, freezeGroups, type Group, makeGroup, type PartState, type Slot } from "./group.ts";
import { didYouMean } from "../base/options.ts";
import { type HyperValue, spread } from "./hyper.ts";
import {
  type CapturedUpdate,
  countStep,
  fillScalars,
  matchesUpdate,
  type PartUpdate,
  requiredOf,
} from "./captured_update.ts";
import { checkState, clearState, gatherState, type Keeps, type OptimizerState, restoreState } from "./state.ts";
import type { Hypers, StatKind, Stepper, Update } from "./stepper.ts";

/** Updates groups of parameters by steppers; see `SGD`, `Adam` and the others for ready ones. */
export class Optimizer {
  /** Values of the hyper-parameters, one entry a group. */
  readonly hypers: Hypers[];
  /**
   * Whether `step()` and changes of state leave the step boundary to a training loop; false in loops by hand, where
   * `step()` itself hands one program to the device.
   */
  deferBoundary = false;
  /** What a step consists of. */
  readonly steppers: readonly Stepper[];
  /** Hyper-parameters that it was made with. */
  readonly values: Readonly<Record<string, HyperValue>>;
  readonly #groups: readonly Group[];
  /**
   * What the loss is scaled by, while it is; see `MixedPrecision`.
   * @internal
   */
  scaler: GradScaler | null = null;
  #uncount: () => void = () => {};
  readonly #kinds = new Map<string, StatKind>();
  readonly #counts: boolean;

  /**
   * Moves the parameters of each group together. Users call `Adam` and the like, or what {@link Optimizer.from} gives.
   *
   * @param params Parameters in groups, earliest layers first; a flat list is one group.
   * @param steppers What a step consists of, in order.
   * @param values Hyper-parameters, over the steppers' defaults.
   * @throws ConfigError for no parameters, one that is there twice, and what is no parameter or no number.
   */
  constructor(params: ParamsLike, steppers: readonly Stepper[], values: Readonly<Record<string, HyperValue>> = {}) {
    const groups = checkGroups(params);
    this.steppers = steppers;
    this.values = values;
    this.#counts = steppers.some((s) => s.counts);
    const all: Record<string, HyperValue> = { lr: 1e-3, ...values }; // in the order of `values`
    for (const s of steppers) {
      for (const [name, kind] of Object.entries(s.stats ?? {})) this.#kinds.set(name, kind);
      Object.assign(all, s.defaults);
    }
    Object.assign(all, values);
    this.hypers = groups.map(() => ({}));
    for (const [name, value] of Object.entries(all)) {
      spread(name, value, groups.length).forEach((v, i) => this.hypers[i][name] = v);
    }
    this.#groups = groups.map(makeGroup);
  }

  /**
   * An optimizer composed of steppers, as a function like `Adam`.
   *
   * @param steppers What a step consists of, in order.
   * @param defaults Hyper-parameters, over the steppers' own defaults; `lr` is 1e-3 without.
   *
   * @example
   * ```ts ignore
   * const signStep: Stepper = {
   *   apply: (u) => {
   *     u.p = u.p.sub(u.stat("gradAvg").sign().mul(u.hyper("lr")));
   *   },
   * };
   * const Signum = Optimizer.from([weightDecay, averageGrad(), signStep], { mom: 0.95 });
   * const opt = Signum(model.parameters(), { lr: 1e-4 });
   * ```
   */
  static from<const N extends string = never>(
    steppers: readonly Stepper[],
    defaults: Readonly<Record<N, number>> = {} as Readonly<Record<N, number>>,
  ): OptFunc<OptOptions & { readonly [name in N]?: HyperValue }> {
    return composedBy(make, steppers, defaults);
  }

  // --- parameters and hyper-parameters

  /** Whether it has a parameter that has become fixed since: then another optimizer is wanted. */
  get holdsFixed(): boolean {
    return this.#groups.some(({ slots }) => slots.some((s) => s.parameter.fixed));
  }

  /** The parameters, in groups. */
  get groups(): readonly (readonly Parameter[])[] {
    return this.#groups.map((g) => g.slots.map((s) => s.parameter));
  }

  /** Names of the hyper-parameters. */
  get hyperNames(): readonly string[] {
    return Object.keys(this.hypers[0]);
  }

  /**
   * Sets a hyper-parameter: one number for all groups, one a group, or a `slice`.
   *
   * @throws ConfigError for a name that the optimizer does not have, another number of values than there are groups, and
   * values that are not finite.
   */
  setHyper(name: string, value: HyperValue): void {
    const { hypers } = this;
    if (!Object.hasOwn(hypers[0], name)) {
      const known = this.hyperNames;
      throw new ConfigError(
        `Cannot set ${name}: this optimizer has ${known.join(", ")}${didYouMean(name, known)}`,
      );
    }
    const values = spread(name, value, hypers.length);
    for (let i = 0; i < hypers.length; i++) hypers[i][name] = values[i];
  }

  /** Sets whether a parameter decays, or trains on in a frozen group. Parameters of others are left alone. */
  setFlag(parameter: Parameter, flag: "doWd" | "forceTrain", value: boolean): void {
    for (const { slots } of this.#groups) for (const s of slots) if (s.parameter === parameter) s[flag] = value;
  }

  /**
   * Trains groups `n` and later only, and parameters flagged `forceTrain`. Statistics stay: {@link Optimizer.clearState}.
   *
   * @param n Number of groups to freeze; negative ones count from the end.
   */
  freezeTo(n: number): void {
    freezeGroups(this.#groups, n);
  }

  /** Trains the last group only. */
  freeze(): void {
    if (this.#groups.length < 2) {
      throw new ConfigError("Cannot freeze: there is one parameter group; split the model first");
    }
    this.freezeTo(-1);
  }

  /** Trains all groups. */
  unfreeze(): void {
    this.freezeTo(0);
  }

  // --- gradients

  /** Forgets all gradients. */
  zeroGrad(): void {
    if (this.scaler !== null) this.scaler.found = null;
    forgetGrads(this.#groups);
  }

  /**
   * The norm of all gradients that a step would use, together; lazy, 0 where there are none.
   *
   * @param p Which norm: 2 by default, any number above 0, or Infinity for the largest magnitude.
   */
  gradNorm(p: number = 2): Tensor {
    if (!(p > 0)) throw new ConfigError(`Cannot take the ${p}-norm of gradients: it must be above 0`);
    return gradNorm(activeParts(this.#groups), p, this.#scaledBy?.reciprocal() ?? null);
  }

  /**
   * Multiplies all gradients that a step would use by a number, which costs no kernel of its own: the step does it.
   *
   * @param factor A number or a tensor of one element.
   */
  scaleGrads(factor: Tensor | number): void {
    const one = typeof factor === "number" ? stepInput(factor) : factor.rank === 0 ? factor : factor.reshape([]);
    for (const [part, slots] of activeParts(this.#groups)) scaleGrads(part, slots, one);
  }

  /**
   * Puts gradients that were not used by a step into the gradient arena, so that they can be added to without growing.
   * @internal
   */
  holdGrads(): void {
    holdAllGrads(this.#groups);
  }

  /**
   * Puts the gradients that a step would use into the gradient arena, with everything they were multiplied by, and says
   * where they lie there: ranges of memory, ascending, neighbours joined. The same model gives the same ranges.
   * @internal
   */
  gradRanges(): GradRange[] {
    return activeParts(this.#groups).flatMap(([part, slots]) => {
      flushScale(part, slots);
      return rangesOf(part, slots);
    });
  }

  /**
   * Where the gradients of a captured step lie; see {@link Optimizer.gradRanges}.
   * @internal
   */
  capturedRanges({ parts }: CapturedUpdate): GradRange[] {
    return parts.flatMap(({ part, active }) => rangesOf(part, active));
  }

  /**
   * Takes what lies where a captured step has its gradients for the parameters' gradients.
   * @internal
   */
  adoptGrads({ parts }: CapturedUpdate): void {
    for (const { part, active } of parts) adoptGrads(part, active);
  }

  /** The loss scale that the gradients at hand still have to be divided by; null where there is none. */
  get #scaledBy(): Tensor | null {
    return this.scaler === null || this.scaler.found !== null ? null : this.scaler.scale;
  }

  /** The step itself divides them: until then others may be added, and whoever looks sees them apart from that. */
  #unscale(): void {
    if (this.#scaledBy !== null) unscaleGrads(activeParts(this.#groups), this.scaler!);
  }

  // --- stepping

  /**
   * Records one update of every parameter that requires a gradient and has one; the others are left alone. In a loop by
   * hand this is the boundary: one program is launched, and nothing is waited for.
   *
   * @throws ShapeError for a gradient that is not of its parameter's shape; nothing is updated then.
   */
  step(): void {
    this.#build();
    if (!this.deferBoundary) endStep();
  }

  /**
   * As {@link Optimizer.step}, but launches nothing; gives what it takes to replay it.
   * @internal
   */
  captureStep(): CapturedUpdate {
    const required = requiredOf(this.#groups);
    return { parts: this.#build(), required, scaler: this.scaler };
  }

  /** Records the update of every part with something to do. */
  #build(): PartUpdate[] {
    const work: { part: PartState; group: number; active: Slot[] }[] = [];
    this.#groups.forEach(({ parts }, group) => {
      for (const part of parts) {
        const active = activeSlots(part);
        if (active.length > 0 || this.always) work.push({ part, group, active });
      }
    });
    this.#unscale();
    onAbandon(this.#count(work));
    const { scaler } = this, common = { steppers: this.steppers, kinds: this.#kinds, skip: scaler?.found ?? null };
    const updates = work.map(({ part, group, active }) => {
      const after = (update: Update) => this.afterUpdate(update, part);
      return buildUpdate(part, active, { ...common, group, hypers: this.hypers[group], after });
    });
    for (const each of updates) fillScalars(each, this.hypers[each.group]);
    scaler?.update();
    this.endStep();
    return updates;
  }

  /**
   * Whether a step of parameters that have no gradients yet would be the captured one, but for its numbers.
   * @internal
   */
  canReplay(captured: CapturedUpdate): boolean {
    return captured.scaler === this.scaler && matchesUpdate(captured, this.#groups);
  }

  /**
   * Replays a captured step of gradients that are not there: `run` launches the program that computes them, too, or one
   * before it did. It gets what takes the host's part back.
   *
   * @returns False where a step now would be another one; nothing happened then.
   * @internal
   */
  replayStep(captured: CapturedUpdate, run: (undo: () => void) => void): boolean {
    if (!this.canReplay(captured)) return false;
    const { parts } = captured;
    const undo = this.#count(parts);
    for (let i = 0; i < parts.length; i++) fillScalars(parts[i], this.hypers[parts[i].group]);
    run(undo);
    for (let i = 0; i < parts.length; i++) rereadPart(parts[i].part);
    this.scaler?.reread();
    this.endStep();
    return true;
  }

  /** Counts a step. Returns what takes that back. */
  #count(work: readonly { readonly active: readonly Slot[] }[]): () => void {
    const undo = [this.beginStep()];
    for (let i = 0; i < work.length; i++) undo.push(countStep(work[i].active, this.#counts));
    if (this.scaler !== null) this.scaler.steps++;
    return this.#uncount = () => {
      for (const each of undo) each();
    };
  }

  /**
   * Waits until the host knows whether the last step was skipped, which what is counted goes by.
   * @internal
   */
  async settle(): Promise<void> {
    await this.scaler?.settle();
  }

  /**
   * Takes back what the host counted for the last step, which the device has skipped.
   * @internal
   */
  uncountStep(): void {
    this.#uncount();
    this.#uncount = () => {};
  }

  /** What the host counts at a step; for optimizers that wrap others. Returns what takes it back. */
  protected beginStep(): () => void {
    return () => {};
  }

  /** What the host does after a step; for optimizers that wrap others. */
  protected endStep(): void {}

  /**
   * Whether steps with the same gradients differ in nothing but the numbers of {@link Stepper.steady}.
   * @internal
   */
  get steady(): boolean {
    return this.kind === Object.getPrototypeOf(this) && !Object.hasOwn(this, "step") &&
      this.steppers.every((s) => s.steady === true);
  }

  /**
   * Whether any parameter has a gradient.
   * @internal
   */
  get hasGrads(): boolean {
    return this.#groups.some(({ slots }) => slots.some((s) => s.parameter.grad !== null));
  }

  /**
   * Whether all of `owners` that are not null are parameters of this optimizer.
   * @internal
   */
  holds(owners: readonly (object | null)[]): boolean {
    const mine = new Set<object>(this.#groups.flatMap(({ slots }) => slots.map((s) => s.parameter)));
    return owners.every((o) => o === null || mine.has(o));
  }

  /** The prototype that has all of the update: objects of other classes may do more. */
  protected get kind(): object {
    return Optimizer.prototype;
  }

  /** Whether a step changes parameters without gradients too; for optimizers that wrap others. */
  protected get always(): boolean {
    return false;
  }

  /**
   * What follows the steppers; for optimizers that wrap others.
   * @internal
   */
  protected afterUpdate(_update: Update, _part: Part): void {}

  /** Whether there is a statistic of a parameter to save; for optimizers that wrap others. */
  protected hasStat(started: boolean, _name: string): boolean {
    return started;
  }

  /** Takes what an optimizer that wraps others adds to a state that fits. */
  protected restore(_state: OptimizerState): void {}

  // --- state

  get #keeps(): Keeps {
    return { kinds: this.#kinds, counts: this.#counts, has: (s, name) => this.hasStat(s.started, name) };
  }

  /** Forgets statistics and step counts; flags stay. */
  clearState(): void {
    clearState(this.#groups);
    if (!this.deferBoundary) endStep();
  }

  /** Copies of everything that is kept, on the device; later steps leave them alone. */
  stateDict(): OptimizerState {
    const state = gatherState(this.#groups, this.#keeps);
    if (!this.deferBoundary) endStep();
    return { state, hypers: this.hypers.map((h) => ({ ...h })) };
  }

  /**
   * Refuses a state that {@link Optimizer.loadStateDict} would refuse; changes nothing.
   *
   * @throws ConfigError As there.
   */
  checkStateDict(state: OptimizerState): void {
    checkState(state, this.#groups, this.hypers, this.#keeps);
  }

  /**
   * Goes back to what {@link Optimizer.stateDict} gave; parameters are matched by position.
   *
   * @throws ConfigError where numbers of parameters or groups, hyper-parameters, statistics or shapes differ; nothing is
   * changed then.
   */
  loadStateDict(state: OptimizerState): void {
    this.checkStateDict(state);
    this.restore(state);
    state.hypers.forEach((h, i) => Object.assign(this.hypers[i], h));
    const always = [...this.#kinds.keys()].filter((name) => this.hasStat(false, name));
    restoreState(state.state, this.#groups, this.#keeps, always);
    if (!this.deferBoundary) endStep();
  }
}

const make = (...args: ConstructorParameters<typeof Optimizer>): Optimizer => new Optimizer(...args);

/** Makes an {@link OptFunc} of steppers. */
export function optFunc(spec: OptFuncSpec): OptFunc {
  return optFuncBy(make, spec);
}
