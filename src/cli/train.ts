/**
 * Training by a recipe.
 *
 * @module
 */
import { writeTextAtomic } from "../base/atomic.ts";
import { dirname, join, resolve } from "../base/path.ts";
import { AnnealError, ConfigError, InterruptedError } from "../base/errors.ts";
import { CSVLogger, StopAfter } from "../callbacks/mod.ts";
import { type Batch, DataLoader } from "../data/mod.ts";
import { Checkpoint } from "../fit/mod.ts";
import type { Learner } from "../learner/mod.ts";
import type { Figure } from "../plot/mod.ts";
import { type Callback, interruptedBy, type Logger, reasonOf, type Row, tell } from "../train/mod.ts";
import { environment, openDevice } from "./environment.ts";
import { joinFits, lossesOf, scheduleOf } from "./record.ts";
import { loadData, type RecipeData } from "./recipe/data.ts";
import { makeCallbacks, makeLearner } from "./recipe/learner.ts";
import { policiesOf, runPolicy } from "./recipe/policy.ts";
import type { Recipe } from "./recipe/schema.ts";
import {
  beginRun,
  clearRun,
  type DataFacts,
  earlyFiles,
  freeFolder,
  MODEL,
  openRun,
  type RunFolder,
  writeFacts,
} from "./run_folder.ts";

/** What came of a run. */
export interface RunResult {
  /** Whether it came to its end; otherwise `anneal resume` goes on with it. */
  readonly finished: boolean;
  /** Why not. */
  readonly reason?: string;
  readonly out: string;
  /** Epochs that are done, those of all policies. */
  readonly epoch: number;
  /** Loss of the validation set after the last of them; null before the first, without such a set, and for NaN. */
  readonly valid_loss: number | null;
  /** Path of the newest checkpoint. */
  readonly checkpoint: string | null;
  /** Rows of the last policy's epochs. */
  readonly rows: readonly Row[];
  /** Seconds that this call took. */
  readonly seconds: number;
}

/** Options of {@link trainRecipe} and {@link resumeRun}. */
export interface TrainOptions {
  readonly logger: Logger;
  /** Folder of the run; by default the recipe's, or the next free one under `runs/`. */
  readonly out?: string;
  /** Further callbacks. */
  readonly cbs?: readonly Callback[];
  /** Seconds that training may take; then the run is saved, to go on with `anneal resume`. */
  readonly budget?: number;
}

/** Data and learner of a recipe. */
export async function prepare(
  recipe: Recipe,
  folder: string,
  out: string,
  logger: Logger,
): Promise<{ data: RecipeData; learn: Learner }> {
  await openDevice(recipe.device);
  const data = await loadData(recipe.data, folder, recipe.seed ?? 42);
  return { data, learn: await makeLearner(recipe, data, { folder, out, logger }) };
}

/** What a run remembers of its data. */
export async function dataFacts({ dls, input, outputs }: RecipeData): Promise<DataFacts> {
  const fingerprint: Record<string, string> = {};
  for (const [set, dl] of [["training", dls.train], ["validation", dls.valid]] as const) {
    for (const [name, value] of Object.entries(await dl.fingerprint())) fingerprint[`${set} data: ${name}`] = value;
  }
  return { input, outputs, fingerprint };
}

/** Trains by a recipe that has been checked; `file` is where it came from. */
export async function trainRecipe(recipe: Recipe, file: string, options: TrainOptions): Promise<RunResult> {
  const out = await freeFolder(file, recipe, options.out), before = await earlyFiles(out);
  const { data, learn } = await prepare(recipe, dirname(file), out, options.logger);
  await tryOut(learn);
  const run = await beginRun(out, file, recipe, { environment: environment(), data: await dataFacts(data) });
  let policies = 0;
  try {
    return await train(run, learn, options, { resume: false, finished: () => void policies++ });
  } catch (error) {
    if (policies + learn.trainIter === 0 && !(error instanceof InterruptedError)) await clearRun(out, before);
    throw error;
  }
}

/** Goes on with a run that was interrupted. */
export async function resumeRun(out: string, options: TrainOptions): Promise<RunResult> {
  const run = await openRun(out);
  const { learn } = await prepare(run.recipe, run.facts.folder, out, options.logger);
  return await train(run, learn, options, { resume: true });
}

/** Loss and metrics of one batch, before anything is written: a recipe's faults are told before the first epoch. */
async function tryOut(learn: Learner): Promise<void> {
  const batch = await learn.dls.valid.peek() ?? await learn.dls.train.peek();
  if (batch === null) return; // the fit says what is missing
  const dl = new DataLoader<Batch>({ columns: batch.map((tensor) => ({ tensor })), bs: batch[0].shape[0], seed: 0 });
  try {
    await learn.validate({ dl });
  } catch (cause) {
    if (!(cause instanceof AnnealError)) throw cause;
    throw new ConfigError(`Cannot train by this recipe, it fails on the first batch: ${cause.message}`, { cause });
  }
}

async function train(
  run: RunFolder,
  learn: Learner,
  { logger, cbs = [], budget }: TrainOptions,
  { resume, finished }: { readonly resume: boolean; readonly finished?: () => void },
): Promise<RunResult> {
  const start = learn.clock();
  const { out, recipe, facts } = run;
  logger.line(`Run ${out} on ${facts.environment.device}`);
  const limit = budget === undefined ? [] : [new StopAfter({ seconds: budget })];
  const callbacks = [...makeCallbacks(recipe), ...cbs, ...limit];
  const result = (): Omit<RunResult, "finished"> => ({
    out,
    ...progressOf(learn),
    checkpoint: callbacks.find((cb) => cb instanceof Checkpoint)?.lastPath ?? null,
    rows: learn.recorder.rows,
    seconds: (learn.clock() - start) / 1000,
  });
  try {
    for (const [i, policy] of policiesOf(recipe).entries()) {
      await runPolicy(learn, policy, i === 0 ? callbacks : goingOn(callbacks), resume);
      finished?.();
    }
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
    const { reason } = error;
    const how = `${interruptedBy(reason)} and saved; go on with: anneal resume ${out}`;
    if (reason === "SIGINT" || reason === "SIGTERM") throw new InterruptedError(how, { reason, cause: error });
    tell(logger, how);
    return { finished: false, reason, ...result() };
  }
  await learn.export(resolve(out, MODEL));
  await saveRecord(learn, out, logger);
  await writeFacts({ ...run, facts: { ...facts, finished: new Date().toISOString() } });
  return { finished: true, ...result() };
}

/** How far a run has come. */
function progressOf({ recorder }: Learner): Pick<RunResult, "epoch" | "valid_loss"> {
  const rows = [...recorder.history, recorder].flatMap((fit) => fit.rows);
  const loss = rows.at(-1)?.valid_loss;
  return { epoch: rows.length, valid_loss: typeof loss === "number" && Number.isFinite(loss) ? loss : null };
}

/** The callbacks of a later policy: its rows stand below those of the ones before. */
function goingOn(cbs: readonly Callback[]): Callback[] {
  return cbs.map((cb) => cb instanceof CSVLogger ? new CSVLogger({ fname: cb.fname, append: true }) : cb);
}

/** The numbers of all fits, and pictures of them. A picture that can't be drawn, for want of a permission, costs no run. */
async function saveRecord({ recorder }: Learner, out: string, logger: Logger): Promise<void> {
  const record = joinFits([...recorder.history, recorder]);
  await writeTextAtomic(join(out, "recorder.json"), JSON.stringify(record));
  const picture = async (name: string, figure: () => Figure): Promise<void> => {
    try {
      await figure().save(join(out, name));
    } catch (error) {
      tell(logger, `${name} is missing: ${reasonOf(error)}`);
    }
  };
  if (record.losses.length > 0) {
    await picture("losses.png", () => lossesOf(record));
    await picture("schedule.png", () => scheduleOf(record));
  }
  if (recorder.lrFinder !== null) await picture("lr_find.png", () => recorder.plotLrFind());
}
