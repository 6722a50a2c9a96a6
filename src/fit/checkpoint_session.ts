/**
 * One fit's use of its checkpoints: where it goes on, what it writes, and which signals came.
 *
 * @module
 */
import { host } from "../base/host.ts";
import type { Signal } from "../base/host_interface.ts";
import { AnnealError, CheckpointError, InterruptedError } from "../base/errors.ts";
import { sameBits } from "../device/arithmetic.ts";
import { currentDevice } from "../tensor/mod.ts";
import type { CheckpointNote } from "../io/checkpoint_files.ts";
import { type Resumption, tell, type TrainLoop } from "../train/mod.ts";
import { captureHost, type HostState, restoreLearner } from "./capture.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { CHECKPOINT_FILES, CheckpointStore, type Opened, openFiles } from "./checkpoint_store.ts";
import { compareFingerprints, type Fingerprint, fingerprintOf, optionsAtStart, type Plan } from "./fingerprint.ts";

/** What {@link CheckpointSession.begin} is told of the fit. */
export interface FitPlan extends Plan {
  /** Its number among the fits of the script. */
  readonly index: number;
  readonly nEpoch: number;
  readonly startEpoch: number;
}

/** Lets a fit write checkpoints, from before its first event until after its last. */
export class CheckpointSession {
  readonly store: CheckpointStore;
  readonly startEpoch: number;
  /** Whether the fit was cut short on purpose and is to go on another time. */
  open = false;
  /** Where the fit goes on; null: at its start. */
  from: Resumption | null = null;
  /** Whether the fit was finished by an earlier run of the script. */
  done = false;
  readonly #learn: TrainLoop;
  readonly #checkpoint: Checkpoint;
  readonly #index: number;
  readonly #fingerprint: Fingerprint;
  #run: string = crypto.randomUUID();
  #listeners: (() => void)[] = [];
  #closed = false;

  private constructor(
    learn: TrainLoop,
    checkpoint: Checkpoint,
    store: CheckpointStore,
    { plan, fingerprint }: { plan: FitPlan; fingerprint: Fingerprint },
  ) {
    this.#learn = learn;
    this.#checkpoint = checkpoint;
    this.store = store;
    this.#index = plan.index;
    this.startEpoch = plan.startEpoch;
    this.#fingerprint = fingerprint;
  }

  /**
   * Opens the learner's checkpoints, and with `resume` finds where the fit goes on.
   *
   * @throws CheckpointError where the directory cannot be used, all checkpoints are damaged, or they are another run's.
   */
  static async begin(
    learn: TrainLoop,
    checkpoint: Checkpoint,
    plan: FitPlan,
    resume: boolean,
  ): Promise<CheckpointSession> {
    const { index } = plan;
    const forget = optionsAtStart(learn);
    const fingerprint = await fingerprintOf(learn, plan.nEpoch, plan);
    const store = await openStore(learn, checkpoint);
    const session = new CheckpointSession(learn, checkpoint, store, { plan, fingerprint });
    const run = store.entries[0]?.note.run;
    if (index > 0 && typeof run === "string") session.#run = run; // a later fit of the same script
    try {
      if (resume) await session.#find();
      session.#listen();
      checkpoint.join(session);
      learn.keepsData = true;
      return session;
    } catch (error) {
      forget();
      await session.close();
      throw error;
    }
  }

  /** Path of the newest checkpoint. */
  get last(): string | null {
    return this.store.last;
  }

  /** Finds where the fit goes on; in a run of several processes rank 0 does, and the others get its files. */
  async #find(): Promise<void> {
    const { peers } = this.#learn;
    if (peers === null) return await this.#take(await this.#search());
    let own = null as Found | null;
    const head: Head | null = parse(
      await peers.fromRank0(async () => {
        own = await this.#search();
        return encode(own === null ? null : { done: own.done, from: own.opened });
      }),
    );
    if (head === null) return;
    const files = new Map<string, Uint8Array<ArrayBuffer>>();
    if (head.from !== null) {
      for (const name of CHECKPOINT_FILES) {
        files.set(name, await peers.fromRank0(() => own!.opened!.files.get(name)!));
      }
    }
    await this.#take(
      own ?? { done: head.done, opened: head.from === null ? null : await openFiles({ ...head.from, files }) },
    );
  }

  #tell(line: string): void {
    tell(this.#learn.logger, line);
  }

  async #search(): Promise<Found | null> {
    const { store } = this;
    const tell = (line: string): void => this.#tell(line);
    const newest = await store.newest(() => true, tell);
    if (newest === null) {
      tell(`No checkpoint in ${store.dir}: starting anew`);
      return null;
    }
    const { fit, run, done } = newest.note;
    if (typeof fit !== "number" || fit < this.#index) return null; // an earlier fit of the script was the last one to save
    if (typeof run === "string") this.#run = run;
    if (fit === this.#index && done !== true) return { done: false, opened: newest };
    if (fit === this.#index) return { done: true, opened: newest };
    const ended = await store.newest(
      (note) => note.run === run && note.fit === this.#index && note.done === true,
      tell,
    );
    return { done: true, opened: ended };
  }

  async #take(found: Found | null): Promise<void> {
    if (found === null) return;
    const { done, opened } = found;
    this.done = done;
    if (opened === null) {
      this.#tell(`This fit was finished before; its end was removed from ${this.store.dir}`);
      return;
    }
    if (!done) return this.#goOn(opened, (line) => this.#tell(line));
    this.#compare(opened);
    await restoreLearner(this.#learn, opened.state, opened.weights);
    this.#tell(`This fit was finished before: its end was loaded from ${opened.path}`);
  }

  #goOn(opened: Opened, tell: (line: string) => void): void {
    const { state, weights, path, note } = opened;
    const at = state.state("at");
    const epoch = at.count("epoch"), iter = at.value("iter") === null ? null : at.count("iter");
    try {
      this.#compare(opened);
    } catch (error) {
      const begun = this.#index > 0 || iter !== null || epoch > this.startEpoch || at.count("trainIter") > 0;
      if (begun || !(error instanceof CheckpointError)) throw error;
      tell(`The run in ${this.store.dir} was another one and had taken no step: starting anew`);
      return;
    }
    const device = currentDevice()?.name ?? "";
    tell(`Going on from ${path}: epoch ${epoch}${iter === null ? "" : `, batch ${iter}`}`);
    if (!sameBits(String(note.device), device)) {
      tell(`It was saved on ${note.device}: on ${device} the numbers differ in their last bits`);
    }
    this.from = { epoch, iter, restore: () => restoreLearner(this.#learn, state, weights) };
  }

  #compare({ state, path }: Opened): void {
    const saved = state.state("fingerprint");
    const facts = Object.fromEntries(saved.names.map((name) => [name, saved.string(name)]));
    compareFingerprints(facts, this.#fingerprint, path);
  }

  /** The host's part of the learner's state, at a place of the run. */
  capture(at: { epoch: number; iter: number | null }): Promise<HostState> {
    return captureHost(this.#learn, at);
  }

  /** Writes a checkpoint; with `wait`, until it is on disk, and an error is thrown instead of told. */
  async write(host: HostState, note: CheckpointNote, { wait }: { readonly wait: boolean }): Promise<void> {
    const { store } = this;
    const { epoch, iter } = host;
    const all: CheckpointNote = {
      run: this.#run,
      fit: this.#index,
      epoch,
      ...(iter === null ? {} : { iter }),
      device: currentDevice()?.name ?? "",
      time: new Date().toISOString(),
      ...note,
    };
    const state = { ...host.state, fingerprint: this.#fingerprint };
    const full = { ...host, state };
    if (!wait) {
      await store.write(this.#learn, full, all, (error) => {
        const good = store.last === null ? "" : `; the last good one is ${store.last}`;
        tell(this.#learn.logger, `Cannot save a checkpoint: ${reason(error)}. Training goes on${good}`);
      });
      return;
    }
    try {
      await store.write(this.#learn, full, all, null);
    } catch (error) {
      if (error instanceof AnnealError) throw error;
      const good = store.last === null ? "" : `; the last good one is ${store.last}`;
      throw new CheckpointError(`Cannot save a checkpoint in ${store.dir}: ${reason(error)}${good}`, { cause: error });
    }
  }

  /** Says that the fit was cut short and is to go on another time. */
  leaveOpen(): void {
    this.open = true;
    this.#learn.fitCount.leaveOpen();
  }

  /** After an error ended the fit: says how to go on, which an interruption does itself. */
  async failed(error: unknown): Promise<void> {
    await this.store.finished();
    if (this.store.last === null || error instanceof InterruptedError) return;
    tell(
      this.#learn.logger,
      `The fit ended with an error; the last checkpoint is ${this.store.last}: run the script again with resume: true`,
    );
  }

  #listen(): void {
    if (this.#checkpoint.onSignal === "ignore") return;
    for (const name of ["SIGINT", "SIGTERM"] satisfies Signal[]) {
      const stop = host.onSignal(name, () => {
        this.#learn.interrupt(name);
        this.#unlisten(); // a second one ends the process at once
      });
      if (stop !== null) this.#listeners.push(stop);
    }
  }

  #unlisten(): void {
    for (const stop of this.#listeners) stop();
    this.#listeners = [];
  }

  /** Ends the session: waits for what is being written, gives signals and the directory back. Twice is fine. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#learn.keepsData = false;
    this.#unlisten();
    await this.store.close();
    this.#checkpoint.join(null);
  }
}

/** The store of a learner's checkpoints; rank 0's, in a run of several processes, and the others follow. */
async function openStore({ peers }: TrainLoop, { path, keep }: Checkpoint): Promise<CheckpointStore> {
  if (peers === null) return await CheckpointStore.open(path, keep);
  let store = CheckpointStore.follower(path);
  await peers.fromRank0(async () => {
    store = await CheckpointStore.open(path, keep);
    return new Uint8Array(0);
  });
  return store;
}

/** What there is to go on from. */
interface Found {
  /** Whether the fit was finished. */
  readonly done: boolean;
  /** Null where its end is not kept any more. */
  readonly opened: Opened | null;
}

/** What rank 0 tells the others of it, before the files. */
interface Head {
  readonly done: boolean;
  readonly from: Pick<Opened, "path" | "number" | "note"> | null;
}

function encode(found: Head | null): Uint8Array {
  const from = found?.from ?? null;
  const plain = from === null ? null : { path: from.path, number: from.number, note: from.note };
  return new TextEncoder().encode(JSON.stringify(found === null ? null : { done: found.done, from: plain }));
}

function parse(bytes: Uint8Array): Head | null {
  return JSON.parse(new TextDecoder().decode(bytes));
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
