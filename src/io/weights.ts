/**
 * Files of weights, whoever wrote them: safetensors, and what `torch.save` wrote. The file's first bytes tell which.
 *
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { ConfigError } from "../base/errors.ts";
import { checkOptions, type OptionTable, text } from "../base/options.ts";
import type { Tensor } from "../tensor/mod.ts";
import { openRanges } from "../base/file_ranges.ts";
import { openSafetensors, type SafetensorsFile, writeSafetensors } from "./safetensors.ts";
import { refuseMisfits } from "./misfits.ts";
import { hostTensors, readTensor, readTensors } from "./tensors.ts";
import type { TorchOptions } from "./torch/file.ts";
import { TORCH_ENDING } from "./torch_ending.ts";

export { hostTensors, readTensor, readTensors, refuseMisfits, type TorchOptions, writeSafetensors };

/** What {@link TorchOptions} may be. */
export const TORCH: OptionTable<TorchOptions> = { key: text };

/** Opens a file of weights; `key` is for those of PyTorch. Only names and shapes are read now. */
export async function openWeights(path: string, options: TorchOptions = {}): Promise<SafetensorsFile> {
  const source = await openRanges(path);
  const first = await source.range(0, Math.min(9, source.size));
  // safetensors begin with the length of their header, which may look like anything, and the header with a brace
  const zip = first[0] === 0x50 && first[1] === 0x4b, pickle = first[0] === 0x80, header = first[8] === 0x7b;
  if (zip || !header && (pickle || TORCH_ENDING.test(path))) {
    const { readTorch } = await import("./torch/file.ts");
    return await readTorch(source, options);
  }
  if (options.key !== undefined) {
    throw new ConfigError(`Cannot read ${path} with key ${JSON.stringify(options.key)}: it is no file of PyTorch`);
  }
  return await openSafetensors(path);
}

/**
 * The tensors of a file that `torch.save` wrote (`.pt`, `.pth`, `.bin`; PyTorch from 1.6 on), by name, for
 * `model.loadStateDict`. f16, bf16 and f64 become f32; i64, i16 and i8 become i32. Nothing in the file is run: what is
 * no tensor, number, text, list or dictionary is refused by its name.
 *
 * @param path Path of the file.
 * @throws DataError where the file is damaged, older, or holds anything else; ConfigError where there are several
 * dictionaries of tensors, or none at `key`; DtypeError where a type has no counterpart here, such as complex64.
 * @example
 * ```ts ignore
 * model.loadStateDict(await loadTorch("resnet18.pth"));
 * ```
 */
export async function loadTorch(path: string, options: TorchOptions = {}): Promise<Map<string, Tensor>> {
  checkOptions("load a file of PyTorch", options, TORCH);
  const { readTorch } = await import("./torch/file.ts");
  return await readTensors(await readTorch(await openRanges(path), options));
}
