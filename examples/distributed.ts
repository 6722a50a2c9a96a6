/**
 * Trains a digit classifier on MNIST in one process or in several; the losses are the same.
 *
 *     deno run -A examples/distributed.ts
 *     mpiexec.hydra -n 2 deno run -A examples/distributed.ts
 */
import { accuracy, Adam, DataLoaders, Learner, loadMnist, nn, numDistrib, rankDistrib, setSeed } from "../mod.ts";

const [epochs = 1, items = 60000] = Deno.args.map(Number);

setSeed(1);
const { x, y, xValid, yValid } = await loadMnist();
const first = (a: typeof x, n: number) => {
  const width = a.data.length / a.shape[0];
  return { data: a.data.subarray(0, n * width), shape: [n, ...a.shape.slice(1)] };
};
const dls = DataLoaders.fromArrays(
  { x: first(x, items), y: first(y, items), xValid, yValid },
  { bs: 64 / numDistrib(), seed: 1, normalize: true }, // 64 items a step, however many share them
);
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
  optFunc: Adam,
}).distributed();
await learn.fitOneCycle(epochs, { lrMax: 2e-3 });
if (rankDistrib() === 0) {
  const { losses } = learn.recorder;
  console.log(`${numDistrib()} processes, first losses ${losses.slice(0, 3).map((v) => v.toFixed(6)).join(" ")}`);
}
