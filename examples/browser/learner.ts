/**
 * The run of the page: the same in its worker and in a terminal, so that either goes on with what the other began.
 *
 * @module
 */
import {
  accuracy,
  type ArrayDataLoaders,
  type Callback,
  Checkpoint,
  DataLoaders,
  Learner,
  type Mnist,
  nn,
  setSeed,
} from "../../src/entry/core.ts"; // "@anneal/anneal/core", where the package is installed

/** What the page's form says. A run goes on with the settings that it began with. */
export interface Settings {
  readonly epochs: number;
  /** Highest learning rate of the one-cycle policy. */
  readonly lr: number;
  /** Training pictures, the first of MNIST's 60,000. */
  readonly pictures: number;
  readonly bs: number;
  readonly seed: number;
}

/** The first `n` pictures and digits of a set, as a convolution takes them: `[n, 1, 28, 28]`. */
function firstOf({ data }: Mnist["x"], labels: Mnist["y"], n: number) {
  const count = Math.min(n, labels.data.length);
  return {
    x: { data: data.subarray(0, count * 784), shape: [count, 1, 28, 28] },
    y: { data: labels.data.subarray(0, count), shape: [count] },
  };
}

/** A convolutional net of 25,000 weights, its data and its optimizer. */
export function makeLearner({ pictures, bs, seed }: Settings, mnist: Mnist, cbs: readonly Callback[] = []): Learner {
  setSeed(seed);
  const train = firstOf(mnist.x, mnist.y, pictures);
  const valid = firstOf(mnist.xValid, mnist.yValid, Math.ceil(pictures / 6));
  const dls: ArrayDataLoaders = DataLoaders.fromArrays(
    { ...train, xValid: valid.x, yValid: valid.y },
    { bs, seed, normalize: true },
  );
  const block = (cin: number, cout: number) => [
    new nn.Conv2d(cin, cout, 3, { stride: 2, padding: 1, bias: false }),
    new nn.BatchNorm2d(cout),
    new nn.ReLU(),
  ];
  const model = new nn.Sequential(
    ...[...block(1, 16), ...block(16, 32), ...block(32, 64)],
    ...[new nn.Flatten(), new nn.Linear(64 * 4 * 4, 10)],
  );
  return new Learner(dls, model, { lossFunc: new nn.CrossEntropyLoss(), metrics: accuracy, cbs: [...cbs] });
}

/** One cycle, saved into `dir` every few seconds; with `resume` it goes on from what is there. */
export async function train(
  learn: Learner,
  { epochs, lr }: Settings,
  { dir, resume }: { readonly dir: string; readonly resume: boolean },
): Promise<void> {
  const checkpoint = new Checkpoint({ dir, everySeconds: 2, everyEpochs: 1, onSignal: "ignore" });
  await learn.fitOneCycle(epochs, { lrMax: lr, cbs: [checkpoint], resume });
}
