/**
 * What the tests start in several processes: everything of a learner that must agree between them.
 *
 * Arguments: a folder for files and results, and the batch size.
 *
 * @module
 */
import {
  AccumMetric,
  CSVLogger,
  DataLoaders,
  EarlyStopping,
  F1Score,
  GradientAccumulation,
  GradientClip,
  init,
  Learner,
  Metric,
  nn,
  randn,
  Rng,
  SaveModel,
  setSeed,
  SGD,
  silentLogger,
  TerminateOnNaN,
} from "../../mod.ts";
import type { Tensor } from "../../mod.ts";
import { rankDistrib } from "../../src/distrib/mod.ts";

/** A metric that knows nothing of other processes. */
class Own extends Metric {
  #sum = 0;
  #n = 0;
  override reset(): void {
    this.#sum = this.#n = 0;
  }
  override async accumulate(learn: Learner): Promise<void> {
    const n = learn.yb[0].shape[0];
    this.#sum += await learn.pred.mean().item() * n;
    this.#n += n;
  }
  override get value(): number {
    return this.#sum / this.#n;
  }
}

if (import.meta.main) {
  const [dir, bs] = Deno.args;
  const rank = rankDistrib();
  await init({ device: "cpu", threads: 1 });
  setSeed(7 + rank);
  const x = randn([256, 6], { rng: new Rng(1) }), xValid = randn([45, 6], { rng: new Rng(2) });
  const label = (t: Tensor) => t.sum({ axis: 1 }).gt(0).cast("i32");
  const dls = DataLoaders.fromArrays({ x, y: label(x), xValid, yValid: label(xValid) }, { bs: Number(bs) }); // no seed
  const model = new nn.Sequential(new nn.Linear(6, 16), new nn.Tanh(), new nn.Linear(16, 2));
  const largest = (pred: Tensor, _y: Tensor) => pred.max();
  const learn = new Learner(dls, model, {
    lossFunc: new nn.CrossEntropyLoss(),
    metrics: [new F1Score(), new AccumMetric(largest), new Own()],
    optFunc: SGD.with({ mom: 0.9 }),
    logger: silentLogger,
    path: dir,
    cbs: new GradientClip(0.05),
  }).distributed();
  const out: Record<string, unknown> = {};
  const weights = async () => (await Promise.all(model.parameters().map(async (p) => [...await p.data()]))).flat();
  const rows = () => learn.recorder.rows.map(({ time: _, ...row }) => row);
  const found = await learn.lrFind({ numIt: 30 });
  out.found = [found.valley, ...found.curve.losses];
  await learn.fit(4, { lr: 0.5, cbs: [new CSVLogger(), new SaveModel({ fname: "best" }), new TerminateOnNaN()] });
  out.rows = rows();
  out.best = await weights();
  await learn.save("now");
  await learn.recorder.plotLoss().save(`${dir}/loss_${rank}.svg`);
  await learn.fit(1, { lr: 0.1, cbs: new GradientAccumulation(Number(bs) * 2) });
  out.accumulated = await weights();
  await learn.load("now");
  out.loaded = await weights();
  await learn.fit(6, { lr: 1e-9, cbs: new EarlyStopping({ patience: 2, minDelta: 1e-3 }) });
  out.stopped = learn.recorder.rows.length;
  const failed = await learn.load("missing").catch((e: Error) => e.message);
  out.missing = String(failed).includes("there is no such file");
  const { preds, targs, losses } = await learn.getPreds({ withLoss: true });
  out.preds = [...await preds.data(), ...await targs.data(), ...await losses!.data()];
  out.train = await learn.validate({ dsIdx: 0 });
  out.oneMore = (await learn.fit(1), rows());
  await Deno.writeTextFile(`${dir}/${rank}.json`, JSON.stringify(out));
}
