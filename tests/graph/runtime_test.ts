/**
 * Before a device is open, programs wait in order; afterwards programs are cached and values belong to their device.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { DeviceError } from "../../src/base/errors.ts";
import { assignAll, reader } from "../../src/graph/assign.ts";
import { add, mul } from "../../src/graph/elementwise.ts";
import { constant, fromHost, leaf, scalar } from "../../src/graph/leaves.ts";
import { boundary, currentDevice, dropDevice, read, readSync, realize, useDevice } from "../../src/graph/runtime.ts";
import { Storage } from "../../src/graph/storage.ts";
import { ReferenceDevice } from "../support/reference_device.ts";

function closeDevice(): void {
  const device = currentDevice();
  if (device !== null) dropDevice(device);
}

Deno.test("programs made before a device is open run when it opens, in order", async () => {
  closeDevice();
  const storage = new Storage(8, new Float32Array([1, 2]));
  let node = leaf(storage, [2], "f32");
  const seen = [];
  for (let i = 0; i < 5; i++) {
    const done = assignAll([{ storage, value: add(mul(node, constant(2)), scalar(i)) }]);
    node = reader(storage, node, 0, done);
    const copy = mul(node, constant(1));
    boundary([copy]);
    seen.push(copy);
  }
  assertEquals(readSync(seen), null, "there is nothing to read from yet");
  useDevice(new ReferenceDevice());
  assertEquals((await read(seen)).map((a) => Array.from(a)), [[2, 4], [5, 9], [12, 20], [27, 43], [58, 90]]);
});

Deno.test("a program that waits may read results of one that waits too", async () => {
  closeDevice();
  const x = fromHost(new Float32Array([3]), [1], "f32");
  let y = mul(x, constant(2));
  for (let i = 0; i < 5; i++) {
    realize([y]);
    y = add(y, scalar(1));
  }
  useDevice(new ReferenceDevice());
  assertEquals((await read([y])).map((v) => v[0]), [11]);
  const z = mul(y, constant(2));
  assertEquals((await read([z])).map((v) => v[0]), [22]);
});

Deno.test("at most 64 programs wait for a device", () => {
  closeDevice();
  const x = fromHost(new Float32Array([1]), [1], "f32");
  for (let i = 0; i < 64; i++) realize([mul(x, scalar(i))]);
  assertThrows(() => realize([mul(x, scalar(1))]), DeviceError, "await init() first");
  useDevice(new ReferenceDevice());
});

Deno.test("values of two devices do not mix; changing the default moves nothing", async () => {
  const one = new ReferenceDevice(), two = new ReferenceDevice();
  useDevice(one);
  const a = mul(fromHost(new Float32Array([2]), [1], "f32"), constant(3));
  realize([a]);
  useDevice(two);
  const b = mul(fromHost(new Float32Array([5]), [1], "f32"), constant(7));
  realize([b]);
  assertThrows(() => realize([add(a, b)]), DeviceError, "two devices");
  assertEquals((await read([add(a, constant(1))])).map((v) => v[0]), [7], "computed where its operand lies");
  assertEquals((await read([b])).map((v) => v[0]), [35]);
  assertEquals(currentDevice(), two);
});
