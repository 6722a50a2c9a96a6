/**
 * Finds an adapter and opens a device with the adapter's own limits.
 *
 * @module
 */
import { DeviceError } from "../../base/errors.ts";
import { host } from "../../base/host.ts";
import { type AdapterRequest, requestAdapter } from "./request.ts";

/** Limits of which the adapter's own are asked for, where it has them. */
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupStorageSize",
] as const;

/** What was opened. */
export interface OpenedAdapter {
  readonly adapter: GPUAdapter;
  readonly device: GPUDevice;
  readonly name: string;
  /** All that the adapter says of itself: drivers of different versions differ. */
  readonly identity: string;
}

/**
 * Asks for an adapter (if none is given) and a device.
 *
 * @throws {DeviceError} If there is no WebGPU, no adapter, or the adapter gives no device.
 */
export async function openAdapter(
  options: AdapterRequest & { readonly adapter?: GPUAdapter },
): Promise<OpenedAdapter> {
  if (host.gpu === undefined) {
    throw new DeviceError(
      "Cannot open a WebGPU device: this runtime has no navigator.gpu; run it under Deno 2.9 or later",
    );
  }
  const adapter = options.adapter ?? await requestAdapter(options);
  if (adapter === null) {
    throw new DeviceError(
      "Cannot open a WebGPU device: a driver for Vulkan, Metal or Direct3D 12 is needed, got no adapter; " +
        "install the GPU's driver, or a software one with `apt-get install -y mesa-vulkan-drivers libvulkan1`",
    );
  }
  const { info, limits } = adapter;
  const name = info.description || info.device || info.vendor;
  const identity = [info.vendor, info.architecture, info.device, info.description].join(" | ");
  const requiredLimits: Record<string, number> = {};
  for (const limit of LIMITS) requiredLimits[limit] = limits[limit];
  const requiredFeatures: GPUFeatureName[] = adapter.features.has("timestamp-query") ? ["timestamp-query"] : [];
  try {
    const device = await adapter.requestDevice({ label: "anneal", requiredLimits, requiredFeatures });
    return { adapter, device, name, identity };
  } catch (cause) {
    throw new DeviceError(`Cannot open a WebGPU device on "${name}": the adapter refused, got ${cause}`, { cause });
  }
}
