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

const NEWLINE = 10, LONGEST = 1 << 16;

/**
 * The same of a log of JSON lines, whose last line may have been cut, as where the power failed: what is left of a line that
 * `begins` so is dropped, any other is ended, so that what comes next stands in a line of its own.
 */
export async function trimLines(path: string, bytes: number, begins: string): Promise<number> {
  const size = await trimFile(path, bytes);
  if (size === 0) return 0;
  const file = await files.open(path, { read: true, write: true });
  try {
    const from = Math.max(0, size - LONGEST), tail = new Uint8Array(size - from);
    await file.seek(from, 0);
    for (let done = 0, n: number | null = 0; done < tail.length && n !== null; done += n ?? 0) {
      n = await file.read(tail.subarray(done));
    }
    if (tail[tail.length - 1] === NEWLINE) return size;
    const start = tail.lastIndexOf(NEWLINE) + 1, last = new TextDecoder().decode(tail.subarray(start));
    if ((last.startsWith(begins) || begins.startsWith(last)) && !isJson(last)) {
      await file.truncate(from + start);
      return from + start;
    }
    await file.seek(size, 0);
    await file.write(Uint8Array.of(NEWLINE));
    return size + 1;
  } finally {
    await file.close();
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
