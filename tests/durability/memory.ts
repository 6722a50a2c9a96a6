/**
 * Memory of a long run, and of tensors that nobody holds, with the collector at hand:
 * `deno run -A --v8-flags=--expose-gc memory.ts <device> <steps>` writes its figures as JSON.
 *
 * @module
 */
import { Checkpoint } from "../../src/fit/mod.ts";
import { deviceStats, init, tensor } from "../../src/tensor/mod.ts";
import { netLearner } from "./support.ts";

const [kind, steps] = Deno.args;
await init({ device: kind === "webgpu" ? "webgpu" : "cpu" });

async function collect(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    (globalThis as { gc?: () => void }).gc?.();
    await new Promise((resolve) => setTimeout(resolve, 5)); // finalizers are tasks of their own
  }
}

async function figures(): Promise<Record<string, number>> {
  await collect();
  const { liveBytes, peakBytes, programs } = deviceStats();
  const handles = [...Deno.readDirSync("/proc/self/fd")].length;
  return { live: liveBytes, peak: peakBytes, programs, handles, heap: Deno.memoryUsage().heapUsed };
}

const dir = await Deno.makeTempDir();
const learn = netLearner();
const fit = (n: number) => learn.fit(n / 5, { cbs: new Checkpoint({ dir, everySteps: 100, best: null }) });
await fit(500);
await fit(500); // a second fit has programs of its own
const before = await figures();
await fit(Number(steps));
const after = await figures();
await Deno.remove(dir, { recursive: true });

/** The results of the newest launches are held whether somebody has them or not: these take their place. */
async function launches(): Promise<void> {
  for (let i = 0; i < 8; i++) await tensor([i]).add(1).data();
}

await launches();
const held = deviceStats().liveBytes;
const made = async (): Promise<number> => {
  const all = Array.from({ length: 50 }, (_, i) => tensor(new Float32Array(1000).fill(i)).add(1));
  await Promise.all(all.map((t) => t.data()));
  return deviceStats().liveBytes;
};
const used = await made() - held;
await launches();
await collect();
const left = deviceStats().liveBytes - held;
console.log(JSON.stringify({ before, after, unreachable: { used, left } }));
Deno.exit(0);
