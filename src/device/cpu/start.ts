/**
 * Opens the CPU device, and loads no more of it than this runtime uses.
 *
 * @module
 */
import { DeviceError } from "../../base/errors.ts";
import { host } from "../../base/host.ts";
import type { Device } from "../contract.ts";
import { CpuDevice, type CpuOptions, type CpuParts, defaultThreads, sharedMemory } from "./device.ts";
import { type KernelTexts, takesRelaxed } from "./kernels.ts";

/**
 * Opens the CPU device, with its helper threads where they have to be waited for. Where threads cannot share memory it has one,
 * and a line on standard error (in browsers: the console) says why.
 *
 * @throws DeviceError If more than one is insisted on there.
 */
export async function startCpu(options: CpuOptions = {}): Promise<Device> {
  const { noSharedMemory } = host;
  if (noSharedMemory !== null) {
    const { threads = defaultThreads() } = options;
    if (options.threads !== undefined && threads > 1) {
      throw new DeviceError(`Cannot use ${threads} threads: they share memory, and ${noSharedMemory}`);
    }
    if (threads > 1) sayOnce(`The CPU computes on one of ${threads} threads: ${noSharedMemory}\n`);
  }
  const device = new CpuDevice(options, await partsFor(noSharedMemory === null && sharedMemory(), options));
  if (host.startsWhileBlocked) await host.prepareThreads();
  else await device.startAhead();
  return device;
}

async function partsFor(shared: boolean, { simd, native }: CpuOptions): Promise<CpuParts> {
  const [texts, code] = await Promise.all([
    kernelsFor(shared, simd !== "plain" && takesRelaxed()),
    host.kind === "deno" && native !== false ? import("./native/mod.ts") : null,
  ]);
  return {
    kernels: () => texts,
    openNative: (memory, level) => code?.openNative(memory, level) ?? "this runtime has no foreign functions",
  };
}

/** The kernels that are needed; each module is a file of its own. */
async function kernelsFor(shared: boolean, relaxed: boolean): Promise<KernelTexts> {
  if (!shared) {
    const { CALLING } = await import("./wasm/calling.gen.ts");
    if (relaxed) return { calling: CALLING, variants: { relaxed: (await import("./wasm/relaxed.gen.ts")).RELAXED } };
    return { calling: CALLING, variants: { plain: (await import("./wasm/plain.gen.ts")).PLAIN } };
  }
  const { CALLING_SHARED } = await import("./wasm/calling_shared.gen.ts");
  const variants = relaxed
    ? { relaxed: (await import("./wasm/relaxed_shared.gen.ts")).RELAXED_SHARED }
    : { plain: (await import("./wasm/plain_shared.gen.ts")).PLAIN_SHARED };
  return { calling: CALLING_SHARED, variants };
}

const said = new Set<string>();

function sayOnce(line: string): void {
  if (said.has(line)) return;
  said.add(line);
  host.errors.writeSync(new TextEncoder().encode(line));
}
