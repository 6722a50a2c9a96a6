/**
 * Files that are either there as a whole or not at all: written under another name, flushed to disk, then renamed.
 *
 * @module
 */
import { AnnealError, CheckpointError } from "./errors.ts";
import { fileFault, files, type HostFile } from "./host_files.ts";
import { checkPath } from "./options.ts";
import { dirname } from "./path.ts";

/**
 * Writes `parts` one after the other to `path`, replacing what was there only once everything is on disk; folders that are
 * missing are made. Errors are the runtime's own; what was there is as it was.
 */
export async function replaceFile(path: string, parts: Iterable<Uint8Array>): Promise<void> {
  checkPath("write a file", path);
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  await files.mkdir(dirname(path), { recursive: true });
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

/** The same; it throws a {@link CheckpointError}, with the path and why. */
export async function writeAtomic(path: string, parts: Iterable<Uint8Array>): Promise<void> {
  try {
    await replaceFile(path, parts);
  } catch (error) {
    if (error instanceof AnnealError) throw error; // of what makes the parts
    throw new CheckpointError(`Cannot write ${path}: ${whyNot(error)}`, { cause: error });
  }
}

/** The same of a text, in UTF-8. */
export async function writeTextAtomic(path: string, text: string): Promise<void> {
  await writeAtomic(path, [new TextEncoder().encode(text)]);
}

async function writeAll(file: HostFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) done += await file.write(bytes.subarray(done));
}

/** Why a file could not be written, for whoever gave its path. */
export function whyNot(error: unknown): string {
  const fault = fileFault(error);
  if (fault === "folder") return "a folder lies in its place";
  if (fault === "no folder" || fault === "exists") return "a part of the path is no folder";
  return error instanceof Error ? error.message : String(error);
}
