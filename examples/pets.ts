/**
 * The vision part of the document of schedules: cats against dogs on Oxford-IIIT Pet, from ImageNet's weights. At the end
 * it prints the average gradient of the first batch normalisation, `state[1].gradAvg`: 64 numbers, which show that norm
 * layers of a frozen body train; `state[0]`, the first convolution, has none.
 *
 * The first run fetches 774 MiB of images and 45 MiB of weights into `~/.fastai`.
 *
 *     deno run -A examples/pets.ts
 */
import { join } from "@std/path";
import { Command, Option } from "commander";
import {
  AnnealError,
  deviceStats,
  errorRate,
  getImageFiles,
  ImageDataLoaders,
  init,
  Resize,
  resnet18,
  setSeed,
  untarData,
  URLs,
  visionLearner,
} from "../mod.ts";
import { setup } from "../tools/setup.ts";

interface Options {
  readonly url: string;
  readonly base?: string;
  readonly weights?: string;
  readonly size: string;
  readonly bs: string;
  readonly device?: "webgpu" | "cpu";
}

async function main({ url, base, weights, size, bs, device }: Options): Promise<void> {
  if (device === "webgpu") await setup(); // a software adapter, where there is none
  await init(device ? { device } : {});
  console.log(`Device: ${deviceStats().name}`);
  setSeed(99);
  const path = join(await untarData(url, base === undefined ? {} : { base }), "images");
  const files = await getImageFiles(path);
  // names of cats' files start with a capital letter
  const dls = await ImageDataLoaders.fromNameFunc(path, files, (name) => /^\p{Lu}/u.test(name), {
    validPct: 0.2,
    seed: 99,
    itemTfms: [new Resize(Number(size))],
    bs: Number(bs),
  });
  const learn = await visionLearner(dls, resnet18, {
    metrics: [errorRate],
    ...(weights === undefined ? {} : { weights }),
  });
  await learn.fit(1);

  const { state } = learn.opt.stateDict();
  const { gradAvg } = state[1];
  if (gradAvg === undefined || state[0].gradAvg !== undefined) throw new Error("the wrong layers were trained");
  console.log(Array.from(await gradAvg.data(), (v) => v.toExponential(4)).join(" "));
}

if (import.meta.main) {
  const command = new Command("deno run -A examples/pets.ts")
    .description("Trains resnet18 to tell cats from dogs.")
    .option("--url <address>", "address of the archive", URLs.PETS)
    .option("--base <folder>", "folder for archive and images (default: $FASTAI_HOME or ~/.fastai)")
    .option("--weights <file>", "safetensors file of weights to start from, or its address (default: ImageNet's)")
    .option("--size <n>", "pixels of an image's side", "224")
    .option("--bs <n>", "images a batch", "64")
    .addOption(
      new Option("--device <name>", "device (default: a GPU if there is one, else cpu)").choices(["webgpu", "cpu"]),
    )
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
