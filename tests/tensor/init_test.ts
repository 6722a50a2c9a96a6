/**
 * The choice of the device.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConfigError } from "../../src/base/errors.ts";
import { session } from "../../src/graph/session.ts";
import { deviceStats, init, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

Deno.test("init refuses options that make no sense", async () => {
  await assertRejects(() => init({ device: "gpu" as "cpu" }), ConfigError, 'Cannot open a device with device "gpu"');
  await assertRejects(() => init({ device: "cpu", native: "AVX2" as unknown as true }), ConfigError, "true or false");
  await assertRejects(() => init({ device: "webgpu", native: false }), ConfigError, 'the option "native"');
  await assertRejects(() => init({ device: "cpu", threads: 0 }), ConfigError, "Cannot work with 0 threads");
});

onDevices("deviceStats counts what the default device does", async () => {
  const before = deviceStats();
  await tensor([1, 2, 3]).mul(2).data();
  const after = deviceStats();
  assertEquals([after.runs - before.runs, after.reads - before.reads], [1, 1]);
});

onDevices("init opens what it is asked for, once, and makes it the default", async (_, kind) => {
  const first = await init({ device: kind === "webgpu" ? "webgpu" : "cpu" });
  const device = session.device;
  assertEquals(first.device, kind);
  assert(first.name.length > 0);
  await init({ device: kind === "webgpu" ? "webgpu" : "cpu" });
  assert(session.device === device);
  assertEquals(await tensor([1, 2]).add(1).array(), [2, 3]);
}, { kinds: ["cpu", "webgpu"] });
