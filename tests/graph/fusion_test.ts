/**
 * Fusion must not change a bit: random graphs are computed as one program, and again one operation at a time.
 */
import { assertEquals } from "@std/assert";
import { gradients } from "../../src/graph/autodiff.ts";
import * as el from "../../src/graph/elementwise.ts";
import { constant, coord, fromHost, scalar } from "../../src/graph/leaves.ts";
import type { Node } from "../../src/graph/node.ts";
import { cat, gather, matmul, scatterAdd, segmentSum } from "../../src/graph/products.ts";
import { reduce } from "../../src/graph/reduce.ts";
import { session } from "../../src/graph/session.ts";
import { expand, flip, keepAxes, pad, permute, reshape, slice } from "../../src/graph/views.ts";
import { Tensor } from "../../src/tensor/mod.ts";
import { ReferenceDevice } from "../support/reference_device.ts";

/** A small seeded generator: mulberry32. */
function generator(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const UNARY = [el.neg, el.abs, el.exp, el.tanh, el.relu, el.sigmoid, el.square, el.sin, el.silu, el.gelu, el.softplus];
const BINARY = [el.add, el.sub, el.mul, el.maximum, el.minimum];

/** A random graph over a few leaves. `realizeEach` computes every node on its own before the next one is built. */
async function randomGraph(seed: number, realizeEach: boolean): Promise<Float32Array[]> {
  const next = generator(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)];
  const whole = (n: number) => Math.floor(next() * n);
  const leafOf = (shape: number[]) => {
    const n = shape.reduce((a, b) => a * b, 1);
    return fromHost(Float32Array.from({ length: n }, () => next() * 2 - 1), shape, "f32");
  };
  const sizes = [1, 2, 3, 4, 6];
  const leaves = Array.from({ length: 3 }, () => leafOf(Array.from({ length: 1 + whole(3) }, () => pick(sizes))));
  for (const leaf of leaves) leaf.tracked = true; // values computed early keep their history for the gradients
  const pool: Node[] = [...leaves];
  const done = async (node: Node) => {
    if (realizeEach && node.size > 0) await session.read([node]);
    pool.push(node);
  };
  const steps = 5 + whole(18);
  for (let i = 0; i < steps; i++) {
    const x = pick(pool.slice(-6));
    const { shape } = x;
    const axis = whole(shape.length);
    switch (whole(26)) {
      case 0:
      case 1:
      case 2:
        await done(pick(UNARY)(x));
        break;
      case 3:
      case 4: {
        const same = pool.filter((p) => p.shape.join() === shape.join());
        await done(pick(BINARY)(x, pick(same)));
        break;
      }
      case 5:
        if (shape.length > 0) await done(el.mul(x, keepAxes(reduce("sum", x, [axis]), shape, [axis])));
        break;
      case 6:
        if (shape.length > 0) await done(reduce(pick(["sum", "max", "min"]), x, [axis]));
        break;
      case 7:
        if (shape.length > 1) await done(permute(x, shape.map((_, a) => (a + 1) % shape.length)));
        break;
      case 8:
        await done(reshape(x, [x.size]));
        break;
      case 9:
        if (shape.length > 0 && shape[axis] > 1) {
          await done(slice(x, shape.map((_, a) => a === axis ? 1 : 0), shape.map((n, a) => a === axis ? n - 1 : n)));
        }
        break;
      case 10:
        if (shape.length > 0) {
          await done(pad(x, shape.map((_, a) => a === axis ? 1 : 0), shape.map((_, a) => a === axis ? 2 : 0)));
        }
        break;
      case 11:
        if (shape.length > 0) await done(pick([flip(x, axis), expand(reshape(x, [1, ...shape]), [2, ...shape])]));
        break;
      case 12:
        if (shape.length > 0) await done(cat([x, el.mul(x, scalar(0.5)), x], axis));
        break;
      case 13:
        if (shape.length === 2) await done(matmul(x, permute(x, [1, 0])));
        else if (shape.length === 1) await done(matmul(reshape(x, [shape[0], 1]), reshape(x, [1, shape[0]])));
        break;
      case 14:
        if (shape.length > 0) {
          const n = shape[axis];
          const index = el.mod(el.mul(coord(shape, axis), constant(2, "i32")), constant(n, "i32"));
          await done(whole(2) === 0 ? gather(x, index, axis, shape) : scatterAdd(x, index, axis, n));
        }
        break;
      case 15:
        if (shape.length === 1) {
          const starts = [0, ...Array.from({ length: shape[0] - 1 }, (_, k) => k + 1).filter(() => next() < 0.3)];
          await done(segmentSum(x, starts));
        }
        break;
      case 16: {
        const [a, b] = [pick(pool), pick(pool)]; // beside each other: the kernels may be shared
        for (const n of [a, b]) if (n.shape.length > 0) await done(reduce("sum", el.tanh(n), [n.shape.length - 1]));
        break;
      }
      case 17:
        for (const n of [pick(pool), pick(pool), x]) {
          if (n.size > 0) await done(segmentSum(el.square(reshape(n, [n.size])), [0]));
        }
        break;
      case 18:
        if (shape.length === 2) {
          const image = new Tensor(reshape(x, [1, 1, ...shape]));
          const w = new Tensor(reshape(slice(reshape(pool[0], [pool[0].size]), [0], [1]), [1, 1, 1, 1]));
          const kind = whole(4);
          if (kind === 0) await done(image.conv2d(w, { padding: 1, stride: 1 + whole(2) }).node);
          else if (kind === 1) await done(image.maxPool2d(2, { padding: 1 }).node);
          else if (kind === 2) await done(image.avgPool2d(2, { padding: 1, stride: 1 }).node);
          else await done(image.interpolate({ size: [shape[0] + 1, 2 * shape[1]], mode: "bilinear" }).node);
        }
        break;
      case 19:
        if (shape.length > 0) await done(new Tensor(x).cumsum({ axis }).node);
        break;
      case 20:
        if (shape.length > 0) await done(new Tensor(x).softmax({ axis }).node);
        break;
      case 21:
        if (shape.length > 0) await done(new Tensor(x).topk(1 + whole(shape[axis]), { axis }).values.node);
        break;
      case 22:
        if (shape.length > 0) {
          await done(
            el.add(
              x,
              el.mul(constant(0.1), keepAxes(el.cast(new Tensor(x).argmax({ axis }).node, "f32"), shape, [axis])),
            ),
          );
        }
        break;
      case 23: {
        const same = pool.filter((p) => p.shape.join() === shape.join());
        await done(el.where(el.gt(x, pick(same)), pick(same), el.mul(x, scalar(0.3))));
        break;
      }
      case 24:
        if (shape.length > 1) {
          await done(reduce(pick(["sum", "max"]), x, shape.map((_, a) => a).filter((a) => a !== axis)));
        }
        break;
      case 25:
        if (shape.length === 3) await done(matmul(x, permute(x, [0, 2, 1])));
        else if (shape.length > 0) await done(new Tensor(x).var({ axis, correction: 0 }).node);
        break;
    }
    const last = pool[pool.length - 1];
    if (last.size > 3000) pool.pop();
  }
  const y = pool[pool.length - 1];
  const loss = reduce("sum", el.square(y), y.shape.map((_, a) => a));
  const grads = gradients(loss, leaves).filter((g): g is Node => g !== null);
  const more = pool.slice(3).filter(() => next() < 0.25);
  const wanted = [loss, y, ...grads, ...more];
  if (realizeEach) {
    for (const node of wanted) await session.read([node]);
  }
  return await session.read(wanted) as Float32Array[];
}

Deno.test("random graphs: one fused program gives the bits of single operations", async (t) => {
  session.useDevice(new ReferenceDevice());
  for (let seed = 1; seed <= 300; seed++) {
    let fused: Float32Array[];
    try {
      fused = await randomGraph(seed, false);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    const single = await randomGraph(seed, true);
    const bits = (list: Float32Array[]) =>
      list.map((a) => Array.from(new Uint32Array(a.slice().buffer)).map((b) => b === 0x80000000 ? 0 : b));
    assertEquals(bits(fused), bits(single), `seed ${seed}`);
  }
  await t.step("a graph 20,000 operations deep", async () => {
    let x = fromHost(new Float32Array([1]), [1], "f32");
    for (let i = 0; i < 20000; i++) x = el.add(x, constant(1));
    assertEquals((await session.read([x]))[0][0], 20001);
  });
});

Deno.test("long chains become several kernels, none of which takes a compiler minutes", async () => {
  const device = new ReferenceDevice(), sizes: number[] = [];
  const compile = device.compile.bind(device);
  device.compile = (program) => {
    for (const kernel of program.kernels) if ("body" in kernel) sizes.push(kernel.body.length);
    return compile(program);
  };
  session.useDevice(device);
  const x = fromHost(Float32Array.of(1), [1], "f32");
  let y = x;
  for (let i = 0; i < 1000; i++) y = el.mul(y, scalar(1 + i / 1e6));
  const got = await session.read([y, el.neg(y)]);
  let want = 1;
  for (let i = 0; i < 1000; i++) want = Math.fround(want * Math.fround(1 + i / 1e6));
  assertEquals(got.map((v) => v[0]), [want, -want]);
  assertEquals([sizes.length > 1, sizes.every((n) => n <= 1000)], [true, true], sizes.join());
});
