/**
 * Where parameters lie: arenas, and several optimizers over the same parameters.
 */
import { assertEquals } from "@std/assert";
import { layOut } from "../../src/optim/arena.ts";
import { Adam, Lamb, Lookahead, type OptFunc, SGD } from "../../src/optim/mod.ts";
import { Parameter, tensor, zeros } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";
import { assertValues, bits, param, stepWith } from "./support.ts";

const SIZES = [3, 20, 1, 16, 7];
const params = () => SIZES.map((n, i) => new Parameter(tensor(fillF32(i, n))));
const gradients = (t: number) => SIZES.map((n, i) => [...fillF32(50 * t + i, n)]);

onDevices("a group lies in one memory, each tensor from a multiple of 16; values stay", async () => {
  const p = params();
  const before = await bits(p);
  Adam([p.slice(0, 3), p.slice(3)]);
  assertEquals(p.map((q) => q.offset), [0, 16, 48, 0, 16]);
  assertEquals(new Set(p.map((q) => q.storage)).size, 2);
  assertEquals(p[0].storage, p[2].storage);
  assertEquals(await bits(p), before);
});

onDevices("parameters of a second optimizer stay where they are, whatever its groups", async () => {
  const p = params();
  Adam([p.slice(0, 3), p.slice(3)]);
  const places = p.map((q) => [q.storage, q.offset]);
  for (const groups of [[p.slice(0, 3), p.slice(3)], [p], [[p[1]], [p[4], p[0]], [p[2], p[3]]]]) {
    SGD(groups);
    assertEquals(p.map((q) => [q.storage, q.offset]), places);
  }
  const late = param(1);
  SGD([[...p, late]]);
  assertEquals(p.map((q) => [q.storage, q.offset]), places);
  await assertValues([late], [[1]]);
});

const KINDS: Readonly<Record<string, OptFunc>> = {
  "SGD with momentum": SGD.with({ mom: 0.9, wd: 0.1 }),
  Adam,
  Lamb,
  Lookahead: Lookahead(SGD, { k: 2 }),
};

for (const [name, make] of Object.entries(KINDS)) {
  onDevices(`${name}: other groups over the same memory give the same numbers`, async () => {
    const a = params(), b = params();
    SGD([b]); // one arena, through which the groups below go in and out
    const order = [0, 3, 1, 4, 2];
    const split = (p: Parameter[]) => [[p[0], p[3]], [p[1], p[4]], [p[2]]];
    const one = make(split(a), { lr: [0.01, 0.02, 0.03] });
    const two = make(split(b), { lr: [0.01, 0.02, 0.03] });
    for (let t = 0; t < 5; t++) {
      const g = order.map((i) => i === 1 && t === 2 ? null : gradients(t)[i]);
      stepWith(one, g);
      stepWith(two, g);
    }
    const got = await bits(b), want = await bits(a);
    if (name === "Lamb") await assertValues(b, await Promise.all(a.map(async (q) => [...await q.data()])), 1e-6);
    else assertEquals(got, want);
  });
}

onDevices("two optimizers take turns", async () => {
  const p = [param(1, 2), param(3)];
  const slow = SGD(p, { lr: 0.1 }), fast = SGD([[p[1]], [p[0]]], { lr: [1, 2] });
  stepWith(slow, [[1, 1], [1]]);
  stepWith(fast, [[1], [1, 1]]);
  stepWith(slow, [[1, 1], [1]]);
  await assertValues(p, [[1 - 2.2, 2 - 2.2], [3 - 1.2]]);
});

onDevices("what is assigned to a parameter by hand is seen by the next step", async () => {
  const p = [param(1, 2), param(3)];
  const opt = SGD(p, { lr: 1 });
  stepWith(opt, [[1, 1], [1]]);
  p[1].assign(tensor([10]));
  stepWith(opt, [[1, 1], [1]]);
  await assertValues(p, [[-1, 0], [9]]);
});

onDevices("a parameter without elements takes part and has its entry", async () => {
  const p = [param(1), new Parameter(zeros([0, 4])), param(2)];
  const opt = Lamb(p, { lr: 0.1 });
  p.forEach((q) => q.grad = zeros([...q.shape]).add(1));
  opt.step();
  const { state } = opt.stateDict();
  assertEquals(state.map((s) => s.gradAvg!.shape), [[1], [0, 4], [1]]);
  assertEquals((await p[1].data()).length, 0);
  await assertValues([p[0], p[2]], [[0.9], [1.8]], 1e-4);
  opt.loadStateDict(opt.stateDict());
  await assertValues([opt.stateDict().state[2].gradAvg!], [[0.1]]);
});

onDevices("a group too large for one memory is laid out in several", async () => {
  const p = params();
  const before = await bits(p);
  const parts = layOut(p, 40);
  assertEquals(parts.map((x) => x.members.map((m) => m === null ? -1 : p.indexOf(m))), [[0], [1], [2, 3], [4]]);
  assertEquals(parts.map((x) => x.n), [16, 32, 32, 16]);
  assertEquals(await bits(p), before);
  const q = params();
  const one = Adam(p, { lr: 0.1 }), two = Adam(q, { lr: 0.1 });
  for (let t = 0; t < 3; t++) {
    stepWith(one, gradients(t));
    stepWith(two, gradients(t));
  }
  assertEquals(await bits(p), await bits(q));
});
