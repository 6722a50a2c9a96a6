/**
 * Timing in blocks: many steps, then one wait for the last. A program measures one workload and prints one line of JSON.
 *
 * @module
 */
import { isWorkload, sizeOf, unitOf, type Workload } from "./workloads.ts";

/** Shortest block, in seconds. */
const BLOCK_SECS = 0.4;
/** Fewest blocks. */
const BLOCKS = 5;
/** Seconds of steps before the first block; compilers of the engine take their time. */
const WARM_SECS = 1;
/** Steps after which losses are compared a second time. */
const EARLY_STEPS = 5;

/** Something to time. */
export interface Subject {
  /** Runs about `count` steps, waits until they are done, and gives their number. */
  run(count: number): Promise<number>;
  /** Numbers that must be everyone's: losses of step 1 and of an early step, or an element of a product. */
  readonly check: readonly number[];
  /** Milliseconds from the start of the process to the first loss. */
  readonly first?: number;
  /** What a reader of the figures must know. */
  readonly note?: string;
}

/** What a program prints. */
export interface Measurement {
  /** Name and version. */
  readonly runner: string;
  /** What it computes on, in its own words. */
  readonly backend: string;
  /** Speed of each block, in the workload's unit. */
  readonly rates: readonly number[];
  /** Steps of a block. */
  readonly stepsPerBlock: number;
  /** See {@link Subject.check}. */
  readonly check: readonly number[];
  /** See {@link Subject.note}. */
  readonly note?: string;
}

/** A training step of `H`, whatever stands for its loss until that is read. */
export interface Training<H> {
  /** Starts a step. */
  step(): H;
  /** Waits for the loss. */
  read(loss: H): Promise<number>;
  /** Gives up a loss that nobody reads. */
  drop?(loss: H): void;
}

/** Takes a training's first losses, and makes it a subject. */
export async function training<H>({ step, read, drop = () => {} }: Training<H>, note?: string): Promise<Subject> {
  const run = async (count: number): Promise<number> => {
    for (let i = 1; i < count; i++) drop(step());
    return await read(step());
  };
  const start = await run(1), first = performance.now();
  const check = [start, await run(EARLY_STEPS - 1)];
  return { check, first, run: async (count) => (await run(count), count), ...(note === undefined ? {} : { note }) };
}

/** Times one block after the other. */
export interface Blocks {
  /** Steps a second of the next block; 0 where it was too short to count: the one after it is longer. */
  next(): Promise<number>;
  /** Steps of the next block. */
  readonly steps: number;
}

/** Blocks of `subject` that take at least `secs` seconds. */
export function blocksOf({ run }: Subject, secs: number = BLOCK_SECS): Blocks {
  let count = 1;
  return {
    async next() {
      const start = performance.now();
      const steps = await run(count);
      const time = (performance.now() - start) / 1000;
      if (time < secs) count = Math.ceil(count * Math.min(8, 1.15 * secs / Math.max(time, 1e-4)));
      return time < secs ? 0 : steps / time;
    },
    get steps() {
      return count;
    },
  };
}

/**
 * Times `subject` for `secs` seconds: at least {@link BLOCKS} blocks of at least {@link BLOCK_SECS}. Where the process has run for
 * `most` seconds before that, fewer have to do, if need be the one to warm up.
 */
export async function timeBlocks(
  subject: Subject,
  secs: number,
  most: number = Infinity,
): Promise<{ rates: number[]; stepsPerBlock: number }> {
  const blocks = blocksOf(subject), late = () => performance.now() > most * 1000;
  let warm = 0;
  for (const end = performance.now() + WARM_SECS * 1000; performance.now() < end && !(late() && warm > 0);) {
    warm = await blocks.next() || warm;
  }
  const rates: number[] = [];
  for (const end = performance.now() + secs * 1000; performance.now() < end || rates.length < BLOCKS;) {
    if (late() && rates.length === 0 && warm > 0) rates.push(warm);
    if (late() && rates.length > 0) break;
    const rate = await blocks.next();
    if (rate > 0) rates.push(rate);
  }
  return { rates, stepsPerBlock: blocks.steps };
}

/** Reads `<workload> <backend> <secs> [most]` from the command line, measures, prints the line of JSON, and ends the process. */
export async function measureMain(
  make: (workload: Workload, backend: string) => Promise<{ runner: string; backend: string; subject: Subject }>,
): Promise<never> {
  const [workload, wanted, secs, most = "Infinity"] = Deno.args;
  if (!isWorkload(workload) || !(Number(secs) >= 0)) throw new Error("Usage: <workload> <backend> <secs> [most]");
  const { runner, backend, subject } = await make(workload, wanted);
  const { rates, stepsPerBlock } = workload === "first-mlp64"
    ? { rates: [1000 / subject.first!], stepsPerBlock: 1 }
    : await timeBlocks(subject, Number(secs), Number(most));
  const scale = unitOf(workload) === "GFLOP/s" ? 2e-9 * sizeOf(workload) ** 3 : 1;
  const { check, note } = subject;
  const result: Measurement = {
    runner,
    backend,
    rates: rates.map((r) => r * scale),
    stepsPerBlock,
    check,
    ...(note === undefined ? {} : { note }),
  };
  console.log(JSON.stringify(result));
  Deno.exit(0); // threads and devices of some libraries keep the process alive
}
