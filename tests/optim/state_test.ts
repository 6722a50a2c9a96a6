/**
 * State: what is in it, copies, going back, clearing.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/base/errors.ts";
import {
  Adam,
  Lamb,
  Larc,
  Lookahead,
  type OptFunc,
  Optimizer,
  type OptimizerState,
  RAdam,
  ranger,
  SGD,
} from "../../src/optim/mod.ts";
import { Parameter, Tensor, tensor, zeros } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";
import { assertValues, bits, param, stepWith } from "./support.ts";

const SHAPES = [[17], [2, 3], [4]];
const params = () =>
  SHAPES.map((shape, i) => new Parameter(tensor(fillF32(i, shape.reduce((a, b) => a * b, 1)), { shape })));
const gradients = (t: number) => SHAPES.map((shape, i) => [...fillF32(100 * t + i, shape.reduce((a, b) => a * b, 1))]);

/** Everything in a state as plain numbers. */
async function plain({ state, ...rest }: OptimizerState): Promise<unknown> {
  const entries = await Promise.all(state.map(async (entry) => {
    const out: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(entry)) {
      out[name] = value instanceof Tensor ? { shape: value.shape, bits: (await bits([value]))[0] } : value;
    }
    return out;
  }));
  return { state: entries, ...rest };
}

const EVERY: Readonly<Record<string, OptFunc>> = {
  SGD,
  "SGD with momentum": SGD.with({ mom: 0.9 }),
  Adam,
  RAdam,
  Larc,
  Lamb,
  ranger,
  "Lookahead of SGD": Lookahead(SGD, { k: 4, alpha: 0.3 }),
};

for (const [name, make] of Object.entries(EVERY)) {
  onDevices(`${name}: training goes on from a state as if nothing had happened`, async () => {
    const a = params();
    const one = make([a.slice(0, 1), a.slice(1)], { lr: 0.02, wd: 0.1 });
    one.setFlag(a[0], "doWd", false);
    for (let t = 0; t < 3; t++) stepWith(one, t === 1 ? [gradients(t)[0], null, gradients(t)[2]] : gradients(t));
    one.setHyper("lr", [0.01, 0.03]);
    const state = one.stateDict();
    const then = await plain(state);
    const b = params();
    for (let i = 0; i < 3; i++) b[i].assign(a[i].snapshot());
    for (let t = 3; t < 9; t++) stepWith(one, gradients(t));
    assertEquals(await plain(state), then, "a state is a copy: later steps leave it alone");
    const two = make([b.slice(0, 1), b.slice(1)], { lr: 0.5 });
    two.loadStateDict(state);
    assertEquals(await plain(two.stateDict()), then);
    for (let t = 3; t < 9; t++) stepWith(two, gradients(t));
    assertEquals(await bits(b), await bits(a));
    assertEquals(await plain(two.stateDict()), await plain(one.stateDict()));
  });
}

onDevices("what the entries hold", async () => {
  const p = params();
  const opt = Adam(p);
  assertEquals(opt.stateDict(), {
    state: [{}, {}, {}],
    hypers: [{ lr: 1e-3, mom: 0.9, sqrMom: 0.99, eps: 1e-5, wd: 0.01 }],
  });
  opt.setFlag(p[1], "forceTrain", true);
  stepWith(opt, [gradients(0)[0], null, null]);
  const { state } = opt.stateDict();
  assertEquals(state.map((s) => Object.keys(s)), [["gradAvg", "sqrAvg", "step"], ["forceTrain"], []]);
  assertEquals([state[0].gradAvg!.shape, state[0].step], [[17], 1]);
  await assertValues([state[0].gradAvg!], [gradients(0)[0].map((g) => g * 0.1)]);
});

onDevices("loading overrides hyper-parameters, moves averages; clearing leaves flags", async () => {
  const p = [param(1, 2, 3)], q = [param(1, 2, 3)];
  const one = SGD(p, { lr: 0.1, mom: 0.9 }), two = SGD(q, { lr: 0.1, mom: 0.99 });
  one.setFlag(p[0], "forceTrain", true);
  stepWith(one, [[0.1, 0.2, 0.3]]);
  two.loadStateDict(one.stateDict());
  assertEquals(two.hypers[0].mom, 0.9);
  await assertValues([two.stateDict().state[0].gradAvg!], [[0.1, 0.2, 0.3]]);
  two.clearState();
  assertEquals(two.stateDict().state, [{ forceTrain: true }]);
  stepWith(two, [[0.1, 0.2, 0.3]]);
  await assertValues([two.stateDict().state[0].gradAvg!], [[0.1, 0.2, 0.3]]);
});

onDevices("a loaded state without statistics clears those that there are", async () => {
  const p = [param(1), param(1)];
  const opt = Adam(p, { lr: 0.1, wd: 0 });
  const fresh = opt.stateDict();
  const first = await bits(p);
  const run = async () => {
    for (let t = 0; t < 3; t++) stepWith(opt, [[0.3], [t]]);
    return await bits(p);
  };
  const once = await run();
  opt.loadStateDict(fresh);
  assertEquals(opt.stateDict(), fresh);
  p[0].assign(tensor([1]));
  p[1].assign(tensor([1]));
  assertEquals(await bits(p), first);
  assertEquals(await run(), once);
});

onDevices(
  "Lookahead: clearing forgets slow weights and count; parameters without gradients are looked after",
  async () => {
    const opt = Lookahead(SGD, { k: 2 })([param(1), param(5)], { lr: 1 });
    const [p, q] = opt.groups[0];
    stepWith(opt, [[0.5], null]);
    const state = opt.stateDict();
    assertEquals(state.count, 1);
    await assertValues(state.state.map((s) => s.slowWeights!), [[1], [5]]);
    stepWith(opt, [[0.5], null]);
    await assertValues([p, q], [[0.5], [5]]);
    opt.loadStateDict(state); // one step done, slow weights 1 and 5
    stepWith(opt, [[0.5], null]);
    await assertValues([p, q], [[0.5], [5]]); // (0.5 - 0.5 + 1) / 2
    stepWith(opt, [[0.25], null]);
    opt.clearState();
    assertEquals(opt.stateDict().state, [{}, {}]);
    assertEquals(opt.stateDict().count, 0);
    stepWith(opt, [[1], null]); // slow weights start from 0.25
    stepWith(opt, [[1], null]);
    await assertValues([p, q], [[0.25 - 1], [5]]);
  },
);

onDevices("statistics of one's own are in the state", async () => {
  const make = Optimizer.from([{
    stats: { largest: "number", sum: "vector" },
    apply: (u) => {
      u.setStat("sum", u.g);
      u.setStat("largest", u.sums(u.g));
    },
  }]);
  const opt = make([param(1, 2), param(3)]), other = make([param(1, 2), param(3)]);
  stepWith(opt, [[4, 5], [6]]);
  other.loadStateDict(opt.stateDict());
  const tensors = other.stateDict().state.flatMap((s) => [s.sum as Tensor, s.largest as Tensor]);
  await assertValues(tensors, [[4, 5], [9], [6], [6]]);
});

onDevices("states that do not fit change nothing", async () => {
  const p = [param(1, 2), param(3)];
  const opt = SGD([p.slice(0, 1), p.slice(1)], { lr: 0.1, mom: 0.9 });
  stepWith(opt, [[1, 1], [1]]);
  const state = opt.stateDict();
  const before = await plain(state);
  const refused: [OptimizerState, string][] = [
    [
      { state: [{}], hypers: [{ lr: 1, mom: 0, wd: 0 }] },
      "Cannot load an optimizer state of 1 parameter in 1 group: this optimizer has 2 parameters in 2 groups",
    ],
    [
      { ...state, hypers: [{ lr: 1, mom: 1, wd: 0 }, { lr: 1, mom: 1, sqrMom: 1 }] },
      "Cannot load an optimizer state with lr, mom, sqrMom: this optimizer has lr, mom, wd; load it into the kind",
    ],
    [{ ...state, hypers: [{ lr: NaN, mom: 1, wd: 0 }, { lr: 1, mom: 1, wd: 0 }] }, "Cannot load lr of NaN"],
    [
      { ...state, state: [{ gradAvg: zeros([3]) }, {}] },
      "Cannot load gradAvg of parameter 0: it has shape [3], the parameter has [2]",
    ],
    [
      { ...state, state: [{}, { sqrAvg: zeros([1]) }] },
      "Cannot load sqrAvg of parameter 1: this optimizer keeps gradAvg",
    ],
    [{ ...state, state: [{ step: 0.5 }, {}] }, "Cannot load step 0.5 of parameter 0: it is a whole number from 0"],
  ];
  for (const [bad, text] of refused) assertThrows(() => opt.loadStateDict(bad), ConfigError, text);
  assertEquals(await plain(opt.stateDict()), before);
});

onDevices("a state costs one kernel a statistic and group, however many tensors", (device) => {
  const p = Array.from({ length: 66 }, (_, i) => new Parameter(zeros([i + 1])));
  const opt = Adam([p.slice(0, 30), p.slice(30)]);
  stepWith(opt, p.map((q) => new Array<number>(q.size).fill(1)));
  const before = device.stats().dispatches;
  const { state } = opt.stateDict();
  assertEquals(state.length, 66);
  const kernels = device.stats().dispatches - before;
  assert(kernels <= 4, `${kernels} kernels for two statistics of two groups`);
});
