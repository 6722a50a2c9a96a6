/**
 * Memory over many steps.
 */
import { assert, assertEquals } from "@std/assert";
import { session } from "../../src/graph/session.ts";
import { backward, Parameter, stack, type Tensor, tensor, zeros } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

onDevices("means of held losses, one after another, give their memory back", async (device) => {
  const mean = async () => {
    const losses: Tensor[] = [];
    for (let i = 0; i < 8; i++) losses.push(tensor(i).mul(2).realize());
    assertEquals(await stack(losses).mean().item(), 7);
  };
  await mean();
  const before = device.stats().liveBytes;
  for (let i = 0; i < 20; i++) await mean();
  const grown = device.stats().liveBytes - before;
  assert(grown < 3e6, `${grown} bytes more`); // a ring has buffers of 256 KiB
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
    session.endStep();
    assert(p.sum().node.depth < 10, "a parameter that was updated is as deep as what it came from");
    if (i === 100) early = device.stats().programs;
  }
  assertEquals(await total.item(), 2400);
  const made = device.stats().programs - early;
  assert(made <= 4, `${made} more programs`); // one for each 512 steps, one for the read
});
