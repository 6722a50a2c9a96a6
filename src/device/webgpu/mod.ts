/**
 * Programs on WebGPU: hand-written and generated WGSL on any adapter, software ones included.
 *
 * @module
 */
import type { Device } from "../contract.ts";
import { openAdapter } from "./adapter.ts";
import { WebgpuDevice } from "./device.ts";
import type { Family } from "./kernels/plan.ts";

/** Options of {@link openWebgpu}. */
export interface OpenWebgpuOptions {
  /** Which adapter to prefer where there are several. */
  readonly powerPreference?: GPUPowerPreference;
  /**
   * Threads of a driver that computes on the CPU (Mesa's), which can be chosen once in a process: twice the processors by
   * default. With 1 nothing has to be woken, which suits steps of less than a tenth of a millisecond.
   */
  readonly threads?: number;
  /** An adapter that was requested before; by default one is requested. */
  readonly adapter?: GPUAdapter;
  /**
   * How products are computed: `shared` for tiles in workgroup memory (graphics processors), `register` for register tiles
   * without it, `texel` for the same with operands in textures (adapters that run on a CPU). By default a short trial decides; what it
   * settled is kept in the user's folder of caches, if that may be read and written.
   */
  readonly family?: "auto" | Family;
}

/**
 * Opens a WebGPU device.
 *
 * @throws {DeviceError} If there is no adapter; the message says what to install.
 */
export async function openWebgpu(options: OpenWebgpuOptions = {}): Promise<Device> {
  const { family = "auto" } = options;
  const opened = await openAdapter(options);
  const device = new WebgpuDevice(opened, family === "auto" ? undefined : family);
  // not left to the end of the process, which tears the driver down in whatever state it is
  globalThis.addEventListener("unload", () => device.close());
  return device;
}
