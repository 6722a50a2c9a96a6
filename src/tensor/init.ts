/**
 * The choice of the device.
 *
 * @module
 */
import { ConfigError, DeviceError, WrongNumbersError } from "../base/errors.ts";
import { host } from "../base/host.ts";
import { checkOptions, flag, num, oneOf } from "../base/options.ts";
import { launchOf } from "../base/launch.ts";
import type { Device, DeviceStats } from "../device/contract.ts";
import { requestAdapter } from "../device/webgpu/request.ts";
import { session } from "../graph/session.ts";

/** Options of {@link init}. */
export interface InitOptions {
  /**
   * `"webgpu"` insists on WebGPU, software adapters included; `"cpu"` on WebAssembly. By default WebGPU is taken where
   * there is an adapter that is hardware and passes a self-test of its numbers, else the CPU.
   */
  readonly device?: "webgpu" | "cpu";
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
  const { device, powerPreference, threads, native } = checkOptions("open a device", options, {
    device: oneOf("webgpu", "cpu"),
    powerPreference: oneOf("low-power", "high-performance"),
    threads: num,
    native: flag,
  });
  if (threads !== undefined && (!Number.isInteger(threads) || threads < 1)) {
    throw new ConfigError(`Cannot work with ${threads} threads: their number is a whole number from 1`);
  }
  if (native !== undefined && device === "webgpu") {
    throw new ConfigError('Cannot open WebGPU with the option "native": it is for device: "cpu"');
  }
  const key = `${device} ${powerPreference} ${threads} ${native}`;
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

async function openNew({ device, powerPreference, threads, native }: InitOptions): Promise<Device> {
  if (device === "webgpu") return await openWebgpu({ powerPreference, threads });
  if (device === undefined) {
    const adapter = await hardwareAdapter(powerPreference);
    const sound = adapter === null ? null : await orNull(openWebgpu({ powerPreference, adapter }));
    if (sound !== null) return sound;
  }
  const cpu = await import("../device/cpu/mod.ts");
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
  { powerPreference, threads, adapter }: Pick<InitOptions, "powerPreference" | "threads"> & { adapter?: GPUAdapter },
): Promise<Device> {
  const webgpu = await import("../device/webgpu/mod.ts");
  return await webgpu.openWebgpu({
    ...(powerPreference === undefined ? {} : { powerPreference }),
    ...(threads === undefined ? {} : { threads }),
    ...(adapter === undefined ? {} : { adapter }),
  });
}

/** An adapter that is no program on the CPU; null if there is none. */
async function hardwareAdapter(powerPreference?: GPUPowerPreference): Promise<GPUAdapter | null> {
  const adapter = await requestAdapter(powerPreference === undefined ? {} : { powerPreference });
  return adapter === null || adapter.info.isFallbackAdapter ? null : adapter;
}

session.openWith(() => open({}));
