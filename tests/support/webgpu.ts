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

/** Whether it is one of Deno's own WebGPU, rather than one that {@link file://./dawn_preload.ts} has put in its place. */
export const own = !Object.hasOwn(navigator, "gpu");

const opened = new Map<string, Promise<Device>>();

/** The process's device of a strategy, opened on first use. */
export function sharedWebgpu(strategy: OpenWebgpuOptions["strategy"] = "auto"): Promise<Device> {
  let device = opened.get(strategy);
  if (device === undefined) opened.set(strategy, device = openWebgpu({ strategy }));
  return device;
}

/** Registers a test on the shared WebGPU device; where there is no adapter it is counted as ignored. */
export function webgpuTest(
  name: string,
  fn: (device: Device) => void | Promise<void>,
  options: { readonly strategy?: OpenWebgpuOptions["strategy"]; readonly opengl?: boolean } = {},
): void {
  Deno.test({
    // `deno task test:opengl` takes those that begin with "webgpu:"
    name: options.opengl === false ? name : `webgpu: ${name}`,
    ignore: adapter === null,
    // the device outlives the test that opened it
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => await fn(await sharedWebgpu(options.strategy)),
  });
}
