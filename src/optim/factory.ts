/**
 * Optimizers as functions of parameters: what learners call when they need one.
 *
 * @module
 */
import { checkNamed, checkOptions, flag, type OptionKind } from "../base/options.ts";
import { aHyper, type HyperValue } from "./hyper.ts";
import type { Optimizer } from "./optimizer.ts";
import type { ParamsLike } from "./params_like.ts";
import type { Hypers, Stepper } from "./stepper.ts";

/** Options of an optimizer: values of its hyper-parameters, and how it decays. */
export interface OptOptions {
  /** Learning rate; 1e-3 without. */
  readonly lr?: HyperValue;
  /** Momentum: how much of the average gradient stays from step to step. */
  readonly mom?: HyperValue;
  /** How much of the average squared gradient stays from step to step. */
  readonly sqrMom?: HyperValue;
  /** What keeps quotients finite where gradients vanish. */
  readonly eps?: HyperValue;
  /** Weight decay. */
  readonly wd?: HyperValue;
  /** RAdam: sharpness of the softplus over the denominator; 0 for none. */
  readonly beta?: HyperValue;
  /** QHAdam: weight of the average gradient against the gradient. */
  readonly nu1?: HyperValue;
  /** QHAdam: weight of the average squared gradient against the squared gradient. */
  readonly nu2?: HyperValue;
  /** Larc: how far a tensor moves, relative to its own norm. */
  readonly trustCoeff?: HyperValue;
  /** Larc: whether its rates are bounded by `lr`; true by default. */
  readonly clip?: boolean;
  /** Whether decay acts on the parameters rather than on the gradients; true by default. */
  readonly decoupleWd?: boolean;
  /** Lookahead: steps between two looks back. */
  readonly k?: number;
  /** Lookahead: how far the slow weights follow. */
  readonly alpha?: number;
}

/**
 * Makes an optimizer of parameters.
 *
 * @typeParam O Options that it takes.
 */
export interface OptFunc<O extends OptOptions = OptOptions> {
  (params: ParamsLike, options?: O): Optimizer;
  /** The same with other defaults; a learner takes an `lr` given here as its own. */
  with(options: O): OptFunc<O>;
  /** The learning rate given to {@link OptFunc.with}, if any. */
  readonly lr?: HyperValue;
}

/** Switches that are no hyper-parameters. */
interface Switches {
  readonly clip: boolean;
  readonly decoupleWd: boolean;
}

/** What steppers are chosen by: the switches, and whether a hyper-parameter is anything but 0 at the start. */
export interface StepperChoice extends Switches {
  readonly uses: (name: string) => boolean;
}

/** What an {@link OptFunc} is made of. */
export interface OptFuncSpec {
  /** Hyper-parameters, but for `lr`. */
  readonly defaults: Readonly<Hypers>;
  /** Switches that it has; `decoupleWd` by default. */
  readonly switches?: readonly (keyof Switches)[];
  /** What a step consists of. */
  readonly steppers: (choice: StepperChoice) => readonly Stepper[];
}

/** Makes an optimizer of parameters, steppers and the values of hyper-parameters. */
export type MakeOptimizer = (
  params: ParamsLike,
  steppers: readonly Stepper[],
  hypers: Readonly<Record<string, HyperValue>>,
) => Optimizer;

/** An {@link OptFunc} whose optimizers `make` makes. */
export function optFuncBy(
  make: MakeOptimizer,
  { defaults, switches = ["decoupleWd"], steppers }: OptFuncSpec,
): OptFunc {
  const first: Hypers = { lr: 1e-3, ...defaults };
  const table: Record<string, OptionKind<HyperValue> | OptionKind<boolean>> = Object.fromEntries([
    ...Object.keys(first).map((name) => [name, aHyper]),
    ...switches.map((name) => [name, flag]),
  ]);
  const check = (options: object) => void checkOptions<object>("make this optimizer", options, table);
  return makeFactory(
    (params, options) => {
      check(options);
      const { clip = true, decoupleWd = true, ...values } = options;
      const uses = (name: string) => !isZero(values[name as keyof typeof values] ?? first[name]);
      return make(params, steppers({ clip, decoupleWd, uses }), { ...first, ...values });
    },
    {},
    check,
  );
}

/** An {@link OptFunc} of steppers that are always the same. */
export function composedBy(make: MakeOptimizer, steppers: readonly Stepper[], defaults: Readonly<Hypers>): OptFunc {
  const all: Hypers = Object.assign({}, ...steppers.map((s) => s.defaults ?? {}), defaults);
  return optFuncBy(make, { defaults: all, switches: [], steppers: () => steppers });
}

function isZero(value: HyperValue): boolean {
  if (typeof value === "number") return value === 0;
  return "kind" in value ? value.stop === 0 : value.every((v) => v === 0);
}

/**
 * Gives a maker of optimizers the `with` of an {@link OptFunc}. Options that are `undefined` count as left out.
 *
 * @param check Throws where options are not what the optimizer has, as early as they are given.
 */
export function makeFactory(
  make: (params: ParamsLike, options: OptOptions) => Optimizer,
  preset: OptOptions,
  check: (options: OptOptions) => void = () => {},
): OptFunc {
  const checked = (options: OptOptions): OptOptions => {
    checkNamed("make this optimizer", options, "lr");
    check(options);
    return merged(preset, options);
  };
  const factory = (params: ParamsLike, options: OptOptions = {}) => make(params, checked(options));
  return Object.assign(factory, {
    with: (options: OptOptions) => makeFactory(make, checked(options), check),
    ...(preset.lr === undefined ? {} : { lr: preset.lr }),
  });
}

function merged(preset: OptOptions, options: OptOptions): OptOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...preset, ...Object.fromEntries(given) };
}
