/**
 * Parameters and buffers: assignments, shared memory, snapshots, disposal.
 */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DisposedError, DtypeError, ShapeError, StaleTensorError } from "../../src/base/errors.ts";
import { session } from "../../src/graph/session.ts";
import { Storage } from "../../src/graph/storage.ts";
import {
  assignVariables,
  Buffer,
  moveVariables,
  ones,
  Parameter,
  readAll,
  snapshots,
  tensor,
  zeros,
} from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

onDevices("a parameter starts from numbers, constants or expressions, and copies them", async () => {
  const source = tensor([1, 2]);
  const a = new Parameter(source), b = new Parameter(ones([2])), c = new Parameter(source.mul(3));
  a.assign(a.add(1));
  assertEquals((await readAll([a, b, c, source])).map((d) => [...d]), [[2, 3], [1, 1], [3, 6], [1, 2]]);
});

onDevices("an assignment runs at the boundary; what was built before is stale afterwards, unless kept", async () => {
  const p = new Parameter(tensor([1, 2]));
  const before = p.mul(10), kept = p.mul(100).keep();
  p.assign(p.add(1));
  assertEquals(await p.array(), [2, 3]);
  await assertRejects(() => before.data(), StaleTensorError, "keep()");
  assertEquals(await kept.array(), [100, 200]);
});

onDevices("two variables change places in one group", async () => {
  const a = new Buffer(tensor([1, 2])), b = new Buffer(tensor([3, 4]));
  assignVariables([[a, b], [b, a]]);
  assertEquals([await a.array(), await b.array()], [[3, 4], [1, 2]]);
});

onDevices("variables move into shared memory, from the host and from the device", async () => {
  for (const where of ["host", "device", "both"] as const) {
    const a = new Parameter(tensor([1, 2])), b = new Parameter(tensor([[3], [4], [5]]));
    if (where !== "host") await a.data();
    if (where === "device") await b.data();
    const arena = new Storage(5 * 4, new Float32Array(5));
    moveVariables(arena, [[a, 0], [b, 2]]);
    assertEquals([a.storage, b.storage, b.offset], [arena, arena, 2]);
    assertEquals([await a.array(), await b.array()], [[1, 2], [[3], [4], [5]]], where);
    a.assign(a.mul(10)); // an assignment to a neighbour leaves b usable
    const sum = a.sum().add(b.sum());
    b.assign(b.sub(1));
    assertEquals(await readAll([a, b]).then((d) => d.map((v) => [...v])), [[10, 20], [2, 3, 4]], where);
    await assertRejects(() => sum.item(), StaleTensorError);
  }
});

onDevices("a snapshot stays as it was", async () => {
  const a = new Parameter(tensor([1, 2])), b = new Buffer(tensor(Int32Array.of(5)));
  const early = a.snapshot(); // still on the host
  a.assign(a.add(1));
  const [sa, sb] = snapshots([a, b]);
  assignVariables([[a, zeros([2])], [b, b.add(1)]]);
  session.endStep();
  assertEquals([await early.array(), await sa.array(), await sb.array()], [[1, 2], [2, 3], [5]]);
  assertEquals([await a.array(), await b.array()], [[0, 0], [6]]);
});

onDevices("dispose gives memory back once, and using the tensor afterwards is an error", async (device) => {
  const x = tensor(new Float32Array(1000));
  await x.data();
  const before = device.stats().liveBytes;
  const same = x.cast("f32"); // the same memory, held twice
  x.dispose();
  x.dispose();
  assertEquals(device.stats().liveBytes, before);
  assertEquals((await same.data()).length, 1000);
  same.dispose();
  assertEquals(before - device.stats().liveBytes, 4000);
  assertThrows(() => x.add(1), DisposedError, "Cannot use a tensor of shape [1000]: it was disposed");
  await assertRejects(() => x.data(), DisposedError);
});

onDevices("disposing a value that was assigned leaves the parameter alone", async () => {
  const p = new Parameter(tensor([1, 2]));
  const value = p.add(1);
  p.assign(value);
  await p.data();
  value.dispose();
  assertEquals(await p.array(), [2, 3]);
});

Deno.test("parameters refuse other types and shapes", () => {
  assertThrows(() => new Parameter(tensor(Int32Array.of(1))), DtypeError, "Cannot train a i32 tensor");
  const p = new Parameter(tensor([1, 2]));
  assertThrows(() => p.assign(tensor([1, 2, 3])), ShapeError, "Cannot assign [3] to [2]: the shapes must be equal");
  assertEquals(`${p}`, "Parameter f32 [2]");
});
