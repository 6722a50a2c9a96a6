/**
 * What a classifier makes of changed images, and where it looks.
 */
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { basename, join } from "@std/path";
import { ConfigError } from "../../src/base/errors.ts";
import {
  activationMap,
  augTransforms,
  defineArch,
  ImageDataLoaders,
  IndexSplitter,
  SimpleCnn,
  VisionLearner,
  visionLearner,
} from "../../src/entry/vision.ts";
import { AdaptiveAvgPool2d, Flatten, Linear, Sequential } from "../../src/nn/mod.ts";
import { grad, Rng, setSeed } from "../../src/tensor/mod.ts";
import { inFolder, plain, writePng } from "./support/images.ts";

const SIDE = 32;
const tiny = defineArch("tiny", (options) => new SimpleCnn({ filters: [8, 16], ...options }), { splitAt: 1 });

/** Dark pictures with a square whose color is their class, at a place that their names have. */
async function squares(root: string, n: number): Promise<string[]> {
  const rng = new Rng(5);
  return await Promise.all(Array.from({ length: n }, async (_, i) => {
    const left = rng.integer(24), top = rng.integer(24), name = i % 2 === 0 ? "cyan" : "yellow";
    const image = plain(SIDE, SIDE, [20, 20, 20]);
    for (let y = top; y < top + 8; y++) {
      for (let x = left; x < left + 8; x++) {
        image.data.set(i % 2 === 0 ? [40, 200, 240] : [240, 200, 40], 3 * (y * SIDE + x));
      }
    }
    return await writePng(join(root, `${name}_${left}_${top}_${i}.png`), image);
  }));
}

async function learner(root: string, batchTfms = augTransforms({ doFlip: false, maxRotate: 5, maxWarp: 0 })) {
  setSeed(2);
  const files = await squares(root, 40);
  const label = (name: string) => basename(name).split("_")[0];
  const dls = await ImageDataLoaders.fromNameFunc(root, files, label, {
    splitter: IndexSplitter([0, 1, 2, 3, 4, 5, 6, 7]),
    batchTfms,
    bs: 8,
    seed: 1,
  });
  return await visionLearner(dls, tiny, { pretrained: false, path: root });
}

Deno.test("tta(): changed and unchanged predictions, mixed as fastai mixes them, the same every time", () =>
  inFolder(async (root) => {
    const learn = await learner(root), dls = learn.imageDls;
    const plainPreds = await (await learn.getPreds()).preds.data();
    const passes: ArrayLike<number>[] = [];
    for (const seed of [7, 8]) {
      const dl = dls.testDl(dls.validSet.files, { labels: dls.validSet.labels, augment: seed });
      passes.push(await (await learn.getPreds({ dl })).preds.data());
    }
    assert(Array.from(passes[0]).some((v, i) => v !== passes[1][i] && v !== plainPreds[i]));
    const mean = Array.from(plainPreds, (_, i) => (passes[0][i] + passes[1][i]) / 2);
    const near = async (got: Promise<{ preds: { data(): Promise<ArrayLike<number>> } }>, want: number[]) => {
      const data = await (await got).preds.data();
      want.forEach((v, i) => assertAlmostEquals(data[i], v, 1e-6));
    };
    await near(learn.tta({ n: 2, seed: 7 }), mean.map((v, i) => v + 0.25 * (plainPreds[i] - v)));
    await near(learn.tta({ n: 2, seed: 7, useMax: true }), mean.map((v, i) => Math.max(v, plainPreds[i])));
    const { preds, augmented, targs } = await learn.tta({ n: 2, seed: 7, beta: null });
    assertEquals(await preds.data(), plainPreds);
    (await augmented!.data()).forEach((v, i) => assertAlmostEquals(v, mean[i], 1e-6));
    assertEquals([...await targs.data()], [...dls.validSet.codes]);
    await assertRejects(() => learn.tta({ n: 0 }), ConfigError, "whole number from 1");
    await assertRejects(() => learn.tta({ beta: 2 }), ConfigError, "beta lies in [0, 1]");
  }));

Deno.test("activationMap(): Grad-CAM finds the square that decides, by the formula of its paper", () =>
  inFolder(async (root) => {
    const learn = await learner(root);
    await learn.fitOneCycle(8, { lrMax: 1e-2 });
    const { files, codes } = learn.imageDls.validSet;
    for (const i of [0, 1]) {
      const { label, values, width, height, figure } = await activationMap(learn, files[i]);
      assertEquals([label, width, height], [codes[i], 8, 8]);
      const best = values.indexOf(Math.max(...values));
      const [, left, top] = basename(files[i]).split("_").map(Number);
      const x0 = (best % width) * 4 + 2, y0 = Math.floor(best / width) * 4 + 2;
      assert(Math.hypot(x0 - left - 4, y0 - top - 4) < 9, `${basename(files[i])}: largest at ${x0}, ${y0}`);
      assert((await figure.svg()).includes("<svg"));

      const [x] = await learn.dls.itemInputs([files[i]]), body = learn.model.at(0), head = learn.model.at(1);
      learn.model.eval();
      const seen = body.forward(x.unsqueeze(0)), score = head.forward(seen).slice([null, [label, label + 1]]).sum();
      const [g] = grad(score, [seen]), [a, d] = [await seen.data(), await g.data()];
      for (let at = 0; at < 64; at++) {
        let sum = 0;
        for (let c = 0; c < 16; c++) {
          const weight = Array.from(d.slice(c * 64, (c + 1) * 64)).reduce((s, v) => s + v, 0) / 64;
          sum += weight * a[c * 64 + at];
        }
        assertAlmostEquals(values[at], Math.max(0, sum), 1e-4 * Math.max(1, Math.abs(sum)));
      }
    }
    await assertRejects(
      () => activationMap(learn, files[0], { method: "cam" }),
      ConfigError,
      'use { method: "gradCam" }',
    );
    await assertRejects(() => activationMap(learn, files[0], { label: 2 }), ConfigError, "classes go from 0 to 1");
    assertEquals(learn.model.modules().some((m) => Object.hasOwn(m, "forward")), false);
  }));

Deno.test("activationMap(): CAM weighs channels by the last linear layer", () =>
  inFolder(async (root) => {
    const learn = await learner(root, []);
    const model = new Sequential(
      learn.model.at(0),
      new Sequential(new AdaptiveAvgPool2d(1), new Flatten(), new Linear(16, 2)),
    );
    const simple = new VisionLearner(learn.dls, model, { lossFunc: learn.lossFunc });
    const file = learn.imageDls.validSet.files[0];
    const { values } = await activationMap(simple, file, { method: "cam", label: 1 });
    const [x] = await learn.dls.itemInputs([file]);
    model.eval();
    const seen = await model.at(0).forward(x.unsqueeze(0)).data();
    const linear = model.modules().at(-1) as Linear, w = await linear.weight.data();
    let mean = 0;
    values.forEach((v, at) => {
      let sum = 0;
      for (let c = 0; c < 16; c++) sum += w[16 + c] * seen[c * values.length + at];
      assertAlmostEquals(v, sum, 1e-4 * Math.max(1, Math.abs(sum)));
      mean += v / values.length;
    });
    // the score is the map's mean, and the bias
    const score = await model.forward(x.unsqueeze(0)).data();
    assertAlmostEquals(score[1], mean + (await linear.bias!.data())[1], 1e-4);
  }));
