/**
 * Runs a test on every device there is: the interpreter, the CPU and WebGPU.
 *
 * @module
 */
import type { Device } from "../../src/device/contract.ts";
import { requestAdapter } from "../../src/device/webgpu/request.ts";
import { openWebgpu } from "../../src/device/webgpu/mod.ts";
import { session } from "../../src/graph/session.ts";
import { ReferenceDevice } from "./reference_device.ts";

/** The devices that tests run on. */
export type Kind = "reference" | "cpu" | "webgpu";

const opened = new Map<Kind, Promise<Device>>();

/** Opens a device once a process. */
export function openOnce(kind: Kind): Promise<Device> {
  let device = opened.get(kind);
  if (device === undefined) opened.set(kind, device = open(kind));
  return device;
}

async function open(kind: Kind): Promise<Device> {
  if (kind === "webgpu") return await openWebgpu();
  if (kind === "cpu") return await (await import("../../src/device/cpu/mod.ts")).openCpu({});
  return new ReferenceDevice();
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(new URL(path, import.meta.url)).isFile;
  } catch {
    return false;
  }
}

/** Whether tests of a device can run here. */
const AVAILABLE: Record<Kind, boolean> = {
  reference: true,
  cpu: exists("../../src/device/cpu/mod.ts"), // a module that is there but broken fails, it is not skipped
  webgpu: await requestAdapter() !== null,
};

/** Options of {@link onDevices}. */
export interface OnDevicesOptions {
  /** Devices to run on; all if left out. */
  readonly kinds?: readonly Kind[];
}

/**
 * Registers `fn` as a test on each device, which is the default one while it runs. A device that is missing shows up as
 * an ignored test.
 */
export function onDevices(
  name: string,
  fn: (device: Device, kind: Kind) => void | Promise<void>,
  { kinds = ["reference", "cpu", "webgpu"] }: OnDevicesOptions = {},
): void {
  for (const kind of kinds) {
    Deno.test({
      name: `${name} (${kind})`,
      ignore: !AVAILABLE[kind],
      // a device lives for the whole process: its workers and buffers are no leak of one test
      sanitizeOps: false,
      sanitizeResources: false,
      fn: async () => {
        const device = await openOnce(kind);
        session.useDevice(device);
        await fn(device, kind);
      },
    });
  }
}
