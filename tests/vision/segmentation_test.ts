/**
 * Segmentation from files to pictures: a small U-Net learns discs, is interpreted, exported and read again.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { ConfigError } from "../../src/base/errors.ts";
import {
  augTransforms,
  defineArch,
  IndexSplitter,
  loadLearner,
  SegmentationDataLoaders,
  SegmentationInterpretation,
  SimpleCnn,
  splitterOf,
  unetLearner,
  VisionLearner,
  visionLearner,
} from "../../src/entry/vision.ts";
import * as nn from "../../src/nn/mod.ts";
import { foregroundAcc, JaccardCoeff } from "../../src/entry/metrics.ts";
import { Rng, setSeed } from "../../src/tensor/mod.ts";
import { inFolder, plain, writePng } from "./support/images.ts";

const SIDE = 32;
const tiny = defineArch("tiny", (options) => new SimpleCnn({ filters: [8, 16], ...options }), { splitAt: 1 });

async function discs(root: string, n: number): Promise<string[]> {
  const rng = new Rng(5);
  return await Promise.all(Array.from({ length: n }, async (_, i) => {
    const cx = 8 + rng.uniform() * 16, cy = 8 + rng.uniform() * 16, radius = 4 + 3 * rng.uniform();
    const image = plain(SIDE, SIDE, [30, 60, 30]), mask = new Uint8Array(SIDE * SIDE);
    for (let k = 0; k < mask.length; k++) {
      if ((k % SIDE + 0.5 - cx) ** 2 + (Math.floor(k / SIDE) + 0.5 - cy) ** 2 > radius ** 2) continue;
      image.data.set([220, 80, 60], 3 * k);
      mask[k] = 1;
    }
    await writePng(join(root, "masks", `${i}.png`), { data: mask, width: SIDE, height: SIDE, channels: 1 });
    return await writePng(join(root, "images", `${i}.png`), image);
  }));
}

Deno.test("a U-Net learns discs; its learner shows, interprets, exports and predicts masks", () =>
  inFolder(async (root) => {
    setSeed(3);
    const files = await discs(root, 40);
    const dls = await SegmentationDataLoaders.fromLabelFunc(root, files, (f) => f.replace("images", "masks"), {
      codes: ["ground", "disc"],
      splitter: IndexSplitter([0, 1, 2, 3, 4, 5, 6, 7]),
      batchTfms: augTransforms({ flipVert: true, maxWarp: 0 }),
      bs: 8,
      seed: 1,
    });
    const learn = await unetLearner(dls, tiny, {
      pretrained: false,
      metrics: [foregroundAcc, new JaccardCoeff()],
      path: root,
    });
    assertEquals(splitterOf(tiny)(learn.model).map((group) => [group].flat().length > 0), [true, true, true]);
    await learn.fitOneCycle(6, { lrMax: 1e-2 });
    const { foreground_acc, jaccard_coeff } = learn.recorder.rows.at(-1)! as unknown as Record<string, number>;
    assert(foreground_acc > 0.9 && jaccard_coeff > 0.8, `accuracy ${foreground_acc}, Jaccard ${jaccard_coeff}`);

    const interp = await SegmentationInterpretation.fromLearner(learn);
    const matrix = interp.confusionMatrix();
    assertEquals(matrix.flat().reduce((a, b) => a + b, 0), 8 * SIDE * SIDE);
    const { pixels, iou, label } = interp.overlaps()[1];
    assertEquals(label, "disc");
    assertEquals(pixels, matrix[1][0] + matrix[1][1]);
    assert(Math.abs(iou - jaccard_coeff) < 1e-6, `${iou} is the metric's ${jaccard_coeff}`);
    const losses = interp.topLosses().map(({ loss }) => loss);
    assertEquals(losses, losses.toSorted((a, b) => b - a));
    for (
      const figure of [
        await learn.showResults({ maxN: 4 }),
        await interp.plotTopLosses(2),
        interp.plotConfusionMatrix(),
      ]
    ) {
      assert((await figure.svg()).includes("<svg"));
    }

    // pixels that the loss leaves out do not count
    learn.lossFunc = new nn.CrossEntropyLoss({ axis: 1, ignoreIndex: 1 });
    const some = await SegmentationInterpretation.fromLearner(learn);
    assertEquals(some.confusionMatrix(), [matrix[0], [0, 0]]);
    const [worst] = some.topLosses(1), at = dls.validSet.files.indexOf(worst.file);
    const one = dls.testDl([worst.file], { labels: [dls.validSet.labels[at]] });
    const [alone] = await learn.validate({ dl: one });
    assert(Math.abs(alone! - worst.loss) < 1e-5 * (1 + alone!), `${alone} is the loss of ${worst.loss}`);
    assertEquals(some.topLosses().every(({ accuracy }) => accuracy > 0.8), true);
    learn.lossFunc = dls.target.lossFunc();

    const before = await (await learn.predict(files[0])).decoded.data();
    const again = await loadLearner(await learn.export("unet"));
    assert(again instanceof VisionLearner);
    const { decoded, label: name } = await again.predict(files[0]);
    assertEquals([decoded.shape, name], [[SIDE, SIDE], null]);
    assertEquals(await decoded.data(), before);
    await assertRejects(
      () => SegmentationInterpretation.fromLearner({} as never),
      ConfigError,
      "images and masks",
    );
  }));

Deno.test("images of several sizes are brought to one by the batch's transform, in exported learners, too", () =>
  inFolder(async (root) => {
    const files = await discs(root, 6);
    const dls = await SegmentationDataLoaders.fromLabelFunc(root, files, (f) => f.replace("images", "masks"), {
      codes: ["ground", "disc"],
      splitter: IndexSplitter([0]),
      batchTfms: augTransforms({ size: 16 }),
      bs: 4,
    });
    const learn = await unetLearner(dls, tiny, { pretrained: false, path: root });
    const before = await (await learn.predict(files[0])).pred.data();
    await learn.export("sized");
    const again = await loadLearner(join(root, "sized")); // as it was given to export
    const { pred } = await again.predict(files[0]);
    assertEquals(pred.shape, [2, 16, 16]);
    assertEquals(await pred.data(), before);
  }));

Deno.test("U-Net learners want masks", () =>
  inFolder(async (root) => {
    const files = await discs(root, 4);
    const { ImageDataLoaders } = await import("../../src/entry/vision.ts");
    const dls = await ImageDataLoaders.fromNameFunc(root, files, (name) => name > "1.png", { validPct: 0, bs: 2 });
    await assertRejects(() => unetLearner(dls, tiny, { pretrained: false }), ConfigError, "its data has masks");
    const learn = await visionLearner(dls, tiny, { pretrained: false });
    await assertRejects(() => SegmentationInterpretation.fromLearner(learn), ConfigError, "images and masks");
  }));
