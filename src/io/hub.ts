/**
 * Files from Hugging Face's hub; the code comes with the first one that is asked for.
 *
 * @module
 */
import type { DownloadHubOptions } from "./hub_file.ts";

export type { DownloadHubOptions };

/**
 * The path of a file of a repository, fetched unless it is there. A transfer that was cut goes on; size, and the SHA-256 of
 * large files, are checked before the file is in place; two processes that want the same file fetch it once. Where the hub
 * cannot be reached, the file that was there the last time is taken.
 *
 * @param repo Owner and name, as in `"timm/resnet18.a1_in1k"`.
 * @param file Path of the file in the repository.
 * @throws {ConfigError} Where a permission is missing; nothing is asked for. Where a name cannot be one.
 * @throws {DataError} Where there is no such repository, revision or file, it is not for everybody, the hub cannot be
 * reached and the file is not there, or what came is not what was announced.
 *
 * @example
 * ```ts ignore
 * const file = await downloadHub("timm/resnet18.a1_in1k", "model.safetensors");
 * const weights = await openSafetensors(file);
 * ```
 */
export async function downloadHub(repo: string, file: string, options: DownloadHubOptions = {}): Promise<string> {
  const { hubFile } = await import("./hub_file.ts");
  return await hubFile(repo, file, options);
}
