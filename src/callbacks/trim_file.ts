/**
 * Files that grow, and are cut back when a run goes on from before their end.
 *
 * @module
 */

/** Makes sure that a file is there with at most `bytes` bytes; gives how many it has. */
export async function trimFile(path: string, bytes: number): Promise<number> {
  const file = await Deno.open(path, { write: true, create: true });
  try {
    const { size } = await file.stat();
    if (size <= bytes) return size;
    await file.truncate(bytes);
    return bytes;
  } finally {
    file.close();
  }
}
