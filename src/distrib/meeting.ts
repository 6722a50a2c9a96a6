/**
 * Meetings: before the processes of a run do something together, each says where it is and what it wants, in a few
 * numbers that are added up. Whoever leaves the common way says so at the others' next meeting.
 *
 * @module
 */
import { DistributedError } from "../base/errors.ts";
import { CancelBatch, CancelEpoch, CancelFit, CancelTrain, CancelValid } from "../train/mod.ts";
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

/** What a process brings to a meeting; whole numbers. */
export interface Report {
  /** Where it is; the same in each process. */
  readonly place: number;
  /** What it has to be in agreement with the others about, as one number below 2^20. */
  readonly mark?: number;
  /** Items of its batch. */
  readonly items?: number;
  /** Set where it wants to leave. */
  readonly exit?: Exit | null;
}

/** A meeting that this process has come to. */
export interface Meeting {
  /** What all processes do next, once all have come; null: go on. */
  exit(): Promise<Exit | null>;
}

const N = 9;
const FIELDS = N + EXITS.length * 2;

/** Sum of one number and of its square: all of `n` are equal just if `n` times the squares is the square of the sum. */
function differ(n: number, sum: number, squares: number): boolean {
  return n * squares !== sum * sum;
}

/**
 * Comes to a meeting, and waits for nobody yet. `notice`: this process is not where the others are, it only says that it
 * leaves.
 */
export function come(world: World, report: Report, notice = false): Meeting {
  const { place, mark = 0, items = 0, exit = null } = report;
  const all = new Float64Array(FIELDS);
  if (!notice) all.set([1, place, place ** 2, mark, mark ** 2, items, items ** 2]);
  if (world.asked !== null) all[world.asked === "SIGINT" ? 7 : 8] = 1;
  if (exit !== null) {
    const at = N + EXITS.indexOf(exit) * 2;
    all[at] = 1;
    all[at + 1] = world.rank;
  }
  const finish = world.beginSum(all, "meet the other processes");
  return {
    exit: async () => {
      await finish();
      if (all[7] + all[8] > 0) world.raised = all[7] > 0 ? "SIGINT" : "SIGTERM";
      return read(all, world.size);
    },
  };
}

/** Meets the others: see {@link come}. */
export async function meet(world: World, report: Report, notice = false): Promise<Exit | null> {
  return await come(world, report, notice).exit();
}

function read(all: Float64Array, size: number): Exit | null {
  const [there, place, places, mark, marks, items, itemSquares] = all;
  let exit: Exit | null = null;
  for (let i = 0; i < EXITS.length && exit === null; i++) {
    const count = all[N + 2 * i], ranks = all[N + 2 * i + 1];
    if (count === 0) continue;
    exit = EXITS[i];
    if (exit === "error") {
      throw stopped(count, ranks, size);
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
  return exit;
}

/** What others are told of processes that an error stopped. */
export function stopped(count: number, rank: number, size: number): DistributedError {
  const who = count === 1 ? `rank ${rank}` : `${count} ranks`;
  return new DistributedError(`Cannot go on: ${who} of ${size} stopped with an error, which its own output tells`);
}

/** The cancel that makes all processes leave as one of them wanted. */
export function cancelOf(exit: Exclude<Exit, "error">): Error {
  return new CANCELS[exit](`one of the processes cancelled: ${exit}`);
}
