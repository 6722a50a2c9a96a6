/**
 * Gradients: where they lie, held between steps, their norm, scaling.
 */
import { assertEquals } from "@std/assert";
import { Adam, type Optimizer, SGD } from "../../src/optim/mod.ts";
import { backward, ops, Parameter, rand, Rng, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";
import { assertValues, bits, param } from "./support.ts";

const setGrads = (opt: Optimizer, grads: readonly (readonly number[] | null)[]) =>
  opt.groups.flat().forEach((p, i) => p.grad = grads[i] === null ? null : tensor([...grads[i]]));

onDevices("gradients can be read before and after the step, until they are zeroed", async () => {
  const w = new Parameter(tensor([1, 2, 3]));
  const opt = SGD([w], { lr: 0.1 });
  backward(w.square().sum());
  await assertValues([w.grad!], [[2, 4, 6]]);
  backward(w.sum());
  opt.step();
  await assertValues([w.grad!, w], [[3, 5, 7], [0.7, 1.5, 2.3]]);
  opt.step(); // the same gradients again
  await assertValues([w.grad!, w], [[3, 5, 7], [0.4, 1, 1.6]]);
  opt.zeroGrad();
  assertEquals(w.grad, null);
});

/** The same as computed values, which lie in the optimizer's memory after a step. */
const computed = (...values: number[]) => tensor(values).mul(1);

onDevices("gradients that only some parameters get anew", async () => {
  const p = [param(1), param(2)];
  const opt = SGD(p, { lr: 1 });
  [p[0].grad, p[1].grad] = [computed(1), computed(2)];
  opt.step();
  p[0].grad = computed(10);
  opt.step(); // the second one's gradient is the old one
  await assertValues([...p, p[0].grad, p[1].grad!], [[-10], [-2], [10], [2]]);
  p[0].grad = computed(1);
  opt.step();
  await assertValues([...p, p[1].grad!], [[-11], [-4], [2]]);
});

onDevices("holding: gradients of many small batches add up without growing", async () => {
  const data = Array.from({ length: 6 }, (_, t) => tensor(fillF32(t, 12), { shape: [4, 3] }));
  const make = () => [new Parameter(tensor(fillF32(99, 3), { shape: [3, 1] })), param(0.5)];
  const loss = ([w, b]: Parameter[], x: typeof data[0]) => x.matmul(w).add(b).square().sum();
  const p = make(), q = make();
  const one = Adam(p, { lr: 0.1 }), two = Adam(q, { lr: 0.1 });
  for (const x of data) {
    backward(loss(p, x));
    one.holdGrads();
    assertEquals(p[0].grad!.node.inputs.length > 0, true, "waits for its assignment, and for nothing else");
    assertEquals(p[0].grad!.node.depth, 0);
  }
  one.step();
  backward(data.map((x) => loss(q, x)).reduce((a, b) => a.add(b)));
  two.step();
  await assertValues(p, await Promise.all(q.map(async (t) => [...await t.data()])), 2e-6);
});

onDevices("the norm of all gradients together", async () => {
  const opt = SGD([[param(1, 1), param(1)], [param(1, 1, 1)], [param(1)]]);
  const [[a, b], [c], [d]] = opt.groups;
  setGrads(opt, [[3, -4], [12], [0, 84, 0], [1e6]]);
  d.requiresGrad = false; // does not count
  await assertValues([opt.gradNorm()], [[85]], 1e-4);
  await assertValues([opt.gradNorm(1), opt.gradNorm(Infinity)], [[103], [84]], 1e-4);
  await assertValues([opt.gradNorm(3)], [[Math.cbrt(27 + 64 + 1728 + 84 ** 3)]], 1e-3);
  await assertValues([a.grad!, b.grad!, c.grad!], [[3, -4], [12], [0, 84, 0]]);
  opt.zeroGrad();
  setGrads(opt, [null, [5], null, null]); // old numbers lie in the places of the others
  await assertValues([opt.gradNorm()], [[5]]);
  opt.zeroGrad();
  await assertValues([opt.gradNorm()], [[0]]);
});

onDevices("scaling is part of the step, and shows in the gradients", async (device) => {
  const p = Array.from({ length: 20 }, () => param(1, 1));
  const opt = SGD(p, { lr: 1 });
  const g = p.map((_, i) => [i, -i]);
  setGrads(opt, g);
  opt.holdGrads(); // brings the gradients to their place
  opt.step();
  const before = device.stats().dispatches;
  opt.scaleGrads(0.5);
  opt.step();
  assertEquals(device.stats().dispatches - before, 1);
  await assertValues(p, g.map(([a, b]) => [1 - 1.5 * a, 1 - 1.5 * b]));
  await assertValues(p.map((q) => q.grad!), g.map(([a, b]) => [a / 2, b / 2]));
});

onDevices("scaled gradients of a loop by hand take no memory of their own", async (device) => {
  const w = new Parameter(rand([64, 1000], { rng: new Rng(1) })), opt = SGD([w], { lr: 0.1 });
  const step = () => {
    backward(w.square().sum());
    opt.scaleGrads(opt.gradNorm().reciprocal());
    opt.step();
    opt.zeroGrad();
  };
  const peaks: number[] = [];
  for (let i = 0; i < 12; i++) {
    step();
    if (i >= 4) peaks.push(device.stats().peakBytes);
  }
  assertEquals(new Set(peaks).size, 1, `${peaks}`);
  await w.data();
});

onDevices("a scaled gradient is what it was in its step, whatever the factor was made of", async () => {
  const p = param(3, 4), opt = SGD([p], { lr: 1 });
  backward(p.mul(tensor([10, 20])).sum());
  opt.scaleGrads(p.square().sum().sqrt().reciprocal()); // of the weights before the step
  opt.scaleGrads(2);
  opt.step();
  await assertValues([p, p.grad!], [[-1, -4], [4, 8]]);
});

onDevices("clipping by the norm, as the training loop does", async () => {
  const clipped = async (maxNorm: number) => {
    const opt = SGD([[param(0, 0)], [param(0)]], { lr: 1 });
    setGrads(opt, [[3, 4], [12]]);
    opt.scaleGrads(ops.minimum(opt.gradNorm().reciprocal().mul(maxNorm), 1));
    opt.step();
    return (await Promise.all(opt.groups.flat().map((p) => p.data()))).flatMap((v) => [...v]);
  };
  await assertValues([tensor(await clipped(6.5))], [[-1.5, -2, -6]]);
  await assertValues([tensor(await clipped(100))], [[-3, -4, -12]]);
});

onDevices("scaling twice, and gradients that change after scaling", async () => {
  const opt = SGD([param(0), param(0)], { lr: 1 });
  const [p, q] = opt.groups[0];
  setGrads(opt, [[8], [16]]);
  opt.scaleGrads(tensor([0.5]));
  await assertValues([opt.gradNorm(Infinity)], [[8]]);
  opt.scaleGrads(0.5);
  opt.step();
  await assertValues([p, q, p.grad!, q.grad!], [[-2], [-4], [2], [4]]);
  opt.zeroGrad();
  setGrads(opt, [[8], [16]]);
  opt.scaleGrads(0.5);
  q.grad = q.grad!.add(100);
  opt.step();
  await assertValues([p, q, p.grad!, q.grad!], [[-6], [-112], [4], [108]]);
  opt.zeroGrad();
  setGrads(opt, [[1], [1]]);
  opt.step(); // nothing is left of the scale
  await assertValues([p, q], [[-7], [-113]]);
  opt.zeroGrad();
  setGrads(opt, [[1], [1]]);
  opt.scaleGrads(3);
  opt.holdGrads();
  p.grad = p.grad!.add(1);
  opt.step();
  await assertValues([p, q], [[-11], [-116]]);
});

onDevices("a scale of 1 changes no bit", async () => {
  const run = async (scale: boolean) => {
    const w = new Parameter(tensor(fillF32(3, 33)));
    const opt = Adam([w], { lr: 0.01 });
    for (let t = 0; t < 5; t++) {
      w.grad = tensor(fillF32(t, 33));
      if (scale) opt.scaleGrads(1);
      opt.step();
    }
    return await bits([w]);
  };
  assertEquals(await run(true), await run(false));
});
