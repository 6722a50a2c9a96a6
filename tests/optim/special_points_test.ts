/**
 * Steps at special gradients: 0, the smallest numbers, squares beyond f32.
 */
import { assert, assertEquals } from "@std/assert";
import { Adam, type OptFunc, QHAdam, RMSProp, SGD } from "../../src/optim/mod.ts";
import { Parameter, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

const GRADS = [0, 1e-38, 1e-30, 1, 1e19, 1e20, -1e20];

async function step(opt: OptFunc, options: Record<string, number>): Promise<Float32Array> {
  const p = new Parameter(tensor(new Float32Array(GRADS.length)));
  const optimizer = opt([p], { lr: 0.1, ...options });
  p.grad = tensor(GRADS);
  optimizer.step();
  return Float32Array.from(await p.data());
}

onDevices("a first step is that of PyTorch where the square of a gradient is beyond f32, or below it", async () => {
  const adam = await step(Adam, { mom: 0.9, sqrMom: 0.99, eps: 1e-5, wd: 0 });
  const rms = await step(RMSProp, { sqrMom: 0.99, eps: 1e-8 });
  const near = (got: Float32Array, want: number[]) =>
    want.forEach((v, i) => assert(Math.abs(got[i] - v) <= 1e-5 * Math.abs(v) + 1e-37, `${GRADS[i]}: ${got[i]}, ${v}`));
  near(adam, [0, -1e-34, -1e-26, -0.1 / (1 + 1e-5), -0.1, -0.1, 0.1]);
  near(rms, [0, -1e-31, -1e-23, -0.1 / (0.1 + 1e-8), -1, -1, 1]);
  near(await step(SGD, {}), GRADS.map((g) => -0.1 * g));
  const quasi = await step(QHAdam, {});
  assertEquals([...quasi].filter((v) => !Number.isFinite(v)), []);
});
