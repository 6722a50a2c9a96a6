/**
 * Where models lie.
 *
 * @module
 */
import { isAbsolute, join } from "../base/path.ts";
import { TORCH_ENDING } from "../io/torch_ending.ts";
import type { TrainLoop } from "../train/mod.ts";

const EXTENSION = ".safetensors";

/** Whether a name ends as names of files of models do. */
export function isModelFile(name: string): boolean {
  return name.endsWith(EXTENSION) || TORCH_ENDING.test(name);
}

/**
 * Where a model called `file` lies: in the learner's `modelDir`, which is in its `path`; each of the three stands for itself
 * if it is absolute.
 */
export function modelPath(learn: TrainLoop, file: string): string {
  const name = isModelFile(file) ? file : file + EXTENSION;
  if (isAbsolute(name)) return name;
  const dir = isAbsolute(learn.modelDir) ? learn.modelDir : join(learn.path, learn.modelDir);
  return join(dir, name);
}
