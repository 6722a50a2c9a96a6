/**
 * Files of arrays: safetensors, and numpy's.
 *
 * @module
 */
import { readNpy, readNpz } from "../../data/mod.ts";
import { type HostTensor, openSafetensors } from "../../io/safetensors.ts";

/** An open file. */
export interface ArrayFile {
  /** Names of its arrays. */
  readonly names: readonly string[];
  /** Reads one. */
  tensor(name: string): Promise<HostTensor>;
}

/** How files of arrays end. */
export const ARRAY_FILE = /\.(?:safetensors|npz|npy)$/i;

/** Opens a file of arrays; the one of a `.npy` file is called `x`. */
export async function openArrays(path: string): Promise<ArrayFile> {
  if (/\.np[yz]$/i.test(path)) {
    const all = /z$/i.test(path) ? await readNpz(path) : { x: await readNpy(path) };
    return { names: Object.keys(all), tensor: (name) => Promise.resolve(all[name as "x"]) };
  }
  return await openSafetensors(path);
}
