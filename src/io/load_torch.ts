/**
 * Weights of PyTorch for those who only read some; the code comes with the first file.
 *
 * @module
 */
import type { Tensor } from "../tensor/mod.ts";
import type { TorchOptions } from "./weights.ts";

export type { TorchOptions };

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
  const { loadTorch } = await import("./weights.ts");
  return await loadTorch(path, options);
}
