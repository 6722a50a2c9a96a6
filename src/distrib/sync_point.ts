/**
 * Synchronization points: before the processes of a run do something together, each votes on how to go on, in a few
 * numbers that one all-reduce adds up, and all read the same decision. A process that leaves the common control flow votes
 * for that at the sync point which the others reach next.
 *
 * @module
 */
import { DistributedError } from "../base/errors.ts";
import { CancelBatch, CancelEpoch, CancelFit, CancelTrain, CancelValid, type InterruptReason } from "../train/mod.ts";
import type { World } from "./world.ts";

/** How a process leaves the common control flow: by a cancel, or by an error. */
export type Exit = "fit" | "epoch" | "train" | "valid" | "batch" | "error";

const EXITS: readonly Exit[] = ["error", "fit", "epoch", "train", "valid", "batch"];
const CANCELS = {
  fit: CancelFit,
  epoch: CancelEpoch,
  train: CancelTrain,
  valid: CancelValid,
  batch: CancelBatch,
} as const;

/** What a process votes at a sync point. All numbers but the loss are integers. */
export interface Vote {
  /** Which sync point this is; the same in each process. */
  readonly point: number;
  /** A checksum of what must be the same in each process, below 2^20. */
  readonly checksum?: number;
  /** Mean loss of its batch. */
  readonly loss?: number;
  /** Number of items of its batch. */
  readonly items?: number;
  /** Set where it wants to leave. */
  readonly exit?: Exit | null;
}

/** What the votes come to; the same in each process. */
export interface Decision {
  /** Mean loss, weighted by numbers of items. */
  readonly loss: number;
  /** What all processes do next; null: go on. */
  readonly exit: Exit | null;
}

/** Reasons to stop that a vote can carry; the last one stands for all others. Of several votes the first listed wins. */
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

/**
 * Whether `n` numbers differ, from their sum and the sum of their squares: by Cauchy and Schwarz `n` times the squares is
 * the square of the sum if and only if all are equal. Exact while the integers stay below 2^53.
 */
function differ(n: number, sum: number, squares: number): boolean {
  return n * squares !== sum * sum;
}

/** Votes at a sync point: blocks until every process has voted. */
export function vote(world: World, { point, checksum = 0, loss = 0, items = 0, exit = null }: Vote): Promise<Decision> {
  return reduceVotes(world, exit, [1, point, point ** 2, checksum, checksum ** 2, loss * items, items, items ** 2]);
}

/** Votes for an exit at the sync point that the others reach next, whichever that is: this process is at none. */
export function voteExit(world: World, exit: Exit): Promise<Decision> {
  return reduceVotes(world, exit, []);
}

async function reduceVotes(world: World, exit: Exit | null, own: readonly number[]): Promise<Decision> {
  const all = new Float64Array(FIELDS);
  all.set(own);
  if (world.asked !== null) all[R + reasonIndex(world.asked)] = 1;
  if (exit !== null) {
    const at = N + EXITS.indexOf(exit) * 2;
    all[at] = 1;
    all[at + 1] = world.rank;
  }
  await world.sumInPlace([all], "synchronize with the other processes");
  const reason = REASONS.find((_, i) => all[R + i] > 0);
  if (reason !== undefined) world.raised = reason;
  return decide(all, world.size);
}

function reasonIndex(reason: string): number {
  const i = (REASONS as readonly string[]).indexOf(reason);
  return i < 0 ? REASONS.length - 1 : i;
}

function decide(all: Float64Array, size: number): Decision {
  const [voters, points, pointSquares, checksums, checksumSquares, loss, items, itemSquares] = all;
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
  if (differ(voters, points, pointSquares)) {
    throw new DistributedError(
      `Cannot go on: the ${size} ranks are at different places of the run; their scripts must do the same`,
    );
  }
  if (exit === null && differ(voters, checksums, checksumSquares)) {
    throw new DistributedError(
      `Cannot go on: the ${size} ranks do not agree on which parameters have gradients, or their weights differ; the ` +
        "model must do the same in each",
    );
  }
  if (exit === null && differ(voters, items, itemSquares)) {
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
