/** What the page remembers of a run over a reload: its settings, beside its checkpoints in the origin's own files. */

const FILE = "settings.json";

/** The settings of the run in a folder, and whether it was done; null where there is none. */
export async function savedRun(folder) {
  try {
    const root = await navigator.storage.getDirectory();
    const file = await (await root.getDirectoryHandle(folder)).getFileHandle(FILE);
    return JSON.parse(await (await file.getFile()).text());
  } catch {
    return null;
  }
}

/** Keeps them. */
export async function saveRun(folder, run) {
  const root = await navigator.storage.getDirectory();
  const file = await (await root.getDirectoryHandle(folder, { create: true })).getFileHandle(FILE, { create: true });
  const writer = await file.createWritable();
  await writer.write(JSON.stringify(run));
  await writer.close();
}

/** Removes a run and its checkpoints. */
export async function forgetRun(folder) {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry(folder, { recursive: true }).catch(() => {});
}
