/**
 * Small texts in the user's cache folder, for runtimes with files.
 *
 * @module
 */
import type { Host, TextCache } from "./host_interface.ts";

/** Files, without waiting. */
export interface SyncFiles {
  read(path: string): string;
  /** Whole or not at all. */
  write(folder: string, path: string, text: string): void;
}

/** The cache; null where its folder cannot be known. The files in it may be deleted at any time. */
export function folderCache({ os, environment }: Pick<Host, "os" | "environment">, files: SyncFiles): TextCache | null {
  const own = os === "windows"
    ? ["LOCALAPPDATA", "anneal/cache"]
    : ["HOME", os === "darwin" ? "Library/Caches/anneal" : ".cache/anneal"];
  for (const [variable, name] of [["XDG_CACHE_HOME", "anneal"], own]) {
    const base = environment(variable);
    if (base) return inFolder(`${base}/${name}`, files); // set to nothing is not set
  }
  return null;
}

function inFolder(folder: string, files: SyncFiles): TextCache {
  return {
    ready: () => Promise.resolve(),
    read: (name) => {
      try {
        return files.read(`${folder}/${name}`);
      } catch {
        return null; // not there, or not to be read
      }
    },
    write: (name, text) => {
      try {
        files.write(folder, `${folder}/${name}`, text);
      } catch {
        // a cache that can't be written is none
      }
    },
  };
}
