/**
 * The folder of a run: recipe, environment, logs, checkpoints, pictures, the trained model.
 *
 * @module
 */
import { stringify } from "@std/yaml";
import { writeTextAtomic } from "../base/atomic.ts";
import { basename, dirname, extname, join, resolve } from "../base/path.ts";
import { ConfigError } from "../base/errors.ts";
import { checkRecipe } from "./recipe/check.ts";
import type { Recipe } from "./recipe/schema.ts";

/** What a run is. */
export interface RunFacts {
  /** Version of this file's form. */
  readonly format: 1;
  /** Folder that the recipe's paths are relative to. */
  readonly folder: string;
  /** When it began, ISO 8601. */
  readonly started: string;
  /** When it ended; null while it has not. */
  readonly finished: string | null;
  /** Versions, machine and device. */
  readonly environment: Readonly<Record<string, string | number>>;
  /** What the data was. */
  readonly data: DataFacts;
}

/** What a run remembers of its data, beside what its model's file says. */
export interface DataFacts {
  /** Shape of an item's input, without the batch axis. */
  readonly input: readonly number[];
  /** Size of the output. */
  readonly outputs: number;
  /** What tells the data from others, of each set. */
  readonly fingerprint: Readonly<Record<string, string>>;
}

/** A run's folder with its recipe. */
export interface RunFolder {
  readonly out: string;
  readonly recipe: Recipe;
  readonly facts: RunFacts;
}

const FACTS = "run.json", RECIPE = "recipe.yaml";
/** The trained model, as `loadLearner` reads it. */
export const MODEL = "model.safetensors";

/** Whether there is something at a path. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

/** Makes a folder, and those above it, where there is none. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (cause) {
    const there = cause instanceof Deno.errors.AlreadyExists || cause instanceof Deno.errors.NotADirectory;
    const why = there ? "a file lies in its place, choose another" : (cause as Error).message;
    throw new ConfigError(`Cannot make the folder ${path}: ${why}`, { cause });
  }
}

/** Reads a recipe file. */
export async function readRecipe(file: string, overrides: readonly string[]): Promise<Recipe> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (cause) {
    const why = cause instanceof Deno.errors.NotFound ? "there is no such file" : (cause as Error).message;
    throw new ConfigError(`Cannot read the recipe ${file}: ${why}`, { cause });
  }
  return checkRecipe(file, text, overrides);
}

/** A folder for a new run of `file`: the one asked for, which must be free, or the next free one under `runs/`. */
export async function freeFolder(file: string, recipe: Recipe, asked: string | undefined): Promise<string> {
  const wanted = asked ?? recipe.out;
  if (wanted !== undefined) {
    if (wanted === "") {
      throw new ConfigError("Cannot begin a run in a folder without a name: give --out one, or leave it out");
    }
    if (await exists(join(wanted, FACTS))) {
      throw new ConfigError(
        `Cannot begin a run in ${wanted}: there is one already; go on with it by "anneal resume ${wanted}", or choose ` +
          `another folder with --out`,
      );
    }
    return wanted;
  }
  const name = basename(file, extname(file));
  for (let i = 1;; i++) {
    const folder = join("runs", i === 1 ? name : `${name}-${i}`);
    if (!await exists(join(folder, FACTS))) return folder;
  }
}

/** Writes what the run is before it begins. */
export async function beginRun(
  out: string,
  file: string,
  recipe: Recipe,
  { environment, data }: Pick<RunFacts, "environment" | "data">,
): Promise<RunFolder> {
  await makeFolder(out);
  const facts: RunFacts = {
    format: 1,
    folder: resolve(dirname(file)),
    started: new Date().toISOString(),
    finished: null,
    environment,
    data,
  };
  await writeTextAtomic(join(out, RECIPE), stringify(recipe));
  const run = { out, recipe, facts };
  await writeFacts(run);
  return run;
}

/** What a run writes before its first step. */
const EARLY = [FACTS, RECIPE, "checkpoints", "history.csv", "log.jsonl", "tensorboard"] as const;

/** Which of the files of a run are in a folder already. */
export async function earlyFiles(out: string): Promise<ReadonlySet<string>> {
  const there = await Promise.all(EARLY.map((name) => exists(join(out, name))));
  return new Set(EARLY.filter((_, i) => there[i]));
}

/** Removes what a run wrote that failed before its first step, so that its folder can be used again. */
export async function clearRun(out: string, before: ReadonlySet<string>): Promise<void> {
  for (const name of EARLY) {
    if (!before.has(name) && await exists(join(out, name))) await Deno.remove(join(out, name), { recursive: true });
  }
  await Deno.remove(out).catch(() => {}); // others' files may be in it
}

/** Writes the facts anew. */
export async function writeFacts({ out, facts }: RunFolder): Promise<void> {
  await writeTextAtomic(join(out, FACTS), JSON.stringify(facts, null, 2) + "\n");
}

/** Opens the folder of a run. */
export async function openRun(out: string, overrides: readonly string[] = []): Promise<RunFolder> {
  let facts: Partial<RunFacts>;
  try {
    facts = JSON.parse(await Deno.readTextFile(join(out, FACTS)));
  } catch (cause) {
    const why = cause instanceof Deno.errors.NotFound
      ? `it holds no ${FACTS}, which "anneal train" writes`
      : `its ${FACTS} cannot be read (${(cause as Error).message})`;
    throw new ConfigError(`Cannot open the run ${out}: ${why}`, { cause });
  }
  if (facts.format !== 1 || typeof facts.folder !== "string" || typeof facts.data !== "object") {
    throw new ConfigError(`Cannot open the run ${out}: its ${FACTS} is not of format 1`);
  }
  return { out, recipe: await readRecipe(join(out, RECIPE), overrides), facts: facts as RunFacts };
}
