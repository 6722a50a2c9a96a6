/**
 * Tries the tilings of products on an adapter, for a shape of each class. All of them add in the same order, so that what is chosen
 * changes the time only.
 *
 * @module
 */
import type { Device, DeviceBuffer, Executable, Program, View } from "../contract.ts";
import {
  CLASSES,
  classOf,
  type ShapeClass,
  threadsOf,
  type Tiling,
  type TilingName,
  TILINGS,
  UNTRIED,
  workgroupBytes,
} from "./kernels/tiles.ts";

/** What suits an adapter: its kernels for products, and the tilings of `tiled` ones. */
export interface Tuning {
  readonly strategy: "shared" | "tiled";
  readonly tilings: Readonly<Record<ShapeClass, TilingName>>;
}

/** Sizes `[m, n, k]` that stand for a class. */
const SHAPES: Readonly<Record<ShapeClass, readonly [number, number, number]>> = {
  thin: [32, 4096, 1024],
  few: [512, 512, 2048],
  narrow: [64, 16384, 576],
  large: [2048, 2048, 1024],
};

/** An adapter that takes longer for a product of 512 x 512 x 512 is no graphics processor; it is spared. */
const SLOWEST_MS = 20;
const TRIES = 3;
/** How long a try takes about. */
const ENOUGH_MS = 40;

/** What {@link tune} is made from. */
export interface TuningOptions {
  /** A device of the adapter whose products are of a tiling, or of the kernel without one. */
  readonly open: (tiling: TilingName | null) => Device;
  /** Whether the tiling fits the adapter's limits. */
  readonly fits: (tiling: Tiling) => boolean;
  /** Whether all classes are tried, and all tilings; else only whether tiles are faster at all. */
  readonly whole: boolean;
}

/** Tries what there is; some seconds where all is tried. */
export async function tune({ open, fits, whole }: TuningOptions): Promise<Tuning> {
  const plain = open(null), tilings: Record<ShapeClass, TilingName> = { ...UNTRIED };
  const names = (Object.keys(TILINGS) as TilingName[]).filter((name) => fits(TILINGS[name]));
  for (const shape of CLASSES) {
    if (!names.includes(tilings[shape])) tilings[shape] = "64x64";
  }
  if (!names.includes("64x64") || await timeOf(plain, [512, 512, 512]) > SLOWEST_MS) {
    return { strategy: "shared", tilings };
  }
  const devices = new Map(names.map((name) => [name, open(name)]));
  let [before, after] = [0, 0];
  for (const shape of whole ? CLASSES : (["large"] as const)) {
    before += await timeOf(plain, SHAPES[shape]);
    let best = Infinity;
    for (const name of whole ? names : [tilings[shape]]) {
      const time = await timeOf(devices.get(name)!, SHAPES[shape]);
      if (time < best) [best, tilings[shape]] = [time, name];
    }
    after += best;
  }
  return { strategy: after <= before ? "tiled" : "shared", tilings };
}

/** Whether a tiling fits these limits. */
export function fitsLimits(tiling: Tiling, limits: GPUSupportedLimits): boolean {
  const threads = threadsOf(tiling);
  return workgroupBytes(tiling) <= limits.maxComputeWorkgroupStorageSize &&
    threads <= limits.maxComputeInvocationsPerWorkgroup && threads <= limits.maxComputeWorkgroupSizeX;
}

/** Milliseconds of a product; infinity where it fails. */
async function timeOf(device: Device, [m, n, k]: readonly [number, number, number]): Promise<number> {
  const program = productOf(m, n, k);
  const buffers = program.slots.slice(1).map(({ bytes }) => device.alloc(bytes));
  try {
    const executable = device.compile(program);
    const time = await timeOfRuns(device, executable, buffers);
    executable.dispose();
    return time;
  } catch {
    return Infinity; // a compiler that refuses it, or too little memory: another one is taken
  } finally {
    buffers.forEach((buffer) => device.free(buffer));
  }
}

/** Milliseconds that a run takes, the best of {@link TRIES}; waiting for the device, which takes some runtimes 11 ms, is shared by many. */
export async function timeOfRuns(
  device: Device,
  executable: Executable,
  bound: readonly DeviceBuffer[],
): Promise<number> {
  const none = new Uint8Array(0), [buffer] = bound;
  const timed = async (runs: number): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < runs; i++) device.run(executable, bound, none);
    if (device.readSync === undefined) await device.sync();
    else device.readSync([{ buffer, offset: 0, bytes: 16 }]);
    return (performance.now() - start) / runs;
  };
  await device.sync(); // answers about what was compiled come by the event loop alone
  await timed(1);
  await device.sync();
  const once = await timed(1), runs = Math.max(1, Math.min(32, Math.ceil(ENOUGH_MS / once)));
  let best = runs === 1 ? once : Infinity;
  for (let i = 1; i < TRIES; i++) best = Math.min(best, await timed(runs));
  return best;
}

function productOf(m: number, n: number, k: number): Program {
  const view = (slot: number, width: number): View => ({ slot, dtype: "f32", offset: 0, strides: [width, 1] });
  return {
    label: "trial",
    slots: [
      { bytes: 0, kind: "params", written: false },
      ...[m * k, k * n, m * n].map((size, i) => ({ bytes: size * 4, kind: "bound" as const, written: i === 2 })),
    ],
    kernels: [{
      op: "matmul",
      ...{ batch: [], m, n, k, a: view(1, k), b: view(2, n) },
      body: [{ k: "acc" }],
      outs: [{ view: view(3, n), value: 0 }],
    }],
  };
}

/** Whether `value` is a {@link Tuning}, as it comes from a file. */
export function isTuning(value: unknown): value is Tuning {
  if (typeof value !== "object" || value === null || !("strategy" in value) || !("tilings" in value)) return false;
  const { strategy, tilings } = value;
  if ((strategy !== "shared" && strategy !== "tiled") || typeof tilings !== "object" || tilings === null) return false;
  const named = new Map(Object.entries(tilings));
  return CLASSES.every((shape) => Object.hasOwn(TILINGS, String(named.get(shape))));
}

/** The tiling of a shape, by its class. */
export function tilingBy(tilings: Tuning["tilings"]): (shape: Parameters<typeof classOf>[0]) => TilingName {
  return (shape) => tilings[classOf(shape)];
}
