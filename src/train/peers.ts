/**
 * The other processes of a run on several: what the training loop needs of them. Each call is a collective: every process
 * makes it, in the same order, with arrays of the same sizes unless it says otherwise.
 *
 * @module
 */
import type { Batch, DataLoaders } from "../data/mod.ts";
import type { AnyModule } from "../nn/mod.ts";
import type { GradRange, Optimizer } from "../optim/mod.ts";
import type { Tensor } from "../tensor/mod.ts";

/** Averages gradients over the processes of a run, between the program that computes them and the one that uses them. */
export interface GradAverager {
  /**
   * Adds up gradients over all processes, where they lie.
   *
   * @param ranges Where that is, or will be.
   * @param loss One number, or the losses of the items.
   * @param flush Launches the program that computes both.
   * @returns The mean loss of all processes' batches.
   */
  average(ranges: readonly GradRange[], loss: Tensor, flush: () => void): Promise<number>;
  /** What makes averages of the sums. */
  readonly factor: number;
}

/** A learner whose weights and optimizer are to be the same in all processes. */
export interface SharedLearner {
  /** What is trained. */
  readonly model: AnyModule;
  /** What trains it. */
  readonly opt: Optimizer;
  /** Loaders, whose places are shared too. */
  readonly dls: DataLoaders<Batch>;
}

/** The processes of a run, seen from one of them. */
export interface Peers {
  /** Number of this process, from 0. */
  readonly rank: number;
  /** Number of processes. */
  readonly size: number;
  /** Whether what this process has of the set under way stands in for nothing: the set has fewer items than processes. */
  readonly idle: boolean;
  /**
   * Sums over all processes, element by element, the same bits in each. Lengths may differ: the shorter ones count as
   * padded by zeros, the result is as long as the longest.
   */
  sum(values: Float64Array): Promise<Float64Array>;
  /** Why a process wants all of them to stop ({@link Peers.raise}); known to all in the same batch. */
  readonly raised: string | null;
  /**
   * Tells all processes why to stop; whoever handles that looks at {@link Peers.raised}. Does not wait for them. Reasons that are no
   * `InterruptReason` reach the others as "interrupt".
   */
  raise(reason: string): void;
  /** Bytes of rank 0, whatever the others pass; an error that `read` throws there is thrown in every process. */
  fromRank0(read: () => Uint8Array | Promise<Uint8Array>): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Has rank 0 do `work`, which changes a learner's weights and optimizer, and gives the result to everybody. An error
   * there is thrown in every process.
   */
  followRank0(learn: SharedLearner, work: () => Promise<void>): Promise<void>;
  /**
   * The rows of all processes in turn: row `k` of process `r` comes after rows `k` of those before it. Numbers of rows
   * may differ.
   *
   * @param width Elements of a row.
   */
  interleave<T extends Float32Array | Int32Array | Uint32Array | Uint8Array>(rows: T, width: number): Promise<T>;
}
