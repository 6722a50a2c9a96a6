/**
 * Sums that overlap with computing: a thread of its own adds up the parts of an array over all processes while a program still
 * computes others. MPI moves data only inside its calls, and the thread that computes makes none.
 *
 * @module
 */
import type { Worker } from "node:worker_threads";
import { DistributedError } from "../base/errors.ts";
import type { Handles } from "./mpi_library.ts";
import { LIBC } from "./libc.ts";
import { addressOf } from "./mpi.ts";

/** Words shared with the thread: its commands and its state. */
const ROUND = 0, COUNT = 1, COMPUTED = 2, STOP = 3, DONE = 4, FAILED = 5, ALIVE = 6, NAP = 7, WORDS = 8;
/** Numbers a part: address, elements, and kernels that must have run before. */
const FIELDS = 3;
/** Most parts that the thread is given at once: one array is cut into fewer, of more arrays come several lots. */
const MAX_PARTS = 1024;
/** Elements of a part, where there are so many, and of each process's share of it: what is computed last cannot overlap. */
const PART = 2 ** 18, LEAST_PART = 2 ** 14, LEAST_SHARE = 2 ** 14;
/** An array that is shorter than so many of the usual parts has shorter ones. */
const PARTS = 8;
/** Milliseconds between two looks, while data moves and while there is nothing to move yet. */
const NAP_MS = { moving: 0.3, waiting: 0.5 };
/** Longest wait for the thread to start, in milliseconds. */
const PATIENCE_MS = 10000;

/**
 * What the thread does: its source, since workers of a published module have no file of their own. Parts are added up in
 * order, each as soon as it is computed: every process its share of a part (on one communicator), then everybody gets all
 * shares (on another, so that the order of calls is the same everywhere however processes are apart in time). While
 * somebody computes it sleeps between looks, afterwards it only lets others go first.
 */
const ADDER = `
import { parentPort, workerData } from "node:worker_threads";
const { words, parts, progress, size, path, libc, handles: h, scatter, gather, least } = workerData;
const f = Deno.dlopen(path, {
  MPI_Iallreduce: { parameters: ["usize", "usize", "i32", "usize", "usize", "usize", "usize"], result: "i32" },
  MPI_Ireduce_scatter_block: { parameters: ["usize", "usize", "i32", "usize", "usize", "usize", "usize"], result: "i32" },
  MPI_Iallgather: { parameters: ["usize", "i32", "usize", "usize", "i32", "usize", "usize", "usize"], result: "i32" },
  MPI_Test: { parameters: ["usize", "buffer", "usize"], result: "i32" },
}).symbols;
const other = { go: () => {} };
try {
  other.go = Deno.dlopen(libc, { sched_yield: { parameters: [], result: "i32" } }).symbols.sched_yield;
} catch {}
const addressOf = (a) => BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(a)));
const requests = new BigUint64Array(2 * ${MAX_PARTS}), first = addressOf(requests);
const requestOf = (i) => first + BigInt(8 * i);
const flag = new Int32Array(1), flagBytes = new Uint8Array(flag.buffer);
const held = { shares: new Float32Array(0) };
class Failed extends Error {}
const check = (code) => {
  if (code !== 0) throw Object.assign(new Failed(), { code });
};
const done = (request) => {
  check(f.MPI_Test(request, flagBytes, h.noStatus));
  return flag[0] !== 0;
};
const add = (count) => {
  const list = Array.from({ length: count }, (_, i) => {
    const [address, n, after] = parts.subarray(i * ${FIELDS}, (i + 1) * ${FIELDS});
    const share = Math.floor(n / size);
    return { address: BigInt(address), n, after, share: share * 4 >= least && share * size === n ? share : 0, at: 0 };
  });
  let total = 0;
  for (const part of list) {
    part.at = total;
    total += part.share;
  }
  if (held.shares.length < total) held.shares = new Float32Array(total);
  const base = held.shares.length === 0 ? 0n : addressOf(new Uint8Array(held.shares.buffer));
  let posted = 0, summed = 0, ended = 0;
  while (ended < count && Atomics.load(words, ${STOP}) === 0) {
    const computed = Atomics.load(words, ${COMPUTED}) !== 0;
    const before = posted + summed + ended;
    while (posted < count && (computed || Atomics.load(progress, 0) >= list[posted].after)) {
      const { address, n, share, at } = list[posted];
      const r = requestOf(2 * posted++);
      check(
        share > 0
          ? f.MPI_Ireduce_scatter_block(address, base + BigInt(at * 4), share, h.float, h.sum, scatter, r)
          : f.MPI_Iallreduce(h.inPlace, address, n, h.float, h.sum, scatter, r),
      );
    }
    while (summed < posted && done(requestOf(2 * summed))) {
      const { address, share, at } = list[summed];
      const r = requestOf(2 * summed++ + 1);
      if (share === 0) continue;
      const mine = base + BigInt(at * 4);
      check(f.MPI_Iallgather(mine, share * 4, h.byte, address, share * 4, h.byte, gather, r));
    }
    while (ended < summed && (list[ended].share === 0 || done(requestOf(2 * ended + 1)))) ended++;
    if (posted + summed + ended > before) continue;
    if (computed) other.go();
    else Atomics.wait(words, ${NAP}, 0, ended < posted ? ${NAP_MS.moving} : ${NAP_MS.waiting});
  }
};
Atomics.store(words, ${ALIVE}, 1);
for (let round = 0;;) {
  Atomics.wait(words, ${ROUND}, round);
  const next = Atomics.load(words, ${ROUND});
  if (next === round) continue;
  round = next;
  try {
    add(Atomics.load(words, ${COUNT}));
  } catch (error) {
    Atomics.store(words, ${FAILED}, error instanceof Failed ? error.code : -1);
  }
  Atomics.store(words, ${DONE}, round);
  parentPort.postMessage(round);
}
`;

/** What the thread needs of MPI. */
export interface Channel {
  /** Path of the library. */
  readonly path: string;
  readonly handles: Handles;
  /** Communicators that nobody else uses. */
  readonly scatter: bigint;
  readonly gather: bigint;
  /** Number of processes. */
  readonly size: number;
  /** Bytes that each process's share of a part has at the least; shorter parts are added up at once. */
  readonly leastShare: number;
}

/** How many kernels of the program under way have run when elements `first` to `end` of array `i` are computed. */
export type Final = (i: number, first: number, end: number) => number;

/** Elements that are added up in one call. */
interface Part {
  readonly address: number;
  readonly n: number;
  /** Kernels that must have run before. */
  readonly after: number;
}

/**
 * Cuts arrays of these lengths into parts for `size` processes, the last elements first: whole cache lines in each
 * process's share of a part, and elements that cannot be shared out in one of their own.
 */
export function cutParts(
  lengths: readonly number[],
  size: number,
): { readonly array: number; readonly first: number; readonly end: number }[] {
  const total = lengths.reduce((sum, n) => sum + n, 0);
  const round = 16 * size;
  const wanted = Math.max(
    LEAST_PART,
    Math.min(Math.max(PART, LEAST_SHARE * size), total / PARTS),
    total / (MAX_PARTS / 2),
  );
  const length = Math.ceil(wanted / round) * round;
  const parts: { array: number; first: number; end: number }[] = [];
  for (let array = lengths.length - 1; array >= 0; array--) {
    const n = lengths[array];
    const odd = n % size;
    for (let end = n; end > 0;) {
      const first = end === n && odd > 0 ? n - odd : Math.max(0, end - length);
      parts.push({ array, first, end });
      end = first;
    }
  }
  return parts;
}

/** The thread, and what it is at. */
export class Overlap {
  readonly #words: Int32Array<SharedArrayBuffer> = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  readonly #parts: Float64Array<SharedArrayBuffer> = new Float64Array(new SharedArrayBuffer(MAX_PARTS * FIELDS * 8));
  readonly #progress: Int32Array<ArrayBufferLike>;
  readonly #size: number;
  readonly #worker: Worker;
  #round = 0;
  #died: string | null = null;
  #wake: () => void = () => {};
  /** What is added up; kept alive. */
  #arrays: readonly Uint8Array[] = [];
  /** Parts that the thread was not given yet. */
  #left: Part[] = [];

  /** Starts the thread; `progress` says how far the program under way is. */
  constructor({ path, handles, scatter, gather, size, leastShare }: Channel, progress: Int32Array<ArrayBufferLike>) {
    this.#progress = progress;
    this.#size = size;
    this.#worker = new (process.getBuiltinModule("node:worker_threads").Worker)(
      new URL(`data:text/javascript,${encodeURIComponent(ADDER)}`),
      {
        workerData: {
          words: this.#words,
          parts: this.#parts,
          progress,
          size,
          path,
          libc: LIBC,
          handles,
          scatter,
          gather,
          least: leastShare,
        },
      },
    );
    this.#worker.on("error", (error: Error) => this.#died ??= error.message);
    this.#worker.on("message", () => this.#wake());
    this.#worker.unref(); // it does not keep a script alive that is done
  }

  /** Whether the thread has started; waits for that. */
  async started(): Promise<boolean> {
    const end = performance.now() + PATIENCE_MS;
    while (Atomics.load(this.#words, ALIVE) === 0 && this.#died === null && performance.now() < end) {
      await new Promise<void>((resolve) => setTimeout(resolve, 1));
    }
    return Atomics.load(this.#words, ALIVE) === 1;
  }

  /** Begins to add up `arrays` of f32, which all processes have of the same lengths, the last elements first. */
  begin(arrays: readonly Uint8Array[], final: Final): void {
    this.#arrays = arrays;
    this.#left = cutParts(arrays.map(({ byteLength }) => byteLength / 4), this.#size).map(({ array, first, end }) => ({
      address: Number(addressOf(arrays[array])) + first * 4,
      n: end - first,
      after: final(array, first, end),
    }));
    Atomics.store(this.#progress, 0, 0);
    Atomics.store(this.#words, COMPUTED, 0);
    this.#give();
  }

  /** Gives the thread the next parts. */
  #give(): void {
    const lot = this.#left.splice(0, MAX_PARTS);
    lot.forEach(({ address, n, after }, i) => this.#parts.set([address, n, after], FIELDS * i));
    Atomics.store(this.#words, COUNT, lot.length);
    Atomics.store(this.#words, ROUND, ++this.#round);
    Atomics.notify(this.#words, ROUND);
  }

  /** Everything has been computed: there is nothing to wait for but the other processes. */
  computed(): void {
    Atomics.store(this.#words, COMPUTED, 1);
    Atomics.notify(this.#words, NAP);
  }

  /**
   * Whether everything has been added up.
   *
   * @throws DistributedError where MPI failed; `say` gives its words.
   */
  done(say: (code: number) => string): boolean {
    if (this.#died !== null) {
      throw new DistributedError(`Cannot add up gradients: the thread that does died: ${this.#died}`);
    }
    const failed = Atomics.load(this.#words, FAILED);
    if (failed !== 0) throw new DistributedError(`Cannot add up gradients: MPI says ${say(failed)}`);
    if (Atomics.load(this.#words, DONE) !== this.#round) return false;
    if (this.#left.length === 0) return true;
    this.#give();
    return false;
  }

  /** Waits until the thread says that it is done, or for `ms` milliseconds. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (Atomics.load(this.#words, DONE) === this.#round) this.#wake();
    });
  }

  /** Has the thread leave MPI alone from now on; waits for that. */
  stop(): void {
    Atomics.store(this.#words, STOP, 1);
    this.computed();
    const end = performance.now() + PATIENCE_MS;
    while (Atomics.load(this.#words, DONE) !== this.#round && this.#died === null && performance.now() < end) {
      Atomics.wait(this.#words, NAP, 0, 1);
    }
  }
}
