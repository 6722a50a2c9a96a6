/**
 * Compiles the shaders of a file on Dawn and writes what it refuses: `dawn_compile.ts <texts.json> <faults.json>`.
 *
 * @module
 */
import { DAWN, type DawnModule } from "./dawn.ts";
import type { KernelText } from "./kernel_texts.ts";

const [from, to] = Deno.args;
const { create }: DawnModule = await import(DAWN);
const gpu = create(["backend=null"]);
const adapter = (await gpu.requestAdapter())!;
const device = await adapter.requestDevice();
const texts: readonly KernelText[] = JSON.parse(await Deno.readTextFile(from));
const faults: Record<string, string> = {};
for (const { label, text, entryPoint, constants } of texts) {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ label, code: text });
  device.createComputePipeline({ layout: "auto", compute: { module, entryPoint, constants } });
  const error = await device.popErrorScope();
  if (error !== null) faults[label] = error.message;
}
await Deno.writeTextFile(to, JSON.stringify(faults));
Deno.exit(0);
