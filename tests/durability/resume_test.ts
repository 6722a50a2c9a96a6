import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { CheckpointError, ConfigError } from "../../src/base/errors.ts";
import { CSVLogger, EarlyStopping, ReduceLROnPlateau, SaveModel } from "../../src/callbacks/mod.ts";
import { Checkpoint } from "../../src/fit/mod.ts";
import type { Learner } from "../../src/learner/mod.ts";
import { averageGrad, Lookahead, type OptFunc, Optimizer, RAdam, SGD } from "../../src/optim/mod.ts";
import { ops } from "../../src/tensor/mod.ts";
import { AccumMetric, accuracy, Callback, type CallbackLike, errorRate, F1Score } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { bitsOf, Crash, type Net, netLearner, type NetOptions, stateful } from "./support.ts";

/** Has metrics computed on training batches, too. */
class TrainMetrics extends Callback {
  override readonly order = -20;
  override beforeFit(): void {
    this.learn.recorder.trainMetrics = true;
  }
}

type Policy = (learn: Learner<Net>, options: { cbs: readonly CallbackLike[]; resume?: boolean }) => Promise<void>;

const POLICIES: Record<string, Policy> = {
  fit: (l, o) => l.fit(3, { lr: 5e-3, ...o }),
  fitOneCycle: (l, o) => l.fitOneCycle(3, o),
  fitFlatCos: (l, o) => l.fitFlatCos(3, o),
  fitSgdr: (l, o) => l.fitSgdr(2, 1, o),
  fineTune: (l, o) => l.fineTune(2, o),
};

/** A whole run, and one that crashed after `crash` batches and went on in a new learner: equal bits. */
async function compare(policy: Policy, crash: readonly number[], options: NetOptions = {}): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const whole = netLearner(options);
    await policy(whole, { cbs: stateful() });
    const checkpoint = () => new Checkpoint({ dir, everySteps: 1 });
    for (const after of crash) {
      const first = netLearner(options);
      const cbs = [...stateful(), checkpoint(), new Crash(after)];
      await assertRejects(() => policy(first, { cbs, resume: true }), Error, "crashed");
    }
    const lines: string[] = [];
    const second = netLearner({ ...options, logger: { line: (text) => lines.push(text) } });
    await policy(second, { cbs: [...stateful(), checkpoint()], resume: true });
    const { epoch, batch } = /epoch (?<epoch>\d+), batch (?<batch>\d+)/.exec(lines.join("\n"))?.groups ?? {};
    // the batch that crashed came after the callback had saved it
    assertEquals(Number(epoch) * 5 + Number(batch), crash[crash.length - 1], lines.join("\n"));
    assertEquals(await bitsOf(second), await bitsOf(whole));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

for (const [name, policy] of Object.entries(POLICIES)) {
  onDevices(`${name} goes on in the same learner: a notebook's cell that is run again`, async () => {
    const dir = await Deno.makeTempDir();
    try {
      const whole = netLearner();
      await policy(whole, { cbs: stateful() });
      const lines: string[] = [];
      const learn = netLearner({ logger: { line: (text) => lines.push(text) } });
      const checkpoint = () => new Checkpoint({ dir, everySteps: 1 });
      for (const after of [3, 4]) {
        const cbs = [...stateful(), checkpoint(), new Crash(after)];
        await assertRejects(() => policy(learn, { cbs, resume: true }), Error, "crashed");
      }
      await policy(learn, { cbs: [...stateful(), checkpoint()], resume: true });
      assert(lines.some((line) => line.startsWith("Going on from")), lines.join("\n"));
      assertEquals(await bitsOf(learn), await bitsOf(whole));
      // it was finished: the next fit is another one
      const before = await bitsOf(learn);
      await policy(learn, { cbs: [...stateful(), checkpoint()], resume: true });
      assert(JSON.stringify(await bitsOf(learn)) !== JSON.stringify(before), "nothing was trained");
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  }, { kinds: ["cpu"] });
}

const OPTIMIZERS: Record<string, OptFunc> = {
  "SGD with momentum": SGD.with({ mom: 0.9 }),
  "Lookahead over RAdam": Lookahead(RAdam, { k: 3 }),
  "steppers of one's own": Optimizer.from([
    averageGrad(),
    {
      stats: { peak: "vector", total: "number" },
      counts: true,
      apply: (u) => {
        const peak = ops.maximum(u.stat("peak").mul(0.9), u.g.abs());
        u.setStat("peak", peak);
        u.setStat("total", u.stat("total").add(u.sums(u.g.square())));
        const rate = u.perElement(u.stat("total").add(1).rsqrt());
        u.p = u.p.sub(u.stat("gradAvg").div(peak.add(1e-3)).mul(rate).mul(u.hyper("lr")));
      },
    },
  ], { mom: 0.9 }),
};

for (const [name, opt] of Object.entries(OPTIMIZERS)) {
  onDevices(`the state of ${name} survives`, () => compare(POLICIES.fitOneCycle, [7], { opt, unseeded: true }), {
    kinds: ["cpu"],
  });
}

for (const [name, policy] of Object.entries(POLICIES)) {
  onDevices(`${name} goes on in the middle of an epoch with the same bits`, () => compare(policy, [3, 4]), {
    kinds: ["cpu"],
  });
}

/** A whole run and one in two pieces, with callbacks made anew for each. */
async function inTwo(
  run: (learn: Learner<Net>, cbs: readonly CallbackLike[], resume: boolean) => Promise<void>,
  { after, lines = [], options = () => ({}), extra = () => [], every = { everySteps: 2 } }: {
    after: number;
    lines?: string[];
    options?: (path: string) => NetOptions;
    extra?: () => readonly CallbackLike[];
    every?: { readonly everySteps?: number; readonly everyEpochs?: number };
  },
): Promise<{ whole: Learner<Net>; second: Learner<Net> }> {
  const root = await Deno.makeTempDir();
  try {
    const whole = netLearner(options(join(root, "a")));
    await run(whole, extra(), false);
    const checkpoint = () => new Checkpoint({ dir: join(root, "checkpoints"), ...every });
    const first = netLearner(options(join(root, "b")));
    await assertRejects(() => run(first, [...extra(), checkpoint(), new Crash(after)], true), Error, "crashed");
    const second = netLearner({ ...options(join(root, "b")), logger: { line: (text) => lines.push(text) } });
    await run(second, [...extra(), checkpoint()], true);
    assertEquals(await bitsOf(second), await bitsOf(whole));
    return { whole, second };
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

onDevices("a fit goes on from the end of an epoch, and from its last batch", async () => {
  const lines: string[] = [];
  await inTwo((l, cbs, resume) => l.fitOneCycle(3, { cbs, resume }), { after: 12, every: { everyEpochs: 1 }, lines });
  assert(lines.some((l) => l.endsWith("epoch 2")), lines.join("\n"));
  lines.length = 0;
  await inTwo((l, cbs, resume) => l.fitOneCycle(3, { cbs, resume }), { after: 10, every: { everySteps: 5 }, lines });
  assert(lines.some((l) => l.endsWith("epoch 1, batch 5")), lines.join("\n"));
}, { kinds: ["cpu", "webgpu"] });

onDevices("training metrics survive in the middle of an epoch", async () => {
  await inTwo((l, cbs, resume) => l.fitOneCycle(2, { cbs, resume }), {
    after: 9,
    options: () => ({ metrics: [accuracy, new F1Score({ average: "macro" }), new AccumMetric(errorRate)] }),
    extra: () => [TrainMetrics],
  });
}, { kinds: ["cpu"] });

onDevices("trackers, the best model's file and the table of rows survive", async () => {
  const files: string[] = [];
  await inTwo(async (l, cbs, resume) => {
    await l.fitOneCycle(4, { cbs, resume });
    const rows = (await Deno.readTextFile(join(l.path, "history.csv"))).trim().split("\n");
    files.push(rows.map((r) => r.split(",").slice(0, -1).join()).join("\n"));
  }, {
    after: 13,
    options: (path) => ({ path }),
    extra: () => [new SaveModel({ withOpt: true }), new ReduceLROnPlateau({ patience: 1 }), new CSVLogger()],
  });
  assertEquals(files[0].split("\n").length, 5);
  assertEquals(files[1], files[0]);
}, { kinds: ["cpu"] });

onDevices("of several fits those that were finished are passed over", async () => {
  const lines: string[] = [];
  const ends: string[] = [];
  await inTwo(async (l, cbs, resume) => {
    await l.fitOneCycle(1, { cbs: cbs.filter((c) => !(c instanceof Crash)), resume });
    ends.push(JSON.stringify([(await bitsOf(l))["body.0.weight"], l.recorder.rows.map((r) => r.valid_loss)]));
    await l.fitFlatCos(2, { cbs, resume });
  }, { after: 7, lines });
  assert(lines.some((l) => l.includes("was finished before")), lines.join("\n"));
  assert(lines.some((l) => l.includes("Going on from")), lines.join("\n"));
  assertEquals(ends.length, 3);
  assertEquals(ends[1], ends[0]);
  assertEquals(ends[2], ends[0]); // the script between the fits sees what it saw
}, { kinds: ["cpu"] });

onDevices("a fit that was finished is loaded, not run again", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const first = netLearner();
    const cbs = () => [...stateful(), new Checkpoint({ dir, everyEpochs: 1 })];
    await first.fineTune(2, { cbs: cbs(), resume: true });
    const second = netLearner();
    await second.fineTune(2, { cbs: [...cbs(), new Crash(1)], resume: true });
    assertEquals(await bitsOf(second), await bitsOf(first));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}, { kinds: ["cpu"] });

onDevices("another model, data or policy is refused, and the error says what differs", async () => {
  const dir = await Deno.makeTempDir();
  const cbs = () => [new Checkpoint({ dir, everySteps: 2 })];
  try {
    const crash = [...cbs(), new Crash(4)];
    await assertRejects(() => netLearner().fitOneCycle(2, { cbs: crash, resume: true }), Error, "crashed");
    const refused = (start: () => Promise<void>, what: string) => assertRejects(start, CheckpointError, what);
    const go = { cbs: cbs(), resume: true };
    await refused(() => netLearner().fitOneCycle(3, { ...go, cbs: cbs() }), "number of epochs was 2 and is 3");
    await refused(() => netLearner().fitOneCycle(2, { ...go, cbs: cbs(), div: 5 }), "option div was 25 and is 5");
    await refused(() => netLearner().fit(2, { ...go, cbs: cbs() }), "policy was fitOneCycle and is fit");
    await refused(
      () => netLearner({ n: 48 }).fitOneCycle(2, { ...go, cbs: cbs() }),
      "training data: items was 40 and is 48",
    );
    await refused(
      () => netLearner({ xSeed: 7 }).fitOneCycle(2, { ...go, cbs: cbs() }),
      "training data: content of column 0",
    );
    await refused(() => netLearner({ opt: SGD }).fitOneCycle(2, { ...go, cbs: cbs() }), "optimizer was");
    await refused(
      () => netLearner().fitOneCycle(2, { cbs: [...cbs(), new EarlyStopping()], resume: true }),
      "callbacks with a state",
    );
    // and the right one still goes on
    await netLearner().fitOneCycle(2, { ...go, cbs: cbs() });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}, { kinds: ["cpu"] });

Deno.test("options that make no sense are refused", async () => {
  assertThrows(() => new Checkpoint({ dir: "" }), ConfigError, "names no directory");
  assertThrows(() => new Checkpoint({ dir: "d", everySteps: 0 }), ConfigError, "everySteps 0");
  assertThrows(() => new Checkpoint({ dir: "d", everySeconds: 0 }), ConfigError, "every 0 seconds");
  assertThrows(() => new Checkpoint({ dir: "d", keep: 1.5 }), ConfigError, "keep 1.5");
  await assertRejects(() => netLearner().fit(1, { resume: true }), ConfigError, "add new Checkpoint");
});

onDevices("startEpoch at or behind the end trains nothing, and says so", async () => {
  const lines: string[] = [];
  const learn = netLearner({ logger: { line: (text) => lines.push(text) } });
  await learn.fit(2, { startEpoch: 2 });
  assert(lines.some((l) => l.includes("Nothing to train: startEpoch 2")), lines.join("\n"));
}, { kinds: ["cpu"] });
