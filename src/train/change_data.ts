/**
 * Other data for a learner that has some: larger images, more items.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { shown } from "../base/options.ts";
import type { Batch, DataLoaders } from "../data/mod.ts";

type Data = DataLoaders<Batch>;

/** Outputs that data ask for; undefined where they do not say. */
function outputsOf(dls: Data): number | undefined {
  if ("c" in dls && typeof dls.c === "number") return dls.c;
  const names = namesOf(dls);
  return names.length === 0 ? undefined : names.length;
}

function namesOf(dls: Data): readonly unknown[] {
  return "vocab" in dls && Array.isArray(dls.vocab) ? dls.vocab : [];
}

/**
 * Refuses data that the model can't be meant for.
 *
 * @returns What is to be told of the change.
 * @throws ConfigError Where the number of inputs or of outputs is another one.
 */
export function checkChange(before: Data, next: Data): string[] {
  const [was, is] = [outputsOf(before), outputsOf(next)];
  if (was !== undefined && is !== undefined && was !== is) {
    throw new ConfigError(
      `Cannot change the learner's data: the model was made for ${was} classes or numbers an item, these data have ${is}; ` +
        "give both the same, by CategoryBlock({ vocab }) or { vocab }, or make another learner",
    );
  }
  if (before.nInp !== undefined && next.nInp !== undefined && before.nInp !== next.nInp) {
    throw new ConfigError(
      `Cannot change the learner's data: batches had ${before.nInp} inputs, these have ${next.nInp}`,
    );
  }
  const notes: string[] = [], [old, now] = [namesOf(before), namesOf(next)];
  const moved = old.length > 0 && now.length > 0 ? old.findIndex((name, i) => name !== now[i]) : -1;
  if (moved >= 0) {
    notes.push(
      `The data's classes are others than before: class ${moved} was ${shown(old[moved])} and is ${shown(now[moved])}`,
    );
  }
  const scales = [before.targetScale, next.targetScale].map((s) => s === undefined ? "" : `${s.mean}, ${s.std}`);
  if (scales[0] !== scales[1]) {
    notes.push(
      "The data's targets are scaled by other numbers than before: predictions are off until the model has learnt them",
    );
  }
  return notes;
}
