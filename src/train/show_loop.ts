/**
 * The training loop as text.
 *
 * @module
 */
import type { EventName } from "./events.ts";
import type { TrainLoop } from "./train_loop.ts";

type Line = readonly [indent: number, text: string] | readonly [indent: number, event: EventName, kind: "event"];

const on = (indent: number, event: EventName): Line => [indent, event, "event"];

const LINES: readonly Line[] = [
  [0, "start fit"],
  on(1, "beforeFit"),
  [1, "start epochs"],
  on(2, "beforeEpoch"),
  [2, "start training"],
  on(3, "beforeTrain"),
  [3, "start batches"],
  on(4, "beforeBatch"),
  on(4, "afterPred"),
  on(4, "afterLoss"),
  on(4, "beforeBackward"),
  on(4, "afterBackward"),
  on(4, "beforeStep"),
  on(4, "afterStep"),
  on(4, "afterCancelBatch"),
  on(4, "afterBatch"),
  [3, "end batches"],
  on(3, "afterCancelTrain"),
  on(3, "afterTrain"),
  [2, "end training"],
  [2, "start validation"],
  on(3, "beforeValidate"),
  [3, "start batches, without gradients"],
  on(4, "beforeBatch"),
  on(4, "afterPred"),
  on(4, "afterLoss"),
  on(4, "afterCancelBatch"),
  on(4, "afterBatch"),
  [3, "end batches"],
  on(3, "afterCancelValidate"),
  on(3, "afterValidate"),
  [2, "end validation"],
  on(2, "afterCancelEpoch"),
  on(2, "afterEpoch"),
  [1, "end epochs"],
  on(1, "afterCancelFit"),
  on(1, "afterFit"),
  [0, "end fit"],
];

/** The nested loop, each event with the callbacks that handle it, in order. */
export function showTrainingLoop(learn: TrainLoop): string {
  return LINES.map((line) => {
    const pad = "  ".repeat(line[0]);
    if (line.length === 2) return pad + line[1];
    const names = learn.orderedCbs(line[1]).map((cb) => cb.name);
    return `${pad}- ${line[1].padEnd(16)}: [${names.join(", ")}]`;
  }).join("\n");
}
