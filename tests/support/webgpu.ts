/**
 * Tests that need a WebGPU adapter.
 *
 * @module
 */
import type { Device } from "../../src/device/contract.ts";
import { requestAdapter } from "../../src/device/webgpu/request.ts";
import { openWebgpu, type OpenWebgpuOptions } from "../../src/device/webgpu/mod.ts";

/** The adapter that tests run on; null where there is none. */
export const adapter: GPUAdapter | null = await requestAdapter();

const opened = new Map<string, Promise<Device>>();

/** The process's device of a family, opened on first use. */
export function sharedWebgpu(family: OpenWebgpuOptions["family"] = "auto"): Promise<Device> {
  let device = opened.get(family);
  if (device === undefined) opened.set(family, device = openWebgpu({ family }));
  return device;
}

/** Registers a test on the shared WebGPU device; where there is no adapter it is counted as ignored. */
export function webgpuTest(
  name: string,
  fn: (device: Device) => void | Promise<void>,
  options: { readonly family?: OpenWebgpuOptions["family"] } = {},
): void {
  Deno.test({
    name: `webgpu: ${name}`,
    ignore: adapter === null,
    // the device outlives the test that opened it
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => await fn(await sharedWebgpu(options.family)),
  });
}
