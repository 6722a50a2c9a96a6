/**
 * Trains an image classifier on emoji: 3,786 pictures of 64 x 64 pixels, labelled by category, from an npm package.
 * Learning-rate finder, one-cycle, and three pictures in `out/`: the finder's curve, the confusion matrix, the worst images.
 *
 *     deno task demo:vision --epochs 4 --arch resnet18
 */
import { fromFileUrl, join } from "@std/path";
import { Command, InvalidArgumentError, Option } from "commander";
import {
  AnnealError,
  type Arch,
  ClassificationInterpretation,
  deviceStats,
  errorRate,
  getImageFiles,
  ImageDataLoaders,
  init,
  resnet18,
  setSeed,
  simpleCnn,
  visionLearner,
  xresnet18,
} from "../mod.ts";
import { setup } from "../tools/setup.ts";

const ARCHS: Readonly<Record<string, Arch>> = { resnet18, xresnet18, simpleCnn };

interface Options {
  readonly arch: string;
  readonly epochs: number;
  readonly bs: number;
  readonly lr: number;
  readonly seed: number;
  readonly device?: "webgpu" | "cpu";
  readonly out: string;
}

function whole(least: number): (text: string) => number {
  return (text) => {
    const n = Number(text);
    if (!Number.isInteger(n) || n < least) throw new InvalidArgumentError(`It is a whole number from ${least}.`);
    return n;
  };
}

function positive(text: string): number {
  const x = Number(text);
  if (!(x > 0 && x < Infinity)) throw new InvalidArgumentError("It is a number above 0.");
  return x;
}

/** An emoji, or one of its skin variations, in the package's list. */
interface Entry {
  readonly image: string;
  readonly category: string;
  readonly skin_variations?: Readonly<Record<string, { readonly image: string }>>;
}

/** Folder of the pictures, and the category of each by file name; skin variations have that of their emoji. */
export async function loadEmoji(): Promise<{ folder: string; category: ReadonlyMap<string, string> }> {
  // importing something of the package puts its files on disk
  await import("emoji-datasource-google/package.json", { with: { type: "json" } });
  const list = new URL(import.meta.resolve("emoji-datasource-google/emoji.json"));
  const entries: readonly Entry[] = JSON.parse(await Deno.readTextFile(list));
  const category = new Map<string, string>();
  for (const { image, category: name, skin_variations = {} } of entries) {
    category.set(image, name);
    for (const variation of Object.values(skin_variations)) category.set(variation.image, name);
  }
  return { folder: fromFileUrl(new URL("./img/google/64/", list)), category };
}

async function main({ arch, epochs, bs, lr, seed, device, out }: Options): Promise<void> {
  const start = performance.now();
  if (device === "webgpu") await setup(); // a software adapter, where there is none
  await init(device ? { device } : {});
  console.log(`Device: ${deviceStats().name}`);
  setSeed(seed);
  const { folder, category } = await loadEmoji();
  const files = await getImageFiles(folder);
  const dls = await ImageDataLoaders.fromNameFunc(out, files, (name) => category.get(name) ?? "none", {
    bs,
    seed,
    validPct: 0.2,
  });
  console.log(
    `${files.length} images of ${dls.c} categories, ${dls.trainSet.files.length} of them to train on ` +
      `(read in ${((performance.now() - start) / 1000).toFixed(1)} s)`,
  );
  const learn = await visionLearner(dls, ARCHS[arch], { metrics: [errorRate], pretrained: false });

  const { valley } = await learn.lrFind();
  console.log(`Learning rate: ${valley === null ? "no suggestion" : `the finder suggests ${valley.toExponential(2)}`}`);
  await learn.recorder.plotLrFind().save(join(out, "emoji_lr_find.png"));

  const before = performance.now();
  await learn.fitOneCycle(epochs, { lrMax: lr });
  const seconds = (performance.now() - before) / 1000;
  const images = epochs * (dls.trainSet.files.length + dls.validSet.files.length);
  console.log(`Trained and validated ${(images / seconds).toFixed(0)} images/s, ${seconds.toFixed(1)} s`);

  const judged = await ClassificationInterpretation.fromLearner(learn);
  const matrix = judged.plotConfusionMatrix();
  console.log(matrix.text());
  await matrix.save(join(out, "emoji_confusion.png"));
  await (await judged.plotTopLosses(16)).save(join(out, "emoji_top_losses.png"));
  const exported = await learn.export("emoji");
  const names = ["lr_find", "confusion", "top_losses"].map((n) => join(out, `emoji_${n}.png`));
  console.log(`Pictures: ${names.join(", ")}; the learner: ${exported}`);
  console.log(`Done in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

if (import.meta.main) {
  const command = new Command("deno task demo:vision")
    .description("Trains an image classifier on emoji.")
    .addOption(new Option("--arch <name>", "architecture").choices(Object.keys(ARCHS)).default("resnet18"))
    .addOption(new Option("--epochs <n>", "epochs to train").argParser(whole(1)).default(4))
    .addOption(new Option("--bs <n>", "batch size").argParser(whole(2)).default(32))
    .addOption(
      new Option("--lr <x>", "highest learning rate of the one-cycle policy").argParser(positive).default(2e-3),
    )
    .addOption(new Option("--seed <n>", "seed of weights, split and order").argParser(whole(0)).default(42))
    .addOption(
      new Option("--device <name>", "device (default: a GPU if there is one, else cpu)").choices(["webgpu", "cpu"]),
    )
    .addOption(new Option("--out <folder>", "folder for the pictures").default("out"))
    .action(async (options: Options) => {
      try {
        await main(options);
      } catch (error) {
        if (!(error instanceof AnnealError)) throw error;
        console.error(`${error.name}: ${error.message}`);
        Deno.exit(1);
      }
    });
  await command.parseAsync(Deno.args, { from: "user" });
}
