/**
 * Steppers: the pieces that optimizers are composed of. A stepper sees all parameters of a group at once, as flat vectors,
 * and says what becomes of them; numbers that change from step to step are worked out on the host.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { array, scalar, segmentOf } from "../graph/leaves.ts";
import type { Node } from "../graph/node.ts";
import { gather, segmentSum } from "../graph/products.ts";
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

/** On what a number depends, beside the group's hyper-parameters. */
export type NumberKind = "group" | "step" | "doWd";

/** A number that the host works out for each step, in f64. */
export interface HostNumber {
  readonly kind: NumberKind;
  readonly of: (hypers: Hypers, info: StepInfo) => number;
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
  /** Says what becomes of parameters, gradients and statistics. */
  apply(u: Update): void;
}

/** One part of a group in the middle of a step: flat expressions of `[n]` elements that steppers replace. */
export class Update {
  /** Parameters. */
  p: Node;
  /** Gradients. */
  g: Node;
  /** Parameters as they were before the step. */
  readonly before: Node;
  /** The group's hyper-parameters. */
  readonly hypers: Hypers;
  readonly #part: Part;
  readonly #infos: readonly StepInfo[];
  readonly #differ: Readonly<Record<NumberKind, boolean>>;
  readonly #stats: ReadonlyMap<string, Node>;
  readonly #next = new Map<string, Node>();
  #segments: Node | null = null;

  /**
   * @param infos What the host knows of each segment's parameter.
   * @param differ Which kinds of numbers differ from segment to segment.
   */
  constructor(
    { p, g, part, hypers, infos, differ, stats }: {
      p: Node;
      g: Node;
      part: Part;
      hypers: Hypers;
      infos: readonly StepInfo[];
      differ: Readonly<Record<NumberKind, boolean>>;
      stats: ReadonlyMap<string, Node>;
    },
  ) {
    this.p = this.before = p;
    this.g = g;
    this.hypers = hypers;
    this.#part = part;
    this.#infos = infos;
    this.#differ = differ;
    this.#stats = stats;
  }

  /** A statistic as it is now: flat, or with one number a segment. */
  stat(name: string): Node {
    return this.#next.get(name) ?? this.statBefore(name);
  }

  /** A statistic as it was before the step. */
  statBefore(name: string): Node {
    const stat = this.#stats.get(name);
    if (stat === undefined) {
      const known = [...this.#stats.keys()].join(", ") || "none";
      throw new ConfigError(`Cannot use the statistic ${name}: no stepper keeps it, there are ${known}`);
    }
    return stat;
  }

  /** Replaces a statistic. */
  setStat(name: string, value: Node): void {
    this.statBefore(name);
    this.#next.set(name, value);
  }

  /** Names of the statistics that were replaced. */
  get changed(): Iterable<string> {
    return this.#next.keys();
  }

  /** A number for every element: one for all where all parameters agree, otherwise looked up by segment. */
  number({ kind, of }: HostNumber): Node {
    if (!this.#differ[kind]) return scalar(of(this.hypers, this.#infos[0]));
    return this.perElement(this.#column(of));
  }

  /** 1 or 0 for each segment, `[segments]`. */
  perSegmentFlag(flags: readonly boolean[]): Node {
    return array(Float32Array.from(flags, Number), [flags.length], "f32");
  }

  /** Numbers of the segments, `[segments]`, for every element. */
  perElement(x: Node): Node {
    this.#segments ??= segmentOf(this.#part.n, this.#part.starts);
    return gather(x, this.#segments, 0, [this.#part.n]);
  }

  /** The sum of each segment, `[segments]`. */
  sums(x: Node): Node {
    return segmentSum(x, this.#part.starts);
  }

  /** The number of elements of each segment's parameter, `[segments]`. */
  get sizes(): Node {
    const { members, starts, n } = this.#part;
    const sizes = members.map((m, i) => Math.max(1, m?.size ?? (starts[i + 1] ?? n) - starts[i]));
    return array(Float32Array.from(sizes), [sizes.length], "f32");
  }

  #column(of: HostNumber["of"]): Node {
    const numbers = new Float32Array(this.#infos.length);
    for (let i = 0; i < numbers.length; i++) numbers[i] = of(this.hypers, this.#infos[i]);
    return array(numbers, [numbers.length], "f32");
  }
}
