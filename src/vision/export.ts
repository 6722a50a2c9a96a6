/**
 * Learners in files: weights, and what else predictions need, as text.
 *
 * @module
 */
import { isAbsolute, join } from "@std/path";
import { ConfigError } from "../base/errors.ts";
import { type OutTensor, writeSafetensors } from "../io/safetensors.ts";
import { readAll } from "../tensor/mod.ts";
import type { VisionLearner } from "./learner.ts";
import { LEARNER_KEY, type LearnerJson } from "./learner_format.ts";
import type { Arch, HeadOptions } from "./models/mod.ts";

/** How a model was made of an architecture. */
export interface ExportedModel {
  /** What made it. */
  readonly arch: Arch;
  /** Channels of the images. */
  readonly nIn: number;
  /** Number of outputs. */
  readonly nOut: number;
  /** Options of the head that were given. */
  readonly head: HeadOptions;
  /** Where the body ends, if it was given. */
  readonly cut?: number;
}

const EXTENSION = ".safetensors";

/** Writes what `loadLearner` needs; see {@link VisionLearner.export}. */
export async function exportLearner(learn: VisionLearner, file: string): Promise<string> {
  const { made } = learn;
  if (made === null) {
    throw new ConfigError(
      "Cannot export this learner: its head or cut is code of your own, save its weights with save()",
    );
  }
  await learn.ready();
  const dls = learn.imageDls;
  const stored = <T>(tfm: object, json: T | null): T => {
    if (json === null) throw new ConfigError(`Cannot export this learner: ${tfm.constructor.name} cannot be stored`);
    return json;
  };
  const { arch, nIn, nOut, head, cut } = made;
  const text: LearnerJson = {
    version: 1,
    arch: arch.name,
    nIn,
    nOut,
    head,
    ...(cut === undefined ? {} : { cut }),
    vocab: [...dls.vocab],
    itemTfms: dls.itemTfms.map((t) => stored(t, t.toJSON())),
    // random changes are for training
    batchTfms: dls.batchTfms.filter((t) => !t.random).map((t) => stored(t, t.toJSON())),
  };
  const state = learn.model.stateDict();
  const values = await readAll([...state.values()]);
  const out = new Map<string, OutTensor>();
  [...state].forEach(([name, { shape, dtype }], i) => {
    out.set(name, { dtype: dtype === "i32" ? "i32" : "f32", shape, data: values[i] });
  });
  const named = file.endsWith(EXTENSION) ? file : file + EXTENSION;
  const path = isAbsolute(named) ? named : join(learn.path, named);
  await writeSafetensors(path, out, { format: "pt", [LEARNER_KEY]: JSON.stringify(text) });
  return path;
}
