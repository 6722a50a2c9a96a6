/**
 * Programs on WebGPU: hand-written and generated WGSL on any adapter, software ones included.
 *
 * @module
 */
import { WrongNumbersError } from "../../base/errors.ts";
import { host } from "../../base/host.ts";
import type { Device } from "../contract.ts";
import { openAdapter, type OpenedAdapter } from "./adapter.ts";
import { type LowerLimits, WebgpuDevice } from "./device.ts";
import { withinScopes } from "./faults.ts";
import type { KernelStrategy } from "./kernels/plan.ts";
import { planProgram } from "./planner.ts";
import { type Claim, CLAIMS, HALVES, lostHalves, selfTestProgram, wrongNumbers } from "./self_test.ts";
import { cachedFaults, cachedTuning } from "./adapter_cache.ts";
import type { TilingName, Tuning } from "./kernels/tiles.ts";

/** Options of {@link openWebgpu}. */
export interface OpenWebgpuOptions {
  /** Which WebGPU; the runtime's own by default. */
  readonly gpu?: GPU;
  /** Which adapter to prefer where there are several. */
  readonly powerPreference?: GPUPowerPreference;
  /**
   * Threads of a driver that computes on the CPU (Mesa's), which can be chosen once in a process: twice the processors by
   * default. With 1 no thread has to be woken, which suits programs of less than a tenth of a millisecond.
   */
  readonly threads?: number;
  /** An adapter that was requested before; by default one is requested. */
  readonly adapter?: GPUAdapter;
  /**
   * How products are computed: `tiled` for tiles in workgroup memory of a size that suits the adapter (graphics processors), `shared`
   * for small ones (what compiles slowly), `register` for register tiles
   * without it, `texel` for the same with operands in textures (adapters that run on a CPU). By default a short trial decides; its
   * choice is cached in the user's cache folder, if that may be read and written.
   */
  readonly strategy?: "auto" | KernelStrategy;
  /** Whether numbers of f16 may be read and written as the adapter's own, where it has them ("shader-f16"): true by default. */
  readonly halves?: boolean;
  /** Whether every read is awaited, though the runtime may be able to read at once; for tests. */
  readonly awaits?: boolean;
  /** The tile of all products of the strategy `tiled`; for tests. By default each class of shapes has the one that was fastest. */
  readonly tiling?: TilingName;
  /** Limits below those of the adapter; for tests. */
  readonly limits?: LowerLimits;
  /** Whether kernels use subgroups where the adapter has them (true); sums have the same bits either way. */
  readonly subgroups?: boolean;
  /** What the adapter must compute right; a test may ask for something that none does. */
  readonly claims?: readonly Claim[];
}

/**
 * Opens a WebGPU device, after a self-test of its numbers; that an adapter passed is cached.
 *
 * @throws {DeviceError} If there is no adapter; the message says what to install.
 * @throws {WrongNumbersError} If the adapter computes wrong numbers.
 */
export async function openWebgpu(options: OpenWebgpuOptions = {}): Promise<Device> {
  const { strategy = "auto", claims = CLAIMS, awaits, limits, subgroups, tiling, halves = true } = options;
  const opened = await openAdapter(options);
  const device = new WebgpuDevice(opened, {
    strategy: strategy === "auto" ? undefined : strategy,
    awaits,
    limits,
    subgroups,
    tiling,
  });
  try {
    await device.settle();
    if (strategy === "auto" && device.strategy === "shared") {
      device.choose(await tuningOf(opened, device, awaits));
      if (device.lost && options.adapter === undefined) {
        device.close();
        return await openWebgpu({ ...options, strategy: "shared" }); // a watchdog that took it away while tilings were tried
      }
    }
    await checkNumbers(device, opened.identity, claims);
    device.halves &&= halves && await halvesAreRight(device, opened.identity);
  } catch (error) {
    device.close();
    throw error;
  }
  // not left to the end of the process, which tears the driver down in whatever state it is; but Dawn faults where a device is
  // closed that late, and a page may come back
  if (device.readSync !== undefined) host.onExit(() => device.close());
  return device;
}

/** Whether the adapter's own f16 keeps every number: a driver may flush small ones, or not know infinity. */
async function halvesAreRight(device: WebgpuDevice, identity: string): Promise<boolean> {
  return (await cachedFaults(identity, `f16 ${HALVES.join()}`, () => lostHalves(device))).length === 0;
}

/** Whether tiles suit the adapter and which ones, from the cache or by a trial, a short one where nothing can be kept. */
async function tuningOf(opened: OpenedAdapter, { profile, lanes }: WebgpuDevice, awaits?: boolean): Promise<Tuning> {
  const { candidatesFor, kernelsKey, tune } = await import("./tuning.ts"); // adapters that compute on a CPU need none of it
  const names = candidatesFor({ limits: opened.device.limits, lanes }), kernels = kernelsKey(names, profile, lanes);
  const guarded = <T>(trial: () => Promise<T>) => withinScopes(opened.device, trial);
  return await cachedTuning(opened.identity, { names, kernels }, async () => {
    // with memory and faults of its own
    const device = new WebgpuDevice(opened, { strategy: "shared", lanes, awaits });
    const tuning = await tune(device, { names, whole: host.cache() !== null, guarded });
    device.release();
    return tuning;
  });
}

async function checkNumbers(device: Device, identity: string, claims: readonly Claim[]): Promise<void> {
  // the very text that runs, and what it must give
  const { dispatches } = planProgram(selfTestProgram(claims), { profile: device.profile, strategy: () => "shared" });
  const test = JSON.stringify([
    dispatches.map(({ text }) => text),
    claims.map(({ x, y, want }) => `${x} ${y} ${want}`),
  ]);
  const faults = await cachedFaults(identity, test, () => wrongNumbers(device, claims));
  if (faults.length === 0) return;
  throw new WrongNumbersError(
    `Cannot compute on "${device.name}": the driver must give right numbers, got ${faults.join("; ")}; ` +
      'update the driver, or take the CPU: init({ device: "cpu" })',
  );
}
