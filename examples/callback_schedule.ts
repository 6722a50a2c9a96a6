/**
 * The document of fastai's hyper-parameter schedules (`callback.schedule`), block by block, with its checks and pictures.
 *
 *     deno run -A examples/callback_schedule.ts --out out
 */
import { parseArgs } from "node:util";
import { join } from "@std/path";
import {
  combinedCos,
  combineScheds,
  type Figure,
  init,
  InterruptCallback,
  LrFinder,
  minimum,
  ParamScheduler,
  plotLines,
  plotSchedules,
  SaveModel,
  SchedCos,
  SchedExp,
  SchedLin,
  SchedNo,
  SchedPoly,
  type Schedule,
  setSeed,
  sideBySide,
  slide,
  steep,
  valley,
} from "../mod.ts";
import { synthLearner, testClose } from "../testing.ts";

const QUARTERS = [0, 0.25, 0.5, 0.75, 1];

/** Where a block writes its pictures, and what it does. */
type Block = (save: (name: string, figure: Figure) => Promise<void>) => void | Promise<void>;

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`Not true: ${what}`);
}

/** Throws unless two lists hold the same numbers, bit for bit. */
function same(got: ArrayLike<number>, want: ArrayLike<number>, what: string): void {
  check(got.length === want.length, `${what}: ${want.length} numbers, got ${got.length}`);
  for (let i = 0; i < want.length; i++) check(Object.is(got[i], want[i]), `${what} ${i}: ${want[i]}, got ${got[i]}`);
}

function values(sched: Schedule<number>, want: readonly number[], what: string): void {
  testClose(QUARTERS.map(sched), want, { what });
}

/** The numbers `f(0)` to `f(n - 1)`. */
function list(n: number, f: (i: number) => number): number[] {
  return Array.from({ length: n }, (_, i) => f(i));
}

type Synth = ReturnType<typeof synthLearner>;

async function batchLoss({ dls, model }: Synth): Promise<number> {
  const { xb, yb } = await dls.oneBatch();
  return await model.forward(xb).sub(yb).square().mean().item();
}

/** Copies of all weights. */
async function weights({ model }: Synth): Promise<number[]> {
  return [await model.a.item(), await model.b.item()];
}

async function withFolder(body: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    await body(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

const annealers: Block = (save) =>
  save(
    "annealers.png",
    plotSchedules({
      NO: SchedNo(2, 1e-2),
      LINEAR: SchedLin(2, 1e-2),
      COS: SchedCos(2, 1e-2),
      EXP: SchedExp(2, 1e-2),
      "POLY(0.5)": SchedPoly(2, 1e-2, 0.5),
    }, { title: "Annealers from 2 to 0.01" }),
  );

const polynomials: Block = (save) =>
  save(
    "poly.png",
    plotSchedules(Object.fromEntries([0.5, 1, 2].map((e) => [`power ${e}`, SchedPoly(2, 0, e)])), {
      title: "SchedPoly(2, 0, power)",
    }),
  );

const combined: Block = async (save) => {
  const cosines = combineScheds([0.3, 0.7], [SchedCos(0.3, 0.6), SchedCos(0.6, 0.2)]);
  const mixed = combineScheds([0.3, 0.2, 0.5], [SchedLin(0, 1), SchedNo(1, 1), SchedCos(1, 0)]);
  testClose([cosines(0), cosines(0.3), cosines(1)], [0.3, 0.6, 0.2], { what: "combined cosines" });
  testClose([mixed(0), mixed(0.3), mixed(0.4), mixed(0.5), mixed(1)], [0, 1, 1, 1, 0], { what: "line, rest, cosine" });
  const figures = [
    plotSchedules({ cosines }, { title: "Two cosines" }),
    plotSchedules({ mixed }, {
      title: "Line, constant, cosine",
    }),
  ];
  await save("combined.png", sideBySide(figures));
};

const combinedCosine: Block = async (save) => {
  const sched = combinedCos(0.25, 0.5, 1, 0);
  testClose([sched(0), sched(0.25), sched(1)], [0.5, 1, 0], { what: "combinedCos" });
  await save("combined_cos.png", plotSchedules({ sched }, { title: "combinedCos(0.25, 0.5, 1, 0)" }));
};

const paramScheduler: Block = async () => {
  const learn = synthLearner();
  await learn.fit(1, { cbs: new ParamScheduler({ lr: SchedLin(1e-3, 1e-2) }) });
  const n = learn.dls.train.length;
  testClose(learn.recorder.hps.lr, list(n, (i) => 1e-3 + (1e-2 - 1e-3) * i / n), { eps: 1e-12, what: "lr" });
};

const oneCycle: Block = async () => {
  const learn = synthLearner({ lr: 1e-2 });
  const before = await batchLoss(learn);
  await learn.fitOneCycle(2);
  const after = await batchLoss(learn);
  check(after < before, `the loss falls, from ${before} to ${after}`);
  const { lr, mom } = learn.recorder.hps;
  testClose(lr, list(20, (i) => combinedCos(0.25, 1e-2 / 25, 1e-2, 1e-7)(i / 20)), { eps: 1e-12, what: "lr" });
  testClose(mom, list(20, (i) => combinedCos(0.25, 0.95, 0.85, 0.95)(i / 20)), { eps: 1e-12, what: "mom" });
};

const plotSched: Block = async (save) => {
  const learn = synthLearner();
  await learn.fitOneCycle(2);
  await save("one_cycle.png", learn.recorder.plotSched());
};

const flatCos: Block = async (save) => {
  const learn = synthLearner();
  await learn.fitFlatCos(2);
  const { lr } = learn.recorder.hps;
  testClose(lr.slice(0, 15), list(15, () => 1e-3), { eps: 1e-15, what: "flat part" });
  check(lr[19] < lr[15], "the learning rate falls at the end");
  await save("flat_cos.png", learn.recorder.plotSched());
};

const sgdrAndFineTune: Block = async (save) => {
  const learn = synthLearner();
  await learn.noLogging(() => learn.fitSgdr(3, 1));
  check(learn.nEpoch === 7, `7 epochs, got ${learn.nEpoch}`);
  const iters = [0, 1, 3, 7].map((k) => k * learn.dls.train.length);
  for (let i = 0; i < 3; i++) {
    const n = iters[i + 1] - iters[i];
    // the document leaves out the first step of each cycle, which fastai may miss; here restarts are exact
    const want = list(n, (k) => SchedCos(1e-3, 0)(k / n));
    testClose(learn.recorder.lrs.slice(iters[i], iters[i + 1]), want, { eps: 1e-12, what: `lr of cycle ${i}` });
  }
  await save("sgdr.png", learn.recorder.plotSched());

  console.log("\nfineTune");
  await learn.fineTune(1);
};

const resume: Block = (save) =>
  withFolder(async (path) => {
    const first = synthLearner({ path, cbs: new SaveModel({ withOpt: true, fname: "ckpt" }) });
    await first.fitOneCycle(5, { cbs: new InterruptCallback(2) });
    const second = synthLearner({ path });
    await second.load("ckpt");
    await second.fitOneCycle(5, { startEpoch: 2 });

    const n = first.dls.train.length, whole = combinedCos(0.25, 1e-3 / 25, 1e-3, 1e-8);
    const want = list(5 * n, (i) => whole(i / (5 * n)));
    testClose(first.recorder.lrs, want.slice(0, 2 * n), { eps: 1e-12, what: "lr before the interruption" });
    testClose(second.recorder.lrs, want.slice(2 * n), { eps: 1e-12, what: "lr after it" });
    const plot = (title: string, lr: readonly number[]) => plotLines({ lr }, { title, xLabel: "step", yLabel: "lr" });
    const figures = [plot("Interrupted", first.recorder.lrs), plot("Resumed", second.recorder.lrs)];
    await save("resume.png", sideBySide(figures, { shareY: true }));
  });

const lrFinder: Block = async () => {
  const learn = synthLearner();
  const before = await weights(learn);
  await learn.noLogging(() => learn.fit(20, { cbs: new LrFinder({ numIt: 100 }) }));
  const { lrs, losses, values } = learn.recorder;
  check(lrs.length <= 100, `at most 100 steps, got ${lrs.length}`);
  check(lrs.length === losses.length, `as many losses as steps, got ${losses.length} and ${lrs.length}`);
  if (lrs.length < 100) check(losses.at(-1)! > 4 * Math.min(...losses), "it stopped because the loss diverged");
  same(lrs, list(lrs.length, (i) => SchedExp(1e-7, 10)(i / 100)), "learning rates");
  check(values.every((row) => row.length === 1), "rows have no validation");
  same(await weights(learn), before, "weights");
  const { state } = learn.opt.stateDict();
  check(state.every((s) => s.gradAvg === undefined && s.sqrAvg === undefined), "the optimizer has no statistics");
};

const lrFind: Block = async (save) => {
  const learn = synthLearner();
  const before = await weights(learn);
  const found = await learn.lrFind({ suggestFuncs: [minimum, steep, valley, slide] });
  same(await weights(learn), before, "weights");
  for (const name of ["minimum", "steep", "valley", "slide"]) {
    console.log(`${name}: ${found[name]?.toExponential(2) ?? `none, ${found.reasons[name]}`}`);
  }
  await save("lr_find.png", learn.recorder.plotLrFind());
};

const BLOCKS: readonly (readonly [heading: string, block: Block])[] = [
  ["Annealers", annealers],
  ["SchedLin", () => values(SchedLin(0, 2), [0, 0.5, 1, 1.5, 2], "SchedLin")],
  ["SchedCos", () => values(SchedCos(0, 2), [0, 0.29289, 1, 1.70711, 2], "SchedCos")],
  ["SchedNo", () => values(SchedNo(0, 2), [0, 0, 0, 0, 0], "SchedNo")],
  ["SchedExp", () => values(SchedExp(1, 2), [1, 1.18921, 1.41421, 1.68179, 2], "SchedExp")],
  ["SchedPoly", () => values(SchedPoly(0, 2, 2), [0, 0.125, 0.5, 1.125, 2], "SchedPoly")],
  ["SchedPoly, three powers", polynomials],
  ["combineScheds", combined],
  ["combinedCos", combinedCosine],
  ["ParamScheduler", paramScheduler],
  ["fitOneCycle", oneCycle],
  ["Recorder.plotSched", plotSched],
  ["fitFlatCos", flatCos],
  ["fitSgdr", sgdrAndFineTune],
  ["Resume from a checkpoint", resume],
  ["Vision (PETS, vision_learner): examples/pets.ts", () => {}],
  ["LrFinder", lrFinder],
  ["lrFind, four suggestions", lrFind],
];

if (import.meta.main) {
  const { values: { out } } = parseArgs({ options: { out: { type: "string", default: "out" } } });
  await init({ device: "cpu", threads: 1 });
  setSeed(99);
  for (const [heading, block] of BLOCKS) {
    console.log(`\n${heading}`);
    await block((name, figure) => figure.save(join(out, name)));
  }
}
