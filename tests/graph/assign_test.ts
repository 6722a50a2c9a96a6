/**
 * Assignments: who sees which value, and that one program orders readers and writers rightly.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DisposedError, StaleTensorError } from "../../src/base/errors.ts";
import { reader } from "../../src/graph/assign.ts";
import { add, mul, square, sub } from "../../src/graph/elementwise.ts";
import { constant, fromHost, leaf, scalar } from "../../src/graph/leaves.ts";
import { type Node, topological } from "../../src/graph/node.ts";
import { matmul } from "../../src/graph/products.ts";
import { reduce } from "../../src/graph/reduce.ts";
import { session } from "../../src/graph/session.ts";
import { Storage } from "../../src/graph/storage.ts";
import { flip, reshape } from "../../src/graph/views.ts";
import { ReferenceDevice } from "../support/reference_device.ts";

const device = new ReferenceDevice();

/** A mutable vector. */
function variable(...values: number[]) {
  const storage = new Storage(values.length * 4, new Float32Array(values));
  return { storage, node: leaf(storage, [values.length], "f32") };
}

async function numbers(...nodes: Node[]): Promise<number[][]> {
  return (await session.read(nodes)).map((a) => Array.from(a));
}

Deno.test("an expression built before an assignment sees the old value, one built after it the new one", async () => {
  session.useDevice(device);
  const p = variable(1, 2, 3);
  const before = mul(p.node, constant(10));
  const done = session.record([{ storage: p.storage, value: add(p.node, scalar(1)) }]);
  const now = reader(p.storage, p.node, 0, done);
  const after = mul(now, constant(100));
  assertEquals(await numbers(before, after, now), [[10, 20, 30], [200, 300, 400], [2, 3, 4]]);
});

Deno.test("old and new values in one expression", async () => {
  session.useDevice(device);
  const p = variable(1, 2, 3);
  const done = session.record([{ storage: p.storage, value: square(p.node) }]);
  const delta = sub(reader(p.storage, p.node, 0, done), p.node);
  assertEquals(await numbers(delta), [[0, 2, 6]]);
});

Deno.test("assignments of a group see the memory as it was before: two variables change places", async () => {
  session.useDevice(device);
  const a = variable(1, 2), b = variable(3, 4);
  const done = session.record([{ storage: a.storage, value: b.node }, { storage: b.storage, value: a.node }]);
  assertEquals(await numbers(reader(a.storage, a.node, 0, done), reader(b.storage, b.node, 0, done)), [[3, 4], [1, 2]]);
});

Deno.test("a variable turned round in place", async () => {
  session.useDevice(device);
  const a = variable(1, 2, 3, 4, 5);
  const done = session.record([{ storage: a.storage, value: flip(a.node, 0) }]);
  assertEquals(await numbers(reader(a.storage, a.node, 0, done)), [[5, 4, 3, 2, 1]]);
});

Deno.test("a matrix multiplied by itself in place", async () => {
  session.useDevice(device);
  const storage = new Storage(16, new Float32Array([1, 2, 3, 4]));
  const a = leaf(storage, [2, 2], "f32");
  const done = session.record([{ storage, value: matmul(a, a) }]);
  assertEquals(await numbers(reader(storage, a, 0, done)), [[7, 10, 15, 22]]);
});

Deno.test("parts of one memory, at places known in advance and at one that changes", async () => {
  session.useDevice(device);
  const all = variable(0, 0, 0, 0, 0, 0);
  const compiled = () => device.stats().programs;
  let before = 0;
  for (let i = 0; i < 3; i++) {
    session.record([{
      storage: all.storage,
      value: fromHost(new Float32Array([i + 1]), [1], "f32"),
      at: scalar(i, "u32"),
    }]);
    session.endStep();
    if (i === 0) before = compiled();
  }
  assertEquals(compiled(), before, "a place that changes needs no new program");
  session.record([{ storage: all.storage, value: fromHost(new Float32Array([8, 9]), [2], "f32"), offset: 4 }]);
  session.endStep();
  assertEquals(await numbers(leaf(all.storage, [6], "f32")), [[1, 2, 3, 0, 8, 9]]);
});

Deno.test("a step: gradient into one memory, then the update from it", async () => {
  session.useDevice(device);
  const p = variable(1, 2), g = variable(0, 0), m = variable(0, 0);
  let { node } = p;
  for (let t = 0; t < 3; t++) {
    const grads = session.record([{ storage: g.storage, value: mul(node, constant(2)) }]);
    const flat = reader(g.storage, g.node, 0, grads);
    const momentum = add(mul(leaf(m.storage, [2], "f32"), scalar(0.5)), flat);
    const done = session.record([
      { storage: p.storage, value: sub(node, mul(momentum, scalar(0.25))) },
      { storage: m.storage, value: momentum },
    ]);
    node = reader(p.storage, p.node, 0, done);
    session.endStep();
  }
  // p: 1 -> 0.5 -> 0 -> -0.25 (m: 2, 2, 1), twice that for the other
  assertEquals(await numbers(node, leaf(m.storage, [2], "f32")), [[-0.25, -0.5], [1, 2]]);
});

Deno.test("a tensor that reads a variable as it was cannot be computed later, unless it was kept", async () => {
  session.useDevice(device);
  const p = variable(1, 2);
  const lost = mul(p.node, constant(3)), held = mul(p.node, constant(5));
  session.retain(held);
  session.record([{ storage: p.storage, value: add(p.node, constant(1)) }]);
  session.endStep();
  assertEquals(await numbers(held), [[5, 10]]);
  assertThrows(() => session.flush([lost]), StaleTensorError, "keep()");
  await assertRejects(() => session.read([lost]), StaleTensorError);
  assertEquals(await numbers(leaf(p.storage, [2], "f32")), [[2, 3]], "a failed read changes nothing");
});

Deno.test("disposed memory is refused", () => {
  session.useDevice(device);
  const p = variable(1);
  const y = add(p.node, constant(1));
  p.storage.dispose();
  p.storage.dispose();
  assertThrows(() => session.flush([y]), DisposedError, "disposed");
});

Deno.test("numbers that change need no new program; shapes do", async () => {
  session.useDevice(device);
  const x = fromHost(new Float32Array([1, 2, 3]), [3], "f32");
  const start = device.stats().programs;
  for (let i = 0; i < 20; i++) {
    assertEquals(await numbers(reduce("sum", mul(x, scalar(i)), [0])), [[6 * i]]);
  }
  assertEquals(device.stats().programs, start + 1);
  await session.read([reduce("sum", mul(reshape(x, [3, 1]), scalar(2)), [0])]);
  assertEquals(device.stats().programs, start + 2);
});

Deno.test("results that are held keep their values however many runs follow", async () => {
  session.useDevice(device);
  const x = fromHost(new Float32Array([1]), [1], "f32");
  const held: Node[] = [];
  for (let i = 0; i < 6000; i++) {
    const y = mul(x, scalar(i));
    session.flush([y]);
    held.push(y);
  }
  const values = (await numbers(...held)).map((v) => v[0]);
  assertEquals(values, Array.from({ length: 6000 }, (_, i) => i));
});

Deno.test("a sum that grows from step to step stays shallow", async () => {
  session.useDevice(device);
  let total: Node = fromHost(new Float32Array([0]), [], "f32");
  let deepest = 0;
  for (let i = 0; i < 3000; i++) {
    const loss = mul(fromHost(new Float32Array([i]), [], "f32"), constant(1));
    session.endStep([loss]);
    total = add(total, loss);
    deepest = Math.max(deepest, topological([total]).length);
    if (i % 64 === 0) await new Promise((r) => setTimeout(r, 0));
  }
  assertEquals(await numbers(total), [[Math.fround(4498500)]]);
  assert(deepest < 2500, `${deepest} nodes hang together`);
});
