/**
 * Trains a digit classifier on MNIST: learning-rate finder, one-cycle, a table in the terminal, four pictures in `out/`.
 *
 *     deno task demo --epochs 3 --seed 1
 */
import { parseArgs } from "node:util";
import { join } from "@std/path";
import { setup } from "../tools/setup.ts";
import {
  accuracy,
  AnnealError,
  DataLoaders,
  deviceStats,
  init,
  Learner,
  loadMnist,
  minimum,
  nn,
  plotImages,
  setSeed,
  slide,
  steep,
  valley,
} from "../mod.ts";

const USAGE = `Trains a digit classifier on MNIST.

Usage: deno task demo [options]

  --epochs N    epochs to train (default 3)
  --bs N        batch size (default 64)
  --lr X        highest learning rate of the one-cycle policy (default 2e-3)
  --seed N      seed of weights and shuffling (default 1)
  --device D    webgpu or cpu (default: a GPU if there is one, else cpu)
  --out DIR     folder for the pictures (default out)
  --help        show this text

Example: deno task demo --epochs 1 --device cpu`;

interface Options {
  readonly epochs: number;
  readonly bs: number;
  readonly lr: number;
  readonly seed: number;
  readonly device?: "webgpu" | "cpu";
  readonly out: string;
}

/** Reads the command line; a bad option is one clear line and exit code 2. */
function readOptions(args: string[]): Options {
  try {
    const { values } = parseArgs({
      args,
      options: {
        epochs: { type: "string", default: "3" },
        bs: { type: "string", default: "64" },
        lr: { type: "string", default: "2e-3" },
        seed: { type: "string", default: "1" },
        device: { type: "string" },
        out: { type: "string", default: "out" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      Deno.exit(0);
    }
    const { device } = values;
    if (device !== undefined && device !== "webgpu" && device !== "cpu") {
      throw new Error(`--device is webgpu or cpu, got ${device}`);
    }
    const lr = Number(values.lr);
    if (!(lr > 0 && lr < Infinity)) {
      throw new Error(`--lr is a number above 0, got ${values.lr}`);
    }
    return {
      epochs: whole("--epochs", values.epochs, 1),
      bs: whole("--bs", values.bs, 1),
      lr,
      seed: whole("--seed", values.seed, 0),
      ...(device ? { device } : {}),
      out: values.out,
    };
  } catch (error) {
    console.error(
      `${(error as Error).message.split("\n")[0]} (--help shows the options)`,
    );
    Deno.exit(2);
  }
}

function whole(name: string, text: string, least: number): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < least) {
    throw new Error(`${name} is a whole number from ${least}, got ${text}`);
  }
  return n;
}

async function main(
  { epochs, bs, lr, seed, device, out }: Options,
): Promise<void> {
  const start = performance.now();
  if (device === "webgpu") await setup(); // a software adapter, where there is none
  await init(device ? { device } : {});
  console.log(`Device: ${deviceStats().name}`);
  const { x, y, xValid, yValid } = await loadMnist();
  setSeed(seed);
  const dls = DataLoaders.fromArrays({ x, y, xValid, yValid }, {
    bs,
    seed,
    normalize: true,
  });
  const model = new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(784, 512),
    new nn.ReLU(),
    new nn.Linear(512, 256),
    new nn.ReLU(),
    new nn.Linear(256, 10),
  );
  const learn = new Learner(dls, model, {
    lossFunc: new nn.CrossEntropyLoss(),
    metrics: [accuracy],
  });

  const found = await learn.lrFind({
    suggestFuncs: [valley, slide, minimum, steep],
  });
  const show = (v: number | null) => v === null ? "none" : v.toExponential(2);
  console.log(
    `Learning rates: valley ${show(found.valley)}, slide ${show(found.slide)}, ` +
      `minimum ${show(found.minimum)}, steep ${show(found.steep)}`,
  );
  await learn.recorder.plotLrFind().save(join(out, "lr_find.png"));

  await learn.fitOneCycle(epochs, { lrMax: lr });
  await learn.recorder.plotSched({ keys: ["lr", "mom"] }).save(
    join(out, "schedule.png"),
  );
  await learn.recorder.plotLoss().save(join(out, "losses.png"));

  const { preds, targs, losses } = await learn.getPreds({ withLoss: true });
  const worst = (await losses!.topk(16).indices.data()) as Int32Array;
  const [guesses, labels, values] = await Promise.all([
    preds.argmax({ axis: -1 }).data(),
    targs.data(),
    losses!.data(),
  ]);
  const images = Array.from(worst, (i) => ({
    data: xValid.data.subarray(i * 784, (i + 1) * 784),
    width: 28,
    height: 28,
    channels: 1,
  }));
  const titles = Array.from(
    worst,
    (i) => `${guesses[i]}, truly ${labels[i]} (${values[i].toFixed(2)})`,
  );
  await plotImages(images, {
    titles,
    columns: 4,
    title: "Worst digits: predicted, true (loss)",
  }).save(
    join(out, "top_losses.png"),
  );
  console.log(
    `Pictures: ${["lr_find", "schedule", "losses", "top_losses"].map((n) => join(out, `${n}.png`)).join(", ")}`,
  );
  console.log(`Done in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

if (import.meta.main) {
  try {
    await main(readOptions(Deno.args));
  } catch (error) {
    if (!(error instanceof AnnealError)) throw error;
    console.error(`${error.name}: ${error.message}`);
    Deno.exit(1);
  }
}
