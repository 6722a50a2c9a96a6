/**
 * What the tests of faults start in several processes: a short run in which rank 1 does something of its own.
 *
 * Arguments: what it does; whether gradients are added up beside the computing ("beside", or "after"); a folder for the
 * results.
 *
 * @module
 */
import { Callback, CancelBatch, CancelEpoch, CancelFit, CancelTrain } from "../../mod.ts";
import { DataLoaders, init, Learner, nn, randn, Rng, setSeed, silentLogger, zeros } from "../../mod.ts";
import { rankDistrib } from "../../src/distrib/mod.ts";
import { Buffer } from "../../src/tensor/mod.ts";

const [mode, sums, dir] = Deno.args;
const rank = rankDistrib();
const other = rank === 1;

/** Does what `mode` says, in rank 1. */
class Odd extends Callback {
  readonly steps: number[] = [];
  epochs = 0;
  override beforeEpoch(): void {
    this.steps.push(0);
  }
  override afterBackward(): void {
    if (!other || mode !== "compute" || this.learn.iter !== 2) return;
    const gone = new Buffer(zeros([3]));
    gone.assign(zeros([3]).add(1));
    gone.dispose(); // found out when the step is handed over
  }
  override afterStep(): void {
    this.steps[this.steps.length - 1]++;
  }
  override afterEpoch(): void {
    this.epochs++;
  }
  override async beforeBatch(): Promise<void> {
    const { epoch, iter, training } = this.learn;
    if (!other || !training) return;
    if (mode === "throw" && iter === 2) throw new Error("the data is bad");
    if (mode === "slow" && epoch === 0 && iter === 1) await new Promise((resolve) => setTimeout(resolve, 1000));
    if (mode !== "cancel") return;
    if (epoch === 0 && iter === 1) throw new CancelBatch();
    if (epoch === 1 && iter === 0) throw new CancelTrain();
    if (epoch === 2 && iter === 2) throw new CancelEpoch();
  }
  override afterBatch(): void {
    const { epoch, iter, training } = this.learn;
    if (other && mode === "cancel" && epoch === 3 && !training && iter === 0) throw new CancelFit();
  }
}

await init({ device: "cpu", threads: 1 });
setSeed(rank); // rank 0's is what counts
const wide = mode === "differ" && other ? 9 : 8;
const x = randn([64, 8], { rng: new Rng(1) });
const y = x.sum({ axis: 1, keepdim: true });
const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: wide });
const model = new nn.Sequential(new nn.Linear(8, wide), new nn.Dropout(0.2), new nn.ReLU(), new nn.Linear(wide, 1));
const odd = new Odd();
const learn = new Learner(dls, model, { lossFunc: new nn.MSELoss(), logger: silentLogger, cbs: odd })
  .distributed({ overlap: sums === "beside" });
await learn.fit(mode === "cancel" ? 6 : 2);
const epochs = odd.epochs;
if (mode === "cancel") {
  // the next fit goes on as if nothing had been
  await learn.fit(2);
  const { steps } = odd;
  await Deno.stdout.write(new TextEncoder().encode(
    `rank ${rank}: steps ${steps.slice(0, 4).join(" ")}, epochs ${epochs}, then [${steps.slice(4)}]\n`,
  ));
}
if (dir !== undefined) {
  const weights = await Promise.all([...model.stateDict().values()].map(async (t) => [...await t.data()]));
  await Deno.writeTextFile(`${dir}/${rank}`, JSON.stringify([weights, learn.recorder.rawLosses]));
}
