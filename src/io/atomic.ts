/**
 * Files that are either there as a whole or not at all: written under another name, flushed to disk, then renamed.
 *
 * @module
 */
import { files, type HostFile } from "../base/host_files.ts";
import { dirname } from "../base/path.ts";

/** Writes `parts` one after the other to `path`, replacing what was there only once everything is on disk. */
export async function writeAtomic(path: string, parts: Iterable<Uint8Array>): Promise<void> {
  await files.mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    const file = await files.open(temporary, { write: true, createNew: true });
    try {
      for (const part of parts) await writeAll(file, part);
      await file.syncData();
    } finally {
      await file.close();
    }
    await files.rename(temporary, path);
  } catch (error) {
    await files.remove(temporary).catch(() => {}); // the first error is the one to report
    throw error;
  }
}

async function writeAll(file: HostFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) done += await file.write(bytes.subarray(done));
}
