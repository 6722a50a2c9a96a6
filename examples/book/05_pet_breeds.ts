/**
 * Chapter 5, "Image classification": breeds that look alike, few pictures of each, and a net that has already seen others.
 * The breeds are drawn; so are the many other shapes that the net is first trained on, in place of ImageNet.
 *
 *     deno run -A examples/book/05_pet_breeds.ts
 */
import { join } from "@std/path";
import {
  accuracy,
  augTransforms,
  CategoryBlock,
  ClassificationInterpretation,
  DataBlock,
  defineArch,
  errorRate,
  getImageFiles,
  ImageBlock,
  ImageDataLoaders,
  Learner,
  RandomSplitter,
  RegexLabeller,
  Resize,
  SimpleCnn,
  slice,
  visionLearner,
} from "../../mod.ts";
import { type ChapterOptions, runChapter } from "./support/chapter.ts";
import { drawShapes } from "./support/shapes.ts";

/** What came out. */
export interface Result {
  /** Shape of a batch: after presizing. */
  readonly shape: readonly number[];
  /** Learning rate that the finder suggests. */
  readonly valley: number | null;
  /** Error of the net that was trained before, and of one that starts from nothing. */
  readonly tuned: number;
  /** See `tuned`. */
  readonly scratch: number;
  /** By how much the first weights moved in fine-tuning, and the last ones. */
  readonly moved: { readonly first: number; readonly last: number };
}

const arch = defineArch("fourConvs", (options) => new SimpleCnn({ ...options, filters: [16, 32, 64, 64] }));

/** Runs the chapter. */
export async function main({ quick, seed, out }: ChapterOptions): Promise<Result> {
  const clear = { radius: [0.25, 0.4], noise: 20, colors: ["red", "blue"] } as const; // large, and with little noise
  // what others have done on millions of pictures: here, a net that tells four other shapes apart
  const others = await drawShapes({
    n: quick ? 500 : 1500,
    size: 40,
    kinds: ["circle", "square", "triangle", "cross"],
    ...clear,
    folder: join(out, "others"),
    seed,
  });
  const before = await ImageDataLoaders.fromNameRe(out, others.map(({ file }) => file), /^([a-z]+)_\d+/, {
    bs: 16,
    seed,
  });
  console.log("Weights to start from");
  const published = new Learner(before, arch({ nOut: 4 }), { metrics: [accuracy] });
  await published.fitOneCycle(quick ? 4 : 8, { lrMax: 5e-3 });
  const weights = await published.save("published", { withOpt: false });

  // the breeds: the class is in the file's name
  const folder = join(out, "breeds");
  await drawShapes({
    n: quick ? 120 : 300,
    size: 60,
    kinds: quick ? ["ring", "moon"] : ["ring", "star", "moon"],
    ...clear,
    folder,
    seed: seed + 1,
  });
  const files = (await getImageFiles(folder)).filter((file) => !file.includes("masks"));
  const breeds = new DataBlock({
    blocks: [ImageBlock, CategoryBlock],
    getItems: (files: readonly string[]) => files,
    getY: RegexLabeller(/^([a-z]+)_\d+\.ppm$/),
    splitter: RandomSplitter(0.4, { seed }),
    // presizing: first to one size that is larger than needed, on the CPU; then all changes at once, on the device, down
    // to the size that is trained on, so that turned pictures have no empty corners and pixels are mixed only once
    itemTfms: new Resize(56),
    batchTfms: augTransforms({ size: 40, minScale: 0.75 }),
  });
  console.log(await breeds.summary(files, { bs: 8, seed }));
  const loaders = () => breeds.dataloaders(files, { bs: 8, seed });
  const dls = await loaders();
  await (await dls.showBatch()).save(join(out, "05_batch.png"));
  const [xb] = (await dls.train.peek())!;

  // the head alone first: with random weights it would spoil the body. Then all, early layers more slowly
  const learn = await visionLearner(dls, arch, { weights, metrics: [errorRate], linFtrs: [64], ps: 0.2, path: out });
  const { valley } = await learn.lrFind({ numIt: quick ? 30 : 100 });
  await learn.recorder.plotLrFind().save(join(out, "05_lr_find.png"));
  console.log(`Learning rate: the finder suggests ${valley?.toExponential(1) ?? "none"}`);
  const epochs = quick ? 4 : 8;
  await learn.fitOneCycle(epochs / 2, { lrMax: 5e-3 });
  learn.unfreeze();
  const parameters = learn.model.parameters(), ends = [parameters[0], parameters.at(-1)!];
  const start = ends.map((p) => p.snapshot());
  await learn.fitOneCycle(epochs, { lrMax: slice(1e-4, 4e-3) }); // discriminative learning rates
  await learn.recorder.plotLoss({ showEpochs: true }).save(join(out, "05_loss.png"));
  const far = (i: number) => ends[i].sub(start[i]).abs().mean().item();
  const moved = { first: await far(0), last: await far(1) };

  const judged = await ClassificationInterpretation.fromLearner(learn);
  await judged.plotConfusionMatrix().save(join(out, "05_confusion.png"));
  for (const { actual, predicted, count } of judged.mostConfused()) {
    console.log(`${actual} taken for ${predicted}: ${count} times`);
  }

  console.log("\nThe same from nothing");
  const scratch = await visionLearner(await loaders(), arch, {
    pretrained: false,
    metrics: [errorRate],
    linFtrs: [64],
    ps: 0.2,
  });
  await scratch.fitOneCycle(epochs * 1.5, { lrMax: 5e-3 });
  const errorOf = (l: typeof learn) => l.recorder.rows.at(-1)!.error_rate ?? 1;
  console.log(`Fine-tuned ${errorOf(learn).toFixed(3)}, from nothing ${errorOf(scratch).toFixed(3)}`);
  return { shape: xb.shape, valley, tuned: errorOf(learn), scratch: errorOf(scratch), moved };
}

if (import.meta.main) await runChapter("Chapter 5: breeds, and a net that has seen others.", main);
