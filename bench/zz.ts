import { openWebgpu } from "../src/device/webgpu/mod.ts";
import { useDevice } from "../src/graph/runtime.ts";
import { subjectOf } from "./anneal.ts";
const device = await openWebgpu({}); useDevice(device);
const subject = await subjectOf((Deno.args[0] ?? "tiny") as never);
await subject.run(200);
for (let i = 0; i < 4; i++) {
  const a = device.stats(); const t = performance.now();
  const n = await subject.run(2000); await device.sync();
  const b = device.stats(); const ms = performance.now() - t;
  console.log((n / ms * 1000).toFixed(0), "steps/s", ["runs", "dispatches", "submits", "buffers", "writes", "reads", "bindings"].map((k) => `${k} ${((b as any)[k] - (a as any)[k]) / n}`).join(", "));
}
