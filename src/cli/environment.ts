/**
 * What a run's figures depend on.
 *
 * @module
 */
import { requestAdapter } from "../device/webgpu/request.ts";
import { deviceStats, init } from "../tensor/mod.ts";

/** Version of the package. */
export const VERSION = "0.1.0";

/** Opens the device that was asked for. */
export async function openDevice(device: "auto" | "cpu" | "webgpu" | undefined): Promise<void> {
  await init(device === undefined || device === "auto" ? {} : { device });
}

/** Versions, machine and device. */
export function environment(): Record<string, string | number> {
  return {
    anneal: VERSION,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    target: Deno.build.target,
    processors: navigator.hardwareConcurrency,
    device: deviceStats().name,
  };
}

/** One WebGPU adapter. */
export interface AdapterFacts {
  readonly name: string;
  readonly software: boolean;
  readonly maxBufferMb: number;
}

/** The WebGPU adapters that there are. */
export async function adapters(): Promise<AdapterFacts[]> {
  const found = new Map<string, AdapterFacts>();
  for (const preference of ["high-performance", "low-power"] as const) {
    const adapter = await requestAdapter({ powerPreference: preference });
    if (adapter === null) continue;
    const { info, limits } = adapter;
    const name = info.description || info.device || info.vendor;
    found.set(name, {
      name,
      software: info.isFallbackAdapter,
      maxBufferMb: Math.floor(limits.maxBufferSize / 2 ** 20),
    });
  }
  return [...found.values()];
}
