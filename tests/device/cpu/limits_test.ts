/**
 * Arrays that are too large for the CPU's kernels are told before any memory is taken.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DeviceError } from "../../../src/base/errors.ts";
import { ones, zeros } from "../../../src/tensor/mod.ts";
import { onDevices } from "../../support/devices.ts";

/** Elements of the largest array that is computed. */
const MOST = (2 ** 31 - 2 ** 20) / 4;

onDevices("arrays above the CPU's limit are refused by name, before anything is allocated", async (device) => {
  const before = device.stats();
  assertThrows(() => device.alloc(2 ** 31), DeviceError, "Cannot use an array of 2147483648 bytes on the CPU");
  const large: Record<string, () => Promise<unknown>> = {
    "a result": () => ones([MOST + 1]).add(1).data(),
    "2^29 elements": () => zeros([2 ** 29]).data(),
    "many axes": () => ones([2 ** 10, 2 ** 10, 2 ** 10]).mul(2).data(),
    "far too many": () => ones([2 ** 16, 2 ** 16]).mul(2).data(),
    "a sum without memory": () => ones([2 ** 29]).sum().data(),
    "a sum of rows too long": () => ones([2, 2 ** 29]).sum({ axis: 1 }).data(),
  };
  for (const [what, run] of Object.entries(large)) {
    const error = await assertRejects(run, DeviceError);
    assert(/at most \d+/.test(error.message), `${what}: ${error.message}`);
  }
  assertEquals(device.stats().liveBytes, before.liveBytes);
  assertEquals(await ones([3]).sum().item(), 3); // and goes on
}, { kinds: ["cpu"] });
