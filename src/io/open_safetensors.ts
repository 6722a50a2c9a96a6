/**
 * Files of tensors for those who only open some; the code comes with the first one.
 *
 * @module
 */
import type { HostTensor, SafetensorsFile } from "./safetensors.ts";

export type { HostTensor, SafetensorsFile };

/**
 * Opens a file and checks its header. Only the header is read now.
 *
 * @throws DataError where there is no such file, or it is no safetensors, torn or damaged.
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const { openSafetensors } = await import("./safetensors.ts");
  return await openSafetensors(path);
}
