/**
 * What a schedule is: a function of the position in training that is also plain data.
 *
 * @module
 */

/** A hyper-parameter's value: one number, or one per param group. */
export type ScheduleValue = number | readonly number[];

/** A schedule as plain data: what `JSON.stringify` writes and {@link schedFromJson} reads. */
export type ScheduleJson =
  | { readonly kind: "lin" | "cos" | "no" | "exp"; readonly start: ScheduleValue; readonly end: ScheduleValue }
  | { readonly kind: "poly"; readonly start: ScheduleValue; readonly end: ScheduleValue; readonly power: number }
  | { readonly kind: "combined"; readonly pcts: readonly number[]; readonly scheds: readonly ScheduleJson[] };

/** Any function of the position; what {@link combineScheds} joins. */
export type ScheduleFunc<V extends ScheduleValue = ScheduleValue> = (pos: number) => V;

/**
 * A schedule: call it with `pos`, the fraction of training done, to get the value there.
 *
 * `V` is `number`, or `number[]` when start or end were arrays (one entry per param group).
 */
export interface Schedule<V extends ScheduleValue = ScheduleValue> {
  /** The value at `pos`, in the unit of the hyper-parameter. */
  (pos: number): V;
  /**
   * The schedule as plain data, so that `JSON.stringify(schedule)` works.
   *
   * @throws {ConfigError} If it was made by {@link annealer} or from a bare function: a function has no JSON.
   */
  toJSON(): ScheduleJson;
}

/** Makes schedules from a start and an end; a number when both are numbers, otherwise one number per param group. */
export interface Annealer {
  (start: number, end: number): Schedule<number>;
  (start: readonly number[], end: ScheduleValue): Schedule<number[]>;
  (start: ScheduleValue, end: readonly number[]): Schedule<number[]>;
  (start: ScheduleValue, end: ScheduleValue): Schedule;
}

/** A formula of `(start, end, pos)`; a number when start and end are numbers, otherwise one number per param group. */
export interface SchedFormula {
  (start: number, end: number, pos: number): number;
  (start: readonly number[], end: ScheduleValue, pos: number): number[];
  (start: ScheduleValue, end: readonly number[], pos: number): number[];
  (start: ScheduleValue, end: ScheduleValue, pos: number): number | number[];
}
