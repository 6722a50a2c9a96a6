/**
 * Exported learners: of any kind, read by another learner that knows nothing of the data.
 */
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { DataLoader, DataLoaders, Learner, loadLearner, nn, silentLogger } from "../../mod.ts";
import { CheckpointError, ConfigError, DataError } from "../../src/base/errors.ts";
import { ArrayDataLoaders, TabularDataLoaders } from "../../src/data/mod.ts";
import { lossFromJson, lossJson } from "../../src/fit/loss_json.ts";
import { LAYER_MAKERS, modelFromJson } from "../../src/fit/layer_makers.ts";
import { modelJson } from "../../src/fit/model_json.ts";
import { randn, readAll, Rng, setSeed, Tensor, tensor } from "../../src/tensor/mod.ts";
import { makeConvNeXt } from "../../src/vision/models/convnext.ts";
import { makeEfficientNet } from "../../src/vision/models/efficientnet.ts";
import { mobilenetV3Small, resnet18, xresnet18 } from "../../src/vision/models/mod.ts";
import { ResNet } from "../../src/vision/models/resnet.ts";
import { XResNet } from "../../src/vision/models/xresnet.ts";
import { VISION_MAKERS } from "../../src/vision/models/makers.ts";
import { onDevices } from "../support/devices.ts";

const kinds = { kinds: ["cpu"] } as const;

async function inFolder(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await body(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Each layer of `nn`, with options that are not the default ones. */
const LAYERS: readonly nn.AnyModule[] = [
  new nn.AdaptiveAvgPool2d([2, 3]),
  new nn.AdaptiveConcatPool2d(2),
  new nn.AdaptiveMaxPool2d(1),
  new nn.AvgPool2d(3, { stride: [2, 1], padding: 1, ceilMode: true, countIncludePad: false }),
  new nn.BatchNorm1d(3, { eps: 1e-3, momentum: 0.2 }),
  new nn.BatchNorm2d(2, { affine: false }),
  new nn.Conv1d(2, 4, 3, { padding: "same", padMode: "circular", groups: 2, bias: false }),
  new nn.Conv2d(2, 4, [2, 4], { padding: "same", dilation: 2 }),
  new nn.ConvTranspose2d(4, 2, 3, { stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
  new nn.Dropout(0.3),
  new nn.Dropout2d(0.2),
  new nn.ELU(0.5),
  new nn.Embedding(5, 2, { paddingIdx: 1 }),
  new nn.EmbeddingDotBias(3, 5, 4, { yRange: [0, 5.5] }),
  new nn.EmbeddingNN({ categorical: [{ name: "user", words: ["a"] }, { name: "item", words: ["b", "c"] }] }, {
    layers: [4],
  }),
  new nn.EmbeddingBag(5, 2, { mode: "sum", paddingIdx: 0 }),
  new nn.Flatten(0, 1),
  new nn.GRU(3, 2, { bidirectional: true, layers: 2, dropout: 0.2 }),
  new nn.GELU({ approximate: "tanh" }),
  new nn.GroupNorm(2, 4, { eps: 1e-4 }),
  new nn.Hardsigmoid(),
  new nn.Hardswish(),
  new nn.Identity(),
  new nn.InstanceNorm2d(3, { affine: true }),
  new nn.LSTM(2, 3, { bias: false, layers: 3 }),
  new nn.LayerNorm([2, 3], { eps: 1e-4, affine: false }),
  new nn.LayerNorm2d(3, { eps: 1e-4, bias: false }),
  new nn.LeakyReLU(0.2),
  new nn.Linear(3, 2, { bias: false }),
  new nn.LogSoftmax({ axis: 1 }),
  new nn.MaxPool2d([2, 3], { stride: 1, padding: 1, dilation: 2 }),
  new nn.Mish(),
  new nn.MultiheadAttention(4, 2, { bias: false, kdim: 3, dropout: 0.1 }),
  new nn.PReLU(3),
  new nn.Permute([1, 0]),
  new nn.PixelShuffle(2),
  new nn.RMSNorm([2, 3], { eps: 1e-4 }),
  new nn.RNN(2, 3, { nonlinearity: "relu" }),
  new nn.ReLU(),
  new nn.ReLU6(),
  new nn.Sequential(new nn.Linear(1, 2), new nn.Sequential(new nn.Tanh())),
  new nn.SiLU(),
  new nn.Sigmoid(),
  new nn.SigmoidRange(-1, 2),
  new nn.Softmax({ axis: 0 }),
  new nn.SqueezeExcitation(4, 2, { activation: new nn.SiLU(), scaleActivation: new nn.Hardsigmoid() }),
  new nn.StochasticDepth(0.2, "batch"),
  new nn.TabularModel({ numeric: [1], categorical: [{ words: ["a"] }, { words: [] }] }, 2, {
    layers: [4],
    dropout: 0.1,
  }),
  new nn.SinusoidalPositions(4, { base: 100, layout: "halves" }),
  new nn.Tanh(),
  new nn.TransformerDecoder(new nn.TransformerDecoderLayer(4, 2, { dimFeedforward: 3 }), 2),
  new nn.TransformerDecoderLayer(4, 1, { dimFeedforward: 3, activation: "gelu", dropout: 0 }),
  new nn.TransformerEncoder(new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 3 }), 3, {
    norm: new nn.LayerNorm(4),
  }),
  new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 3, normFirst: true, bias: false, layerNormEps: 1e-4 }),
  new nn.Unflatten(1, [2, -1]),
  new nn.Upsample({ scale: 2, mode: "bilinear", alignCorners: true }),
];

Deno.test("every layer says of itself what it takes to build it again", () => {
  const options = { numbers: 1e6, where: "a test" };
  for (const layer of LAYERS) {
    const json = JSON.parse(JSON.stringify(modelJson(layer)));
    const again = modelFromJson(json, LAYER_MAKERS, options);
    assertEquals(again.constructor, layer.constructor);
    assertEquals(JSON.parse(JSON.stringify(modelJson(again))), json, layer.constructor.name);
    const shapes = (m: nn.AnyModule) => [...m.stateDict()].map(([name, t]) => [name, t.shape]);
    assertEquals(shapes(again), shapes(layer), layer.constructor.name);
  }
  const code: unknown[] = [nn.Module, nn.Lambda, nn.Loss, nn.Norm, nn.BatchNorm, nn.Parameter];
  const all = Object.values(nn).filter((v) => typeof v === "function" && v.prototype instanceof nn.Module);
  const lacking = all.filter((kind) => !code.includes(kind) && !LAYERS.some((layer) => layer.constructor === kind));
  assertEquals(lacking, [], "each layer stands in the list");
  const init = (shape: readonly number[]) => new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (
    const model of [
      resnet18({ nOut: 3, nIn: 1, init }),
      xresnet18({ nOut: 2, init }),
      new XResNet(4, [1, 1, 1, 2], { init }),
      new ResNet("bottleneck", [1, 2, 1, 1], { init, nOut: 2 }),
      new XResNet(1, [1, 1, 1, 1], { init }, { groups: 32, reduction: 16, inside: [2, 2] }),
      mobilenetV3Small({ nOut: 3, init }),
      makeConvNeXt("a net", { dims: [4, 8], depths: [1, 1], drop: 0.5 }, { nOut: 3, init }),
      makeEfficientNet("a net", { width: 0.25, depth: 0.2, dropout: 0.1, large: true }, { init }),
    ]
  ) {
    const makers = new Map([...LAYER_MAKERS, ...VISION_MAKERS]);
    const again = modelFromJson(JSON.parse(JSON.stringify(modelJson(model))), makers, { numbers: 1e8, where: "x" });
    const shapes = (m: nn.AnyModule) => [...m.stateDict()].map(([name, t]) => [name, t.shape]);
    assertEquals(shapes(again), shapes(model));
    assertEquals(again instanceof ResNet, model instanceof ResNet);
  }
});

Deno.test("every loss says of itself what it takes to make it again", async () => {
  const fieldsOf = async (loss: nn.Loss) =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(loss).map(async ([name, v]) => [name, v instanceof Tensor ? [...await v.data()] : v]),
      ),
    );
  const VALUES: Record<string, unknown> = {
    axis: 1,
    ignoreIndex: 3,
    weight: tensor([1, 2]),
    posWeight: tensor([3, 4]),
  };
  for (const make of Object.values(nn)) {
    if (typeof make !== "function" || !(make.prototype instanceof nn.Loss)) continue;
    const Loss = make as unknown as new (options?: Record<string, unknown>) => nn.Loss;
    const options = Object.entries(new Loss()).map(([name, value]) => {
      if (name in VALUES) return [name, VALUES[name]];
      if (name === "reduction") return [name, value === "sum" ? "mean" : "sum"];
      return [name, typeof value === "boolean" ? !value : 0.25]; // no default is that
    });
    const loss = new Loss(Object.fromEntries(options)), json = JSON.parse(JSON.stringify(await lossJson(loss)));
    assert(json !== null, `${Loss.name} has no entry in src/fit/loss_json.ts`);
    const again = lossFromJson(json, "a test");
    assertEquals(again.constructor, Loss);
    assertEquals(await fieldsOf(again), await fieldsOf(loss), Loss.name);
  }
});

Deno.test("code of somebody's own is not taken for a layer of the library", () => {
  class Twice extends nn.Linear {
    override forward(x: Tensor): Tensor {
      return super.forward(x).mul(2);
    }
  }
  class Named extends nn.Sequential {}
  class Backwards extends nn.Sequential {
    override forward(x: Tensor): Tensor {
      for (const layer of [...this].reverse()) x = layer.forward(x);
      return x;
    }
  }
  class More extends nn.Sequential {
    readonly extra = new nn.Linear(1, 1);
  }
  const shared = new nn.Linear(2, 2), act = new nn.ReLU();
  assertEquals(modelJson(new Twice(1, 1)), null);
  assertEquals(modelJson(new nn.Sequential(new Twice(1, 1))), null);
  assertEquals(modelJson(new nn.Sequential(new nn.Lambda((x) => x))), null);
  assertEquals(modelJson(new Backwards(new nn.ReLU())), null);
  assertEquals(modelJson(new More(new nn.ReLU())), null);
  assertEquals(modelJson(new nn.Sequential(shared, shared)), null, "one layer in two places");
  assert(modelJson(new nn.Sequential(shared, act, new nn.Linear(2, 2), act)) !== null);
  assertEquals(modelJson(new Named(new nn.ReLU()))?.kind, "Sequential");
});

onDevices(
  "a learner of arrays: scaled as in training, classes by name, in a learner without data",
  () =>
    inFolder(async (dir) => {
      setSeed(1);
      const x = Array.from({ length: 40 }, (_, i) => [100 + i, 300 - i]);
      const y = { data: Int32Array.from(x, ([a]) => a < 120 ? 0 : 1), shape: [40] };
      const dls = DataLoaders.fromArrays({ x, y }, { bs: 8, normalize: true, path: dir, vocab: ["low", "high"] });
      const model = new nn.Sequential(new nn.Linear(2, 8), new nn.BatchNorm1d(8), new nn.ReLU(), new nn.Linear(8, 2));
      const loss = new nn.CrossEntropyLoss({ weight: tensor([1, 2]), labelSmoothing: 0.1 });
      const learn = new Learner(dls, model, { lossFunc: loss, logger: silentLogger });
      await learn.fit(3, { lr: 0.05 });
      const { preds } = await learn.getPreds({ dl: dls.testDl(x) });
      const path = await learn.export("arrays");
      assertEquals(path, join(dir, "arrays.safetensors"));

      const again = await loadLearner(path, { logger: silentLogger });
      assert(again.dls instanceof ArrayDataLoaders);
      const twice = await again.getPreds({ dl: again.dls.testDl(x) });
      assertEquals(await twice.preds.data(), await preds.data());
      const one = await again.predict(x[0]);
      assertEquals(one.label, "low");
      assertAlmostEquals((await one.pred.data())[0], (await preds.data())[0], 1e-6);
      assertEquals(await loss.weight!.data(), await (again.lossFunc as nn.CrossEntropyLoss).weight!.data());
      assertEquals((again.lossFunc as nn.CrossEntropyLoss).labelSmoothing, 0.1);
      const copy = await again.export(join(dir, "copy"));
      assertEquals(await Deno.readFile(copy), await Deno.readFile(path));
      await assertRejects(() => again.predict([1, 2, 3]), DataError, "its items have shape [3], those of training [2]");
      await assertRejects(() => again.predict("a.png"), ConfigError, "got string");
      // load() reads it too
      const plain = new Learner(
        dls,
        new nn.Sequential(new nn.Linear(2, 8), new nn.BatchNorm1d(8), new nn.ReLU(), new nn.Linear(8, 2)),
        { lossFunc: loss, logger: silentLogger },
      );
      await plain.load(path);
      assertEquals(await readAll(plain.model.parameters()), await readAll(model.parameters()));
    }),
  kinds,
);

onDevices("a learner of a table: rows by name, when the file is gone", () =>
  inFolder(async (dir) => {
    const file = join(dir, "t.csv");
    const colours = ["red", "blue", ""];
    const rows = Array.from({ length: 90 }, (_, i) => `${i / 10},${colours[i % 3]},${i < 45 ? "few" : "many"}`);
    await Deno.writeTextFile(file, "n,colour,y\n" + rows.join("\n") + "\n");
    const dls = await DataLoaders.fromCsv(file, { target: "y", bs: 16, seed: 1 });
    const learn = new Learner(
      dls as unknown as DataLoaders,
      new nn.TabularModel(dls.schema, 2, { layers: [8] }) as never,
      {
        lossFunc: new nn.CrossEntropyLoss(),
        path: dir,
        logger: silentLogger,
      },
    );
    await learn.fit(3, { lr: 0.05 });
    const row = { n: 1, colour: "red" }, first = await learn.predict(row);
    const path = await learn.export("table");
    await Deno.remove(file);
    const again = await loadLearner(path);
    assert((again.dls as unknown) instanceof TabularDataLoaders);
    const { label, pred } = await again.predict(row);
    assertEquals(label, first.label);
    assertEquals(await pred.data(), await first.pred.data());
    const table = again.dls as unknown as TabularDataLoaders;
    const { preds } = await again.getPreds({ dl: table.testDl([row, row]) });
    assertAlmostEquals((await preds.data())[2], (await pred.data())[0], 1e-6);
    await assertRejects(() => again.predict({ n: "seven", colour: "red" }), DataError, "seven");
  }), kinds);

onDevices("models, losses and data of one's own: given again, or asked for", () =>
  inFolder(async (dir) => {
    class Sum extends nn.Module<[Tensor, Tensor]> {
      readonly a: nn.Linear = new nn.Linear(2, 3);
      override forward(x: Tensor, z: Tensor): Tensor {
        return this.a.forward(x).add(z);
      }
    }
    class Own extends nn.Loss {
      override forward(pred: Tensor, y: Tensor): Tensor {
        return pred.sub(y).square().mean();
      }
      override activation(pred: Tensor): Tensor {
        return pred.mul(10);
      }
    }
    const rng = new Rng(1);
    const loader = () =>
      new DataLoader<[Tensor, Tensor, Tensor]>({
        columns: [[4, 2], [4, 3], [4, 3]].map((shape) => ({ tensor: randn(shape, { rng }) })),
        bs: 2,
      });
    const dls = new DataLoaders(loader(), loader(), { nInp: 2, path: dir });
    const learn = new Learner(dls as unknown as DataLoaders, new Sum() as never, {
      lossFunc: new Own(),
      logger: silentLogger,
    });
    await learn.fit(1);
    const item = [tensor([1, 2]), tensor([1, 1, 1])], { pred, label } = await learn.predict(...item);
    assertEquals(label, null);
    const path = await learn.export();
    await assertRejects(
      () => loadLearner(path),
      CheckpointError,
      "its model Sum is code of your own, give it as { model: new Sum(",
    );
    await assertRejects(
      () => loadLearner(path, { model: new Sum() as never }),
      CheckpointError,
      "its loss Own is code of your own and predictions pass through it, give it as { lossFunc }",
    );
    await assertRejects(
      () => loadLearner(path, { model: new nn.Linear(2, 3), lossFunc: new Own() }),
      CheckpointError,
      "its weights are no Linear's of this form, weight is missing",
    );
    const again = await loadLearner(path, { model: new Sum() as never, lossFunc: new Own() });
    assertEquals(await (await again.predict(...item)).pred.data(), await pred.data());
    learn.lossFunc = (p) => p.mean(); // a plain function shapes no prediction
    const plain = await loadLearner(await learn.export(), { model: new Sum() as never });
    assertAlmostEquals((await (await plain.predict(...item)).pred.data())[0], (await pred.data())[0] / 10, 1e-5);
  }), kinds);
