/**
 * The choice of the device.
 *
 * @module
 */
import { ConfigError, DeviceError, WrongNumbersError } from "../base/errors.ts";
import { host } from "../base/host.ts";
import { checkOptions, flag, num, objectWith, oneOf } from "../base/options.ts";
import { launchOf } from "../base/launch.ts";
import type { Device, DeviceStats } from "../device/contract.ts";
import { session } from "../graph/session.ts";

/** A WebGPU: `navigator.gpu` of a page, or what `create([])` of the package `webgpu` (Dawn) gives. */
export interface WebgpuProvider {
  /** Looks for an adapter, as the standard's `GPU` does. */
  requestAdapter(options?: object): Promise<object | null>;
}

/** Options of {@link init}. */
export interface InitOptions {
  /**
   * `"webgpu"` insists on WebGPU, software adapters included; `"cpu"` on WebAssembly. By default WebGPU is taken where
   * there is an adapter that is hardware and passes a self-test of its numbers, else the CPU.
   */
  readonly device?: "webgpu" | "cpu";
  /**
   * A WebGPU in place of the runtime's own, for instance Dawn's in Node, Bun or Deno: `create([])` of `npm:webgpu`. Insists on
   * WebGPU, software adapters included.
   */
  readonly gpu?: WebgpuProvider;
  /** Which adapter to prefer where there are several; WebGPU only. */
  readonly powerPreference?: "low-power" | "high-performance";
  /**
   * Number of threads. On the CPU by default as many as the machine has processors, up to a limit; their share of them where
   * MPI's launcher started several processes. On WebGPU it is for a driver that computes on the CPU (Mesa's on Linux), which
   * reads it once in a process, through the variable LP_NUM_THREADS: twice the processors by default; 1 suits models so small
   * that a step takes less than waking a thread does. What the user has set there stands. A GPU has no use for it.
   */
  readonly threads?: number;
  /**
   * Whether the CPU's matrix products and convolutions are machine code with vectors of 256 or 512 bits, called through FFI, about twice
   * as fast as WebAssembly and with the same bits. By default they are where `--allow-ffi` is granted (nobody is asked for it) and
   * processor and system can: x86-64 with AVX2 or AVX-512, Linux. `true` insists, `false` leaves it to WebAssembly.
   */
  readonly native?: boolean;
}

/** What {@link init} opened. */
export interface DeviceInfo {
  /** The kind of device. */
  readonly device: "webgpu" | "cpu" | "reference";
  /** The adapter's or processor's name. */
  readonly name: string;
}

/** Devices that were opened, by what was asked for. */
const opened = new Map<string, Promise<Device>>();

/**
 * Opens a device and makes it the default for new tensors; those that lie on another one stay there. Not needed to start:
 * the first read opens the default device. After a device was lost (a driver that was reset, a page that lay in the background),
 * it opens a new one.
 *
 * @throws {DeviceError} If what `device` insists on is missing; the message names the adapter and the fix.
 * @throws {DeviceError} If `native: true` cannot be; the message says why.
 * @throws {WrongNumbersError} If `device` insists on an adapter that computes wrong numbers. Where it does not, the CPU is
 *   taken, and a line on the standard error output says which adapter computes what wrong.
 * @throws {ConfigError} If an option is wrong, or the driver can't have that number of threads.
 * @example
 * ```ts ignore
 * await init({ device: "cpu", threads: 2 });
 * ```
 */
export async function init(options: InitOptions = {}): Promise<DeviceInfo> {
  const device = await open(options);
  session.useDevice(device);
  return { device: device.kind, name: device.name };
}

/** What the default device has done since it was opened: runs, submits, reads, bytes in use. */
export function deviceStats(): DeviceStats {
  const device = session.device;
  if (device === null) throw new DeviceError("Cannot count what the device did: none is open, await init() first");
  return device.stats();
}

function open(options: InitOptions): Promise<Device> {
  const { device, gpu, powerPreference, threads, native } = checkOptions("open a device", options, {
    device: oneOf("webgpu", "cpu"),
    gpu: objectWith("a WebGPU, as navigator.gpu or create([]) of npm:webgpu", "requestAdapter"),
    powerPreference: oneOf("low-power", "high-performance"),
    threads: num,
    native: flag,
  });
  if (threads !== undefined && (!Number.isInteger(threads) || threads < 1)) {
    throw new ConfigError(`Cannot work with ${threads} threads: their number is a whole number from 1`);
  }
  if (gpu !== undefined && device === "cpu") {
    throw new ConfigError('Cannot open the CPU with the option "gpu": it is for device: "webgpu"');
  }
  if (native !== undefined && (device === "webgpu" || gpu !== undefined)) {
    throw new ConfigError('Cannot open WebGPU with the option "native": it is for device: "cpu"');
  }
  const key = `${gpu === undefined ? device : numberOf(gpu)} ${powerPreference} ${threads} ${native}`;
  return openOnce(key, options);
}

/** The device that was opened before; a new one where there is none, or it was lost. */
async function openOnce(key: string, options: InitOptions): Promise<Device> {
  const known = opened.get(key);
  if (known !== undefined && (await known).lost !== true) return known;
  if (opened.get(key) !== known) return openOnce(key, options); // another call has opened it meanwhile
  const promise = openNew(options);
  opened.set(key, promise);
  promise.catch(() => opened.delete(key)); // the next call tries again
  return promise;
}

const numbers = new Map<WebgpuProvider, number>();

/** Tells WebGPUs apart. */
function numberOf(gpu: WebgpuProvider): number {
  if (!numbers.has(gpu)) numbers.set(gpu, numbers.size);
  return numbers.get(gpu)!;
}

async function openNew({ device, gpu, powerPreference, threads, native }: InitOptions): Promise<Device> {
  if (device === "webgpu" || gpu !== undefined) return await openWebgpu({ gpu, powerPreference, threads });
  if (device === undefined) {
    const adapter = await hardwareAdapter(powerPreference);
    const sound = adapter === null ? null : await orNull(openWebgpu({ powerPreference, adapter }));
    if (sound !== null) return sound;
  }
  const cpu = await import("../device/cpu/start.ts");
  const own = threads ?? ownThreads();
  return await cpu.startCpu({
    ...(own === undefined ? {} : { threads: own }),
    ...(native === undefined ? {} : { native }),
  });
}

/**
 * The device; null where its adapter computes wrong numbers, which is said in one line.
 *
 * @param say Takes the line.
 */
export async function orNull(opening: Promise<Device>, say: (line: string) => void = toStderr): Promise<Device | null> {
  try {
    return await opening;
  } catch (error) {
    if (!(error instanceof WrongNumbersError)) throw error;
    say(`The CPU is used. ${error.message}`);
    return null;
  }
}

function toStderr(line: string): void {
  host.errors.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** This process's share of the processors where MPI's launcher started several on the machine. */
function ownThreads(): number | undefined {
  const local = launchOf()?.localSize ?? 1;
  return local > 1 ? Math.max(1, Math.floor(host.processors / local)) : undefined;
}

async function openWebgpu(
  { gpu, powerPreference, threads, adapter }:
    & Pick<InitOptions, "gpu" | "powerPreference" | "threads">
    & { adapter?: GPUAdapter },
): Promise<Device> {
  const webgpu = await import("../device/webgpu/mod.ts");
  return await webgpu.openWebgpu({
    ...(gpu === undefined ? {} : { gpu: gpu as GPU }),
    ...(powerPreference === undefined ? {} : { powerPreference }),
    ...(threads === undefined ? {} : { threads }),
    ...(adapter === undefined ? {} : { adapter }),
  });
}

/** An adapter that is no program on the CPU; null if there is none. */
async function hardwareAdapter(powerPreference?: GPUPowerPreference): Promise<GPUAdapter | null> {
  const { requestAdapter } = await import("../device/webgpu/request.ts");
  const adapter = await requestAdapter(powerPreference === undefined ? {} : { powerPreference });
  return adapter === null || adapter.info.isFallbackAdapter ? null : adapter;
}

session.openWith(() => open({}));
