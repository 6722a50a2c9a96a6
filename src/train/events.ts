/**
 * The events of a training run: the places where callbacks may look and change things.
 *
 * @module
 */
import { nearestName } from "../base/options.ts";

/** What a handler returns: nothing, or a promise that the run waits for. */
export type Handled = void | Promise<void>;

/** Every event, in the order in which a run without cancellation meets the main ones. */
export const EVENTS = [
  "afterCreate",
  "beforeFit",
  "beforeEpoch",
  "beforeTrain",
  "beforeBatch",
  "afterPred",
  "afterLoss",
  "beforeBackward",
  "afterCancelBackward",
  "afterBackward",
  "beforeStep",
  "afterCancelStep",
  "afterStep",
  "afterCancelBatch",
  "afterBatch",
  "afterCancelTrain",
  "afterTrain",
  "beforeValidate",
  "afterCancelValidate",
  "afterValidate",
  "afterCancelEpoch",
  "afterEpoch",
  "afterCancelFit",
  "afterFit",
] as const;

/** The name of an event. */
export type EventName = typeof EVENTS[number];

/** Events that happen once a batch: `runTrain` and `runValid` of a callback choose among these. */
export const BATCH_EVENTS: ReadonlySet<EventName> = new Set<EventName>([
  "beforeBatch",
  "afterPred",
  "afterLoss",
  "beforeBackward",
  "afterCancelBackward",
  "afterBackward",
  "beforeStep",
  "afterStep",
  "afterCancelBatch",
  "afterBatch",
]);

const NAMES: ReadonlySet<string> = new Set<string>(EVENTS);

/** Whether `name` is an event. */
export function isEvent(name: string): name is EventName {
  return NAMES.has(name);
}

/** The event whose name is the fewest edits away from `name`; case does not count. */
export function nearestEvent(name: string): EventName {
  const nearest = nearestName(name, EVENTS);
  return EVENTS.find((event) => event === nearest) ?? EVENTS[0];
}
