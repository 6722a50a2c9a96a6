/**
 * Steps that fail, and steps of several optimizers: neither may spoil what comes after.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { DisposedError } from "../../src/base/errors.ts";
import * as nn from "../../src/nn/mod.ts";
import { SGD } from "../../src/optim/mod.ts";
import { backward, full, Parameter, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

onDevices("a step that fails changes nothing, and the process goes on", async () => {
  const p = new Parameter(tensor([1, 2]));
  const opt = SGD([p], { lr: 0.5 });
  const x = tensor([3, 4]);
  backward(p.mul(x).sum());
  x.dispose();
  assertThrows(() => opt.step(), DisposedError);
  assertEquals(await tensor([1]).mul(2).array(), [2]);
  assertEquals(await p.array(), [1, 2]);
  opt.zeroGrad();
  backward(p.mul(tensor([1, 1])).sum());
  opt.step();
  assertEquals(await p.array(), [0.5, 1.5]);
});

onDevices("two optimizers over halves of a model use the gradients of one backward", async () => {
  const a = new nn.Linear(1, 1, { bias: false }), b = new nn.Linear(1, 1, { bias: false });
  a.weight.assign(tensor([[2]]));
  b.weight.assign(tensor([[3]]));
  const first = SGD(a.parameters(), { lr: 0.1 }), second = SGD(b.parameters(), { lr: 0.1 });
  backward(b.forward(a.forward(tensor([[5]]))).sum());
  first.step(); // d/da = 5 * 3
  second.step(); // d/db = 5 * 2, with a as it was
  assertEquals(await a.weight.array(), [[Math.fround(0.5)]]);
  assertEquals(await b.weight.array(), [[2]]);
});

onDevices("gradients that nobody can compute any more do not stand in the way of a step", async () => {
  const lost = new Parameter(tensor([1])), x = tensor([2]);
  backward(lost.mul(x).sum());
  x.dispose();
  const p = new Parameter(tensor([1]));
  backward(p.sum());
  SGD([p], { lr: 0.5 }).step();
  assertEquals(await p.array(), [0.5]);
});

onDevices("long sums stay accurate", async () => {
  const x = full([1_000_000], 0.1);
  const mean = await x.mean().item();
  assert(Math.abs(mean - 0.1) < 1e-6, `${mean}`);
  const variance = await full([1_000_000], 1000.1).var().item();
  assert(variance < 1e-5, `${variance}`);
}, { kinds: ["cpu", "webgpu"] });
