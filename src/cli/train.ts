/**
 * Training by a recipe.
 *
 * @module
 */
import { join } from "@std/path";
import { InterruptedError } from "../base/errors.ts";
import type { Learner } from "../fit/mod.ts";
import type { Callback, Logger, Row } from "../train/mod.ts";
import { environment, openDevice } from "./environment.ts";
import { loadData, type RecipeData } from "./recipe/data.ts";
import { makeCallbacks, makeLearner } from "./recipe/learner.ts";
import { policiesOf, runPolicy } from "./recipe/policy.ts";
import type { Recipe } from "./recipe/schema.ts";
import { beginRun, freeFolder, openRun, type RunFolder, writeFacts } from "./run_folder.ts";

/** What came of a run. */
export interface RunResult {
  readonly out: string;
  /** Rows of the last policy's epochs. */
  readonly rows: readonly Row[];
  readonly seconds: number;
}

/** Options of {@link trainRecipe} and {@link resumeRun}. */
export interface TrainOptions {
  readonly logger: Logger;
  /** Folder of the run; by default the recipe's, or the next free one under `runs/`. */
  readonly out?: string;
  /** Further callbacks. */
  readonly cbs?: readonly Callback[];
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

/** Trains by a recipe that has been checked; `file` is where it came from. */
export async function trainRecipe(recipe: Recipe, file: string, options: TrainOptions): Promise<RunResult> {
  await openDevice(recipe.device);
  const out = await freeFolder(file, recipe, options.out);
  return await train(await beginRun(out, file, recipe, environment()), options, false);
}

/** Goes on with a run that was interrupted. */
export async function resumeRun(out: string, options: TrainOptions): Promise<RunResult> {
  return await train(await openRun(out), options, true);
}

async function train(run: RunFolder, { logger, cbs = [] }: TrainOptions, resume: boolean): Promise<RunResult> {
  const start = performance.now();
  const { out, recipe, facts } = run;
  const { learn } = await prepare(recipe, facts.folder, out, logger);
  logger.line(`Run ${out} on ${facts.environment.device}`);
  const callbacks = [...makeCallbacks(recipe), ...cbs];
  try {
    for (const policy of policiesOf(recipe)) await runPolicy(learn, policy, callbacks, resume);
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
    const signal = error.message.includes("SIGTERM") ? "SIGTERM" : "SIGINT";
    throw new InterruptedError(`Interrupted by ${signal} and saved; go on with: anneal resume ${out}`, {
      cause: error,
    });
  }
  await learn.save("model");
  await saveRecord(learn, out);
  await writeFacts({ ...run, facts: { ...facts, finished: new Date().toISOString() } });
  return { out, rows: learn.recorder.rows, seconds: (performance.now() - start) / 1000 };
}

/** Pictures, and the numbers that they were drawn from. */
async function saveRecord({ recorder }: Learner, out: string): Promise<void> {
  const { losses, iters, hps, rows, lrFinder } = recorder;
  await Deno.writeTextFile(
    join(out, "recorder.json"),
    JSON.stringify({ losses, iters, hps, rows, metricNames: recorder.metricNames }),
  );
  if (losses.length > 0) {
    await recorder.plotLoss().save(join(out, "losses.png"));
    await recorder.plotSched().save(join(out, "schedule.png"));
  }
  if (lrFinder !== null) await recorder.plotLrFind().save(join(out, "lr_find.png"));
}
