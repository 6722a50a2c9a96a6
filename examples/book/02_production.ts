/**
 * Chapter 2, "From model to production": a classifier of pictures is trained, its mistakes are looked at, the data are
 * cleaned by what they show, and the learner is exported and used by code that has neither data nor training script. The
 * book gathers bears from the web; here it is emoji of three kinds.
 *
 *     deno run -A examples/book/02_production.ts
 */
import { basename, join } from "@std/path";
import {
  augTransforms,
  CategoryBlock,
  ClassificationInterpretation,
  DataBlock,
  defineArch,
  errorRate,
  ImageBlock,
  loadLearner,
  RandomSplitter,
  Resize,
  SimpleCnn,
  simpleCnn,
  VisionLearner,
  visionLearner,
} from "../../mod.ts";
import { loadEmoji } from "../emoji.ts";
import { type ChapterOptions, runChapter } from "./support/chapter.ts";

const KINDS = ["Animals & Nature", "Flags", "Smileys & Emotion"];

/** What came out. */
export interface Result {
  /** Share of the validation pictures that are told wrong, after cleaning. */
  readonly errorRate: number;
  /** Pictures that were given a wrong label on purpose, and those of them among the largest losses. */
  readonly wrong: readonly string[];
  /** See `wrong`. */
  readonly found: readonly string[];
  /** What the exported learner says of a flag. */
  readonly label: string;
}

/** A net of fewer channels, for a quick run. */
const tinyCnn = defineArch("tinyCnn", (options) => new SimpleCnn({ ...options, filters: [16, 32, 64] }));

/** Runs the chapter. */
export async function main({ quick, seed, out }: ChapterOptions): Promise<Result> {
  const { folder, category } = await loadEmoji();
  const all = [...category].filter(([, kind]) => KINDS.includes(kind)).map(([name]) => join(folder, name)).sort();
  const files = quick ? all.filter((_, i) => i % 2 === 0) : all;

  const bs = quick ? 16 : 32;

  // somebody labelled every twenty-fifth picture carelessly, as happens with pictures from the web
  const labels = new Map(files.map((file, i) => {
    const kind = KINDS.indexOf(category.get(basename(file))!);
    return [file, KINDS[i % 25 === 7 ? (kind + 1) % 3 : kind]];
  }));
  const wrong = files.filter((_, i) => i % 25 === 7);

  // how the data come together is said once, part by part; what changes later is `labels`
  const emoji = new DataBlock({
    blocks: [ImageBlock, CategoryBlock],
    getItems: (files: readonly string[]) => files,
    getY: (file) => labels.get(file)!,
    splitter: RandomSplitter(0.2, { seed }),
    itemTfms: new Resize(32),
    batchTfms: augTransforms({ maxRotate: 8, maxWarp: 0.1 }),
  });
  console.log(await emoji.summary(files, { bs, seed }));
  const train = async (epochs: number) => {
    const dls = await emoji.dataloaders(files, { bs, seed });
    const learn = await visionLearner(dls, quick ? tinyCnn : simpleCnn, {
      pretrained: false,
      metrics: [errorRate],
      path: out,
    });
    await learn.fitOneCycle(epochs, { lrMax: 5e-3 });
    return learn;
  };

  // a first model need not be good: it shows what is odd about the data
  const first = await train(quick ? 4 : 8);
  const judged = await ClassificationInterpretation.fromLearner(first);
  const matrix = judged.plotConfusionMatrix();
  console.log(matrix.text());
  await matrix.save(join(out, "02_confusion.png"));
  await (await judged.plotTopLosses(9)).save(join(out, "02_top_losses.png"));

  // the cleaner: what has the largest loss, in training and validation, is looked at by hand, and labelled anew. Our hand
  // is the package's own list
  const { trainSet, validSet } = first.imageDls;
  const dl = first.imageDls.testDl(trainSet.files, { labels: trainSet.labels });
  const { losses } = await first.getPreds({ dl, withLoss: true });
  const values = await losses!.data();
  const worst = trainSet.files.map((file, i) => ({ file, loss: values[i] })).sort((a, b) => b.loss - a.loss);
  const suspects = [
    ...worst.slice(0, Math.round(0.08 * trainSet.files.length)).map(({ file }) => file),
    ...judged.topLosses(Math.round(0.08 * validSet.files.length)).map(({ file }) => file),
  ];
  const found = suspects.filter((file) => wrong.includes(file));
  console.log(`${found.length} of ${wrong.length} wrong labels are among the ${suspects.length} largest losses`);
  for (const file of suspects) labels.set(file, category.get(basename(file))!);

  // the same again with clean labels, and into production: one file, from which another process predicts
  const learn = await train(quick ? 3 : 16);
  const path = await learn.export("emoji");
  const served = await loadLearner(path);
  if (!(served instanceof VisionLearner)) throw new Error("the file holds another learner");
  const { label, pred } = await served.predict(join(folder, "1f1eb-1f1ee.png"));
  console.log(`The flag of Finland: ${label}, ${(100 * Math.max(...await pred.data())).toFixed(1)} % sure`);
  return { errorRate: learn.recorder.rows.at(-1)!.error_rate ?? 1, wrong, found, label: String(label) };
}

if (import.meta.main) await runChapter("Chapter 2: from a data block to an exported learner.", main);
