/**
 * Chapter 13, "Convolutions": what a kernel sees, a net of convolutions for digits, and how to tell whether training is
 * healthy: the activations of its layers are watched while a bad choice and a good one train.
 *
 *     deno run -A examples/book/13_convolutions.ts
 */
import { join } from "@std/path";
import { accuracy, ActivationStats, DataLoaders, Learner, nn, ops, plotImages, Rng, tensor } from "../../mod.ts";
import { type ChapterOptions, runChapter } from "./support/chapter.ts";
import { loadDigits } from "./support/digits.ts";

/** Of one of the ways to train. */
export interface Trained {
  /** Accuracy in validation. */
  readonly accuracy: number;
  /** Share of the activations before the last layer that are near zero, at each step. */
  readonly nearZero: readonly number[];
}

/** What came out. */
export interface Result {
  /** Constant rates that are too high, without normalization. */
  readonly bad: Trained;
  /** One cycle, which warms up. */
  readonly oneCycle: Trained;
  /** One cycle and batch normalization. */
  readonly batchNorm: Trained;
  /** What the kernel of top edges gives for an edge: the largest output. */
  readonly edge: number;
}

/** Convolutions of stride 2 down to one place; each output of the last is a class. */
function simpleCnn(norm: boolean, rng: Rng): nn.Sequential {
  const conv = (nIn: number, nOut: number, act = true) => {
    const layer = new nn.Conv2d(nIn, nOut, 3, { stride: 2, padding: 1, bias: !norm || !act, rng });
    return act ? [layer, ...(norm ? [new nn.BatchNorm2d(nOut)] : []), new nn.ReLU()] : [layer];
  };
  return new nn.Sequential(
    ...conv(1, 8), // 14 x 14
    ...conv(8, 16), // 7 x 7
    ...conv(16, 32), // 4 x 4
    ...conv(32, 64), // 2 x 2
    ...conv(64, 10, false), // 1 x 1
    new nn.Flatten(),
  );
}

/** Runs the chapter. */
export async function main({ quick, seed, out }: ChapterOptions): Promise<Result> {
  const { train, valid } = await loadDigits({ train: quick ? 1500 : 20000, valid: quick ? 500 : 5000 });

  // a kernel is a small picture of what it looks for: dark above, bright below is a top edge
  const digit = tensor(Float32Array.from(train.data.subarray(0, 784), (v) => v / 255), { shape: [1, 1, 28, 28] });
  const topEdge = tensor([-1, -1, -1, 0, 0, 0, 1, 1, 1], { shape: [1, 1, 3, 3] });
  const edges = await ops.conv2d(digit, topEdge, { padding: 1 }).data();
  const shown = (values: ArrayLike<number>, least: number, most: number) => ({
    data: Uint8Array.from(values, (v) => Math.round(255 * (v - least) / (most - least))),
    width: 28,
    height: 28,
    channels: 1,
  });
  await plotImages([shown(train.data.subarray(0, 784), 0, 255), shown(edges, -3, 3)], {
    titles: ["a digit", "its top edges"],
  }).save(join(out, "13_edges.png"));

  const fit = async (name: string, norm: boolean, policy: (learn: Learner) => Promise<void>): Promise<Trained> => {
    const dls = DataLoaders.fromArrays({
      x: { data: train.data, shape: [train.n, 1, 28, 28] },
      y: { data: train.classes, shape: [train.n] },
      xValid: { data: valid.data, shape: [valid.n, 1, 28, 28] },
      yValid: { data: valid.classes, shape: [valid.n] },
    }, { bs: quick ? 64 : 256, seed, normalize: true });
    const model = simpleCnn(norm, new Rng(seed)), relus = model.children().filter((m) => m instanceof nn.ReLU);
    const stats = new ActivationStats({ modules: relus, withHist: true });
    const learn = new Learner(dls, model, { lossFunc: new nn.CrossEntropyLoss(), metrics: [accuracy], cbs: stats });
    console.log(`\n${name}`);
    await policy(learn);
    // layers before the last: batches from left to right, values from bottom to top. Yellow at the bottom alone is a
    // layer that is dead; bands that rise and collapse are a training that starts again and again
    await stats.colorDim(-1).save(join(out, `13_${name.replaceAll(" ", "_")}_histogram.png`));
    await stats.plotLayerStats(-1).save(join(out, `13_${name.replaceAll(" ", "_")}_stats.png`));
    return { accuracy: learn.recorder.rows.at(-1)!.accuracy ?? 0, nearZero: stats.layerStats(-1).nearZero };
  };
  const epochs = quick ? 2 : 3, lr = 0.3;
  const bad = await fit("high rate", false, (learn) => learn.fit(epochs, { lr }));
  const oneCycle = await fit("one cycle", false, (learn) => learn.fitOneCycle(epochs, { lrMax: lr / 20 }));
  const batchNorm = await fit("batch norm", true, (learn) => learn.fitOneCycle(epochs, { lrMax: lr / 5 }));
  for (const [name, { accuracy, nearZero }] of Object.entries({ bad, oneCycle, batchNorm })) {
    console.log(
      `${name.padEnd(10)} ${(100 * accuracy).toFixed(1)} % right, ${(100 * nearZero.at(-1)!).toFixed(0)} % near zero`,
    );
  }
  return { bad, oneCycle, batchNorm, edge: Math.max(...edges) };
}

if (import.meta.main) await runChapter("Chapter 13: convolutions, watched from inside.", main);
