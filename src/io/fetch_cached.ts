/**
 * Files from the network; the code comes with the first one that is asked for.
 *
 * @module
 */
import type { FetchOptions } from "./fetch_file.ts";

export type { FetchOptions };

/**
 * Fetches `url` into `dest` unless it is there, and gives the path. What came of a transfer that was cut waits in
 * `dest + ".part"` for the next call. Two processes that want the same file fetch it once.
 *
 * @throws {ConfigError} If Deno's permissions do not allow it; nothing is asked for.
 * @throws {DataError} If the file can't be fetched, saying where to put it by hand, or is not what was expected.
 */
export async function fetchCached(url: string | URL, options: FetchOptions): Promise<string> {
  const { fetchFile } = await import("./fetch_file.ts");
  return await fetchFile(url, options);
}
