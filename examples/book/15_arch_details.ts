/**
 * Chapter 15, "Application architectures deep dive": a vision model is a body and a head, a U-Net is a body and a way back
 * up, a siamese net is one body for two pictures; and whoever builds such a net says how its parameters are grouped.
 *
 *     deno run -A examples/book/15_arch_details.ts
 */
import { join } from "@std/path";
import {
  accuracy,
  createBody,
  createHead,
  createUnetModel,
  defineArch,
  Learner,
  modelSizes,
  nn,
  noGrad,
  plotLines,
  SimpleCnn,
  slice,
  type Tensor,
  zeros,
} from "../../mod.ts";
import { siameseLoaders } from "./11_midlevel_data.ts";
import { type ChapterOptions, runChapter } from "./support/chapter.ts";
import { loadDigits } from "./support/digits.ts";

/** What came out. */
export interface Result {
  /** Share of the validation pairs that are told right. */
  readonly accuracy: number;
  /** Shapes of what the layers of the body give, and of what the U-Net gives. */
  readonly sizes: readonly (readonly number[])[];
  /** See `sizes`. */
  readonly unet: readonly number[];
  /** How much the body's first weights changed while it was frozen, and after. */
  readonly moved: { readonly frozen: number; readonly unfrozen: number };
}

const arch = defineArch("threeConvs", (options) => new SimpleCnn({ ...options, filters: [16, 32, 64] }));

/**
 * Both pictures go through the same body, and the head sees by how much their features differ. The chapter gives it the
 * features of both, one behind the other, which takes more pictures to learn from.
 */
class SiameseModel extends nn.Module<[Tensor, Tensor]> {
  constructor(readonly encoder: nn.Module, readonly head: nn.Module) {
    super();
  }
  override forward(a: Tensor, b: Tensor): Tensor {
    return this.head.forward(this.encoder.forward(a).sub(this.encoder.forward(b)).abs());
  }
}

/** Runs the chapter. */
export async function main({ quick, seed, out }: ChapterOptions): Promise<Result> {
  // the body: all of an architecture up to its pool. What its layers give:
  const body = await createBody(arch, { nIn: 1, pretrained: false });
  const sizes = modelSizes(body, [1, 1, 28, 28]);
  for (const shape of sizes) console.log(`body: [${shape.join(", ")}]`);

  // a U-Net over it doubles the picture again and again, and takes in what the body gave at each size
  const net = await createUnetModel(arch, 2, [32, 32], { nIn: 1, pretrained: false });
  net.eval();
  const unet = noGrad(() => net.forward(zeros([1, 1, 32, 32]))).shape;
  console.log(`U-Net: [1, 1, 32, 32] to [${unet.join(", ")}]`);

  // a head of two classes for the body's 64 channels: pools, a hidden layer, normalization, dropout
  const head = createHead(64, 2, { linFtrs: [64], ps: 0.1 });
  const { train, valid } = await loadDigits({ train: quick ? 800 : 8000, valid: quick ? 300 : 1000 });
  const dls = siameseLoaders(train, valid, { bs: quick ? 32 : 64, seed });
  const model = new SiameseModel(body, head);
  const learn = new Learner(dls, model as nn.Module<Tensor[], Tensor>, {
    lossFunc: new nn.CrossEntropyLoss(),
    metrics: [accuracy],
    splitter: () => [body.parameters(), head.parameters()], // earlier layers may learn more slowly, or not at all
  });
  const firstWeight = () => body.parameters()[0].snapshot(), before = firstWeight();
  const movedFrom = async () => await firstWeight().sub(before).abs().max().item();

  learn.freeze(); // the head alone
  await learn.fitOneCycle(1, { lrMax: 5e-3 });
  const frozen = await movedFrom();
  learn.unfreeze();
  await learn.fitOneCycle(quick ? 3 : 6, { lrMax: slice(5e-3, 1e-2) });
  const moved = { frozen, unfrozen: await movedFrom() };
  console.log(`The first weights moved by ${moved.frozen} while frozen, by ${moved.unfrozen.toFixed(3)} after`);
  await plotLines({ loss: learn.recorder.losses }, { title: "Same digit or not", xLabel: "step", yLabel: "loss" })
    .save(join(out, "15_loss.png"));
  return { accuracy: learn.recorder.rows.at(-1)!.accuracy ?? 0, sizes, unet, moved };
}

if (import.meta.main) await runChapter("Chapter 15: bodies, heads, and a siamese net.", main);
