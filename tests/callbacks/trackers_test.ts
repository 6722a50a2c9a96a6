/**
 * Early stopping, lower learning rates and saving on scripted metrics, against fastai's recordings.
 *
 * @module
 */
import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { EarlyStopping, ReduceLROnPlateau, SaveModel, type TrackerOptions } from "../../src/callbacks/mod.ts";
import { ConfigError } from "../../src/base/errors.ts";
import { Callback, Metric, type TrainLoop } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { loadGolden } from "../support/golden.ts";
import { linearLearner } from "../train/learners.ts";

interface Case {
  readonly callback: string;
  readonly options: { readonly comp?: "less"; readonly min_delta?: number };
  readonly metric: readonly number[];
  readonly epochs: number;
  readonly messages: readonly string[];
  readonly lrs: readonly number[];
  readonly files: readonly string[];
}

const { cases } = loadGolden<{ cases: Case[] }>("trackers.json");

/** A metric that says what it is told, epoch by epoch. */
class Scripted extends Metric {
  override readonly name = "scripted";
  #epoch = -1;
  constructor(readonly script: readonly number[]) {
    super();
  }
  override reset(): void {}
  override accumulate(_learn: TrainLoop): void {}
  override get value(): number {
    return this.script[++this.#epoch];
  }
}

class Lr extends Callback {
  override readonly order = 80;
  readonly seen: number[] = [];
  override afterEpoch(): void {
    this.seen.push(this.learn.opt.hypers.at(-1)!.lr);
  }
}

const MAKE: Record<string, (options: TrackerOptions) => Callback> = {
  "EarlyStopping patience 2": (o) => new EarlyStopping({ ...o, patience: 2 }),
  "ReduceLROnPlateau patience 2 factor 10": (o) => new ReduceLROnPlateau({ ...o, patience: 2, factor: 10 }),
  "SaveModel": (o) => new SaveModel(o),
  "SaveModel every_epoch 2": (o) => new SaveModel({ ...o, everyEpoch: 2 }),
};

onDevices(`${cases.length} runs of trackers do what fastai's do`, async () => {
  for (const want of cases) {
    const { callback, options, metric } = want;
    const what = `${callback} ${JSON.stringify(options)} on ${metric}`;
    const path = await Deno.makeTempDir();
    const lines: string[] = [];
    const lr = new Lr();
    const tracker = MAKE[callback]({ monitor: "scripted", comp: options.comp, minDelta: options.min_delta });
    const learn = linearLearner({
      metrics: new Scripted(metric),
      cbs: [tracker, lr],
      path,
      logger: { line: (text) => lines.push(text) },
    });
    await learn.fit(metric.length, { lr: 1e-3 });
    assertEquals(learn.recorder.values.length, want.epochs, what);
    assertEquals(lines.slice(1).filter((l) => !/^\d/.test(l)), want.messages, what); // without the table
    assertEquals(lr.seen.length, want.lrs.length, what);
    lr.seen.forEach((v, i) => assertAlmostEquals(v, want.lrs[i], want.lrs[i] * 1e-9, what));
    assertEquals(await filesIn(`${path}/models`), want.files.map((f) => f.replace(/\.pth$/, ".safetensors")), what);
    await Deno.remove(path, { recursive: true });
  }
}, { kinds: ["reference"] });

async function filesIn(dir: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(dir)) names.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort();
}

onDevices("a tracker names the columns there are when its own is missing, and the learner works on", async () => {
  const learn = linearLearner();
  const stop = new EarlyStopping({ monitor: "acuracy" });
  const error = await assertRejects(() => learn.fit(1, { cbs: stop }), ConfigError, "Cannot monitor acuracy");
  assertEquals(error.message.includes("valid_loss"), true);
  await learn.fit(1);
  assertEquals(learn.recorder.rows.length, 1);
}, { kinds: ["reference"] });

onDevices("trackers rest during the finder's probe and are as before afterwards", async () => {
  const stop = new EarlyStopping({ patience: 1, minDelta: 100 });
  const learn = linearLearner({ cbs: stop });
  await learn.lrFind({ numIt: 20 });
  assertEquals([stop.best, stop.run], [Infinity, true]);
  assertEquals(learn.recorder.lrFinder!.lrs.length > 6, true);
}, { kinds: ["reference"] });
