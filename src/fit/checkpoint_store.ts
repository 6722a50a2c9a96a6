/**
 * The directory of a run's checkpoints: writing in the background, keeping some, reading the newest whole one.
 *
 * @module
 */
import { files, type HostLock } from "../base/host_files.ts";
import { join } from "../base/path.ts";
import { AnnealError, CheckpointError } from "../base/errors.ts";
import {
  type CheckpointNote,
  checkpointNumbers,
  type FoundCheckpoint,
  readCheckpoint,
  readNote,
  removeCheckpoint,
  sweep,
  writeCheckpoint,
} from "../io/checkpoint_files.ts";
import { encodeSafetensors, type HostTensor, type OutTensor, parseSafetensors } from "../io/safetensors.ts";
import { SavedState } from "../io/state_dict.ts";
import { decodeState, type EncodedState, encodeState } from "../io/state_text.ts";
import { hostTensor, readTensors } from "../io/tensors.ts";
import { readAll, snapshotAll, Tensor } from "../tensor/mod.ts";
import type { TrainLoop } from "../train/mod.ts";
import { captureOptimizer, type HostState } from "./capture.ts";

/** Files of a checkpoint, by which it goes to other processes. */
export const CHECKPOINT_FILES = ["model.safetensors", "state.json", "state.safetensors"] as const;

/** Files of a checkpoint: the model under PyTorch's names, everything else as text, and the arrays that the text refers to. */
const [MODEL, STATE, ARRAYS] = CHECKPOINT_FILES;
/** Where optimizer statistics are in the text: they are copies already. */
const COPIED = "optimizer/";

/** A checkpoint taken out of its files. */
export interface Opened {
  readonly path: string;
  readonly number: number;
  readonly note: CheckpointNote;
  readonly state: SavedState;
  readonly weights: ReadonlyMap<string, Tensor>;
  /** What it was taken out of. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** What is known of a checkpoint without reading all of it. */
interface Entry {
  readonly number: number;
  readonly note: CheckpointNote;
}

/** Checkpoints of one directory, which it holds locked while it is open. */
export class CheckpointStore {
  readonly dir: string;
  /** Path of the newest checkpoint that is known to be whole; null for none. */
  last: string | null = null;
  /** Null in processes that leave reading and writing to another one. */
  readonly #lock: HostLock | null;
  readonly #keep: number;
  #entries: Entry[] = [];
  #next = 1;
  #pending: Promise<void> | null = null;

  private constructor(dir: string, lock: HostLock | null, keep: number) {
    this.dir = dir;
    this.#lock = lock;
    this.#keep = keep;
  }

  /**
   * Makes the directory where it is missing, and locks it against other runs.
   *
   * @throws CheckpointError where it cannot be written, or another run writes there.
   */
  static async open(dir: string, keep: number): Promise<CheckpointStore> {
    try {
      await files.mkdir(dir, { recursive: true });
      const lock = await files.lock(join(dir, ".lock"));
      if (lock === null) {
        throw new CheckpointError(`Cannot use ${dir} for checkpoints: another run writes there, give each its own dir`);
      }
      try {
        await sweep(dir);
        const store = new CheckpointStore(dir, lock, keep);
        const numbers = await checkpointNumbers(dir);
        store.#next = (numbers[0] ?? 0) + 1;
        for (const number of numbers) {
          const note = await readNote(dir, number).catch(() => null); // a torn one is told of when it is read
          if (note !== null) store.#entries.push({ number, note });
        }
        return store;
      } catch (error) {
        lock.release();
        throw error;
      }
    } catch (error) {
      if (error instanceof AnnealError || !(error instanceof Error)) throw error;
      throw new CheckpointError(`Cannot use ${dir} for checkpoints: ${error.message}`, { cause: error });
    }
  }

  /** A store that neither reads nor writes: in a run of several processes rank 0 does. */
  static follower(dir: string): CheckpointStore {
    return new CheckpointStore(dir, null, 0);
  }

  /** What is known of the checkpoints, newest first. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Whether a checkpoint is being written. */
  get writing(): boolean {
    return this.#pending !== null;
  }

  /** Waits for the checkpoint that is being written. */
  async finished(): Promise<void> {
    await this.#pending;
  }

  /** Gives the directory back. */
  async close(): Promise<void> {
    await this.#pending;
    this.#lock?.release();
  }

  /**
   * The newest checkpoint that `fits`, checked whole; damaged ones are named to `tell` and passed over.
   *
   * @throws CheckpointError where there are some and none is whole.
   */
  async newest(fits: (note: CheckpointNote) => boolean, tell: (line: string) => void): Promise<Opened | null> {
    let fault: string | null = null;
    for (const number of await checkpointNumbers(this.dir)) {
      const entry = this.#entries.find((e) => e.number === number);
      if (entry !== undefined && !fits(entry.note)) continue;
      try {
        const opened = await this.#open(number);
        if (fault !== null) tell(`Using ${opened.path} instead`);
        this.last = opened.path;
        return opened;
      } catch (error) {
        if (!(error instanceof AnnealError)) throw error;
        fault ??= error.message;
        tell(error.message);
      }
    }
    if (fault === null) return null;
    throw new CheckpointError(
      `Cannot go on from ${this.dir}: no checkpoint there is whole; remove the directory to start anew (${fault})`,
    );
  }

  async #open(number: number): Promise<Opened> {
    return await openFiles(await readCheckpoint(this.dir, number, CHECKPOINT_FILES));
  }

  /**
   * Copies the learner's state on the device, and reads and writes it in the background. `note` says what it is.
   *
   * @param failed Told of an error of the background's; without it, `write` waits and throws.
   */
  async write(
    learn: TrainLoop,
    { state }: HostState,
    note: CheckpointNote,
    failed: ((error: unknown) => void) | null,
  ): Promise<void> {
    if (this.#lock === null) return;
    await this.#pending;
    const encoded = encodeState({ ...state, ...captureOptimizer(learn) });
    const weights = [...learn.model.namedParameters(), ...learn.model.namedBuffers()];
    const loose = [...encoded.arrays].flatMap(([name, t]): [string, Tensor][] =>
      t instanceof Tensor && !name.startsWith(COPIED) ? [[name, t]] : []
    );
    const copies = snapshotAll([...weights, ...loose].map(([, t]) => t));
    const model = new Map(weights.map(([name], i) => [name, copies.tensors[i]]));
    const arrays = new Map(encoded.arrays);
    loose.forEach(([name], i) => arrays.set(name, copies.tensors[weights.length + i]));
    const number = this.#next++;
    const release = (): void => {
      copies.dispose();
      for (const [name, t] of arrays) if (t instanceof Tensor && name.startsWith(COPIED)) t.node.storage?.dispose();
    };
    const work = this.#finish(number, { text: encoded.text, arrays }, model, note).finally(release);
    const finished = failed === null ? work : work.catch(failed);
    this.#pending = finished.catch(() => {}).finally(() => this.#pending = null);
    if (failed === null) await finished;
  }

  async #finish(
    number: number,
    { text, arrays }: EncodedState,
    model: ReadonlyMap<string, Tensor>,
    note: CheckpointNote,
  ): Promise<void> {
    const tensors = [...model.values(), ...[...arrays.values()].filter((t) => t instanceof Tensor)];
    const values = new Map<Tensor, HostTensor["data"]>();
    (await readAll(tensors)).forEach((data, i) => values.set(tensors[i], data));
    const out = (list: ReadonlyMap<string, Tensor | HostTensor>): ReadonlyMap<string, OutTensor> =>
      new Map([...list].map(([name, t]) => [name, t instanceof Tensor ? hostTensor(t, values.get(t)!) : t]));
    this.last = await writeCheckpoint(
      this.dir,
      number,
      new Map([
        [MODEL, encodeSafetensors(out(model), { format: "pt" })],
        [ARRAYS, encodeSafetensors(out(arrays))],
        [STATE, [new TextEncoder().encode(text)]],
      ]),
      note,
    );
    this.#entries = [{ number, note }, ...this.#entries];
    await this.#prune(note);
  }

  /** Removes what is neither among the newest, nor the best, nor the end of a fit of this run. */
  async #prune({ run }: CheckpointNote): Promise<void> {
    const newest = new Set(this.#entries.slice(0, this.#keep));
    const best = this.#entries.find(({ note }) => note.run === run && note.best === true);
    const kept = this.#entries.filter((e) => newest.has(e) || e === best || e.note.run === run && e.note.done === true);
    const oldest = Math.min(...[...newest].map((e) => e.number));
    this.#entries = kept;
    const numbers = new Set(kept.map((e) => e.number));
    for (const number of await checkpointNumbers(this.dir)) {
      if (number < oldest && !numbers.has(number)) await removeCheckpoint(this.dir, number);
    }
  }
}

/** Takes a checkpoint out of its files. */
export async function openFiles({ path, number, note, files }: FoundCheckpoint): Promise<Opened> {
  const arrays = await parseSafetensors(files.get(ARRAYS)!, join(path, ARRAYS));
  const text = decodeText(files.get(STATE)!, join(path, STATE));
  const state = await decodeState(text, (name) => arrays.tensor(name), join(path, STATE));
  const model = await parseSafetensors(files.get(MODEL)!, join(path, MODEL));
  const weights = await readTensors(model);
  return { path, number, note, state: new SavedState(state, join(path, STATE)), weights, files };
}

function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new CheckpointError(`Cannot read ${what}: it is not UTF-8 text`, { cause: error });
  }
}
