/**
 * Families of kernels: what a device is opened with so that it computes by them, and whether an adapter has them.
 *
 * @module
 */
import { WebgpuDevice } from "../../src/device/webgpu/device.ts";
import { STRATEGIES } from "../../src/device/webgpu/kernels/plan.ts";
import { type TilingName, TILINGS } from "../../src/device/webgpu/kernels/tiles.ts";
import { openWebgpu, type OpenWebgpuOptions } from "../../src/device/webgpu/mod.ts";
import { requestAdapter } from "../../src/device/webgpu/request.ts";
import { candidatesFor } from "../../src/device/webgpu/tuning.ts";

/** Families of products: the strategies, and each tiling. What an adapter is given by itself is `auto`. */
export const PRODUCT_FAMILIES: readonly string[] = [
  ...Object.keys(TILINGS).map((name) => `tiled ${name}`),
  ...STRATEGIES,
];

/** What `auto` does without. */
export const WITHOUT = { "without subgroups": { subgroups: false }, "without f16": { halves: false } } as const;

function tilingOf(family: string): TilingName | undefined {
  return (Object.keys(TILINGS) as TilingName[]).find((name) => family === `tiled ${name}`);
}

function optionsOf(family: string): OpenWebgpuOptions {
  const tiling = tilingOf(family);
  if (tiling !== undefined) return { strategy: "tiled", tiling };
  const without = Object.entries(WITHOUT).find(([name]) => name === family);
  return without?.[1] ?? { strategy: STRATEGIES.find((name) => name === family) ?? "auto" };
}

/** Opens a device that computes by `family`. */
export async function openFamily(family: string): Promise<WebgpuDevice> {
  const device = await openWebgpu(optionsOf(family));
  if (!(device instanceof WebgpuDevice)) throw new Error("not a WebGPU device");
  return device;
}

/** Why there is no such family on the adapter of `device`; empty where there is. */
export async function absentFamily(family: string, device: WebgpuDevice): Promise<string> {
  const tiling = tilingOf(family), found = await requestAdapter();
  if (tiling !== undefined && found !== null) {
    const has = candidatesFor({ limits: found.limits, lanes: device.lanes }).includes(tiling);
    return has ? "" : "the adapter has not the limits or the subgroups for it";
  }
  if (family !== "without subgroups" && family !== "without f16") return "";
  const auto = await openFamily("auto");
  if (family === "without subgroups") return auto.lanes > 0 ? "" : "no subgroups are used on this adapter";
  return auto.halves || device.halves ? "" : "no f16 of the adapter's own is used";
}
