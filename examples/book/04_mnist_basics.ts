/**
 * Chapter 4, "Under the hood: training a digit classifier": is it a 3 or a 7? First by comparing pixels, then by gradient
 * descent written by hand, and at last by a learner, which does the same.
 *
 *     deno run -A examples/book/04_mnist_basics.ts
 */
import { join } from "@std/path";
import {
  backward,
  DataLoaders,
  Learner,
  nn,
  noGrad,
  type Parameter,
  type PixelImage,
  plotImages,
  randn,
  SGD,
  type Tensor,
  tensor,
  where,
  zeros,
} from "../../mod.ts";
import { type ChapterOptions, runChapter } from "./support/chapter.ts";
import { type Digits, loadDigits } from "./support/digits.ts";

/** Share of the validation digits that each way tells right. */
export interface Result {
  /** The nearer of two mean pictures. */
  readonly pixels: number;
  /** A linear function, trained by hand. */
  readonly byHand: number;
  /** The same, trained by a learner. */
  readonly linear: number;
  /** Two linear functions with a ReLU between. */
  readonly net: number;
}

/** Numbers `[784]` as a picture, from the smallest, black, to the largest, white. */
function picture(values: ArrayLike<number>): PixelImage {
  const all = Array.from(values), least = Math.min(...all), most = Math.max(...all);
  return {
    data: Uint8Array.from(all, (v) => Math.round(255 * (v - least) / (most - least))),
    width: 28,
    height: 28,
    channels: 1,
  };
}

/** How far predictions in [0, 1] are from the truth, 0 or 1: the chapter's loss, whose gradient says what to change. */
function mnistLoss(pred: Tensor, target: Tensor): Tensor {
  const p = pred.sigmoid();
  return where(target.eq(1), p.neg().add(1), p).mean();
}

/** Share of predictions that are on the right side. */
function batchAccuracy(pred: Tensor, target: Tensor): Tensor {
  return pred.gt(0).eq(target.eq(1)).cast("f32").mean();
}

/** Runs the chapter. */
export async function main({ quick, seed, out }: ChapterOptions): Promise<Result> {
  const { train, valid } = await loadDigits({
    train: quick ? 1000 : 12000,
    valid: quick ? 500 : 2000,
    digits: [7, 3], // a 3 is class 1
  });
  const pictures = ({ data, n }: Digits) => tensor(Float32Array.from(data, (v) => v / 255), { shape: [n, 784] });
  const classes = ({ classes, n }: Digits) => tensor(Float32Array.from(classes), { shape: [n, 1] });
  const x = pictures(train), y = classes(train), xValid = pictures(valid), yValid = classes(valid);

  // a baseline, before anything is trained: the mean of all 3s and that of all 7s; a digit is what it is nearer to
  const meanOf = (which: Tensor) => x.mul(which).sum({ axis: 0 }).div(which.sum());
  const mean3 = meanOf(y), mean7 = meanOf(y.neg().add(1));
  const far = (mean: Tensor) => xValid.sub(mean).abs().mean({ axis: 1, keepdim: true }); // the L1 distance
  const pixels = await far(mean3).lt(far(mean7)).eq(yValid.eq(1)).cast("f32").mean().item();
  console.log(`Pixel similarity tells ${(100 * pixels).toFixed(1)} % right`);

  // gradient descent by hand, from small weights: where a sigmoid is flat, there is nothing to follow. So:
  // predict, loss, gradients, step; and again
  const weights: Parameter = new nn.Parameter(randn([784, 1]).mul(0.1)), bias: Parameter = new nn.Parameter(zeros([1]));
  const linear1 = (xb: Tensor) => xb.matmul(weights).add(bias);
  const lr = 1, bs = 250;
  let byHand = 0;
  for (let epoch = 0; epoch < (quick ? 10 : 8); epoch++) {
    for (let from = 0; from < train.n; from += bs) {
      const rows = [Math.min(from, train.n - bs), Math.min(from + bs, train.n)] as const;
      const loss = mnistLoss(linear1(x.slice([rows])), y.slice([rows]));
      backward(loss); // fills the gradient of each parameter
      for (const p of [weights, bias]) {
        p.assign(p.sub(p.grad!.mul(lr)));
        p.grad = null;
      }
      await loss.item(); // the step is computed here
    }
    byHand = await noGrad(() => batchAccuracy(linear1(xValid), yValid)).item();
    console.log(`By hand, epoch ${epoch}: ${(100 * byHand).toFixed(1)} %`);
  }

  // a learner does all of that
  const dls = DataLoaders.fromArrays({ x, y, xValid, yValid }, { bs, seed });
  const fit = async (model: nn.Sequential, lr: number) => {
    const learn = new Learner(dls, model, { lossFunc: mnistLoss, metrics: [batchAccuracy], optFunc: SGD });
    await learn.fit(quick ? 10 : 8, { lr });
    return learn.recorder.rows.at(-1)!.batch_accuracy ?? 0;
  };
  const one = new nn.Linear(784, 1);
  const linear = await fit(new nn.Sequential(one), lr);

  // and with another model in it, it trains that: two layers and a ReLU between can become any function
  const net = await fit(
    new nn.Sequential(new nn.Linear(784, 30), new nn.ReLU(), new nn.Linear(30, 1)),
    lr / 2,
  );
  console.log(`Linear ${(100 * linear).toFixed(1)} %, with a layer between ${(100 * net).toFixed(1)} %`);

  await plotImages(
    [picture(await mean3.data()), picture(await mean7.data()), picture(await one.weight.data())],
    { titles: ["mean of 3s", "mean of 7s", "trained weights"], columns: 3 },
  ).save(join(out, "04_pixels.png"));
  return { pixels, byHand, linear, net };
}

if (import.meta.main) await runChapter("Chapter 4: 3 or 7, from pixels to a learner.", main);
