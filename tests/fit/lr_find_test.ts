/**
 * Whole runs of the learning-rate finder against fastai's, and that nothing is changed by one.
 *
 * @module
 */
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { ConfigError } from "../../src/base/errors.ts";
import { EarlyStopping } from "../../src/callbacks/mod.ts";
import { LrFinder, minimum, slide, steep, valley } from "../../src/fit/mod.ts";
import type { Learner } from "../../src/learner/mod.ts";
import { SGD } from "../../src/optim/mod.ts";
import { SchedExp } from "../../src/schedule/mod.ts";
import { defaultRng } from "../../src/tensor/mod.ts";
import type { Model } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { loadGolden } from "../support/golden.ts";
import { classifierGolden, groupLearner, synthGolden } from "../train/learners.ts";

interface Run {
  readonly name: string;
  readonly lrs: readonly number[];
  readonly losses: readonly number[];
  readonly suggestions: Readonly<Record<string, number>>;
  readonly fields: readonly string[];
}

const { runs } = loadGolden<{ runs: Run[] }>("lr_find.json");

interface Probe {
  readonly make: () => Promise<Learner<Model>>;
  readonly options?: { numIt?: number; startLr?: number; endLr?: number; stopDiv?: boolean };
}

const PROBES: Record<string, Probe> = {
  "synth": { make: async () => await synthGolden() },
  "synth num_it=60, start 1e-6, end 1": {
    make: async () => await synthGolden(),
    options: { numIt: 60, startLr: 1e-6, endLr: 1 },
  },
  "synth stop_div=False": { make: async () => await synthGolden(), options: { stopDiv: false, numIt: 40, endLr: 0.5 } },
  "classifier Adam": { make: async () => await classifierGolden() },
  "classifier SGD mom .9": { make: async () => await classifierGolden({ optFunc: SGD.with({ mom: 0.9 }) }) },
  "synth after fit_one_cycle(2)": {
    make: async () => {
      const learn = synthGolden();
      await learn.fitOneCycle(2, { lrMax: 1e-2 });
      return learn;
    },
  },
};

Deno.test("every recorded probe is run", () =>
  assertEquals(Object.keys(PROBES).sort(), runs.map((r) => r.name).sort()));

for (const want of runs) {
  onDevices(`lrFind follows fastai's: ${want.name}`, async () => {
    const { make, options } = PROBES[want.name];
    const learn = await make();
    const before = await stateOf(learn);
    const found = await learn.lrFind({ ...options, suggestFuncs: [minimum, steep, valley, slide] });
    assertEquals(await stateOf(learn), before, "everything is as it was");
    assertEquals(found.curve.lrs.length, want.lrs.length);
    want.lrs.forEach((lr, i) => assertAlmostEquals(found.curve.lrs[i], lr, lr * 1e-11, `lr ${i}`));
    want.losses.forEach((loss, i) =>
      assertAlmostEquals(found.curve.losses[i], loss, Math.abs(loss) * 1e-4, `loss ${i}`)
    );
    assertEquals(Object.keys(found).slice(0, 4), want.fields);
    for (const name of want.fields) {
      assertAlmostEquals(found[name]!, want.suggestions[name], want.suggestions[name] * 1e-6, name);
    }
    assertEquals(learn.recorder.lrFinder!.lrs, found.curve.lrs);
  });
}

onDevices("a fit with LrFinder is an ordinary fit whose curve is in the recorder, and restores the model", async () => {
  const learn = synthGolden();
  learn.opt.setHyper("lr", learn.lr as number); // as the fit will set it before the finder looks
  const before = await stateOf(learn, false);
  await learn.fit(20, { cbs: new LrFinder({ numIt: 100 }) });
  const { lrs, losses, values } = learn.recorder;
  assertEquals(await stateOf(learn, false), before);
  assert(lrs.length <= 100);
  assertEquals(losses.length, lrs.length);
  if (lrs.length < 100) assert(losses.at(-1)! > 4 * Math.min(...losses));
  lrs.forEach((lr, i) => assertEquals(lr, SchedExp(1e-7, 10)(i / 100)));
  for (const row of values) assertEquals(row.length, 1);
});

onDevices("two probes give the same curve, and a fit after one is the fit without", async () => {
  const plain = classifierGolden(), probed = classifierGolden();
  const a = await probed.lrFind(), b = await probed.lrFind();
  assertEquals(a.curve, b.curve);
  await plain.fit(1);
  await probed.fit(1);
  assertEquals(probed.recorder.losses, plain.recorder.losses);
}, { kinds: ["reference"] });

onDevices("a probe may start and end at one learning rate a group", async () => {
  const learn = groupLearner();
  const { curve } = await learn.lrFind({ startLr: [1e-7, 1e-6, 1e-5], endLr: [1e-2, 1e-1, 1], numIt: 20 });
  curve.lrs.forEach((lr, i) => assertAlmostEquals(lr, 1e-5 * 1e5 ** (i / 20), lr * 1e-9));
  await assertRejects(() => learn.lrFind({ startLr: 0 }), ConfigError, "above 0");
}, { kinds: ["reference"] });

onDevices("losses below 0 do not stop a probe by themselves", async () => {
  const learn = synthGolden({ lossFunc: (p, y) => p.sub(y).square().mean().sub(100) });
  const { curve } = await learn.lrFind({ numIt: 30, endLr: 1e-3 });
  assertEquals(curve.lrs.length, 30);
}, { kinds: ["reference"] });

onDevices("a probe that fails half-way puts everything back too", async () => {
  const tracker = new EarlyStopping(); // it rests during the probe
  const learn = synthGolden({ cbs: tracker });
  const before = await stateOf(learn);
  const { lossFunc } = learn;
  let calls = 0;
  learn.lossFunc = (pred, y) => {
    if (++calls > 10) throw new RangeError("no more");
    return pred.sub(y).square().mean();
  };
  await assertRejects(() => learn.lrFind(), RangeError, "no more");
  learn.lossFunc = lossFunc;
  assertEquals(await stateOf(learn), before);
  assertEquals(tracker.run, true);
  await learn.fit(1);
  assertEquals(learn.recorder.rows.length, 1);
}, { kinds: ["reference"] });

onDevices("suggestion functions are named; a missing suggestion tells why", async () => {
  const learn = synthGolden();
  const mine = { mine: () => ({ suggestion: null, reason: "none today" }) as const };
  const found = await learn.lrFind({ suggestFuncs: mine, numIt: 30 });
  assertEquals(found.mine, null);
  assertEquals(found.reasons, { mine: "none today" });
  await assertRejects(() => learn.fitOneCycle(1, { lrMax: found.mine }), ConfigError, "none today");
  await assertRejects(() => learn.lrFind({ suggestFuncs: [valley, valley] }), ConfigError, "valley");
  await assertRejects(() => learn.lrFind({ suggestFuncs: [(..._) => mine.mine()] }), ConfigError, "name");
  await learn.fitOneCycle(1, { lrMax: 1e-3 });
}, { kinds: ["reference"] });

/** Everything a probe might change, as plain data. */
async function stateOf(learn: Learner<Model>, withRecorder = true): Promise<unknown> {
  const weights: Record<string, number[]> = {};
  for (const [name, t] of learn.model.stateDict()) weights[name] = [...await t.data()];
  const opt: Record<string, unknown>[] = [];
  for (const state of learn.opt.stateDict().state) {
    const plain: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(state)) {
      plain[name] = typeof value === "object" && value !== null ? [...await value.data()] : value;
    }
    opt.push(plain);
  }
  const { recorder, epoch, nEpoch, iter, nIter, trainIter, pctTrain, training, phase } = learn;
  return {
    weights,
    opt,
    hypers: learn.opt.hypers.map((h) => ({ ...h })),
    rng: defaultRng().state,
    modes: learn.model.modules().map((m) => m.training),
    cbs: learn.cbs.map((c) => c.name),
    loop: withRecorder ? { epoch, nEpoch, iter, nIter, trainIter, pctTrain, training, phase } : null,
    recorder: withRecorder
      ? [
        recorder.rows,
        recorder.values,
        recorder.lrs,
        recorder.losses,
        recorder.iters,
        recorder.hps,
        recorder.history.length,
      ]
      : null,
  };
}
