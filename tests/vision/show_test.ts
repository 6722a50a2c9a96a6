/**
 * Batches and results as pictures.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { ConfigError } from "../../src/base/errors.ts";
import { Learner } from "../../src/learner/mod.ts";
import { Linear, Module } from "../../src/nn/mod.ts";
import { silentLogger } from "../../src/train/mod.ts";
import type { Tensor } from "../../src/tensor/mod.ts";
import { tensor } from "../../src/tensor/mod.ts";
import { ImageDataLoaders } from "../../src/vision/data/image_loaders.ts";
import { showResults } from "../../src/vision/data/show_results.ts";
import { IndexSplitter } from "../../src/data/splitters.ts";
import { synthLearner } from "../../testing.ts";
import { onDevices } from "../support/devices.ts";
import { inFolder, plain, writePng } from "./support/images.ts";

/** Scores of three classes: how red, green and blue an image is. */
class Colours extends Module<Tensor[], Tensor> {
  readonly scale: Linear = new Linear(3, 3, { bias: false });
  override forward(x: Tensor): Tensor {
    return this.scale.forward(x.mean({ axis: [2, 3] }));
  }
}

/** Two of each colour to train on; in validation one "red" is blue, the others are what they say. */
async function colours(folder: string): Promise<{ learn: Learner; dls: ImageDataLoaders }> {
  const paint: Record<string, number[]> = { red: [250, 5, 0], green: [0, 200, 0], blue: [0, 30, 255] };
  const files: string[] = [];
  for (let i = 0; i < 4; i++) {
    for (const [name, rgb] of Object.entries(paint)) {
      const shown = i === 3 && name === "red" ? paint.blue : rgb;
      files.push(await writePng(join(folder, `${name}_${i}.png`), plain(6, 4, shown)));
    }
  }
  const dls = await ImageDataLoaders.fromNameRe(folder, files, /^(\w+)_/, {
    bs: 3,
    splitter: IndexSplitter([6, 7, 8, 9, 10, 11]),
  });
  const model = new Colours();
  // classes are blue, green, red
  model.scale.loadStateDict(new Map([["weight", tensor([[0, 0, 9], [0, 9, 0], [9, 0, 0]])]]));
  return { learn: new Learner(dls, model, { logger: silentLogger }), dls };
}

onDevices("pictures of a batch and of results", () =>
  inFolder(async (folder) => {
    const { learn, dls } = await colours(folder);
    const figures = {
      batch: await dls.showBatch({ maxN: 3 }),
      results: await showResults(learn, { maxN: 6, columns: 3 }),
    };
    for (const [name, figure] of Object.entries(figures)) {
      const path = join(folder, `${name}.png`);
      await figure.save(path);
      assertEquals([...(await Deno.readFile(path)).subarray(1, 4)], [80, 78, 71], name);
    }
    assertEquals(figures.batch.panels.length, 3);
    const titles = figures.results.panels.map((panel) => panel.title);
    assertEquals(titles, ["red", "green", "blue", "red, not blue", "green", "blue"]);
    const worst = figures.results.panels[3];
    assert(worst.kind === "image");
    assertEquals([...worst.image.data.subarray(0, 3)], [0, 30, 255], "the image as it is");
  }), { kinds: ["reference", "cpu"] });

onDevices("learners of other data are refused", async () => {
  const learn = await synthLearner({});
  await assertRejects(() => showResults(learn), ConfigError, "must be ImageDataLoaders");
}, { kinds: ["reference"] });
