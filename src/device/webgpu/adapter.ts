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
  "maxComputeWorkgroupsPerDimension",
] as const;

/** Features that are used where the adapter has them. */
const FEATURES: readonly GPUFeatureName[] = ["timestamp-query", "subgroups", "shader-f16"];

const DAWN = "give one: `npm install webgpu`, then init({ gpu: create([]) }) with its create()";

/** What to do where there is no WebGPU. */
const WITHOUT_WEBGPU = {
  deno: "this runtime has no navigator.gpu; run it under Deno 2.9 or later",
  node: `Node has no WebGPU of its own; ${DAWN}`,
  bun: `Bun has no WebGPU of its own; ${DAWN}`,
  browser: "this browser has no navigator.gpu here; it is there in current browsers, on pages from https: or localhost",
} as const;

/** What to do where it has no adapter. */
const WITHOUT_ADAPTER = {
  driver: "a driver for Vulkan, Metal or Direct3D 12 is needed, got no adapter; " +
    "install the GPU's driver, or a software one with `apt-get install -y mesa-vulkan-drivers libvulkan1`",
  browser: "the browser gives no adapter; it may not know the GPU or its driver, see chrome://gpu or about:support",
  given: " (Dawn, of npm:webgpu, needs Mesa 25 or later)",
} as const;

/** What was opened. */
export interface OpenedAdapter {
  readonly gpu: GPU;
  readonly adapter: GPUAdapter;
  readonly device: GPUDevice;
  readonly name: string;
  /** All that the adapter says of itself: drivers of different versions differ, and so do implementations of WebGPU. */
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
  const { gpu = host.gpu } = options;
  if (gpu === undefined) throw new DeviceError(`Cannot open a WebGPU device: ${WITHOUT_WEBGPU[host.kind]}`);
  const adapter = options.adapter ?? await requestAdapter(options);
  if (adapter === null) {
    throw new DeviceError(
      `Cannot open a WebGPU device: ${host.kind === "browser" ? WITHOUT_ADAPTER.browser : WITHOUT_ADAPTER.driver}` +
        (options.gpu === undefined || host.kind === "browser" ? "" : WITHOUT_ADAPTER.given),
    );
  }
  const { info, limits } = adapter;
  const name = info.description || info.device || info.vendor;
  const features = [...adapter.features].sort().join();
  const identity = [info.vendor, info.architecture, info.device, info.description, features].join(" | ");
  const requiredLimits: Record<string, number> = {};
  for (const limit of LIMITS) requiredLimits[limit] = limits[limit];
  const requiredFeatures = FEATURES.filter((feature) => adapter.features.has(feature));
  try {
    const device = await adapter.requestDevice({ label: "anneal", requiredLimits, requiredFeatures });
    return { gpu, adapter, device, name, identity };
  } catch (cause) {
    throw new DeviceError(`Cannot open a WebGPU device on "${name}": the adapter refused, got ${cause}`, { cause });
  }
}
