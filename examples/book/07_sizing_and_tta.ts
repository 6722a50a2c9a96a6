/**
 * Chapter 7, "Training a state-of-the-art model": normalization, progressive resizing, test-time augmentation, mixup and
 * label smoothing, on emoji of four kinds in place of Imagenette. All from random weights.
 *
 *     deno run -A examples/book/07_sizing_and_tta.ts
 */
import { basename, join } from "@std/path";
import {
  accuracy,
  augTransforms,
  CategoryBlock,
  DataBlock,
  defineArch,
  ImageBlock,
  MixUp,
  nn,
  Normalize,
  RandomSplitter,
  Resize,
  SimpleCnn,
  simpleCnn,
  type Tensor,
  visionLearner,
} from "../../mod.ts";
import { loadEmoji } from "../emoji.ts";
import { type ChapterOptions, runChapter } from "./support/chapter.ts";

/** What came out. */
export interface Result {
  /** Mean and deviation of the channels before normalization, and of a batch after it. */
  readonly stats: { readonly mean: readonly number[]; readonly std: readonly number[] };
  /** See `stats`. */
  readonly normalized: { readonly mean: number; readonly std: number };
  /** Share that is told right: small pictures, then large ones, and the mean of changed ones. */
  readonly small: number;
  /** See `small`. */
  readonly large: number;
  /** See `small`. */
  readonly tta: number;
  /** Share that is told right after mixup with smoothed labels, and how sure the net is, on average, with and without. */
  readonly mixup: number;
  /** See `mixup`. */
  readonly sureness: { readonly plain: number; readonly mixup: number };
}

const KINDS = ["Animals & Nature", "Flags", "Smileys & Emotion", "Travel & Places"];

/** A net of fewer channels, for a quick run. */
const tinyCnn = defineArch("tinyCnn", (options) => new SimpleCnn({ ...options, filters: [16, 32, 64] }));

/** Runs the chapter. */
export async function main({ quick, seed, out }: ChapterOptions): Promise<Result> {
  const { folder, category } = await loadEmoji();
  const all = [...category].filter(([, kind]) => KINDS.includes(kind)).map(([name]) => join(folder, name)).sort();
  const files = quick ? all.filter((_, i) => i % 3 === 0) : all;
  const arch = quick ? tinyCnn : simpleCnn;
  const [small, large] = quick ? [24, 32] : [32, 48];

  // one function gives loaders of any size, scaled or not
  const loaders = (size: number, more: readonly Normalize[] = []) =>
    new DataBlock({
      blocks: [ImageBlock, CategoryBlock],
      getItems: (files: readonly string[]) => files,
      getY: (file) => category.get(basename(file))!,
      splitter: RandomSplitter(0.25, { seed }),
      itemTfms: new Resize(64),
      batchTfms: [...augTransforms({ size, minScale: 0.75, maxRotate: 8 }), ...more],
    }).dataloaders(files, { bs: quick ? 16 : 32, seed });

  // normalization: channels have mean 0 and deviation 1; the numbers are those of a batch
  const channels = (x: Tensor) => x.permute([1, 0, 2, 3]).reshape([3, -1]);
  const [raw] = (await (await loaders(small)).train.peek())!;
  const stats = {
    mean: [...await channels(raw).mean({ axis: 1 }).data()].map(Number),
    std: [...await channels(raw).std({ axis: 1 }).data()].map(Number),
  };
  const normalize = Normalize.fromStats(stats.mean, stats.std);
  const dls = await loaders(small, [normalize]);
  const [scaled] = (await dls.train.peek())!;
  const normalized = { mean: await scaled.mean().item(), std: await scaled.std().item() };
  console.log(`Channels have means ${stats.mean.map((v) => v.toFixed(2)).join(", ")}; normalized:`, normalized);

  // progressive resizing: most epochs on small pictures, which are cheap, the last ones on large ones. The learner gets
  // other data in the middle, and goes on as if it were fine-tuned
  const learn = await visionLearner(dls, arch, { pretrained: false, metrics: [accuracy], linFtrs: [64], ps: 0.2 });
  const accuracyOf = (l: typeof learn) => l.recorder.rows.at(-1)!.accuracy ?? 0;
  await learn.fitOneCycle(quick ? 5 : 10, { lrMax: 5e-3 });
  const first = accuracyOf(learn);
  learn.dls = await loaders(large, [normalize]);
  await learn.fineTune(quick ? 1 : 6, { baseLr: 2e-3, lrMult: 5 });
  const second = accuracyOf(learn);
  await (await learn.imageDls.showBatch()).save(join(out, "07_batch.png"));

  // test-time augmentation: each picture is predicted as it is and as training changes it, and the mean counts
  const { preds, targs } = await learn.tta({ n: quick ? 1 : 4, seed });
  const tta = await accuracy(preds, targs).item();

  // mixup: two pictures on top of each other, and both labels. Label smoothing: never asked to be entirely sure
  console.log("\nMixup and label smoothing");
  const mixed = await visionLearner(await loaders(small, [normalize]), arch, {
    pretrained: false,
    metrics: [accuracy],
    linFtrs: [64],
    ps: 0.2,
    lossFunc: new nn.LabelSmoothingCrossEntropy({ eps: 0.1 }),
    cbs: new MixUp(0.4),
  });
  await mixed.fitOneCycle(quick ? 5 : 14, { lrMax: 5e-3 });
  const sure = async (l: typeof learn) => await (await l.getPreds()).preds.max({ axis: 1 }).mean().item();
  const sureness = { plain: await sure(learn), mixup: await sure(mixed) };
  await (await mixed.showResults({ maxN: 12 })).save(join(out, "07_results.png"));
  const percent = (v: number) => `${(100 * v).toFixed(1)} %`;
  console.log(
    `Small pictures ${percent(first)}, then large ones ${percent(second)}, with test-time augmentation ${
      percent(tta)
    }; ` +
      `mixup ${percent(accuracyOf(mixed))}`,
  );
  console.log(`Sure of its answer: ${percent(sureness.plain)}, with mixup and smoothing ${percent(sureness.mixup)}`);
  return { stats, normalized, small: first, large: second, tta, mixup: accuracyOf(mixed), sureness };
}

if (import.meta.main) await runChapter("Chapter 7: sizes, test-time augmentation, mixup.", main);
