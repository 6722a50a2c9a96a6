/**
 * Gradients of what many others were made of: pieces and products that are brought together.
 */
import { assert, assertEquals } from "@std/assert";
import { grad, Rng, stack, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

const onCpu = { kinds: ["cpu"] } as const;

/** The gradient of `x` by `sum(weight * part)` over pieces `[from, to)`. */
async function ofPieces(n: number, pieces: readonly (readonly [number, number])[]): Promise<number[]> {
  const x = tensor(Float32Array.from({ length: n }, (_, i) => i + 1));
  const parts = pieces.map(([from, to], k) => x.slice([[from, to]]).mul(k + 1).sum());
  const [g] = grad(parts.reduce((a, b) => a.add(b)), [x]);
  return [...await g.data()];
}

onDevices("pieces of a tensor: all of it, with holes, out of order, overlapping", async () => {
  const cases: [number, [number, number][]][] = [
    [6, [[0, 2], [2, 4], [4, 6]]],
    [6, [[4, 6], [0, 2], [2, 4]]],
    [9, [[1, 2], [3, 5], [6, 8]]],
    [9, [[1, 2], [7, 8]]],
    [5, [[0, 3], [2, 5], [1, 2]]],
    [3, [[0, 3], [0, 1], [1, 2], [2, 3]]],
  ];
  for (const [n, pieces] of cases) {
    const want = Array.from(
      { length: n },
      (_, i) => pieces.reduce((s, [a, b], k) => i >= a && i < b ? s + k + 1 : s, 0),
    );
    assertEquals(await ofPieces(n, pieces), want, `${n} ${JSON.stringify(pieces)}`);
  }
}, onCpu);

onDevices("pieces along several axes", async () => {
  const x = tensor(new Float32Array(12), { shape: [3, 4] });
  const at = (a: number, b: number) => x.slice([[a, a + 1], [b, b + 2]]).sum().mul(a + 1);
  const rows = x.slice([[0, 1]]).sum().add(x.slice([[1, 3]]).sum().mul(10));
  const [g] = grad(at(0, 0).add(at(1, 2)).add(at(2, 1)).add(rows).add(x.slice([null, [3]]).sum().mul(100)), [x]);
  assertEquals(await g.array(), [[2, 2, 1, 101], [10, 10, 12, 112], [10, 13, 13, 110]]);
}, onCpu);

onDevices("a weight that multiplies in every step gets its gradient from one product", async (device) => {
  const rng = new Rng(3);
  const w = tensor(rng.normalArray(64 * 96), { shape: [96, 64] });
  const xs = Array.from({ length: 6 }, () => tensor(rng.normalArray(4 * 64), { shape: [4, 64] }));
  const loss = (parts: readonly Tensor[]) => parts.map((y) => y.square().sum()).reduce((a, b) => a.add(b));
  const turned = w.transpose(0, 1);
  const [g] = grad(loss(xs.map((x) => x.matmul(turned))), [w]);
  const got = await g.data();
  const [one] = grad(stack(xs).reshape([24, 64]).matmul(turned).square().sum(), [w]);
  const want = await one.data();
  for (let i = 0; i < want.length; i++) assert(Math.abs(got[i] - want[i]) < 1e-3, `${i}: ${got[i]}, ${want[i]}`);
  const before = device.stats().dispatches;
  await grad(loss(xs.map((x) => x.matmul(turned))), [w])[0].data();
  assert(device.stats().dispatches - before <= 12, `${device.stats().dispatches - before} kernels`);
}, onCpu);
