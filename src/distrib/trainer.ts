/**
 * The callback that trains one model in several processes.
 *
 * @module
 */
import { hashWords } from "../base/checksum.ts";
import { checkOptions, flag, type OptionTable } from "../base/options.ts";
import type { Batch, DataLoader } from "../data/mod.ts";
import type { GradRange } from "../optim/mod.ts";
import { beforeWrite, currentDevice, placeOf, stepInput, type Tensor, withHostMemory } from "../tensor/mod.ts";
import { BatchNorm } from "../nn/mod.ts";
import {
  batchSize,
  Callback,
  type EventName,
  type Logger,
  ORDER,
  silentLogger,
  tell,
  type TrainLoop,
} from "../train/mod.ts";
import { openWorld, parts } from "./launched.ts";
import type { Decision, Exit, Vote } from "./sync_point.ts";
import type { World } from "./world.ts";

/** Options of {@link DistributedTrainer}. */
export interface DistributedOptions {
  /** Whether batch norms use the statistics of all processes' batches together; true by default. */
  readonly syncBn?: boolean;
  /**
   * Whether gradients are added up by a thread of its own while others are still being computed; by default where the
   * processes are on several hosts. On the CPU device only; the sums themselves are the same.
   */
  readonly overlap?: boolean;
}

/** What the options of a {@link DistributedTrainer} may be. */
export const DISTRIBUTED: OptionTable<DistributedOptions> = { syncBn: flag, overlap: flag };

/** Sync points; those of training batches have the batch's number added. */
const POINT = { train: 1, valid: 2, forward: 3, batch: 4, sum: 5 } as const;

/** Bytes of gradients from which on a sum may be worth a thread of its own. */
const OVERLAP_BYTES = 2 ** 22;

/**
 * Trains one model in all processes that MPI's launcher started (`mpiexec -n 4 deno run … script.ts`), each on its part of
 * every batch: the same losses and weights as in one process with batches as large as all of theirs together. In a
 * process started alone it does nothing.
 *
 * Weights, optimizer and random numbers are rank 0's when a fit begins. Gradients and losses are averaged before each
 * step. Metrics, `validate` and `getPreds` are about the whole set, in every process. Only rank 0 writes rows and files.
 *
 * @example
 * ```ts ignore
 * const learn = new Learner(dls, model, { lossFunc: new nn.CrossEntropyLoss() }).distributed();
 * await learn.fitOneCycle(3);
 * ```
 */
export class DistributedTrainer extends Callback {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.distributed;
  /** Whether batch norms use the statistics of all processes' batches together. */
  readonly syncBn: boolean;
  readonly #overlap: boolean | undefined;
  /** Bytes of gradients from which on this fit's are added up while others are computed. */
  #overlapBytes = Infinity;
  #overlapped = 0;
  #world: World | null = null;
  #logger: Logger | null = null;
  /** Whether the others wait for this process's vote at their next sync point. */
  #owesVote = false;
  /** Whether the cancel under way was agreed on. */
  #agreed = false;
  /** Number of the training batch that the processes voted on last. */
  #votedAt = -1;
  /** Whether there is a sync point before the forward pass. */
  #syncsForward = false;
  #stop = false;
  /** Undoes what a validation changed. */
  #restore: () => void = () => {};

  /**
   * Makes a DistributedTrainer.
   *
   * @param options See {@link DistributedOptions}.
   */
  constructor(options: DistributedOptions = {}) {
    super();
    const { syncBn = true, overlap } = checkOptions("make DistributedTrainer", options, DISTRIBUTED);
    this.syncBn = syncBn;
    this.#overlap = overlap;
  }

  /** Joins the other processes; they wait for each other here. */
  override attach(learn: TrainLoop | null): void {
    if (learn === null) {
      if (this.attached) this.#leave(this.learn);
      super.attach(null);
      return;
    }
    super.attach(learn);
    const world = openWorld();
    if (world === null || world.size === 1) return;
    this.#world = world;
    learn.peers = world;
    // a step that a subclass has a hand in is built each time
    if (this.afterBackward === DistributedTrainer.prototype.afterBackward) learn.averager = this;
    this.#shard(learn.dls.train, true);
    this.#shard(learn.dls.valid, false);
    if (world.rank === 0) return;
    this.#logger = learn.logger;
    learn.logger = silentLogger;
  }

  #leave(learn: TrainLoop): void {
    if (this.#world === null) return;
    this.#world = null;
    learn.peers = learn.averager = null;
    learn.dls.train.shard = learn.dls.valid.shard = null;
    if (this.#logger !== null) learn.logger = this.#logger;
  }

  #shard(dl: DataLoader<Batch>, pad: boolean): void {
    const { rank, size } = this.#world!;
    dl.shard = { rank, size, pad };
  }

  /** In a process that was started alone there is nothing to do. */
  override handles(event: EventName): boolean {
    return this.#world !== null && super.handles(event);
  }

  /** Has all processes end the fit after the batch under way. Any one of them may ask. */
  requestStop(): void {
    this.#stop = true;
  }

  /** Steps so far whose gradients were added up while others were computed; see {@link DistributedOptions.overlap}. */
  get overlapped(): number {
    return this.#overlapped;
  }

  // --- sync points

  async #vote(own: Vote): Promise<Decision> {
    const decision = await this.#guard(() => parts!.vote(this.#world!, own));
    if (decision.exit === null) return decision;
    this.#agreed = true;
    if (decision.exit === "batch") this.learn.opt.zeroGrad(); // no process uses the batch, nor what it left
    throw parts!.cancelOf(decision.exit as Exclude<Exit, "error">);
  }

  /** Runs a collective. An error in it is thrown in every process, so none waits for this one's vote any more. */
  async #guard<T>(work: () => Promise<T>): Promise<T> {
    const owes = this.#owesVote;
    this.#owesVote = false;
    const result = await work();
    this.#owesVote = owes;
    return result;
  }

  /** Votes for leaving as this process has left, unless all have decided that together. */
  async #voteExit(exit: Exit): Promise<void> {
    if (this.#world === null) return;
    if (this.#agreed) {
      this.#agreed = false;
      return;
    }
    await this.#guard(() => parts!.voteExit(this.#world!, exit));
  }

  // --- events

  /** See `Callback.beforeFit`. */
  override async beforeFit(): Promise<void> {
    const { learn } = this;
    const world = this.#world;
    if (world === null) return;
    this.#shard(learn.dls.train, true);
    this.#shard(learn.dls.valid, false);
    this.#stop = this.#agreed = false;
    this.#votedAt = -1;
    await this.#watch(world);
    await parts!.compare(world, learn);
    await parts!.shareState(world, learn);
    const wanted = this.#overlap === true
      ? 0
      : this.#overlap ?? world.localSize < world.size
      ? OVERLAP_BYTES
      : Infinity;
    const device = currentDevice();
    this.#overlapBytes = await world.overlapped.prepare(wanted, device?.hostBytes ? device.progress ?? null : null);
    this.#owesVote = true;
    learn.defer(() => this.#ended());
    if (!this.syncBn) return;
    for (const m of learn.model.modules()) {
      if (!(m instanceof BatchNorm)) continue;
      m.moments = new parts!.SyncMoments(world);
      this.#syncsForward = true;
      learn.defer(() => {
        m.moments = null;
        this.#syncsForward = false;
      });
    }
  }

  async #watch(world: World): Promise<void> {
    if (world.watched) return;
    await world.watch();
    if (!world.watched) {
      tell(
        this.learn.logger,
        `The ${world.size} processes do not watch each other (run deno with --allow-net, and let them reach rank 0): ` +
          "only the launcher notices one that dies",
      );
    }
  }

  /** A fit that ends without its last event ended by an error. */
  async #ended(): Promise<void> {
    this.#world!.asked = this.#world!.raised = null;
    if (!this.#owesVote) return;
    this.#owesVote = false;
    await parts!.voteExit(this.#world!, "error").catch(() => {}); // the error that ended it is reported by itself
  }

  /** See `Callback.beforeTrain`. */
  override beforeTrain(): void {
    if (this.#world !== null) this.#world.idle = false;
  }

  /** Before collectives in the middle of the forward pass all processes make sure that they are in the same batch. */
  override async beforeBatch(): Promise<void> {
    if (this.#world === null || !this.learn.training) return;
    if (this.#votedAt < 0) parts!.spreadStreams(this.#world); // a checkpoint that was loaded since has rank 0's
    if (this.#syncsForward) await this.#vote({ point: this.#batchPoint(POINT.forward) });
  }

  #batchPoint(phase: number): number {
    return phase + this.learn.trainIter % 2 ** 16 * 16;
  }

  /** Averages gradients and loss over all processes. */
  override async afterBackward(): Promise<void> {
    if (this.#world === null) return;
    const { learn } = this;
    const { opt, batch } = learn;
    const ranges = opt.gradRanges();
    const mean = await this.average(ranges, batch.loss!, () => learn.flush());
    opt.scaleGrads(this.factor);
    // what callbacks see from here on is the loss of all processes' batches together
    batch.loss = stepInput(mean);
  }

  /**
   * See `GradAverager`.
   *
   * @internal
   */
  get factor(): number {
    return 1 / this.#world!.size;
  }

  /**
   * See `GradAverager`.
   *
   * @internal
   */
  average(ranges: readonly GradRange[], losses: Tensor, flush: () => void): Promise<number> {
    const world = this.#world!;
    const loss = losses.size === 1 ? losses : losses.mean().keep();
    const bytes = ranges.reduce((sum, { n }) => sum + n * 4, 0);
    return bytes >= this.#overlapBytes
      ? this.#sumOverlapped(world, ranges, loss, flush)
      : this.#sumAfter(world, ranges, loss, flush);
  }

  /** Computes the gradients, then adds them up. Gives the mean loss. */
  async #sumAfter(
    world: World,
    ranges: readonly GradRange[],
    loss: Tensor,
    flush: () => void,
  ): Promise<number> {
    flush();
    let mean = NaN;
    await withHostMemory([placeOf(loss), ...ranges], async ([own, ...grads]) => {
      const exit: Exit | null = this.#stop ? "fit" : null;
      const point = this.#batchPoint(POINT.batch);
      const ballot = { point, exit, checksum: checksumOf(ranges), loss: numberIn(own), items: batchSize(this.learn) };
      this.#votedAt = this.learn.trainIter;
      ({ loss: mean } = await this.#vote(ballot));
      const arrays = grads.map((b) => new Float32Array(b.buffer, b.byteOffset, b.byteLength / 4));
      await this.#guard(() => world.sumInPlace(arrays, "add up gradients"));
    });
    return mean;
  }

  /** Adds up gradients, overlapped with the backward pass. Gives the mean loss. */
  async #sumOverlapped(
    world: World,
    ranges: readonly GradRange[],
    loss: Tensor,
    flush: () => void,
  ): Promise<number> {
    const { learn } = this;
    const items = batchSize(learn);
    const exit: Exit | null = this.#stop ? "fit" : null;
    this.#votedAt = learn.trainIter;
    await this.#vote({ point: this.#batchPoint(POINT.batch), exit, checksum: checksumOf(ranges), items });
    // from here on the others wait for this process's part of the sum, even if its gradients cannot be computed
    let begun = false, value = NaN;
    try {
      const listening = beforeWrite(ranges, ({ bytes, final }) => {
        world.overlapped.begin(bytes, final);
        begun = true;
        this.#overlapped++;
      });
      try {
        flush();
      } finally {
        listening[Symbol.dispose]();
      }
      await withHostMemory([placeOf(loss), ...ranges], async ([own, ...grads]) => {
        if (!begun) world.overlapped.begin(grads, () => 0); // somebody has read them before
        begun = true;
        await this.#guard(() => world.overlapped.end());
        value = numberIn(own);
      });
    } catch (error) {
      if (!this.#owesVote) throw error; // it was the sum that failed
      if (!begun) world.overlapped.begin(ranges.map(({ n }) => new Uint8Array(n * 4)), () => 0);
      await world.overlapped.end();
      throw error;
    }
    return (await this.#vote({ point: this.#batchPoint(POINT.sum), loss: value, items })).loss;
  }

  /** All processes have the same weights, or something is wrong; running statistics become rank 0's. */
  override async afterTrain(): Promise<void> {
    const world = this.#world;
    if (world === null) return;
    const { model } = this.learn;
    await this.#vote({ point: POINT.train, checksum: await parts!.hashVariables(model.parameters()) });
    await parts!.shareVariables(world, model.namedBuffers().values());
  }

  /** See `Callback.beforeValidate`. */
  override async beforeValidate(): Promise<void> {
    const world = this.#world;
    if (world === null) return;
    const { learn } = this;
    if (!learn.running) await this.#watch(world);
    const { dl } = learn;
    const { shard } = dl;
    this.#shard(dl, false);
    learn.nIter = dl.length;
    world.idle = world.rank >= dl.size;
    if (dl === learn.dls.valid) return;
    const restore = this.#restore = () => {
      dl.shard = shard;
    };
    learn.defer(restore); // an error may come before the last event
  }

  /** See `Callback.afterValidate`. */
  override async afterValidate(): Promise<void> {
    if (this.#world === null) return;
    this.#restore();
    this.#restore = () => {};
    await this.#vote({ point: POINT.valid });
  }

  /** A batch that was cancelled before the gradients were averaged is cancelled everywhere. */
  override async afterCancelBatch(): Promise<void> {
    const { training, trainIter } = this.learn;
    if (training && this.#votedAt !== trainIter) await this.#voteExit("batch");
    else this.#agreed = false;
  }

  /** See `Callback.afterCancelTrain`. */
  override async afterCancelTrain(): Promise<void> {
    await this.#voteExit("train");
  }

  /** See `Callback.afterCancelValidate`. */
  override async afterCancelValidate(): Promise<void> {
    await this.#voteExit("valid");
  }

  /** See `Callback.afterCancelEpoch`. */
  override async afterCancelEpoch(): Promise<void> {
    await this.#voteExit("epoch");
  }

  /** See `Callback.afterCancelFit`. */
  override async afterCancelFit(): Promise<void> {
    await this.#voteExit("fit");
  }

  /** See `Callback.afterFit`. */
  override afterFit(): void {
    this.#owesVote = false;
  }
}

function numberIn(bytes: Uint8Array<ArrayBuffer>): number {
  return new Float32Array(bytes.buffer, bytes.byteOffset, 1)[0];
}

/** A checksum of which ranges there are, below 2^20. */
function checksumOf(ranges: readonly { readonly offset: number; readonly n: number }[]): number {
  return hashWords(Uint32Array.from(ranges.flatMap(({ offset, n }) => [offset, n])), ranges.length) & 0xfffff;
}
