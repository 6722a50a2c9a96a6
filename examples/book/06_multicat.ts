/**
 * Chapter 6, "Other computer vision problems": pictures with any number of classes, where a threshold decides, and pictures
 * from which not classes but places are told: the middle of a shape.
 *
 *     deno run -A examples/book/06_multicat.ts
 */
import { join } from "@std/path";
import {
  accuracyMulti,
  augTransforms,
  DataBlock,
  defineArch,
  ImageBlock,
  MultiCategoryBlock,
  nn,
  plotLines,
  PointBlock,
  RandomSplitter,
  SimpleCnn,
  visionLearner,
} from "../../mod.ts";
import { type ChapterOptions, runChapter } from "./support/chapter.ts";
import { COLORS, type Drawing, drawShapes } from "./support/shapes.ts";

/** What came out. */
export interface Result {
  /** Share of the right decisions about classes, at the best threshold, and that threshold. */
  readonly accuracy: number;
  /** See `accuracy`. */
  readonly threshold: number;
  /** Share of the right decisions where each class's most frequent answer is given. */
  readonly baseline: number;
  /** Mean distance between the true and the predicted middle of a shape, in pixels; and where always the mean is told. */
  readonly distance: number;
  /** See `distance`. */
  readonly baselineDistance: number;
}

const body = defineArch("threeConvs", (options) => new SimpleCnn({ ...options, filters: [16, 32, 64] }));
const SIZE = 32;

/** Which colors are in a picture: none, one or several of them. */
async function colors({ quick, seed, out }: ChapterOptions) {
  const drawings = await drawShapes({
    n: quick ? 200 : 1000,
    size: SIZE,
    shapes: [0, 3],
    folder: join(out, "multi"),
    seed,
  });
  const block = new DataBlock({
    blocks: [ImageBlock, MultiCategoryBlock({ vocab: COLORS })], // targets are one number for each class, 0 or 1
    getX: ({ file }: Drawing) => file,
    getY: ({ shapes }: Drawing) => [...new Set(shapes.map(({ color }) => color))],
    splitter: RandomSplitter(0.2, { seed }),
  });
  const dls = await block.dataloaders(drawings, { bs: 32, seed });
  await (await dls.showBatch()).save(join(out, "06_multi_batch.png"));

  // each class is decided for by itself: sigmoids, not a softmax, and binary cross-entropy, which the data bring along
  const learn = await visionLearner(dls, body, { pretrained: false, metrics: [accuracyMulti], linFtrs: [64], ps: 0.1 });
  await learn.fitOneCycle(quick ? 6 : 10, { lrMax: 1e-2 });

  // which threshold? Predictions are made once, then each is tried
  const { preds, targs } = await learn.getPreds();
  const thresholds = Array.from({ length: 19 }, (_, i) => 0.05 * (i + 1)), accuracies: number[] = [];
  for (const thresh of thresholds) {
    accuracies.push(await accuracyMulti(preds, targs, { thresh, sigmoid: false }).item());
  }
  const best = accuracies.indexOf(Math.max(...accuracies));
  await plotLines({ accuracy: { x: thresholds, y: accuracies } }, { title: "Which threshold?", xLabel: "threshold" })
    .save(join(out, "06_threshold.png"));
  await (await learn.showResults({ maxN: 9 })).save(join(out, "06_multi_results.png"));
  const share = await targs.mean({ axis: 0 }).data();
  const baseline = Array.from(share).reduce((sum, p) => sum + Math.max(p, 1 - p), 0) / share.length;
  console.log(
    `Colors: ${(100 * accuracies[best]).toFixed(1)} % right at ${thresholds[best].toFixed(2)}, ` +
      `always the most frequent answer ${(100 * baseline).toFixed(1)} %`,
  );
  return { accuracy: accuracies[best], threshold: thresholds[best], baseline };
}

/** Where the middle of the only shape is. */
async function middles({ quick, seed, out }: ChapterOptions) {
  const drawings = await drawShapes({ n: quick ? 200 : 1000, size: SIZE, folder: join(out, "points"), seed: seed + 1 });
  const block = new DataBlock({
    blocks: [ImageBlock, PointBlock], // points in pixels; in batches from -1 to 1
    getX: ({ file }: Drawing) => file,
    getY: ({ shapes: [{ x, y }] }: Drawing) => [[x, y]] as const,
    splitter: RandomSplitter(0.2, { seed }),
    batchTfms: augTransforms({ maxRotate: 5, maxWarp: 0 }), // points are mirrored and turned with their picture
  });
  const dls = await block.dataloaders(drawings, { bs: 32, seed });
  await (await dls.showBatch()).save(join(out, "06_points_batch.png"));
  // a mean over the picture would forget where things are, so this head has none; a sigmoid keeps its outputs in range
  const customHead = new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(64 * 4 * 4, 64),
    new nn.ReLU(),
    new nn.Linear(64, 2),
    new nn.SigmoidRange(-1, 1),
    new nn.Unflatten(1, [1, 2]),
  );
  const learn = await visionLearner(dls, body, { pretrained: false, customHead });
  await learn.fitOneCycle(quick ? 8 : 12, { lrMax: 5e-3 });
  await (await learn.showResults({ maxN: 6 })).save(join(out, "06_points_results.png"));
  const { preds, targs } = await learn.getPreds(), toPixels = SIZE / 2;
  const far = (a: typeof preds, b: typeof preds) =>
    a.sub(b).square().sum({ axis: -1 }).sqrt().mean().mul(toPixels).item();
  const distance = await far(preds, targs);
  const baselineDistance = await far(targs.mean({ axis: 0, keepdim: true }), targs);
  console.log(
    `Middles: ${distance.toFixed(2)} pixels off on average, always the mean ${baselineDistance.toFixed(2)}`,
  );
  return { distance, baselineDistance };
}

/** Runs the chapter. */
export async function main(options: ChapterOptions): Promise<Result> {
  return { ...await colors(options), ...await middles(options) };
}

if (import.meta.main) await runChapter("Chapter 6: several labels, and points.", main);
