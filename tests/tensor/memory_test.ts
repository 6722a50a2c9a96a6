/**
 * Memory over many steps.
 */
import { assert, assertEquals } from "@std/assert";
import { boundary } from "../../src/graph/runtime.ts";
import { backward, Parameter, stack, type Tensor, tensor, zeros } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

onDevices("held losses that are averaged again and again take no more memory each time", async (device) => {
  const losses: Tensor[] = [];
  for (let i = 0; i < 40; i++) losses.push(tensor(i).mul(2).realize());
  const mean = () => stack(losses).mean().item();
  assertEquals(await mean(), 39);
  const before = device.stats().liveBytes;
  for (let i = 0; i < 20; i++) assertEquals(await mean(), 39);
  const grown = device.stats().liveBytes - before;
  assert(grown < 1e6, `${grown} bytes more`);
});

onDevices("a running sum over 1,200 steps stays shallow and right", async (device) => {
  const p = new Parameter(tensor([0, 0]));
  let total: Tensor = zeros([]);
  let early = 0;
  for (let i = 0; i < 1200; i++) {
    const loss = p.sub(1).square().sum();
    backward(loss);
    p.assign(p.sub(p.grad!.mul(0)));
    p.grad = null;
    total = total.add(loss);
    boundary();
    if (i === 100) early = device.stats().programs;
  }
  assertEquals(await total.item(), 2400);
  const made = device.stats().programs - early;
  assert(made <= 4, `${made} more programs`); // one for each 512 steps, one for the read
});
