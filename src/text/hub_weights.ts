/**
 * Weights of Hugging Face's models, by their own names.
 *
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { CheckpointError } from "../base/errors.ts";
import { isMissing } from "../base/host_files.ts";
import { refuseMisfits } from "../io/misfits.ts";
import { openSafetensors, type SafetensorsFile } from "../io/safetensors.ts";
import { readTensors } from "../io/tensors.ts";
import type { AnyModule } from "../nn/mod.ts";
import { type FileSource, pathOf } from "./weights.ts";

/** How a file's names become a model's. */
export interface HubNames {
  /** Prefixes that the names may have, of models that have this one inside. */
  readonly prefixes: readonly string[];
  /** Names, without prefix, that the model has no use for. */
  readonly unused: readonly RegExp[];
}

/**
 * Loads a safetensors file into a model by its own names. All that does not fit is told at once, before anything is loaded.
 *
 * @throws CheckpointError If there is no such file, or it is for another model.
 */
export async function loadHubWeights(
  model: AnyModule,
  source: FileSource,
  what: string,
  names: HubNames,
): Promise<void> {
  const path = pathOf(source);
  let file: SafetensorsFile;
  try {
    file = await openSafetensors(path);
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new CheckpointError(`Cannot load ${what} from ${path}: there is no such file`, { cause });
  }
  const own = new Map([...model.namedParameters(), ...model.namedBuffers()]);
  const taken = new Map<string, string>(); // ours by theirs
  const strangers: string[] = [];
  for (const name of file.names) {
    const plain = [...names.prefixes, ""].map((p) => name.startsWith(p) ? name.slice(p.length) : null)
      .find((n) => n !== null && own.has(n));
    if (plain !== undefined && plain !== null) taken.set(name, plain);
    else {
      const bare = names.prefixes.reduce((n, p) => n.startsWith(p) ? n.slice(p.length) : n, name);
      if (!names.unused.some((r) => r.test(bare))) strangers.push(`${name} is not in the model`);
    }
  }
  const found = new Map([...taken].map(([theirs, ours]) => [ours, theirs]));
  refuseMisfits(`${what} from ${path}`, own, found, file, strangers);
  const state = await readTensors(file, [...taken.keys()]);
  model.loadStateDict(new Map([...state].map(([name, t]) => [taken.get(name)!, t])));
}
