/**
 * Helper threads: workers that sleep on a word of shared memory until a program is to be run.
 *
 * @module
 */
import { DeviceError } from "../../base/errors.ts";
import { host } from "../../base/host.ts";
import type { HostThread } from "../../base/host_interface.ts";
import { type Kernels, SCALARS } from "./kernels.ts";
import type { Memory } from "./memory.ts";
import type { NativeCode } from "./native/mod.ts";

/** Words of the control block, from {@link CONTROL}: what helpers wait for and what they are told. */
const GENERATION = 0, COMMAND = 1, TABLE = 2, THREADS = 3, PROGRAM = 4, LOADED = 5, READY = 6, BYTES = 7, LENGTH = 8;
const RUN = 1, LOAD = 2, EXIT = 3;

/** Address of the control block, and of the barrier. */
const CONTROL = 256, BARRIER = 512;
/** Address of the number of kernels that have finished. */
export const PROGRESS = 768;
/** Bytes at the start of memory that nobody gets: those that threads need for themselves, and constants of functions. */
export const RESERVED = 2048;

/**
 * What a helper does; its source, since workers of a published module have no file of their own. Programs come as bytes in the
 * shared memory: a message would have to be waited for.
 */
const helper = (native: string): string => `
const { memory, kernels, calling, native, thread, work, control, barrier } = data;
const words = new Int32Array(memory.buffer);
const at = control / 4, dead = barrier / 4 + 2;
const pow = ${SCALARS.pow}, fmod = ${SCALARS.fmod};
try {
  const env = { memory, abort() {} }, own = new WebAssembly.Instance(kernels, { env }).exports;
  let loops = {}, library = null;
  ${native}
  const k = { ...own, convPackThin: own.convPack, convPadNarrow: own.convPad, ...loops, memory, pow, fmod };
  Object.assign(k, new WebAssembly.Instance(calling, { env, k }).exports);
  const programs = new Map();
  let seen = Atomics.load(words, at);
  Atomics.add(words, at + ${READY}, 1);
  Atomics.notify(words, at + ${READY});
  for (;;) {
    let spins = 20000;
    while (Atomics.load(words, at) === seen && spins-- > 0);
    while (Atomics.load(words, at) === seen) Atomics.wait(words, at, seen);
    seen = Atomics.load(words, at);
    const command = Atomics.load(words, at + ${COMMAND});
    if (command === ${RUN}) {
      programs.get(words[at + ${PROGRAM}])(words[at + ${TABLE}], thread, words[at + ${THREADS}], work, barrier);
    } else if (command === ${LOAD}) {
      const id = words[at + ${PROGRAM}], length = words[at + ${LENGTH}];
      if (length === 0) programs.delete(id);
      else {
        const bytes = new Uint8Array(memory.buffer, words[at + ${BYTES}] >>> 0, length).slice();
        programs.set(id, new WebAssembly.Instance(new WebAssembly.Module(bytes), { k }).exports.run);
      }
      Atomics.add(words, at + ${LOADED}, 1);
      Atomics.notify(words, at + ${LOADED});
    } else break;
  }
  library?.close();
} catch (error) {
  Atomics.store(words, dead, 1);
  Atomics.notify(words, barrier / 4 + 1);
  throw error;
}
`;

/** Longest wait for a helper to start or to take a program in, in milliseconds. */
const PATIENCE_MS = 20000;

/** Words of the barrier, from {@link BARRIER}: threads that have come, how often all have, whether a thread died. */
const ARRIVED = 0, PASSED = 1, DEAD = 2;
/** Looks at the barrier before this thread sleeps: kernels follow each other within microseconds. */
const SPINS = 20000;
const NAP_MS = 100;
/**
 * A helper that was ended from outside says nothing, and nobody else does while this thread waits. It counts as dead after
 * this long in one barrier, and so many times what the whole program takes; sleep of the machine does not count.
 */
const SILENCE_MS = 8000, SILENCE_RATIO = 20;

/** The helper threads of a device. */
export class Threads {
  readonly count: number;
  readonly #memory: Memory;
  readonly #workers: HostThread[] = [];
  #died: string | null = null;
  // the run under way: when it began, how long of it this thread has slept, its estimated cost; all in milliseconds
  #began = 0;
  #slept = 0;
  #cost = 0;

  /**
   * Starts `count - 1` helpers; {@link ready} or {@link started} waits for them.
   *
   * @param workOf Address of a thread's working memory.
   * @param native Machine code that they call, if there is some.
   */
  constructor(
    count: number,
    memory: Memory,
    kernels: Kernels,
    workOf: (thread: number) => number,
    native: NativeCode | null,
  ) {
    this.count = count;
    this.#memory = memory;
    Atomics.store(memory.words, this.#word(READY), 0);
    for (const word of [ARRIVED, DEAD]) Atomics.store(memory.words, BARRIER / 4 + word, 0);
    const source = helper(native?.helper ?? "");
    for (let thread = 1; thread < count; thread++) {
      const worker = host.startThread(source, {
        memory: memory.memory,
        kernels: kernels.module,
        calling: kernels.calling,
        native: native?.native ?? null,
        thread,
        work: workOf(thread),
        control: CONTROL,
        barrier: BARRIER,
      });
      worker.onFailure((why) => this.#died ??= why);
      this.#workers.push(worker);
    }
  }

  /** Sleeps until all helpers are there; where they start meanwhile. */
  ready(): void {
    try {
      this.#await(READY, this.count - 1, "start");
    } catch (error) {
      this.#end(); // those that did start must not listen to the commands of others
      throw error;
    }
  }

  /** Waits until all helpers are there, or cannot start any more; then {@link ready} says which. */
  async started(): Promise<void> {
    const { words } = this.#memory;
    const start = performance.now();
    while (Atomics.load(words, this.#word(READY)) < this.count - 1) {
      if (this.#dead || performance.now() - start > PATIENCE_MS) return;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Ends the helpers at once, whatever they are at. */
  #end(): void {
    for (const worker of this.#workers) worker.end();
  }

  /** Word `n` of the control block. */
  #word(n: number): number {
    return CONTROL / 4 + n;
  }

  #await(word: number, wanted: number, what: string): void {
    const { words } = this.#memory;
    const start = performance.now();
    for (let now = Atomics.load(words, this.#word(word)); now < wanted; now = Atomics.load(words, this.#word(word))) {
      if (this.#dead || performance.now() - start > PATIENCE_MS) {
        throw new DeviceError(
          `Cannot ${what} helper threads: ${now} of ${wanted} answered; use init({ device: "cpu", threads: 1 })`,
        );
      }
      Atomics.wait(words, this.#word(word), now, 50);
    }
  }

  get #dead(): boolean {
    return this.#died !== null || Atomics.load(this.#memory.words, BARRIER / 4 + DEAD) !== 0;
  }

  /** Whether every helper is there, as far as anybody knows. */
  get alive(): boolean {
    return !this.#dead;
  }

  /** Throws if a helper has died. */
  check(): void {
    if (this.#dead) {
      throw new DeviceError(
        `Cannot compute on the CPU any more: a helper thread died (${this.#died ?? "it failed in a kernel"}); ` +
          'start the process again, or use init({ device: "cpu", threads: 1 })',
      );
    }
  }

  /** Wakes the helpers with a command. */
  #wake(command: number): void {
    const { words } = this.#memory;
    Atomics.store(words, this.#word(COMMAND), command);
    Atomics.add(words, this.#word(GENERATION), 1);
    Atomics.notify(words, this.#word(GENERATION));
  }

  /** Gives helpers a program, the bytes of its module, under a number; with null takes it away. */
  load(id: number, module: Uint8Array | null): void {
    this.check();
    const address = module === null ? 0 : this.#memory.alloc(module.length);
    if (module !== null) this.#memory.bytes.set(module, address);
    const { words } = this.#memory; // as of now: the memory may have grown
    words[this.#word(PROGRAM)] = id;
    words[this.#word(BYTES)] = address;
    words[this.#word(LENGTH)] = module?.length ?? 0;
    Atomics.store(words, this.#word(LOADED), 0);
    this.#wake(LOAD);
    this.#await(LOADED, this.count - 1, "give programs to");
    if (module !== null) this.#memory.free(address);
  }

  /**
   * Runs a program on all threads.
   *
   * @param cost Microseconds that it takes one thread, estimated.
   * @param own This thread's share.
   */
  run(id: number, table: number, cost: number, own: (threads: number, barrier: number) => void): void {
    this.check();
    const { words } = this.#memory;
    words[this.#word(TABLE)] = table;
    words[this.#word(THREADS)] = this.count;
    words[this.#word(PROGRAM)] = id;
    this.#began = performance.now();
    this.#slept = 0;
    this.#cost = cost / 1000;
    this.#wake(RUN);
    try {
      own(this.count, BARRIER);
    } catch (error) {
      Atomics.store(words, BARRIER / 4 + DEAD, 1);
      Atomics.notify(words, BARRIER / 4 + PASSED); // whoever waits for this thread
      if (error instanceof DeviceError) throw error;
      throw new DeviceError("Cannot compute on the CPU any more: a thread failed in a kernel", { cause: error });
    }
  }

  /** This thread's side of the barrier between two kernels; helpers use that of `wasm/threads.as.ts`. */
  barrier(): void {
    const { words } = this.#memory;
    const arrived = BARRIER / 4 + ARRIVED, passed = BARRIER / 4 + PASSED;
    const round = Atomics.load(words, passed);
    if (Atomics.add(words, arrived, 1) === this.count - 1) {
      Atomics.store(words, arrived, 0);
      Atomics.store(words, passed, round + 1);
      Atomics.notify(words, passed);
      return;
    }
    for (let spins = SPINS; spins > 0; spins--) if (Atomics.load(words, passed) !== round) return;
    this.#sleep(passed, round);
  }

  /** Sleeps until all threads have come; throws where one has died. */
  #sleep(passed: number, round: number): void {
    const { words } = this.#memory;
    const computing = performance.now() - this.#began - this.#slept;
    const patience = SILENCE_MS + SILENCE_RATIO * Math.max(this.#cost, computing);
    let silent = 0;
    while (Atomics.load(words, passed) === round) {
      this.check();
      if (silent > patience) {
        this.#died ??= `it has not answered for ${Math.round(silent / 1000)} seconds`;
        this.check();
      }
      const start = performance.now();
      Atomics.wait(words, passed, round, NAP_MS);
      const slept = performance.now() - start;
      this.#slept += slept;
      silent += Math.min(slept, 2 * NAP_MS);
    }
  }

  /** Ends the helpers. */
  close(): void {
    this.#wake(EXIT);
    if (this.#dead) this.#end(); // one that waits for a dead one hears nothing
  }

  /** The workers, for tests that end one from outside. */
  get workers(): readonly HostThread[] {
    return this.#workers;
  }
}
