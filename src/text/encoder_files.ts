/**
 * Encoders in files of their own: what a language model has learnt, for a classifier.
 *
 * @module
 */
import { CheckpointError, ConfigError } from "../base/errors.ts";
import { isMissing } from "../base/host_files.ts";
import { sizeOf } from "../base/shape.ts";
import { openSafetensors, type SafetensorsFile, writeSafetensors } from "../io/safetensors.ts";
import { hostTensors, readTensors } from "../io/tensors.ts";
import { compareState } from "../nn/module.ts";
import { readAll, type Tensor, tensor } from "../tensor/mod.ts";
import { tell, type TrainLoop } from "../train/mod.ts";
import type { SequenceEncoder } from "./architecture.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Key of the tokens in the file's metadata. */
const VOCAB_KEY = "anneal.vocab";

/** Writes an encoder's weights, with the tokens that its vectors belong to. */
export async function writeEncoder(path: string, encoder: SequenceEncoder, tokenizer: Tokenizer): Promise<void> {
  const tensors = await hostTensors(encoder.stateDict());
  await writeSafetensors(path, tensors, { format: "pt", [VOCAB_KEY]: JSON.stringify(tokenizer.vocab) });
}

/**
 * Loads an encoder's weights. Where they were trained with other tokens, each token gets the vector that it had there, and
 * one that was not there the mean of all, as in fastai; a line of the logger says how many.
 *
 * @throws CheckpointError where there is no such file; ConfigError where names or shapes differ in more than the tokens.
 */
export async function readEncoder(
  path: string,
  encoder: SequenceEncoder,
  { tokenizer, learn }: { readonly tokenizer: Tokenizer; readonly learn: TrainLoop },
): Promise<void> {
  let file: SafetensorsFile;
  try {
    file = await openSafetensors(path);
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new CheckpointError(`Cannot load an encoder from ${path}: there is no such file`, { cause });
  }
  const state = await readTensors(file), had = tokensOf(file);
  const own = new Map<string, Tensor>([...encoder.namedParameters(), ...encoder.namedBuffers()]);
  if (had !== null && !same(had, tokenizer.vocab)) {
    const moved = await moveTokens(state, own, had, tokenizer.vocab);
    if (moved !== null) {
      tell(
        learn.logger,
        `Loaded an encoder of other tokens from ${path}: ${moved} of ${tokenizer.size} tokens have the vector that they ` +
          "had there, the others the mean of all",
      );
    }
  }
  compareState(own, state, { what: encoder.constructor.name });
  encoder.loadStateDict(state);
}

function tokensOf(file: SafetensorsFile): readonly string[] | null {
  const text = file.metadata.get(VOCAB_KEY);
  if (text === undefined) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every((t) => typeof t === "string")) return value;
  } catch {
    // said below
  }
  throw new CheckpointError("Cannot load an encoder: its list of tokens is damaged");
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((t, i) => t === b[i]);
}

/** Puts the rows of token-wise weights where the tokens are here; gives how many tokens were there. */
async function moveTokens(
  state: Map<string, Tensor>,
  own: ReadonlyMap<string, Tensor>,
  had: readonly string[],
  now: readonly string[],
): Promise<number | null> {
  const places = new Map(had.map((token, i) => [token, i]));
  const from = now.map((token) => places.get(token) ?? -1), known = from.filter((i) => i >= 0).length;
  if (known === 0) {
    throw new ConfigError("Cannot load an encoder of other tokens: none of them occurs in the vocabulary here");
  }
  let moved = false;
  for (const [name, value] of state) {
    const [rows, ...rest] = value.shape, want = own.get(name);
    if (
      rows !== had.length || want === undefined || want.shape[0] < now.length ||
      want.shape.length !== value.shape.length
    ) {
      continue;
    }
    const [data] = await readAll([value]), width = sizeOf(rest);
    const mean = new Float64Array(width), out = new Float32Array(want.shape[0] * width);
    for (let i = 0; i < data.length; i++) mean[i % width] += data[i] / rows;
    for (let r = 0; r < want.shape[0]; r++) {
      const i = from[r] ?? -1;
      if (i >= 0) out.set(data.subarray(i * width, (i + 1) * width) as Float32Array, r * width);
      else out.set(mean, r * width);
    }
    state.set(name, tensor(out, { shape: [want.shape[0], ...rest] }));
    moved = true;
  }
  return moved ? known : null;
}
