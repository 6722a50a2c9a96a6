/**
 * Chapter 14, "ResNets": why deep nets train badly, and what a shortcut around two layers changes. The same deep net with
 * and without shortcuts, on digits; both are written here, layer by layer.
 *
 *     deno run -A examples/book/14_resnet.ts
 */
import { join } from "@std/path";
import { accuracy, DataLoaders, Learner, nn, plotLines, Rng, type Tensor } from "../../mod.ts";
import { type ChapterOptions, runChapter } from "./support/chapter.ts";
import { loadDigits } from "./support/digits.ts";

/** What came out of the net with shortcuts, and of the one without. */
export interface Result {
  /** Accuracy in validation. */
  readonly accuracies: { readonly resnet: number; readonly plain: number };
  /** Training losses. */
  readonly losses: { readonly resnet: readonly number[]; readonly plain: readonly number[] };
}

/** A convolution of 3 x 3, batch normalization, and maybe a ReLU. */
function convLayer(nIn: number, nOut: number, stride: number, act: boolean, rng: Rng, zero = false): nn.Sequential {
  // the last normalization of a block starts from 0, so that a block begins as its shortcut alone
  const norm = new nn.BatchNorm2d(nOut, { firstWeight: zero ? 0 : 1 });
  const conv = new nn.Conv2d(nIn, nOut, 3, { stride, padding: 1, bias: false, rng });
  return act ? new nn.Sequential(conv, norm, new nn.ReLU()) : new nn.Sequential(conv, norm);
}

/** `relu(x + f(x))`: f has to learn only what is missing, and gradients reach early layers past it. */
class ResBlock extends nn.Module {
  readonly convs: nn.Sequential;
  /** Makes x fit, where the block changes its size. */
  readonly idConv: nn.Module;
  readonly pool: nn.Module;
  readonly #shortcut: boolean;
  constructor(nIn: number, nOut: number, stride: number, shortcut: boolean, rng: Rng) {
    super();
    this.convs = new nn.Sequential(
      convLayer(nIn, nOut, stride, true, rng),
      convLayer(nOut, nOut, 1, false, rng, shortcut),
    );
    this.idConv = nIn === nOut ? new nn.Identity() : new nn.Conv2d(nIn, nOut, 1, { rng });
    this.pool = stride === 1 ? new nn.Identity() : new nn.AvgPool2d(2, { ceilMode: true });
    this.#shortcut = shortcut;
  }
  override forward(x: Tensor): Tensor {
    const y = this.convs.forward(x);
    return this.#shortcut ? y.add(this.idConv.forward(this.pool.forward(x))).relu() : y.relu();
  }
}

/** A stem, groups of blocks of which the first halves the picture, the mean of each channel, and a linear layer. */
function deepNet(shortcut: boolean, blocks: number, rng: Rng): nn.Sequential {
  const groups = [[8, 8], [8, 16], [16, 32]].flatMap(([nIn, nOut], g) =>
    Array.from(
      { length: blocks },
      (_, i) => new ResBlock(i === 0 ? nIn : nOut, nOut, i === 0 && g > 0 ? 2 : 1, shortcut, rng),
    )
  );
  return new nn.Sequential(
    convLayer(1, 8, 2, true, rng),
    ...groups,
    new nn.AdaptiveAvgPool2d(1),
    new nn.Flatten(),
    new nn.Linear(32, 10, { rng }),
  );
}

/** Runs the chapter. */
export async function main({ quick, seed, out }: ChapterOptions): Promise<Result> {
  const { train, valid } = await loadDigits({ train: quick ? 500 : 3000, valid: quick ? 300 : 1000 });
  const blocks = quick ? 1 : 5; // 7 and 31 layers deep
  const fit = async (shortcut: boolean) => {
    const dls = DataLoaders.fromArrays({
      x: { data: train.data, shape: [train.n, 1, 28, 28] },
      y: { data: train.classes, shape: [train.n] },
      xValid: { data: valid.data, shape: [valid.n, 1, 28, 28] },
      yValid: { data: valid.classes, shape: [valid.n] },
    }, { bs: quick ? 32 : 64, seed, normalize: true });
    const learn = new Learner(dls, deepNet(shortcut, blocks, new Rng(seed)), {
      lossFunc: new nn.CrossEntropyLoss(),
      metrics: [accuracy],
    });
    console.log(`\n${2 * 3 * blocks + 1} convolutions ${shortcut ? "with" : "without"} shortcuts`);
    await learn.fitOneCycle(quick ? 3 : 4, { lrMax: 1e-2 });
    return { accuracy: learn.recorder.rows.at(-1)!.accuracy ?? 0, losses: learn.recorder.losses };
  };
  const resnet = await fit(true), plain = await fit(false);
  await plotLines({ "with shortcuts": resnet.losses, "without": plain.losses }, {
    title: "The same layers, with and without shortcuts",
    xLabel: "step",
    yLabel: "training loss",
  }).save(join(out, "14_losses.png"));
  return {
    accuracies: { resnet: resnet.accuracy, plain: plain.accuracy },
    losses: { resnet: resnet.losses, plain: plain.losses },
  };
}

if (import.meta.main) await runChapter("Chapter 14: a deep net with and without shortcuts.", main);
