/**
 * What the page remembers of a run over a reload: its settings, beside its checkpoints in the origin's own files; or in
 * the page's storage, where a browser lets only workers write files.
 */

const FILE = "settings.json";

/** Storage may be closed to pages: forgotten on reload, then. */
function remember(folder, text) {
  try {
    if (text === null) localStorage.removeItem(folder);
    else localStorage.setItem(folder, text);
  } catch {
    // as said
  }
}

async function read(folder) {
  try {
    const root = await navigator.storage.getDirectory();
    const file = await (await root.getDirectoryHandle(folder)).getFileHandle(FILE);
    return await (await file.getFile()).text();
  } catch {
    return localStorage.getItem(folder);
  }
}

/** The settings of the run in a folder, and whether it was done; null where there is none. */
export async function savedRun(folder) {
  try {
    return JSON.parse(await read(folder));
  } catch {
    return null;
  }
}

/** Keeps them. */
export async function saveRun(folder, run) {
  const text = JSON.stringify(run);
  try {
    const root = await navigator.storage.getDirectory();
    const file = await (await root.getDirectoryHandle(folder, { create: true })).getFileHandle(FILE, { create: true });
    const writer = await file.createWritable();
    await writer.write(text);
    await writer.close();
  } catch {
    remember(folder, text);
  }
}

/** Removes a run and its checkpoints. */
export async function forgetRun(folder) {
  remember(folder, null);
  const root = await navigator.storage.getDirectory();
  await root.removeEntry(folder, { recursive: true }).catch(() => {});
}
