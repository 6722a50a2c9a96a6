/**
 * Steppers: the pieces that optimizers are composed of. A stepper sees all parameters of a group at once, as flat vectors,
 * and says what becomes of them; numbers that change from step to step are worked out on the host.
 *
 * @module
 */
import { ConfigError, ShapeError } from "../base/errors.ts";
import { fmtShape, sameShape } from "../base/shape.ts";
import { HostNumbers, Segments, stepInput, type Tensor } from "../tensor/mod.ts";
import type { Part } from "./arena.ts";

/** Values of a group's hyper-parameters. */
export type Hypers = Record<string, number>;

/** What the host knows of one parameter when a step is taken. */
export interface StepInfo {
  /** Steps so far in which the parameter had a gradient, this one included. */
  readonly step: number;
  /** Whether it decays. */
  readonly doWd: boolean;
}

/** On what a number depends beside the group's hyper-parameters: on nothing, on the step count, or on the decay flag. */
export type NumberKind = "group" | "step" | "doWd";

/** Which kinds of numbers differ from parameter to parameter. */
export type Varying = Readonly<Record<NumberKind, boolean>>;

/** A number that travels with the step's launch, and how the host works it out. */
export interface ScalarSource {
  /** One number, or one a segment where they differ. */
  readonly numbers: HostNumbers;
  readonly kind: NumberKind;
  readonly of: (hypers: Readonly<Hypers>, info: StepInfo) => number;
}

/** What a statistic is: a vector like the parameter, or one number a parameter. */
export type StatKind = "vector" | "number";

/** A piece of an optimizer. */
export interface Stepper {
  /** Hyper-parameters that it brings, with their defaults. */
  readonly defaults?: Readonly<Hypers>;
  /** Statistics that it keeps, by name. They start from 0. */
  readonly stats?: Readonly<Record<string, StatKind>>;
  /** Whether it counts the steps of each parameter. */
  readonly counts?: boolean;
  /**
   * Whether `apply` records the same at every step, with no other numbers that change than those of {@link Update.hyper}
   * and {@link Update.number}. A learner then need not call it at every step.
   */
  readonly steady?: boolean;
  /** Says what becomes of parameters, gradients and statistics. */
  apply(u: Update): void;
}

/** What an update starts from; for optimizers themselves. */
export interface UpdateStart {
  /** Parameters, flat. */
  readonly p: Tensor;
  /** Gradients, flat. */
  readonly g: Tensor;
  readonly part: Part;
  readonly hypers: Hypers;
  /** Which kinds of numbers differ from segment to segment. */
  readonly varying: Varying;
  /** Statistics by name. */
  readonly stats: ReadonlyMap<string, Tensor>;
  /** Where numbers are noted down that the host works out, once the update is built and at every replay. */
  readonly scalars: ScalarSource[];
}

/**
 * One part of a group in the middle of a step, as lazy tensors that steppers replace. Parameters, gradients and vectors are
 * flat, `[n]`, all parameters one after the other; each parameter is a segment of them.
 */
export class Update {
  /** Parameters, `[n]`. */
  p: Tensor;
  /** Gradients, `[n]`. */
  g: Tensor;
  /** Parameters as they were before the step, `[n]`. */
  readonly before: Tensor;
  /** The group's hyper-parameters. */
  readonly hypers: Readonly<Hypers>;
  readonly #start: UpdateStart;
  readonly #next = new Map<string, Tensor>();
  readonly #segments: Segments;

  /**
   * Starts an update; optimizers do that.
   *
   * @internal
   */
  constructor(start: UpdateStart) {
    this.p = this.before = start.p;
    this.g = start.g;
    this.#segments = new Segments(start.part.n, start.part.starts);
    this.hypers = start.hypers;
    this.#start = start;
  }

  /** A statistic as it is now: `[n]`, or one number a segment, `[segments]`. */
  stat(name: string): Tensor {
    return this.#next.get(name) ?? this.statBefore(name);
  }

  /** A statistic as it was before the step. */
  statBefore(name: string): Tensor {
    const { stats } = this.#start;
    const stat = stats.get(name);
    if (stat === undefined) {
      const known = [...stats.keys()].join(", ") || "none";
      throw new ConfigError(`Cannot use the statistic ${name}: no stepper keeps it, there are ${known}`);
    }
    return stat;
  }

  /** Replaces a statistic by one of the same shape. */
  setStat(name: string, value: Tensor): void {
    const { shape } = this.statBefore(name);
    if (!sameShape(value.shape, shape)) {
      throw new ShapeError(
        `Cannot set the statistic ${name} to ${fmtShape(value.shape)}: it has shape ${fmtShape(shape)}`,
      );
    }
    this.#next.set(name, value);
  }

  /** Names of the statistics that were replaced. */
  get changed(): Iterable<string> {
    return this.#next.keys();
  }

  /** A hyper-parameter, as a tensor: a change of its value needs no new program. */
  hyper(name: string): Tensor {
    return this.number("group", (h) => h[name]);
  }

  /**
   * A number that the host works out in f64, `[]` where it is the same for all parameters, `[n]` where it is not.
   *
   * @param kind What it depends on beside the hyper-parameters.
   * @param of Its value for a parameter.
   */
  number(kind: NumberKind, of: (hypers: Readonly<Hypers>, info: StepInfo) => number): Tensor {
    const { varying, scalars, part } = this.#start;
    const numbers = new HostNumbers(varying[kind] ? part.members.length : null);
    scalars.push({ numbers, kind, of });
    return varying[kind] ? this.perElement(numbers.tensor) : numbers.tensor;
  }

  /** Numbers of the segments, `[segments]`, for every element, `[n]`. */
  perElement(x: Tensor): Tensor {
    return this.#segments.spread(x);
  }

  /** The sum of each segment of `[n]` elements, `[segments]`. */
  sums(x: Tensor): Tensor {
    return this.#segments.sums(x);
  }

  /** The number of elements of each segment's parameter, `[segments]`; 1 for one without elements. */
  get sizes(): Tensor {
    const { members, starts, n } = this.#start.part;
    return stepInput(
      Float32Array.from(members, (m, i) => Math.max(1, m?.size ?? (starts[i + 1] ?? n) - starts[i])),
    );
  }

  /** Whether each element's segment has its flag set, bool `[n]`. */
  flagged(flags: readonly boolean[]): Tensor {
    return this.perElement(flagsOf(flags)).gt(0);
  }
}

/** 1 or 0 for each segment. */
export function flagsOf(flags: readonly boolean[]): Tensor {
  return stepInput(Float32Array.from(flags, Number));
}
