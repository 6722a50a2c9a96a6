import { assert, assertEquals } from "@std/assert";
import { onDevices } from "../support/devices.ts";

/** Steps by device: a software adapter takes milliseconds a step. */
const STEPS = { cpu: 10_000, webgpu: 1_000, reference: 0 };

onDevices("thousands of steps with checkpoints leave bytes, heap and handles as they were", async (_, kind) => {
  const script = new URL("./memory.ts", import.meta.url).pathname;
  const { stdout, stderr, code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--v8-flags=--expose-gc", script, kind, String(STEPS[kind])],
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const text = new TextDecoder().decode(stdout);
  const { before, after, unreachable } = JSON.parse(text.trim().split("\n").at(-1)!);
  const { heap: heapBefore, ...flatBefore } = before, { heap: heapAfter, ...flatAfter } = after;
  assertEquals(flatAfter, flatBefore);
  // recorded losses, learning rates and rows are kept: less than 400 bytes a step, and 2 MB for code compiled since
  assert(heapAfter - heapBefore < 400 * STEPS[kind] + 2e6, text);
  assert(unreachable.used >= 50 * 4000, text);
  assert(unreachable.used - unreachable.left >= 50 * 4000, text);
}, { kinds: ["cpu", "webgpu"] });
