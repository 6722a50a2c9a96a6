/**
 * Where models lie.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { isAbsolute, join } from "../base/path.ts";
import { TORCH_ENDING } from "../io/torch_ending.ts";
import type { TrainLoop } from "../train/mod.ts";

const EXTENSION = ".safetensors";

/** Whether a name ends as names of files of models do. */
export function isModelFile(name: string): boolean {
  return name.endsWith(EXTENSION) || TORCH_ENDING.test(name);
}

/** Throws where a file that is to be written has a name that says another format than safetensors. */
export function refuseEnding(what: string, file: string): void {
  const ending = /\.(pt|pth|bin|ckpt|pkl|pickle|h5|hdf5|keras|pb|tflite|gguf|npz|npy|json|zip)$/i.exec(file)?.[0];
  if (ending === undefined) return;
  throw new ConfigError(
    `Cannot ${what} ${file}: it is written as safetensors, which no reader expects behind ${ending}; leave the ending out. ` +
      "PyTorch reads it by load_file() of safetensors.torch",
  );
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
