/**
 * The events of a training run: the places where callbacks may look and change things.
 *
 * @module
 */

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
  let best: EventName = EVENTS[0], distance = Infinity;
  for (const event of EVENTS) {
    const d = editDistance(name.toLowerCase(), event.toLowerCase());
    if (d < distance) [best, distance] = [event, d];
  }
  return best;
}

/** Insertions, deletions and replacements that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}
