/**
 * The callback that sets hyper-parameters by schedules.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkArgument, other } from "../base/options.ts";
import type { ScheduleFunc, ScheduleValue } from "../schedule/mod.ts";
import type { SavedState, StateDict } from "../io/state_dict.ts";
import { Callback, ORDER, Recorder } from "../train/mod.ts";

/** A schedule for all groups (of numbers, or of arrays with one entry a group), or a list with one schedule a group. */
export type ScheduleLike = ScheduleFunc | readonly ScheduleFunc[];

const SCHEDULES = other<Readonly<Record<string, ScheduleLike>>>(
  "schedules by name, as in { lr: SchedCos(1e-2, 0) }",
  (v) =>
    typeof v === "object" && v !== null && !Array.isArray(v) &&
    Object.values(v).every((s) => [s].flat().every((f) => typeof f === "function")),
);

/** Sets each hyper-parameter before every training batch to its schedule's value at `learn.pctTrain`. */
export class ParamScheduler extends Callback {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.schedule;
  /** False: validation batches are left alone. */
  override runValid: boolean = false;
  readonly #scheds: Readonly<Record<string, ScheduleLike>>;
  #hps: Record<string, number[]> = {};

  /**
   * Makes a ParamScheduler.
   *
   * @param scheds Schedules by name of the hyper-parameter: `{ lr: SchedCos(1e-2, 0), mom: … }`.
   */
  constructor(scheds: Readonly<Record<string, ScheduleLike>>) {
    super();
    checkArgument("make ParamScheduler", "scheds", scheds, SCHEDULES);
    this.#scheds = scheds;
  }

  /** The last group's values so far, by name. */
  get hps(): Readonly<Record<string, readonly number[]>> {
    return this.#hps;
  }

  /** See `Callback.settings`. */
  override settings(): Readonly<Record<string, unknown>> {
    const places = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1];
    const values = Object.entries(this.#scheds).map(([name, sched]) => [
      name,
      places.map((pos) => valueAt(sched, pos, name)),
    ]);
    return Object.fromEntries(values);
  }

  /** See `Callback.beforeFit`. */
  override beforeFit(): void | Promise<void> {
    const { learn } = this;
    const { hypers } = learn.opt;
    for (const [name, sched] of Object.entries(this.#scheds)) {
      if (!(name in hypers[0])) {
        throw new ConfigError(
          `Cannot schedule ${name}: the optimizer has no such hyper-parameter, it has ${
            Object.keys(hypers[0]).join(", ")
          }`,
        );
      }
      if (typeof sched !== "function" && sched.length !== hypers.length) {
        throw new ConfigError(
          `Cannot schedule ${name} by ${sched.length} schedules: there must be one for each of the ${hypers.length} groups`,
        );
      }
    }
    this.#hps = Object.fromEntries(Object.keys(this.#scheds).map((name) => [name, []]));
    this.publish();
  }

  /** The values so far. */
  override stateDict(): StateDict {
    return { hps: this.#hps };
  }

  /** See `Callback.loadStateDict`. */
  override loadStateDict(state: SavedState): void {
    const hps = state.state("hps");
    for (const [name, list] of Object.entries(this.#hps)) {
      list.length = 0; // the same array: the recorder shows it
      for (const v of hps.numbers(name)) list.push(v);
    }
  }

  /** Shows the values to the recorder; they fill up as the fit goes on. */
  protected publish(): void {
    const recorder = this.learn.findCb(Recorder);
    if (recorder !== null) recorder.hps = { ...recorder.hps, ...this.#hps };
  }

  /** Where in the schedules the batch under way is. */
  protected get pos(): number {
    return this.learn.pctTrain;
  }

  /** See `Callback.beforeBatch`. */
  override beforeBatch(): void {
    const { opt } = this.learn;
    const { pos } = this;
    for (const name in this.#scheds) {
      const value = valueAt(this.#scheds[name], pos, name);
      opt.setHyper(name, value);
    }
  }

  /** See `Callback.afterBatch`. */
  override afterBatch(): void | Promise<void> {
    const { hypers } = this.learn.opt;
    const last: Record<string, unknown> = { ...hypers[hypers.length - 1] };
    for (const name in this.#hps) this.#hps[name].push(Number(last[name]));
  }
}

function valueAt(sched: ScheduleLike, pos: number, name: string): ScheduleValue {
  const value = typeof sched === "function" ? sched(pos) : sched.map((s) => one(s(pos), name));
  const finite = typeof value === "number" ? Number.isFinite(value) : value.every(Number.isFinite);
  if (!finite) {
    throw new ConfigError(`Cannot set ${name} to ${value}: its schedule gives no number at ${pos} of the fit`);
  }
  return value;
}

function one(value: ScheduleValue, name: string): number {
  if (typeof value === "number") return value;
  throw new ConfigError(
    `Cannot schedule ${name}: in a list of schedules each must give one number, got ${value.length}`,
  );
}
