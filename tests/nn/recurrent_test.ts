/**
 * Recurrent layers: what recordings do not show, such as long sequences in one program, first values and errors.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError, DataError, DtypeError, ShapeError } from "../../src/base/errors.ts";
import * as nn from "../../src/nn/mod.ts";
import { Adam } from "../../src/optim/mod.ts";
import { backward, grad, randn, Rng, setSeed, type Tensor, tensor, zeros } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

const onCpu = { kinds: ["cpu"] } as const;

onDevices(
  "70 steps of two layers are one program and one submit, whatever the lengths, and no run makes a new one",
  async (device) => {
    const lstm = new nn.LSTM(4, 8, { layers: 2, rng: new Rng(1) });
    const opt = Adam(lstm.parameters(), { lr: 0.01 });
    const step = (x: Tensor, lengths: readonly number[]): Tensor => {
      const [y] = lstm.forward(x, null, { lengths });
      const loss = y.sub(1).square().mean();
      backward(loss);
      opt.step();
      opt.zeroGrad();
      return loss;
    };
    const batch = (seed: number) => randn([2, 70, 4], { rng: new Rng(seed) });
    const first = await step(batch(1), [20, 70]).item();
    await step(batch(1), [64, 70]).item();
    await device.sync();
    const before = device.stats();
    const last = [0, 10, 20].map((n) => step(batch(1), [n, 70])).at(-1)!;
    const after = device.stats();
    for (const made of ["programs", "pipelines", "reads"] as const) {
      assertEquals(after[made], before[made], made);
    }
    assertEquals([after.runs - before.runs, after.submits - before.submits], [3, 3]);
    assert(await last.item() < first, "it learns");
    assert((after.dispatches - before.dispatches) / 3 < 70 * 2 * 4, "few kernels a step");
  },
  { kinds: ["cpu"] },
);

onDevices("steps one by one with the state carried give what all steps at once give", async () => {
  const x = randn([2, 5, 3], { rng: new Rng(5) });
  for (const layer of [new nn.LSTM(3, 4, { layers: 2 }), new nn.GRU(3, 4), new nn.RNN(3, 4)]) {
    const one = layer as unknown as nn.Module<[Tensor, unknown?], [Tensor, unknown]>;
    const [whole] = one.forward(x);
    let state: unknown = null;
    const parts: number[] = [];
    for (let t = 0; t < 5; t++) {
      const [y, next] = one.forward(x.slice([null, [t, t + 1]]), state);
      state = next;
      parts.push(...await y.data());
    }
    const all = await whole.permute([1, 0, 2]).data();
    for (let i = 0; i < all.length; i++) assert(Math.abs(all[i] - parts[i]) < 1e-6, `${i}: ${all[i]}, ${parts[i]}`);
  }
}, onCpu);

onDevices("what is padding changes nothing", async () => {
  const lstm = new nn.LSTM(2, 3, { bidirectional: true, rng: new Rng(3) });
  const clean = randn([2, 4, 2], { rng: new Rng(4) });
  const numbers = await clean.data();
  const run = async (x: Tensor) => {
    const [y, [h]] = lstm.forward(x, null, { lengths: tensor(Int32Array.of(2, 4)) });
    const [g] = grad(y.sum().add(h.sum()), [lstm.parameters()[0]]);
    return [...await y.data(), ...await h.data(), ...await g.data()];
  };
  const dirty = numbers.slice();
  dirty[4] = 1e30;
  dirty[7] = -7;
  assertEquals(await run(tensor(dirty, { shape: [2, 4, 2] })), await run(clean));
  const [y, [h, c]] = lstm.forward(clean, null, { lengths: [0, 0] });
  for (const t of [y, h, c]) assertEquals(new Set((await t.data()).map(Math.abs)), new Set([0]));
}, onCpu);

onDevices("sizes 0: no items, and no steps, which leave the state as it is", async () => {
  const gru = new nn.GRU(2, 3, { layers: 2 });
  const [none, state] = gru.forward(zeros([0, 4, 2]));
  assertEquals([none.shape, state.shape], [[0, 4, 3], [2, 0, 3]]);
  assertEquals((await none.data()).length, 0);
  const h = randn([2, 1, 3], { rng: new Rng(1) });
  const [empty, same] = gru.forward(zeros([1, 0, 2]), h);
  assertEquals(empty.shape, [1, 0, 3]);
  assertEquals(await same.data(), await h.data());
}, onCpu);

onDevices("dropout is between layers, in training", async () => {
  setSeed(1);
  const make = (layers: number) => new nn.LSTM(2, 6, { layers, dropout: 0.5, rng: new Rng(7) });
  const x = randn([3, 4, 2], { rng: new Rng(8) });
  const outputs = async (layer: nn.LSTM) => [...await layer.forward(x)[0].data()];
  const one = make(1), two = make(2);
  assertEquals(await outputs(one), await outputs(one), "one layer has no between");
  assert(`${await outputs(two)}` !== `${await outputs(two)}`);
  two.eval();
  assertEquals(await outputs(two), await outputs(two));
}, onCpu);

Deno.test("names, shapes and first values are PyTorch's", async () => {
  const lstm = new nn.LSTM(3, 4, { layers: 2, bidirectional: true, rng: new Rng(2) });
  const shapes = [...lstm.stateDict()].map(([name, t]) => `${name} ${t.shape}`);
  assertEquals(shapes.slice(0, 8), [
    "weight_ih_l0 16,3",
    "weight_hh_l0 16,4",
    "bias_ih_l0 16",
    "bias_hh_l0 16",
    "weight_ih_l0_reverse 16,3",
    "weight_hh_l0_reverse 16,4",
    "bias_ih_l0_reverse 16",
    "bias_hh_l0_reverse 16",
  ]);
  assertEquals(shapes[8], "weight_ih_l1 16,8");
  assertEquals(new nn.GRU(3, 4, { bias: false }).stateDict().size, 2);
  const all = (await Promise.all(lstm.parameters().map((p) => p.data()))).flatMap((d) => [...d]);
  assert(Math.max(...all) <= 0.5 && Math.min(...all) >= -0.5 && Math.max(...all) > 0.45, "1 / sqrt(hidden)");
});

Deno.test("what is wrong with input, state and lengths is said", () => {
  const lstm = new nn.LSTM(3, 4), gru = new nn.GRU(3, 4);
  const x = zeros([2, 5, 3]);
  assertThrows(() => lstm.forward(zeros([2, 3])), ShapeError, "it takes [b, n, 3], batch first");
  assertThrows(() => gru.forward(zeros([2, 5, 4])), ShapeError, "Cannot apply GRU(3, 4) to [2, 5, 4]");
  assertThrows(() => gru.forward(x, zeros([2, 4])), ShapeError, "it must be [1, 2, 4], [layers directions, b, hidden]");
  assertThrows(() => lstm.forward(x, zeros([1, 2, 4]) as never), ConfigError, "it is a pair, [h, c]");
  const lengths = (l: Tensor | number[]) => () => lstm.forward(x, null, { lengths: l });
  assertThrows(lengths([1, 6]), DataError, "with lengths 6: they go from 0 to 5");
  assertThrows(lengths([-1, 6]), DataError, "with lengths -1");
  assertThrows(lengths([1.5, 2]), DataError, "with lengths 1.5");
  assertThrows(lengths(tensor(Int32Array.of(1, 9))), DataError, "with lengths 9");
  assertThrows(lengths([1]), ShapeError, "there is one for each of 2 items");
  assertThrows(lengths(tensor([1.5, 2])), DtypeError, "whole numbers");
  assertThrows(() => new nn.LSTM(0, 4), ConfigError, "input is a whole number from 1");
  assertThrows(() => new nn.LSTM(3, 4, { dropout: 2 }), ConfigError, "dropout is a probability from 0 to 1");
  assertThrows(() => new nn.RNN(3, 4, { nonlinearity: "gelu" as never }), ConfigError, '"tanh" or "relu"');
  assertThrows(() => new nn.LSTM(3, 4, { numLayers: 2 } as never), ConfigError, "did you mean layers?");
});
