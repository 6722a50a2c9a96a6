/**
 * The CPU device with all that it may be made of, at once; `start.ts` loads what is needed.
 *
 * @module
 */
import type { Device } from "../contract.ts";
import { CpuDevice, type CpuOptions } from "./device.ts";
import { openNative } from "./native/mod.ts";
import { CALLING } from "./wasm/calling.gen.ts";
import { CALLING_SHARED } from "./wasm/calling_shared.gen.ts";
import { PLAIN } from "./wasm/plain.gen.ts";
import { PLAIN_SHARED } from "./wasm/plain_shared.gen.ts";
import { RELAXED } from "./wasm/relaxed.gen.ts";
import { RELAXED_SHARED } from "./wasm/relaxed_shared.gen.ts";

export type { CpuOptions } from "./device.ts";

/** Opens the CPU device; not in browsers. */
export function openCpu(options: CpuOptions = {}): Device {
  return new CpuDevice(options, {
    kernels: (shared) =>
      shared
        ? { calling: CALLING_SHARED, variants: { relaxed: RELAXED_SHARED, plain: PLAIN_SHARED } }
        : { calling: CALLING, variants: { relaxed: RELAXED, plain: PLAIN } },
    openNative,
  });
}
