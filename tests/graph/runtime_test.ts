/**
 * Before a device is open, programs wait in order; afterwards programs are cached and values belong to their device.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { DeviceError } from "../../src/base/errors.ts";
import { reader } from "../../src/graph/assign.ts";
import { add, mul } from "../../src/graph/elementwise.ts";
import { constant, fromHost, leaf, scalar } from "../../src/graph/leaves.ts";
import { session } from "../../src/graph/session.ts";
import { Storage } from "../../src/graph/storage.ts";
import { ReferenceDevice } from "../support/reference_device.ts";

function closeDevice(): void {
  const device = session.device;
  if (device !== null) session.dropDevice(device);
}

Deno.test("programs made before a device is open run when it opens, in order", async () => {
  closeDevice();
  const storage = new Storage(8, new Float32Array([1, 2]));
  let node = leaf(storage, [2], "f32");
  const seen = [];
  for (let i = 0; i < 5; i++) {
    const done = session.record([{ storage, value: add(mul(node, constant(2)), scalar(i)) }]);
    node = reader(storage, node, 0, done);
    const copy = mul(node, constant(1));
    session.endStep([copy]);
    seen.push(copy);
  }
  assertEquals(session.readSync(seen), null, "there is nothing to read from yet");
  session.useDevice(new ReferenceDevice());
  assertEquals((await session.read(seen)).map((a) => Array.from(a)), [[2, 4], [5, 9], [12, 20], [27, 43], [58, 90]]);
});

Deno.test("a program that waits may read results of one that waits too", async () => {
  closeDevice();
  const x = fromHost(new Float32Array([3]), [1], "f32");
  let y = mul(x, constant(2));
  for (let i = 0; i < 5; i++) {
    session.flush([y]);
    y = add(y, scalar(1));
  }
  session.useDevice(new ReferenceDevice());
  assertEquals((await session.read([y])).map((v) => v[0]), [11]);
  const z = mul(y, constant(2));
  assertEquals((await session.read([z])).map((v) => v[0]), [22]);
});

Deno.test("at most 64 programs wait for a device", () => {
  closeDevice();
  const x = fromHost(new Float32Array([1]), [1], "f32");
  for (let i = 0; i < 64; i++) session.flush([mul(x, scalar(i))]);
  assertThrows(() => session.flush([mul(x, scalar(1))]), DeviceError, "await init() first");
  session.useDevice(new ReferenceDevice());
});

Deno.test("values of two devices do not mix; changing the default moves nothing", async () => {
  const one = new ReferenceDevice(), two = new ReferenceDevice();
  session.useDevice(one);
  const a = mul(fromHost(new Float32Array([2]), [1], "f32"), constant(3));
  session.flush([a]);
  session.useDevice(two);
  const b = mul(fromHost(new Float32Array([5]), [1], "f32"), constant(7));
  session.flush([b]);
  assertThrows(() => session.flush([add(a, b)]), DeviceError, "two devices");
  assertEquals((await session.read([add(a, constant(1))])).map((v) => v[0]), [7], "computed where its operand lies");
  assertEquals((await session.read([b])).map((v) => v[0]), [35]);
  assertEquals(session.device, two);
});
