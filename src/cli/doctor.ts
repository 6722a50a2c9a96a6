/**
 * Looks for what could be in a user's way.
 *
 * @module
 */
import { openCpu } from "../device/cpu/mod.ts";
import { adapters } from "./environment.ts";

/** One thing that was looked at. */
export interface Finding {
  readonly what: string;
  /** `note` is no trouble, but may surprise. */
  readonly state: "ok" | "note" | "missing";
  /** What to type or do. */
  readonly fix?: string;
}

const OLDEST: readonly [number, number] = [2, 9];

/** Looks at runtime, processor, adapters and packages. */
export async function examine(): Promise<Finding[]> {
  return [runtime(), cpu(), memory(), ...await gpus(), ...await packages()];
}

function runtime(): Finding {
  const [major, minor] = Deno.version.deno.split(".").map(Number);
  const what = `Deno ${Deno.version.deno}`;
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return { what, state: "ok" };
  return { what: `${what}; ${OLDEST.join(".")} or later is needed`, state: "missing", fix: "deno upgrade" };
}

function cpu(): Finding {
  const device = openCpu(), what = `cpu device: ${device.name}`;
  device.close();
  const { os, arch } = Deno.build;
  const may = Deno.permissions.querySync({ name: "ffi" }).state === "granted";
  if (may || os !== "linux" || arch !== "x86_64") return { what, state: "ok" };
  return { what: `${what}; machine code is about twice as fast`, state: "note", fix: "deno run --allow-ffi" };
}

function memory(): Finding {
  const { available, total } = Deno.systemMemoryInfo();
  const gb = (bytes: number) => (bytes / 1e9).toFixed(1);
  const state = available > 1e9 ? "ok" : "note";
  return { what: `memory: ${gb(available)} GB free of ${gb(total)}`, state };
}

async function gpus(): Promise<Finding[]> {
  const found = await adapters();
  const hardware = found.filter((a) => !a.software);
  if (hardware.length > 0) return hardware.map((a) => ({ what: `webgpu device: ${a.name}`, state: "ok" }));
  const software = found.map(({ name }): Finding => ({ what: `webgpu device in software: ${name}`, state: "note" }));
  const fix = Deno.build.os === "linux"
    ? "with a GPU: install its Vulkan driver (NVIDIA: libnvidia-gl of the driver's version; AMD, Intel: mesa-vulkan-drivers)"
    : "with a GPU: update its driver";
  return [...software, { what: "no GPU was found; training takes the cpu", state: "note", fix }];
}

async function packages(): Promise<Finding[]> {
  const look = async (what: string, load: () => Promise<unknown>): Promise<Finding> => {
    try {
      await load();
      return { what, state: "ok" };
    } catch (error) {
      const why = (error as Error).message.split("\n")[0];
      return { what: `${what}: ${why}`, state: "missing", fix: "deno cache --reload npm:sharp npm:@resvg/resvg-js" };
    }
  };
  return await Promise.all([
    look("pictures (resvg)", () => import("@resvg/resvg-js")),
    look("image files (sharp)", () => import("sharp")),
  ]);
}
