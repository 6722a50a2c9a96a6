/**
 * Deno's files.
 *
 * @module
 */
import type { HostFiles } from "./host_files_interface.ts";

/** Deno's own functions, almost. */
export function denoFiles(): HostFiles {
  return {
    movesFolders: true,
    readFile: Deno.readFile,
    readTextFile: Deno.readTextFile,
    writeFile: Deno.writeFile,
    writeTextFile: Deno.writeTextFile,
    stream: async (path) => (await Deno.open(path)).readable,
    open: Deno.open,
    stat: Deno.stat,
    lstat: Deno.lstat,
    mkdir: Deno.mkdir,
    readDir: Deno.readDir,
    rename: Deno.rename,
    remove: Deno.remove,
    realPath: Deno.realPath,
    link: Deno.link,
    symlink: Deno.symlink,
    flushFolder: async (path) => {
      if (Deno.build.os === "windows") return; // does without, and opens no folders
      const folder = await Deno.open(path);
      await folder.sync().finally(() => folder.close());
    },
    lock: async (path, { wait = false } = {}) => {
      const file = await Deno.open(path, { write: true, create: true });
      try {
        if (wait) await file.lock(true);
        else if (!await file.tryLock(true)) {
          file.close();
          return null;
        }
      } catch (error) {
        file.close();
        throw error;
      }
      return { release: () => file.close() };
    },
  };
}
