/**
 * Trains on a WebGPU that is given, and prints the bits of the losses: `given_gpu.ts <own | dawn> <strategy>`.
 *
 * @module
 */
import { openWebgpu } from "../../src/device/webgpu/mod.ts";
import { deviceStats, init, tensor } from "../../mod.ts";
import { DAWN, type DawnModule } from "../support/dawn.ts";
import { lossBits } from "./losses.ts";

const [which, strategy] = Deno.args;
let given: GPU | undefined;
if (which === "dawn") {
  // the globals belong to Deno's own WebGPU
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (name.startsWith("GPU")) Reflect.deleteProperty(globalThis, name);
  }
  Object.defineProperty(navigator, "gpu", { value: undefined });
  const { create }: DawnModule = await import(DAWN);
  given = create([]);
}
const gpu = given === undefined ? {} : { gpu: given };
const info = await init(given === undefined ? { device: "webgpu" } : gpu);
if (await tensor([1, 2, 3]).sum().item() !== 6) throw new Error("1 + 2 + 3 is not 6");
if (deviceStats().runs === 0) throw new Error("nothing ran on the device");
const bits = await lossBits(await openWebgpu({ ...gpu, strategy: strategy as "shared" | "register" | "texel" }));
console.log(JSON.stringify({ name: info.name, bits }));
