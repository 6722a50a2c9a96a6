/**
 * What a session keeps before a device is open, and what an error leaves of it.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DeviceError, DisposedError } from "../../src/base/errors.ts";
import type { Device, Executable } from "../../src/device/contract.ts";
import { reader } from "../../src/graph/assign.ts";
import { add, mul } from "../../src/graph/elementwise.ts";
import { constant, fromHost, leaf, scalar } from "../../src/graph/leaves.ts";
import type { Node } from "../../src/graph/node.ts";
import { session } from "../../src/graph/session.ts";
import { Storage } from "../../src/graph/storage.ts";
import { SGD } from "../../src/optim/mod.ts";
import { backward, Parameter, tensor } from "../../src/tensor/mod.ts";
import { ReferenceDevice } from "../support/reference_device.ts";

function closeDevice(): void {
  const { device } = session;
  if (device !== null) session.dropDevice(device);
}

const values = async (...nodes: Node[]) => (await session.read(nodes)).map((a) => [...a]);
const vector = (...numbers: number[]) => fromHost(new Float32Array(numbers), [numbers.length], "f32");

Deno.test("what is disposed before a device is open counts all the same for what was asked for before", async () => {
  closeDevice();
  const w = new Parameter(tensor([1, 1, 1]));
  const opt = SGD([w], { lr: 1 });
  let product;
  {
    using x = tensor([1, 2, 3]);
    backward(w.mul(x).sum());
    opt.step();
    product = x.mul(2).realize();
  }
  session.useDevice(new ReferenceDevice());
  assertEquals(await w.array(), [0, -1, -2]);
  assertEquals(await product.array(), [2, 4, 6]);
});

Deno.test("numbers that a queued program took are those of then", async () => {
  closeDevice();
  const factor = scalar(2);
  const y = mul(vector(1, 2), factor);
  session.flush([y]);
  factor.value = 7;
  session.useDevice(new ReferenceDevice());
  assertEquals(await values(y), [[2, 4]]);
});

/** Fails to compile programs with memory of some sizes. */
class Picky extends ReferenceDevice {
  constructor(readonly refused: (bytes: number) => boolean) {
    super();
  }
  override compile(program: Parameters<Device["compile"]>[0]): Executable {
    if (program.slots.some((s) => s.kind === "bound" && this.refused(s.bytes))) throw new DeviceError("Cannot do that");
    return super.compile(program);
  }
}

Deno.test("of programs that waited one fails: the others have run, and only what needed it says so", async () => {
  closeDevice();
  const before = mul(vector(1), constant(2));
  session.flush([before]);
  const storage = new Storage(4 * 4, new Float32Array([1, 2, 3, 4]));
  const old = leaf(storage, [4], "f32");
  const lost = mul(vector(1, 2, 3, 4, 5, 6, 7), constant(2)); // 28 bytes
  const long = mul(vector(1, 2, 3, 4, 5, 6, 7), constant(3));
  const assigned = session.record([{ storage, value: add(old, fromHost(new Float32Array(4).fill(1), [4], "f32")) }]);
  session.flush([lost]);
  const now = reader(storage, old, 0, assigned);
  const after = mul(vector(5), constant(2));
  session.flush([after]);
  const built = mul(lost, constant(2));
  session.flush([built]);
  assertThrows(() => session.useDevice(new Picky((bytes) => bytes === 28)), DeviceError, "Cannot do that");
  assertEquals(await values(before, after), [[2], [10]]);
  for (const node of [lost, built]) await assertRejects(() => session.read([node]), DeviceError, "Cannot do that");
  assertEquals(await values(now, leaf(storage, [4], "f32")), [[1, 2, 3, 4], [1, 2, 3, 4]], "nothing was assigned");
  await assertRejects(() => session.read([long]), DeviceError);
  closeDevice();
});

Deno.test("a program that cannot be launched takes nothing along but what it needed", async () => {
  const device = new Picky((bytes) => bytes === 28);
  session.useDevice(device);
  const storage = new Storage(8, new Float32Array([1, 2])), old = leaf(storage, [2], "f32");
  let undone = 0;
  const next = session.record([{ storage, value: add(old, scalar(1)) }]);
  session.onAbandon(() => undone++);
  const now = reader(storage, old, 0, next);
  // what is asked for fails: the assignment is carried out
  const long = mul(vector(1, 2, 3, 4, 5, 6, 7), constant(2));
  assertThrows(() => session.flush([long]), DeviceError);
  assertEquals([undone, session.pending.length], [0, 0]);
  assertEquals(await values(now), [[2, 3]]);
  // the assignment fails: the memory is as it was, expressions on it are no staler than before
  const big = new Storage(28, new Float32Array(7).fill(1)), was = leaf(big, [7], "f32");
  const sum = mul(now, constant(10));
  const done = session.record([{ storage: big, value: add(was, scalar(1)) }, { storage, value: add(now, scalar(1)) }]);
  session.onAbandon(() => undone++);
  assertThrows(() => session.flush(), DeviceError);
  assertEquals([undone, session.pending.length], [1, 0]);
  assertEquals(await values(reader(storage, now, 0, [done[1]]), now, sum), [[2, 3], [2, 3], [20, 30]]);
  const again = session.record([{ storage, value: mul(leaf(storage, [2], "f32"), constant(2)) }]);
  assertEquals(await values(reader(storage, now, 0, again)), [[4, 6]]);
  closeDevice();
});

Deno.test("what was kept and cannot be computed fails whoever uses it, and nobody else", async () => {
  session.useDevice(new Picky((bytes) => bytes === 28));
  const kept = mul(vector(1, 2, 3, 4, 5, 6, 7), constant(2));
  session.retain(kept);
  const storage = new Storage(8, new Float32Array([1, 2])), old = leaf(storage, [2], "f32");
  const done = session.record([{ storage, value: add(old, scalar(1)) }]);
  assertEquals(await values(mul(vector(3), constant(2))), [[6]]);
  assertEquals(await values(reader(storage, old, 0, done)), [[2, 3]]);
  await assertRejects(() => session.read([kept]), DeviceError, "Cannot do that");
  await assertRejects(() => session.read([mul(kept, constant(2))]), DeviceError, "Cannot do that");
  closeDevice();
});

Deno.test("abandon() forgets what was recorded, and nothing else", async () => {
  session.useDevice(new ReferenceDevice());
  const storage = new Storage(8, new Float32Array([1, 2])), node = leaf(storage, [2], "f32");
  const x = vector(1, 2);
  const y = add(mul(node, constant(3)), x);
  const done = session.record([{ storage, value: y }]);
  session.retain(mul(x, constant(5)));
  const x2 = vector(4);
  x2.storage!.dispose();
  session.retain(mul(x2, constant(5)));
  session.abandon();
  assertEquals(session.flush(), null);
  assertEquals(await values(reader(storage, node, 0, done), y), [[1, 2], [4, 8]]);
  assertThrows(() => session.flush([mul(x2, constant(1))]), DisposedError);
  assert(!session.hasOtherRoots);
  closeDevice();
});
