/**
 * `grad`, `backward`, `noGrad`: who gets which gradient, what is refused, gradients of gradients.
 */
import { assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConfigError, DtypeError, ShapeError } from "../../src/base/errors.ts";
import { backward, grad, noGrad, Parameter, randn, readAll, Rng, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { session } from "../../src/graph/session.ts";
import { onDevices } from "../support/devices.ts";
import { fill } from "../support/fill.ts";
import { assertClose } from "./golden_cases.ts";

/** Functions whose second derivatives are easily lost by a shortcut in a first one. */
const TWICE: Record<string, (x: Tensor) => Tensor> = {
  square: (x) => x.square(),
  tanh: (x) => x.tanh(),
  sigmoid: (x) => x.sigmoid(),
  silu: (x) => x.silu(),
  gelu: (x) => x.gelu(),
  softplus: (x) => x.softplus(),
  softmax: (x) => x.softmax(),
  logSoftmax: (x) => x.logSoftmax(),
  logsumexp: (x) => x.logsumexp({ axis: 1 }),
  var: (x) => x.var({ axis: 1 }),
  std: (x) => x.std({ axis: 0 }),
  matmul: (x) => x.matmul(x.transpose()),
  slice: (x) => x.slice([[1, null], [null, null, 2]]).square(),
  gather: (x) => x.square().indexSelect(tensor(Int32Array.of(2, 0, 2))),
  cumsum: (x) => x.cumsum().square(),
};

for (const [name, f] of Object.entries(TWICE)) {
  onDevices(`the gradient of the gradient of ${name}`, async () => {
    const values = fill(11, 12).map(Math.fround);
    const v = fill(12, 12).map(Math.fround);
    /** d(f(x) . w)/dx . v, which is then differentiated, or compared by differences. */
    const along = (x: Tensor): Tensor => {
      const y = f(x);
      const w = tensor(fill(13, y.size), { shape: y.shape });
      const [dx] = grad(y.mul(w).sum(), [x]);
      return dx.mul(tensor(v, { shape: [3, 4] })).sum();
    };
    const x = tensor(values, { shape: [3, 4] });
    const [ddx] = grad(along(x), [x]);
    const got = await ddx.data();
    const h = 2 ** -7;
    const sides: Tensor[] = [];
    for (let i = 0; i < 12; i++) {
      for (const k of [h, -h, 2 * h, -2 * h]) {
        const moved = values.slice();
        moved[i] += k;
        sides.push(along(tensor(moved, { shape: [3, 4] })));
      }
    }
    const s = (await readAll(sides)).map((d) => d[0]);
    const want = values.map((_, i) => (8 * (s[4 * i] - s[4 * i + 1]) - (s[4 * i + 2] - s[4 * i + 3])) / (12 * h));
    const largest = Math.max(...want.map(Math.abs), 1e-3);
    want.forEach((w, i) => assertAlmostEquals(got[i], w, 2e-4 * Math.max(1, largest), `element ${i}`));
  });
}

onDevices("elements beside those that are looked up have no gradient", async () => {
  const x = tensor([[1, 2], [3, 4], [5, 6]]);
  for (const rows of [[2, 0], [2, 0, 0, 1, 2, 2, 0]]) {
    const index = tensor(Int32Array.from(rows), { shape: [rows.length, 1] });
    const times = (r: number) => rows.filter((v) => v === r).length;
    assertEquals(await grad(x.gather(index).sum(), [x])[0].array(), [0, 1, 2].map((r) => [times(r), 0]));
    const dw = grad(x.gather(index).matmul(tensor([[2, 3]])).sum(), [x])[0];
    assertEquals(await dw.array(), [0, 1, 2].map((r) => [5 * times(r), 0]));
  }
});

onDevices("second derivatives of powers where a first one is 0 by definition are finite", async () => {
  const a = tensor([0, 0, -2]), b = tensor([0, 2, 1]);
  const [flat] = grad(a.pow(0).sum(), [a]);
  assertEquals(await grad(flat.sum(), [a])[0].array(), [0, 0, 0]);
  const [da, db] = grad(a.pow(b).sum(), [a, b]);
  const [daa, dab] = grad(da.sum(), [a, b]);
  assertEquals(await daa.array(), [0, 2, 0]);
  assertEquals((await dab.array() as number[]).slice(0, 2), [0, 0]);
  assertEquals((await grad(db.slice([[0, 2]]).sum(), [a])[0].array() as number[]).slice(0, 2), [0, 0]);
});

// PyTorch's: at both ends of the image it does not depend on the place any more
onDevices("a place on the border of an image has no gradient where the border goes on", async () => {
  const image = tensor([[[[1, 2, 4], [3, 5, 9]]]]);
  for (
    const [paddingMode, alignCorners, ends] of [
      ["border", true, [-1, 1]],
      ["reflection", true, [-1, 1]],
      ["border", false, [-2 / 3, 2 / 3]],
    ] as const
  ) {
    const grid = tensor([[ends.map((x) => [x, alignCorners ? -1 : -0.5])]]);
    const y = image.gridSample(grid, { paddingMode, alignCorners });
    assertEquals(await grad(y.sum(), [grid])[0].array(), [[[[0, 0], [0, 0]]]]);
    assertEquals(await y.array(), [[[[1, 4]]]]);
  }
  const line = tensor([[[[1, 2, 4]]]]), grid = tensor([[[[0.5, 0]]]]);
  const [g] = grad(line.gridSample(grid, { paddingMode: "border" }).sum(), [grid]);
  assertEquals((await g.data())[1], 0);
});

onDevices("backward fills every parameter it finds, adds up, and leaves frozen ones alone", async () => {
  const a = new Parameter(tensor([1, 2, 3])),
    b = new Parameter(tensor([4, 5, 6])),
    c = new Parameter(tensor([7, 8, 9]));
  const frozen = new Parameter(tensor([1, 1, 1]));
  frozen.requiresGrad = false;
  const loss = () => a.mul(b).add(frozen.mul(2)).sum();
  backward(loss());
  assertEquals([await a.grad!.array(), await b.grad!.array()], [[4, 5, 6], [1, 2, 3]]);
  assertEquals([c.grad, frozen.grad], [null, null]);
  backward(loss());
  assertEquals(await a.grad!.array(), [8, 10, 12]);
});

onDevices("the loss can be read before backward, after it, and after the parameters have changed", async () => {
  const p = new Parameter(tensor([1, 2, 3]));
  const loss = p.square().sum();
  assertEquals(await loss.item(), 14);
  backward(loss);
  assertEquals(await loss.item(), 14);
  p.assign(p.sub(p.grad!.mul(0.5)));
  session.endStep();
  assertEquals(await loss.item(), 14);
  assertEquals(await p.array(), [0, 0, 0]);
});

onDevices("inner tensors have gradients too, one used twice gets the sum", async () => {
  const x = tensor([1, 2, 3]);
  const y = x.mul(2);
  const [dx, dy] = grad(y.mul(y).add(x).sum(), [x, y]);
  assertEquals([await dx.array(), await dy.array()], [[9, 17, 25], [4, 8, 12]]);
});

onDevices("what y does not depend on, and what only floor lies between, has gradient 0", async () => {
  const x = tensor([1.5, 2.5]), other = tensor([[1], [2]]);
  const [dx, dother] = grad(x.floor().sum(), [x, other]);
  assertEquals([await dx.array(), await dother.array()], [[0, 0], [[0], [0]]]);
});

onDevices("a seed weighs the elements of y", async () => {
  const x = tensor([1, 2, 3]);
  const [dx] = grad(x.square(), [x], { seed: tensor([1, 10, 100]) });
  assertEquals(await dx.array(), [2, 40, 600]);
});

onDevices("results of noGrad and detach are constants", async () => {
  const p = new Parameter(tensor([1, 2, 3]));
  const inside = noGrad(() => p.mul(10));
  backward(p.mul(inside).sum());
  assertEquals(await p.grad!.array(), [10, 20, 30]);
  p.grad = null;
  backward(p.mul(p.detach()).sum());
  assertEquals(await p.grad!.array(), [1, 2, 3]);
  // the same node came back from an operation that had nothing to do
  const same = noGrad(() => p.reshape([3]));
  p.grad = null;
  backward(p.mul(same).sum());
  assertEquals(await p.grad!.array(), [1, 2, 3]);
});

onDevices("a parameter made inside noGrad is trained like any other", async () => {
  const p = noGrad(() => new Parameter(randn([3], { rng: new Rng(1) })));
  backward(p.square().sum());
  assertClose(await p.grad!.data(), (await p.data()).map((v) => 2 * v), "gradient");
});

onDevices("a value that depends on parameters may be read before backward, once", async () => {
  const p = new Parameter(tensor([1, 2]));
  const hidden = p.mul(3);
  assertEquals(await hidden.array(), [3, 6]);
  const loss = hidden.square().sum();
  assertEquals(await loss.item(), 45);
  backward(loss);
  assertEquals(await p.grad!.array(), [18, 36]);
  assertThrows(
    () => backward(hidden.sum().add(p.sum())),
    ConfigError,
    "Cannot differentiate through a tensor of shape [2]",
  );
  // what depends on no parameter forgets at once
  const x = tensor([1, 2]);
  const y = x.square().realize();
  assertThrows(() => grad(y.sum(), [x]), ConfigError, "its history is gone");
});

onDevices("after one backward the same parameters can be read and differentiated again", async () => {
  const p = new Parameter(tensor([1, 2]));
  backward(p.square().sum());
  const second = p.mul(3);
  assertEquals(await second.array(), [3, 6]);
  backward(second.square().sum());
  assertEquals(await p.grad!.array(), [2 + 18, 4 + 36]);
});

onDevices("two losses over one hidden value: both get their gradients, or an error, never half of one", async () => {
  const p = new Parameter(tensor([1, 2]));
  const hidden = p.mul(3);
  backward(hidden.sum());
  backward(hidden.square().sum());
  assertEquals(await p.grad!.array(), [3 + 18, 3 + 36]);
  const late = hidden.mul(2); // built after backward was done with it
  await late.data();
  assertThrows(() => backward(late.sum().add(p.sum())), ConfigError, "its history is gone");
});

onDevices("several steps: each backward sees the newest parameters", async () => {
  const p = new Parameter(tensor([1, 2])), q = new Parameter(tensor([5, 5]));
  for (let i = 0; i < 3; i++) {
    backward(p.square().sum().add(q.sum()));
    p.assign(p.sub(p.grad!.mul(0.25)));
    p.grad = null;
    if (i === 1) session.endStep();
  }
  assertEquals(await p.array(), [0.125, 0.25]);
  assertEquals(await q.grad!.array(), [3, 3]);
});

onDevices("a gradient that was computed forgets where it came from", async () => {
  const p = new Parameter(tensor([1, 2]));
  backward(p.square().sum());
  await p.grad!.data();
  assertEquals(p.grad!.node.inputs.length, 0);
});

onDevices("a mask that was read does no harm", async () => {
  const p = new Parameter(tensor([-1, 2]));
  const mask = p.gt(0);
  assertEquals(await mask.array(), [false, true]);
  backward(p.mul(mask).sum());
  assertEquals(await p.grad!.array(), [0, 1]);
});

onDevices("a normalized batch that was computed before does no harm", async () => {
  const xb = tensor([1, 2, 3]).sub(2);
  await xb.data();
  const p = new Parameter(tensor([1, 1, 1]));
  backward(p.mul(xb).sum());
  assertEquals(await p.grad!.array(), [-1, 0, 1]);
});

Deno.test("gradients refuse what has none", async () => {
  const x = tensor([1, 2]), i = tensor(Int32Array.of(1, 2));
  assertThrows(
    () => grad(x, [x]),
    ShapeError,
    "Cannot differentiate a tensor of shape [2]: reduce it to one number first",
  );
  assertThrows(() => grad(i.sum(), [x]), DtypeError, "Cannot differentiate a i32 tensor");
  assertThrows(() => grad(x.sum(), [i]), DtypeError, "Cannot differentiate by a i32 tensor");
  assertThrows(() => grad(x, [x], { seed: tensor([1]) }), ShapeError, "with a seed of [1]");
  assertThrows(() => backward(x.sum()), ConfigError, "Cannot run backward: the loss depends on no parameter");
  assertThrows(() => noGrad(() => backward(x.sum())), ConfigError, "Cannot run backward inside noGrad()");
  assertThrows(() => noGrad(() => grad(x.sum(), [x])), ConfigError, "Cannot differentiate inside noGrad()");
  assertThrows(() => noGrad(() => Promise.resolve(1)), ConfigError, "Cannot pause gradients for an async function");
  assertEquals(noGrad(() => 5), 5);
  await assertRejects(() => tensor([1, 2]).item(), ShapeError, "Cannot read a tensor of shape [2] as one number");
});
