/**
 * What the tests of checkpoints start in several processes: a run that goes on where it was killed.
 *
 * Arguments: a folder, the batch size, the step at which rank 1 kills itself (or -1), and what it does instead, if anything: a
 * signal that it sends itself, or "interrupt".
 *
 * @module
 */
import { Callback, Checkpoint, DataLoaders, init, Learner, nn, randn, Rng, setSeed, SGD } from "../../mod.ts";
import { rankDistrib } from "../../src/distrib/mod.ts";

const [dir, bs, at, signal] = Deno.args;
const rank = rankDistrib();

class Kill extends Callback {
  #steps = 0;
  override afterStep(): void {
    if (this.#steps++ !== Number(at) || rank !== 1) return;
    if (signal === "interrupt") this.learn.interrupt("rank 1 needs a pause");
    else Deno.kill(Deno.pid, signal === "SIGINT" ? "SIGINT" : "SIGKILL");
  }
}

await init({ device: "cpu", threads: 1 });
setSeed(5);
const x = randn([192, 8], { rng: new Rng(1) });
const y = x.sum({ axis: 1, keepdim: true });
const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: Number(bs) });
const model = new nn.Sequential(new nn.Linear(8, 16), new nn.BatchNorm1d(16), new nn.ReLU(), new nn.Linear(16, 1));
const optFunc = SGD.with({ mom: 0.9 }); // Adam would blow up the rounding of a bias whose gradient is 0
const learn = new Learner(dls, model, { lossFunc: new nn.MSELoss(), optFunc, cbs: new Kill() }).distributed();

/** What ended the fit, in a file: the launcher ends the others when the first one is gone, whether they have said theirs or not. */
async function keep({ message }: Error): Promise<void> {
  await Deno.writeTextFile(`${dir}/${rank}.txt`, message);
  const others = [0, 1].filter((r) => r !== rank).map((r) => `${dir}/${r}.txt`);
  for (let tries = 0; tries < 500; tries++) {
    if (await Promise.all(others.map((path) => Deno.stat(path))).then(() => true, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

try {
  await learn.fitOneCycle(3, {
    lrMax: 1e-2,
    cbs: [new Checkpoint({ dir: `${dir}/run`, everySteps: 2 })],
    resume: true,
  });
} catch (error) {
  if (signal === "interrupt") await keep(error as Error);
  throw error;
}
const weights = await Promise.all([...model.stateDict().values()].map(async (t) => [...await t.data()]));
const rows = learn.recorder.rows.map(({ time: _, ...row }) => row);
await Deno.writeTextFile(`${dir}/${rank}.json`, JSON.stringify([weights, learn.recorder.rawLosses, rows]));
