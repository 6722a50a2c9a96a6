/**
 * Meetings: before the processes of a run do something together, each says where it is and what it wants, in a few
 * numbers that are added up. Whoever leaves the common way says so at the others' next meeting.
 *
 * @module
 */
import { DistributedError } from "../base/errors.ts";
import { CancelBatch, CancelEpoch, CancelFit, CancelTrain, CancelValid, type InterruptReason } from "../train/mod.ts";
import type { World } from "./world.ts";

/** How a process leaves the common way: by a cancel, or by an error. */
export type Exit = "fit" | "epoch" | "train" | "valid" | "batch" | "error";

const EXITS: readonly Exit[] = ["error", "fit", "epoch", "train", "valid", "batch"];
const CANCELS = {
  fit: CancelFit,
  epoch: CancelEpoch,
  train: CancelTrain,
  valid: CancelValid,
  batch: CancelBatch,
} as const;

/** What a process brings to a meeting. Numbers are whole, but for the loss. */
export interface Report {
  /** Where it is; the same in each process. */
  readonly place: number;
  /** What it has to be in agreement with the others about, as one number below 2^20. */
  readonly mark?: number;
  /** Loss of its batch. */
  readonly loss?: number;
  /** Items of its batch. */
  readonly items?: number;
  /** Set where it wants to leave. */
  readonly exit?: Exit | null;
}

/** What a meeting found. */
export interface Outcome {
  /** Mean loss, by numbers of items. */
  readonly loss: number;
  /** What all processes do next; null: go on. */
  readonly exit: Exit | null;
}

/** Reasons to stop that processes tell each other; the last one stands for all others. Of several the first counts. */
const REASONS: readonly (InterruptReason | "interrupt")[] = [
  "SIGINT",
  "SIGTERM",
  "abort",
  "budget",
  "stop",
  "interrupt",
];

const R = 8;
const N = R + REASONS.length;
const FIELDS = N + EXITS.length * 2;

/** Sum of one number and of its square: all of `n` are equal just if `n` times the squares is the square of the sum. */
function differ(n: number, sum: number, squares: number): boolean {
  return n * squares !== sum * sum;
}

/** Meets the others. `notice`: this process is not where the others are, it only says that it leaves. */
export async function meet(world: World, report: Report, notice = false): Promise<Outcome> {
  const { place, mark = 0, loss = 0, items = 0, exit = null } = report;
  const all = new Float64Array(FIELDS);
  if (!notice) all.set([1, place, place ** 2, mark, mark ** 2, loss * items, items, items ** 2]);
  if (world.asked !== null) all[R + reasonIndex(world.asked)] = 1;
  if (exit !== null) {
    const at = N + EXITS.indexOf(exit) * 2;
    all[at] = 1;
    all[at + 1] = world.rank;
  }
  await world.sumInPlace([all], "meet the other processes");
  const reason = REASONS.find((_, i) => all[R + i] > 0);
  if (reason !== undefined) world.raised = reason;
  return read(all, world.size);
}

function reasonIndex(reason: string): number {
  const i = (REASONS as readonly string[]).indexOf(reason);
  return i < 0 ? REASONS.length - 1 : i;
}

function read(all: Float64Array, size: number): Outcome {
  const [there, place, places, mark, marks, loss, items, itemSquares] = all;
  let exit: Exit | null = null;
  for (let i = 0; i < EXITS.length && exit === null; i++) {
    const count = all[N + 2 * i], ranks = all[N + 2 * i + 1];
    if (count === 0) continue;
    exit = EXITS[i];
    if (exit === "error") {
      const who = count === 1 ? `rank ${ranks}` : `${count} ranks`;
      throw new DistributedError(`Cannot go on: ${who} of ${size} stopped with an error, which its own output tells`);
    }
    if (exit === "valid" && count < size) {
      throw new DistributedError(
        `Cannot go on: ${count} of ${size} ranks cancelled the validation; decide it from numbers that all share, ` +
          "such as the recorder's rows",
      );
    }
  }
  if (differ(there, place, places)) {
    throw new DistributedError(
      `Cannot go on: the ${size} ranks are at different places of the run; their scripts must do the same`,
    );
  }
  if (exit === null && differ(there, mark, marks)) {
    throw new DistributedError(
      `Cannot go on: the ${size} ranks do not agree on which parameters have gradients, or their weights differ; the ` +
        "model must do the same in each",
    );
  }
  if (exit === null && differ(there, items, itemSquares)) {
    throw new DistributedError(
      `Cannot average gradients: the batches of the ${size} ranks must have as many items each`,
    );
  }
  return { loss: loss / items, exit };
}

/** The cancel that makes all processes leave as one of them wanted. */
export function cancelOf(exit: Exclude<Exit, "error">): Error {
  return new CANCELS[exit](`one of the processes cancelled: ${exit}`);
}
