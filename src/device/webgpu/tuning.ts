/**
 * Tries the tilings of products on an adapter, for a shape of each kind and class. All of them add in the same order, so that what is
 * chosen changes the time only.
 *
 * @module
 */
import { textHash } from "../../base/checksum.ts";
import type { Device, DeviceBuffer, DeviceProfile, Executable, Program } from "../contract.ts";
import {
  CLASSES,
  FEWEST_LANES,
  KINDS,
  type ShapeClass,
  threadsOf,
  type Tiling,
  type TilingName,
  TILINGS,
  type Tilings,
  type Tuning,
  UNTRIED,
  workgroupBytes,
} from "./kernels/tiles.ts";
import { planProgram } from "./planner.ts";
import { productOf, trialOf } from "./trials.ts";

/** A device whose adapter may have a clock of its own. */
export interface TimedDevice extends Device {
  /** Milliseconds that `runs` runs, which take no parameters, take by that clock; null where there is none. */
  timeRuns?(executable: Executable, bound: readonly DeviceBuffer[], runs: number): Promise<number | null>;
}

/** An adapter that takes longer for a product of 512 x 512 x 512 is no graphics processor; it is spared. */
const SLOWEST_MS = 20;
const TRIES = 3;
/** How long a try takes about: long beside the steps of a clock, which are 0.1 ms in some browsers. */
const ENOUGH_MS = 10;
/** ... and where the time is the host's, with the way to the queue and back. */
const ENOUGH_HOST_MS = 40;
/** What takes so many times as long as another is tried no further. */
const ORDER = 10;

/** A device that can be told which kernels to compile for products. */
export interface TunedDevice extends TimedDevice {
  choose(tuning: Tuning): void;
}

/** How {@link tune} goes about it. */
export interface TuningOptions {
  /** Names of the tilings that can be tried; see {@link candidatesFor}. */
  readonly names: readonly TilingName[];
  /** Whether all classes are tried, and all tilings; else only whether tiles are faster at all. */
  readonly whole: boolean;
  /** Runs `trial`, and throws what goes wrong on the adapter meanwhile, which nobody else is told. */
  readonly guarded?: <T>(trial: () => Promise<T>) => Promise<T>;
}

/** Tries what there is, on a device that is used for nothing else; some seconds where all is tried. */
export async function tune(
  device: TunedDevice,
  { names, whole, guarded = (trial) => trial() }: TuningOptions,
): Promise<Tuning> {
  /** Milliseconds by a tiling, or without one; infinity where it fails: a compiler that refuses it, or too little memory. */
  const time = async (name: TilingName | null, program: Program, most?: number): Promise<number> => {
    device.choose(
      name === null ? { strategy: "shared", tilings: UNTRIED } : { strategy: "tiled", tilings: only(name) },
    );
    try {
      return await guarded(() => timeOf(device, program, most));
    } catch {
      await device.sync().catch(() => {}); // what the device has kept of it is told once
      return Infinity;
    }
  };
  const left = new Set(names), tilings = { matmul: { ...UNTRIED.matmul }, conv: { ...UNTRIED.conv } } satisfies Tilings;
  const found = (strategy: Tuning["strategy"]): Tuning => {
    for (const kind of KINDS) {
      for (const shape of CLASSES) if (!left.has(tilings[kind][shape])) tilings[kind][shape] = SAFEST;
    }
    return { strategy, tilings };
  };
  if (!left.has(SAFEST) || await time(null, productOf(512, 512, 512)) > SLOWEST_MS) return found("shared");
  let [before, after] = [0, 0];
  const trials = whole ? KINDS.flatMap((kind) => CLASSES.map((shape) => ({ kind, shape }))) : ONE;
  for (const { kind, shape } of trials) {
    const program = trialOf(kind, shape), old = await time(null, program);
    let best = Infinity;
    for (const name of whole ? [...left] : [tilings[kind][shape]]) {
      const most = ORDER * Math.min(best, old), took = await time(name, program, most);
      // what fails, or is an order slower, is not tried on other shapes: a compiler may take seconds for it
      if (took >= most) left.delete(name);
      if (took < best) [best, tilings[kind][shape]] = [took, name];
    }
    before += old;
    after += best;
  }
  return found(after <= before && left.has(SAFEST) ? "tiled" : "shared");
}

/** The tiling that every class falls back to. */
const SAFEST: TilingName = "64x64";

function only(name: TilingName): Tilings {
  const all = { thin: name, few: name, narrow: name, large: name };
  return { matmul: all, conv: all };
}

const ONE: readonly { readonly kind: "matmul"; readonly shape: ShapeClass }[] = [{ kind: "matmul", shape: "large" }];

/** What is known of an adapter before anything is tried. */
export interface Candidate {
  readonly limits: GPUSupportedLimits;
  /** Threads that follow each other and lie in one subgroup. */
  readonly lanes: number;
}

/** The tilings that an adapter may take. */
export function candidatesFor({ limits, lanes }: Candidate): TilingName[] {
  return (Object.keys(TILINGS) as TilingName[]).filter((name) => {
    const tiling: Tiling = TILINGS[name];
    return fitsLimits(tiling, limits) && (tiling.shuffled !== true || lanes >= FEWEST_LANES);
  });
}

/** Whether a tiling fits these limits. */
export function fitsLimits(tiling: Tiling, limits: GPUSupportedLimits): boolean {
  const threads = threadsOf(tiling);
  return workgroupBytes(tiling) <= limits.maxComputeWorkgroupStorageSize &&
    threads <= limits.maxComputeInvocationsPerWorkgroup && threads <= limits.maxComputeWorkgroupSizeX;
}

/** Names the very kernels that are tried: what was found of others is worth nothing. */
export function kernelsKey(names: readonly TilingName[], profile: DeviceProfile, lanes: number): string {
  const texts = [null, ...names].flatMap((name) =>
    KINDS.flatMap((kind) => {
      const program = trialOf(kind, "few"), strategy = () => name === null ? "shared" as const : "tiled" as const;
      const { dispatches } = planProgram(program, { profile, strategy, lanes, tiling: () => name ?? "64x64" });
      return dispatches.map(({ text }) => text);
    })
  );
  return textHash(texts.join("\n"));
}

/** Milliseconds of a program without parameters; of one that takes more than `most`, only about. */
async function timeOf(device: TimedDevice, program: Program, most?: number): Promise<number> {
  const buffers = program.slots.slice(1).map(({ bytes }) => device.alloc(bytes));
  try {
    const executable = device.compile(program);
    try {
      return await timeOfRuns(device, executable, buffers, most);
    } finally {
      executable.dispose();
    }
  } finally {
    buffers.forEach((buffer) => device.free(buffer));
  }
}

/**
 * Milliseconds that a run takes, the least of {@link TRIES}: by the adapter's clock, if it has one; else until the queue is empty,
 * where waiting for it, which takes some runtimes 11 ms, is shared by many runs. A run that takes more than `most` is made once.
 */
export async function timeOfRuns(
  device: TimedDevice,
  executable: Executable,
  bound: readonly DeviceBuffer[],
  most = Infinity,
): Promise<number> {
  const none = new Uint8Array(0), [buffer] = bound;
  const byHost = async (runs: number): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < runs; i++) device.run(executable, bound, none);
    if (device.readSync === undefined) await device.sync();
    else device.readSync([{ buffer, offset: 0, bytes: 16 }]);
    return (performance.now() - start) / runs;
  };
  await device.sync(); // answers about what was compiled come by the event loop alone
  await byHost(1);
  await device.sync();
  const once = await byHost(1), own = await device.timeRuns?.(executable, bound, 1) ?? 0;
  // a clock that stands still, or goes too fast, is none
  const clock = own > 0 && own <= 2 * once ? device.timeRuns?.bind(device) : undefined;
  const first = clock === undefined ? once : own;
  if (first > most) return first;
  const runs = Math.max(1, Math.min(32, Math.ceil((clock === undefined ? ENOUGH_HOST_MS : ENOUGH_MS) / first)));
  let best = runs === 1 ? first : Infinity;
  for (let i = runs === 1 ? 1 : 0; i < TRIES; i++) {
    const took = clock === undefined ? await byHost(runs) : (await clock(executable, bound, runs) ?? 0) / runs;
    if (took > 0) best = Math.min(best, took);
  }
  return best;
}
