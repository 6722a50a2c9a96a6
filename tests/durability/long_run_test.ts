import { assert, assertEquals } from "@std/assert";
import { Checkpoint } from "../../src/fit/mod.ts";
import { onDevices } from "../support/devices.ts";
import { netLearner } from "./support.ts";

/** Open files and sockets of this process. */
function handles(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

/** Steps by device: a software adapter takes milliseconds a step. */
const STEPS = { cpu: 10_000, webgpu: 1_000, reference: 0 };

onDevices("thousands of steps with checkpoints leave bytes, heap and handles as they were", async (device, kind) => {
  const dir = await Deno.makeTempDir();
  try {
    const learn = netLearner();
    const fit = (steps: number) => learn.fit(steps / 5, { cbs: new Checkpoint({ dir, everySteps: 100, best: null }) });
    await fit(500);
    await fit(500); // a second fit has programs of its own
    const figures = () => ({ live: device.stats().liveBytes, peak: device.stats().peakBytes, handles: handles() });
    const before = figures(), heap = Deno.memoryUsage().heapUsed, { programs } = device.stats();
    await fit(STEPS[kind]);
    assertEquals(figures(), before);
    assertEquals(device.stats().programs, programs);
    // recorded losses and rows are kept: about 200 bytes a step
    const grown = Deno.memoryUsage().heapUsed - heap;
    assert(grown < 24e6, `the heap grew by ${grown} bytes`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}, { kinds: ["cpu", "webgpu"] });
