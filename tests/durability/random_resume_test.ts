/**
 * Random runs, whole and cut in pieces: whatever policies, optimizers, callbacks and checkpoints come together, a run that
 * crashed and went on has the bits of the one that did not.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import {
  BnFreeze,
  CSVLogger,
  EarlyStopping,
  GradientAccumulation,
  GradientClip,
  JsonLines,
  MixedPrecision,
  MixUp,
  ReduceLROnPlateau,
  SaveModel,
  ShortEpoch,
  TensorBoard,
  TerminateOnNaN,
} from "../../src/callbacks/mod.ts";
import { Checkpoint, ParamScheduler } from "../../src/fit/mod.ts";
import type { Learner } from "../../src/learner/mod.ts";
import { Adam, Lamb, Larc, Lookahead, type OptFunc, QHAdam, RAdam, RMSProp, SGD } from "../../src/optim/mod.ts";
import { combinedCos, SchedCos, SchedLin } from "../../src/schedule/mod.ts";
import { Rng } from "../../src/tensor/mod.ts";
import { Callback, type CallbackLike } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";
import { bitsOf, Crash, type Net, netLearner, type NetOptions } from "./support.ts";

type Fit = (learn: Learner<Net>, options: { cbs: readonly CallbackLike[]; resume?: boolean }) => Promise<void>;

const FITS: Record<string, Fit> = {
  "fit(3)": (l, o) => l.fit(3, { lr: 5e-3, ...o }),
  "fit(2) with rates": (l, o) => l.fit(2, { lr: [1e-3, 1e-2], wd: 0.1, ...o }),
  "fitOneCycle(3)": (l, o) => l.fitOneCycle(3, o),
  "fitOneCycle(2) with rates": (l, o) => l.fitOneCycle(2, { lrMax: [1e-3, 1e-2], pctStart: 0.4, ...o }),
  "fitFlatCos(2)": (l, o) => l.fitFlatCos(2, { pctStart: 0.5, ...o }),
  "fitSgdr(2, 1)": (l, o) => l.fitSgdr(2, 1, o),
  "fineTune(2)": (l, o) => l.fineTune(2, o),
  "freeze, fit(1)": async (l, o) => {
    l.freeze();
    await l.fit(1, o);
  },
  "unfreeze, fit(1)": async (l, o) => {
    l.unfreeze();
    await l.fit(1, o);
  },
  "fit(2) under schedules": async (l, { cbs, ...o }) => {
    const scheds = { lr: combinedCos(0.3, 1e-4, 1e-2, 1e-5), wd: SchedLin(0, 0.1), eps: SchedCos(1e-4, 1e-5) };
    const some = "eps" in l.opt.hypers[0] ? scheds : { lr: scheds.lr, wd: scheds.wd };
    await l.fit(2, { cbs: [...cbs, new ParamScheduler(some)], ...o });
  },
};

const OPTIMIZERS: Record<string, OptFunc> = {
  SGD: SGD.with({ mom: 0.9, wd: 0.01 }),
  "SGD without momentum": SGD,
  Adam,
  RAdam,
  RMSProp: RMSProp.with({ mom: 0.9 }),
  QHAdam,
  Lamb,
  Larc: Larc.with({ mom: 0.9 }),
  Lookahead: Lookahead(SGD.with({ mom: 0.9 }), { k: 3, alpha: 0.4 }),
};

/** Changes a number in the middle of a run, as a person does, at the same places each time. */
class Meddler extends Callback {
  override beforeBatch(): void {
    if (this.learn.training && this.learn.trainIter === 4) this.learn.opt.setHyper("wd", 0.05);
  }
}

const CALLBACKS: Record<string, () => CallbackLike> = {
  MixUp: () => new MixUp(0.4, { rng: new Rng(9) }),
  EarlyStopping: () => new EarlyStopping({ patience: 1, minDelta: 0.05 }),
  ReduceLROnPlateau: () => new ReduceLROnPlateau({ patience: 1, minDelta: 0.2 }),
  SaveModel: () => new SaveModel({ withOpt: true, atEnd: true }),
  GradientAccumulation: () => new GradientAccumulation(12),
  "GradientAccumulation, long": () => new GradientAccumulation(30),
  GradientClip: () => new GradientClip(0.1),
  MixedPrecision: () =>
    new MixedPrecision({ initScale: 16, growthFactor: 2 ** 8, backoffFactor: 2 ** -8, growthInterval: 2 }),
  ShortEpoch: () => new ShortEpoch({ pct: 0.5 }),
  BnFreeze: () => new BnFreeze(),
  TerminateOnNaN: () => new TerminateOnNaN(),
  CSVLogger: () => new CSVLogger(),
  JsonLines: () => new JsonLines(),
  TensorBoard: () => new TensorBoard({ pictures: false }),
  Meddler: () => new Meddler(),
};

/** What a seed stands for. */
interface Run {
  /** In words, for messages. */
  readonly text: string;
  readonly fits: readonly Fit[];
  readonly cbs: () => CallbackLike[];
  readonly options: NetOptions;
  /** Batches after which each start but the last crashes; some come to their end before. */
  readonly crashes: readonly number[];
  readonly every: { readonly everySteps?: number; readonly everyEpochs?: number };
}

function runOf(seed: number): Run {
  const draws = fillF32(seed, 64);
  let at = 0;
  const draw = () => (draws[at++ % 64] + 1) / 2;
  const whole = (n: number) => Math.min(n - 1, Math.floor(draw() * n));
  const pick = (list: Record<string, unknown>) => Object.keys(list)[whole(Object.keys(list).length)];
  const fits = Array.from({ length: 1 + whole(3) }, () => pick(FITS));
  const opt = pick(OPTIMIZERS);
  const names = Object.keys(CALLBACKS).filter(() => draw() < 0.25);
  const unseeded = draw() < 0.3, n = 34 + whole(7);
  const crashes = Array.from({ length: 1 + whole(3) }, () => 1 + whole(14)).sort((a, b) => a - b);
  const every = draw() < 0.3 ? { everyEpochs: 1 } : { everySteps: 1 + whole(4) };
  return {
    text: JSON.stringify({ seed, fits, opt, names, unseeded, n, crashes, every }),
    fits: fits.map((name) => FITS[name]),
    cbs: () => names.map((name) => CALLBACKS[name]()),
    options: { opt: OPTIMIZERS[opt], unseeded, n },
    crashes,
    every,
  };
}

/** What lies in a folder, without times of day and durations. */
async function filesOf(dir: string, prefix: string = ""): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const entries = await Array.fromAsync(Deno.readDir(dir)).catch(() => []);
  for (const { name, isDirectory } of entries) {
    const path = join(dir, name);
    if (name.startsWith("events.out.tfevents.")) continue; // one of each process
    if (isDirectory) Object.assign(files, await filesOf(path, `${prefix}${name}/`));
    else if (name.endsWith(".safetensors")) files[prefix + name] = String(await Deno.readFile(path));
    else {
      const text = await Deno.readTextFile(path);
      files[prefix + name] = text.replace(/"(time|at|wall)":("[^"]*"|[^,}]*)/g, "").replace(/,[\d.e-]+$/gm, "");
    }
  }
  return files;
}

async function check(seed: number): Promise<number> {
  const { text, fits, cbs, options, crashes, every } = runOf(seed);
  const root = await Deno.makeTempDir();
  try {
    const go = async (learn: Learner<Net>, more: () => CallbackLike[], resume: boolean) => {
      for (const fit of fits) await fit(learn, { cbs: [...cbs(), ...more()], resume });
    };
    const whole = netLearner({ ...options, path: join(root, "a") });
    await go(whole, () => [], false);
    let crashed = 0;
    const checkpoint = () => new Checkpoint({ dir: join(root, "checkpoints"), ...every });
    for (const batches of crashes) {
      const first = netLearner({ ...options, path: join(root, "b") });
      let left = batches;
      const crash = new Crash(() => --left === 0); // whichever fit a batch is of
      try {
        await go(first, () => [checkpoint(), crash], true);
      } catch (error) {
        assert(error instanceof Error && error.message.includes("crashed"), `${text}: ${error}`);
        crashed++;
      }
    }
    const last = netLearner({ ...options, path: join(root, "b") });
    await go(last, () => [checkpoint()], true);
    assertEquals(await bitsOf(last), await bitsOf(whole), text);
    assertEquals(await filesOf(join(root, "b")), await filesOf(join(root, "a")), text);
    return crashed;
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

onDevices("random runs go on with the same bits and files", async () => {
  let crashed = 0;
  for (let seed = 1; seed <= 40; seed++) crashed += await check(seed);
  assert(crashed > 40, `${crashed} crashes`);
}, { kinds: ["cpu"] });
