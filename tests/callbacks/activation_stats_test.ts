/**
 * Hooks and what they show: shapes, statistics of activations in training.
 */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  ActivationStats,
  Callback,
  ConfigError,
  DataLoaders,
  hookOutputs,
  Learner,
  modelSizes,
  nn,
  randn,
  Rng,
  setSeed,
  type Tensor,
} from "../../mod.ts";
import { onDevices } from "../support/devices.ts";

function learner(model: nn.Sequential, cbs: Callback[] = []): Learner<nn.Sequential> {
  const x = randn([40, 6], { rng: new Rng(1) }), y = x.sum({ axis: 1 }).gt(0).cast("i32");
  const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 8, seed: 2 });
  return new Learner(dls, model, { lossFunc: new nn.CrossEntropyLoss(), cbs });
}

const net = () => {
  setSeed(4);
  return new nn.Sequential(new nn.Linear(6, 12), new nn.ReLU(), new nn.Linear(12, 2));
};

Deno.test("hookOutputs() keeps what modules give, until it is removed; modelSizes() gives shapes", async () => {
  const model = net(), x = randn([3, 6], { rng: new Rng(2) });
  const plain = await model.forward(x).data();
  {
    using hooks = hookOutputs(model.children());
    assertEquals(hooks.stored, [null, null, null]);
    assertEquals(await model.forward(x).data(), plain);
    assertEquals(hooks.stored.map((t) => t?.shape), [[3, 12], [3, 12], [3, 2]]);
    assertEquals(await hooks.stored[2]!.data(), plain);
    assertThrows(() => hookOutputs([model.at(0)]), ConfigError, "replaced already");
  }
  assert(!Object.hasOwn(model.at(0), "forward"));
  const sizes = hookOutputs([model], { transform: (t: Tensor) => t.size });
  model.forward(x);
  assertEquals(sizes.stored, [6]);
  sizes.remove();
  assertEquals(modelSizes(model, [5, 6]), [[5, 12], [5, 12], [5, 2]]);
  assertEquals(model.modules().map((m) => m.training), [true, true, true, true]);
  assert(model.toJSON() !== null, "hooks leave nothing behind");
});

onDevices("ActivationStats: mean, deviation, share near zero and histograms of every batch", async () => {
  const outputs: Float32Array[] = [];
  const model = net(), stats = new ActivationStats({ modules: [model.at(0), model.at(1)], withHist: true });
  const learn = learner(model, [stats]);
  // the same numbers from outside: the batch once more, before the step
  class Watch extends Callback {
    override async beforeBackward(): Promise<void> {
      if (this.learn.training) outputs.push(Float32Array.from(await model.at(0).forward(this.learn.xb[0]).data()));
    }
  }
  await learn.fit(2, { lr: 0.1, cbs: [new Watch()] });
  assertEquals(outputs.length, 10);
  const { mean, std, nearZero } = stats.layerStats(0), hist = stats.hist(0);
  assertEquals([mean.length, hist.length, hist[0].length], [10, 10, 40]);
  outputs.forEach((x, k) => {
    const m = x.reduce((a, b) => a + b, 0) / x.length;
    assertAlmostEquals(mean[k], m, 1e-5);
    assertAlmostEquals(std[k], Math.sqrt(x.reduce((a, b) => a + (b - m) ** 2, 0) / (x.length - 1)), 1e-5);
    assertAlmostEquals(nearZero[k], x.filter((v) => v <= 0.05).length / x.length, 1e-6);
    const counts = Array.from(
      { length: 40 },
      (_, b) => x.filter((v) => v >= b / 4 && (b === 39 ? v <= 10 : v < (b + 1) / 4)).length,
    );
    assertEquals(hist[k], counts);
  });
  assert(stats.layerStats(-1).mean.every((v) => v > 0), "of the ReLU");
  assert((await stats.colorDim(0).svg()).includes("<svg"));
  assert((await stats.plotLayerStats(1).svg()).includes("near zero"));
  assert(!Object.hasOwn(model.at(0), "forward"));
}, { kinds: ["cpu", "webgpu"] });

Deno.test("ActivationStats looks at every n-th batch, by default of the layers with parameters; training is the same", async () => {
  const plain = learner(net());
  await plain.fit(1, { lr: 0.1 });
  const stats = new ActivationStats({ every: 2 });
  const watched = learner(net(), [stats]);
  await watched.fit(1, { lr: 0.1 });
  assertEquals(stats.modules.map((m) => m.constructor.name), ["Linear", "Linear"]);
  assertEquals(stats.layerStats(0).mean.length, 3);
  const [a, b] = await Promise.all([plain, watched].map((l) => l.model.parameters()[0].data()));
  assertEquals(a, b);
  assertThrows(() => stats.hist(0), ConfigError, "withHist: true");
  assertThrows(() => stats.layerStats(2), ConfigError, "there are 2");
  assertThrows(() => new ActivationStats().layerStats(0), ConfigError, "no training batch");
  assertThrows(() => new ActivationStats({ every: 0 }), ConfigError, "whole number from 1");
});
