/**
 * Optimizers as functions of parameters: what learners call when they need one.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import type { Parameter } from "../tensor/mod.ts";
import { type HyperValue, nearestName } from "./hyper.ts";
import { Optimizer } from "./optimizer.ts";
import type { Hypers, Stepper } from "./stepper.ts";

/** Parameters in groups, or as one group. */
export type ParamsLike = readonly Parameter[] | readonly (readonly Parameter[])[];

/** Options of an optimizer: values of its hyper-parameters, and how it decays. */
export interface OptOptions {
  readonly lr?: HyperValue;
  readonly mom?: HyperValue;
  readonly sqrMom?: HyperValue;
  readonly eps?: HyperValue;
  readonly wd?: HyperValue;
  readonly beta?: HyperValue;
  readonly nu1?: HyperValue;
  readonly nu2?: HyperValue;
  readonly trustCoeff?: HyperValue;
  /** Whether Larc's rates are bounded by `lr`; true by default. */
  readonly clip?: boolean;
  /** Whether decay acts on the parameters rather than on the gradients; true by default. */
  readonly decoupleWd?: boolean;
  /** Lookahead: steps between two looks back. */
  readonly k?: number;
  /** Lookahead: how far the slow weights follow. */
  readonly alpha?: number;
}

/** Makes an optimizer of parameters. */
export interface OptFunc {
  (params: ParamsLike, options?: OptOptions): Optimizer;
  /** The same with other defaults; a learner takes an `lr` given here as its own. */
  with(options: OptOptions): OptFunc;
  /** The learning rate given to {@link OptFunc.with}, if any. */
  readonly lr?: HyperValue;
}

/** What steppers are chosen by: first values of the hyper-parameters, and the switches. */
export type StepperChoice = Readonly<Hypers> & { readonly clip: boolean; readonly decoupleWd: boolean };

/** Makes an {@link OptFunc} of steppers. */
export function optFunc(
  { defaults, steppers }: { defaults: Readonly<Hypers>; steppers: (choice: StepperChoice) => readonly Stepper[] },
): OptFunc {
  return makeFactory((params, options) => {
    const { clip = true, decoupleWd = true, k: _k, alpha: _alpha, ...values } = options;
    const known = ["lr", ...Object.keys(defaults), "wd"];
    for (const name of Object.keys(values)) {
      if (!known.includes(name)) {
        throw new ConfigError(
          `Cannot make this optimizer with ${name}: it has ${known.join(", ")}; did you mean ${
            nearestName(name, known)
          }?`,
        );
      }
    }
    const first: Hypers = { lr: 1e-3, wd: 0, ...defaults };
    for (const [name, value] of Object.entries(values)) if (typeof value === "number") first[name] = value;
    return new Optimizer(params, steppers(Object.assign({}, first, { clip, decoupleWd }) as unknown as StepperChoice), {
      lr: 1e-3,
      ...defaults,
      ...values,
    });
  }, {});
}

/** Gives a maker of optimizers the `with` of an {@link OptFunc}. */
export function makeFactory(make: (params: ParamsLike, options: OptOptions) => Optimizer, preset: OptOptions): OptFunc {
  const factory = (params: ParamsLike, options: OptOptions = {}) => make(params, { ...preset, ...options });
  return Object.assign(factory, {
    with: (options: OptOptions) => makeFactory(make, { ...preset, ...options }),
    ...(preset.lr === undefined ? {} : { lr: preset.lr }),
  });
}
