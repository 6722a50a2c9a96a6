/**
 * Folders as one file: how a run that was begun in a browser goes on elsewhere, and the other way.
 *
 * @module
 */

/**
 * Packs a folder, such as that of a {@link Checkpoint}, into one file. Files whose names start with a dot are left out. A page
 * downloads it by `URL.createObjectURL`, and `tar` or {@link unpackFolder} unpacks it.
 *
 * @throws {DataError} If there is no file in it; whatever the runtime says where it cannot be read.
 */
export async function packFolder(folder: string): Promise<Blob> {
  const { packFolder } = await import("./tar.ts");
  return await packFolder(folder);
}

/**
 * Unpacks what {@link packFolder} packed into a folder, over what lies there.
 *
 * @throws {DataError} If it is no such archive, or has names that lead elsewhere; nothing is written then.
 */
export async function unpackFolder(archive: Blob | Uint8Array, folder: string): Promise<void> {
  const { unpackFolder } = await import("./tar.ts");
  await unpackFolder(archive, folder);
}
