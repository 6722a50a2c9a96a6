/**
 * Chapter 19, "A fastai learner from scratch": everything between the tensors and a trained model in a hundred lines:
 * modules that find their own parameters, a data loader, an optimizer, callbacks, and the learner that ties them together.
 * Of the library only tensors and their gradients are used.
 *
 *     deno run -A examples/book/19_learner.ts
 */
import { join } from "@std/path";
import { backward, noGrad, ops, Parameter, plotLines, randn, Rng, type Tensor, tensor } from "../../mod.ts";
import { type ChapterOptions, runChapter } from "./support/chapter.ts";
import { type Digits, loadDigits } from "./support/digits.ts";

/** What came out. */
export interface Result {
  /** Share of the validation digits that are told right, after each epoch. */
  readonly accuracies: readonly number[];
  /** Learning rate at each step, as the callback scheduled it. */
  readonly lrs: readonly number[];
}

/** A module: its parameters are those in its fields, and those of modules in its fields. */
abstract class Layer {
  abstract forward(x: Tensor): Tensor;
  parameters(): Parameter[] {
    return Object.values(this).flat().flatMap((v) =>
      v instanceof Parameter ? [v] : v instanceof Layer ? v.parameters() : []
    );
  }
}

class Linear extends Layer {
  readonly weight: Parameter;
  readonly bias: Parameter;
  constructor(nIn: number, nOut: number, rng: Rng) {
    super();
    this.weight = new Parameter(randn([nIn, nOut], { rng }).mul(Math.sqrt(2 / nIn)));
    this.bias = new Parameter(tensor(new Float32Array(nOut)));
  }
  override forward(x: Tensor): Tensor {
    return x.matmul(this.weight).add(this.bias);
  }
}

/** A convolution of 3 x 3 with stride 2, and a ReLU. */
class Conv extends Layer {
  readonly weight: Parameter;
  constructor(nIn: number, nOut: number, rng: Rng) {
    super();
    this.weight = new Parameter(randn([nOut, nIn, 3, 3], { rng }).mul(Math.sqrt(2 / (9 * nIn))));
  }
  override forward(x: Tensor): Tensor {
    return ops.conv2d(x, this.weight, { stride: 2, padding: 1 }).relu();
  }
}

class Sequential extends Layer {
  constructor(readonly layers: readonly Layer[]) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return this.layers.reduce((x, layer) => layer.forward(x), x);
  }
}

/** The mean over the picture of each channel. */
class Pool extends Layer {
  override forward(x: Tensor): Tensor {
    return x.mean({ axis: [2, 3] });
  }
}

/** Minus the logarithm of the probability of the right class. */
function crossEntropy(pred: Tensor, target: Tensor): Tensor {
  return pred.logSoftmax({ axis: 1 }).gather(target.unsqueeze(1), { axis: 1 }).mean().neg();
}

/** Batches of a set, shuffled anew for each epoch. */
class Loader {
  constructor(readonly set: Digits, readonly bs: number, readonly rng: Rng | null) {}
  *[Symbol.iterator](): Iterator<[Tensor, Tensor]> {
    const { data, classes, n } = this.set;
    const order = this.rng?.permutation(n) ?? Int32Array.from({ length: n }, (_, i) => i);
    for (let from = 0; from < n; from += this.bs) {
      const rows = order.subarray(from, from + this.bs), x = new Float32Array(rows.length * 784);
      rows.forEach((row, k) => {
        for (let j = 0; j < 784; j++) x[k * 784 + j] = (data[row * 784 + j] / 255 - 0.13) / 0.31;
      });
      yield [tensor(x, { shape: [rows.length, 1, 28, 28] }), tensor(Int32Array.from(rows, (r) => classes[r]))];
    }
  }
}

/** Gradient descent. */
class Sgd {
  constructor(readonly params: readonly Parameter[], public lr: number, readonly wd = 0) {}
  step(): void {
    for (const p of this.params) p.assign(p.sub(p.grad!.add(p.mul(this.wd)).mul(this.lr)));
  }
  zeroGrad(): void {
    for (const p of this.params) p.grad = null;
  }
}

/** What may be called on the way. */
interface Hooks {
  beforeBatch?(learn: Learner): void;
  afterEpoch?(learn: Learner): void;
}

class Learner {
  readonly opt: Sgd;
  /** Steps so far, and those of the whole fit. */
  step = 0;
  steps = 0;
  epoch = 0;
  loss = 0;
  accuracy = 0;
  constructor(
    readonly model: Layer,
    readonly dls: { readonly train: Loader; readonly valid: Loader },
    readonly lr: number,
    readonly cbs: readonly Hooks[],
  ) {
    this.opt = new Sgd(model.parameters(), lr);
  }

  async fit(epochs: number): Promise<void> {
    const { train, valid } = this.dls;
    this.steps = epochs * Math.ceil(train.set.n / train.bs);
    for (this.epoch = 0; this.epoch < epochs; this.epoch++) {
      for (const [xb, yb] of train) {
        for (const cb of this.cbs) cb.beforeBatch?.(this);
        const loss = crossEntropy(this.model.forward(xb), yb);
        backward(loss);
        this.opt.step();
        this.opt.zeroGrad();
        this.loss = await loss.item(); // one program: forward, backward and step
        this.step++;
      }
      let right = 0;
      for (const [xb, yb] of valid) {
        right += await noGrad(() => this.model.forward(xb).argmax({ axis: 1 }).eq(yb).cast("f32").sum()).item();
      }
      this.accuracy = right / valid.set.n;
      for (const cb of this.cbs) cb.afterEpoch?.(this);
    }
  }
}

/** Runs the chapter. */
export async function main({ quick, seed, out }: ChapterOptions): Promise<Result> {
  const { train, valid } = await loadDigits({ train: quick ? 2000 : 20000, valid: quick ? 500 : 5000 });
  const rng = new Rng(seed), accuracies: number[] = [], lrs: number[] = [];
  const model = new Sequential([
    new Conv(1, 8, rng),
    new Conv(8, 16, rng),
    new Conv(16, 32, rng),
    new Pool(),
    new Linear(32, 10, rng),
  ]);
  // a schedule is a callback: up to the middle, down to the end
  const oneCycle: Hooks = {
    beforeBatch(learn) {
      const pos = learn.step / learn.steps;
      learn.opt.lr = learn.lr * (pos < 0.3 ? 0.1 + 0.9 * pos / 0.3 : (1 - pos) / 0.7);
      lrs.push(learn.opt.lr);
    },
  };
  const report: Hooks = {
    afterEpoch({ epoch, loss, accuracy }) {
      accuracies.push(accuracy);
      console.log(`epoch ${epoch}: loss ${loss.toFixed(4)}, ${(100 * accuracy).toFixed(2)} % right`);
    },
  };
  const dls = { train: new Loader(train, 64, rng), valid: new Loader(valid, 250, null) };
  await new Learner(model, dls, 0.4, [oneCycle, report]).fit(quick ? 10 : 4);
  await plotLines({ lr: lrs }, { title: "A schedule by a callback", xLabel: "step", yLabel: "lr" })
    .save(join(out, "19_lr.png"));
  return { accuracies, lrs };
}

if (import.meta.main) await runChapter("Chapter 19: a learner of a hundred lines.", main);
