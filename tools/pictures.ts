/**
 * Makes the pictures of the README: a run on MNIST with the learning-rate finder, and its live page in Chromium.
 *
 *     deno run -A tools/pictures.ts
 *
 * @module
 */
import {
  accuracy,
  DataLoaders,
  init,
  Learner,
  LivePage,
  loadMnist,
  minimum,
  nn,
  setSeed,
  sideBySide,
  slide,
  steep,
  valley,
} from "../mod.ts";

const folder = new URL("../docs/pictures/", import.meta.url).pathname;

await init({ device: "cpu" });
setSeed(1);
const dls = DataLoaders.fromArrays(await loadMnist(), { bs: 64, seed: 1, normalize: true });
const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 256), new nn.ReLU(), new nn.Linear(256, 10));
const live = new LivePage({ port: 0, title: "MNIST, two layers", keepOpen: true });
const learn = new Learner(dls, model, { lossFunc: new nn.CrossEntropyLoss(), metrics: [accuracy], cbs: live });

const { chromium } = await import("playwright-core");
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
await page.goto(await live.start());

const found = await learn.lrFind({ suggestFuncs: [valley, slide, minimum, steep] });
const finder = learn.recorder.plotLrFind();
await learn.fitOneCycle(3, { lrMax: found.slide });
await sideBySide([finder, learn.recorder.plotLoss({ showEpochs: true })]).save(`${folder}lr_find.png`);

await page.locator("#status", { hasText: "Fit finished" }).waitFor();
await page.locator("#top img").first().waitFor();
await page.screenshot({ path: `${folder}live_page.png` });
await browser.close();
await live.close();
