/**
 * Training by a recipe.
 *
 * @module
 */
import { join } from "@std/path";
import { InterruptedError } from "../base/errors.ts";
import type { Learner } from "../fit/mod.ts";
import type { Figure } from "../plot/mod.ts";
import { type Callback, type Logger, reasonOf, type Row, tell } from "../train/mod.ts";
import { environment, openDevice } from "./environment.ts";
import { joinFits, lossesOf, scheduleOf } from "./record.ts";
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
  await saveRecord(learn, out, logger);
  await writeFacts({ ...run, facts: { ...facts, finished: new Date().toISOString() } });
  return { out, rows: learn.recorder.rows, seconds: (performance.now() - start) / 1000 };
}

/** The numbers of all fits, and pictures of them. A picture that can't be drawn, for want of a permission, costs no run. */
async function saveRecord({ recorder }: Learner, out: string, logger: Logger): Promise<void> {
  const record = joinFits([...recorder.history, recorder]);
  await Deno.writeTextFile(join(out, "recorder.json"), JSON.stringify(record));
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
