/**
 * Files that grow, and are cut back when a run goes on from before their end.
 *
 * @module
 */
import { files } from "../base/host_files.ts";

/** Makes sure that a file is there with at most `bytes` bytes; gives how many it has. */
export async function trimFile(path: string, bytes: number): Promise<number> {
  const file = await files.open(path, { write: true, create: true });
  try {
    const { size } = await file.stat();
    if (size <= bytes) return size;
    await file.truncate(bytes);
    return bytes;
  } finally {
    await file.close();
  }
}
