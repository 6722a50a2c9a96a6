/**
 * What a step costs: kernels, programs, and which structure it has.
 */
import { assert, assertEquals } from "@std/assert";
import { Adam, Lamb, Larc, type OptFunc, RAdam, ranger, RMSProp, SGD } from "../../src/optim/mod.ts";
import { backward, Parameter, readAll, tensor, zeros } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";

/** Kernels of a step; devices may split sums further. */
const KERNELS: Readonly<Record<string, readonly [OptFunc, number]>> = {
  SGD: [SGD, 1],
  "SGD with momentum": [SGD.with({ mom: 0.9, wd: 0.1 }), 1],
  RMSProp: [RMSProp, 1],
  Adam: [Adam, 1],
  RAdam: [RAdam, 1],
  ranger: [ranger, 2], // the step, the look back
  Larc: [Larc, 3], // norms, rates, the step
  Lamb: [Lamb, 4], // direction, norms, ratios, the step
};

for (const [name, [make, kernels]] of Object.entries(KERNELS)) {
  onDevices(
    `${name}: as many kernels for 66 tensors as for 3; no new program after the second step`,
    (device, kind) => {
      const counts = [3, 66].map((n) => {
        const p = Array.from({ length: n }, (_, i) => new Parameter(zeros([i % 7 + 1, 3])));
        const opt = make([p]);
        p.forEach((q, i) => q.grad = tensor(fillF32(i, q.size), { shape: [...q.shape] }));
        opt.holdGrads(); // the first step brings the gradients to their place, where they stay
        opt.step();
        let count = 0, programs = 0;
        for (let t = 0; t < 12; t++) {
          opt.setHyper("lr", 0.1 / (t + 1));
          opt.setHyper("mom", t % 2 === 0 ? 0.9 : 0.8);
          const before = device.stats();
          opt.step();
          const after = device.stats();
          if (t === 0) [count, programs] = [after.dispatches - before.dispatches, after.programs];
          assertEquals(after.dispatches - before.dispatches, count, `${n} tensors, step ${t}`);
          assertEquals(after.programs, programs, `${n} tensors, step ${t}`);
        }
        return count;
      });
      if (kind === "reference" || kernels === 1) assertEquals(counts, [kernels, kernels]);
      else assert(counts[1] <= Math.min(counts[0], kernels) + 2, `${counts}: each of two norms may be split once`);
    },
  );
}

onDevices("gradients of products need no kernel to get to their place", async (device) => {
  const w = new Parameter(tensor(fillF32(1, 48), { shape: [8, 6] }));
  const x = tensor(fillF32(2, 32), { shape: [4, 8] });
  const opt = Adam([w]);
  const loss = x.matmul(w).sum();
  backward(loss);
  const before = device.stats().dispatches;
  opt.step();
  const together = device.stats().dispatches - before;
  const other = new Parameter(tensor(fillF32(1, 48), { shape: [8, 6] }));
  const y = x.matmul(other).sum();
  backward(y);
  const start = device.stats().dispatches;
  await readAll([y, other.grad!]);
  assertEquals(together, device.stats().dispatches - start + 1, "what backward needs, and one kernel for the step");
});

onDevices("flags that differ make one other program, whatever their values", (device) => {
  const p = Array.from({ length: 5 }, (_, i) => new Parameter(zeros([i + 1])));
  const opt = Adam([p], { wd: 0.1 });
  let programs = 0;
  for (let t = 0; t < 10; t++) {
    p.forEach((q, i) => opt.setFlag(q, "doWd", i % 5 !== t % 5));
    p.forEach((q) => q.grad = tensor(fillF32(t, q.size)));
    opt.step();
    if (t === 0) programs = device.stats().programs;
  }
  assertEquals(device.stats().programs, programs);
});

onDevices("memory stays as it is over 200 steps", async (device) => {
  const w = new Parameter(tensor(fillF32(1, 640), { shape: [64, 10] }));
  const x = tensor(fillF32(2, 1024), { shape: [16, 64] });
  const opt = ranger([w], { lr: 1e-3 });
  const step = () => {
    backward(x.matmul(w).square().mean());
    opt.step();
    opt.zeroGrad();
  };
  for (let t = 0; t < 20; t++) step();
  await w.data();
  const before = device.stats();
  for (let t = 0; t < 200; t++) step();
  await w.data();
  const after = device.stats();
  assertEquals(after.liveBytes, before.liveBytes);
  assertEquals(after.buffers, before.buffers);
  assertEquals(after.programs, before.programs);
});

onDevices("a deferred step waits for the loop's boundary", async (device) => {
  const p = new Parameter(tensor([1, 2]));
  const opt = SGD([p], { lr: 1 });
  opt.deferBoundary = true;
  p.grad = tensor([1, 1]);
  const before = device.stats().runs;
  opt.step();
  assertEquals(device.stats().runs, before);
  assertEquals([...await p.data()], [0, 1]);
  assertEquals(device.stats().runs, before + 1);
});
