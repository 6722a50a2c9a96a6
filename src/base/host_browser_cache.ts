/**
 * Small texts in a browser's own file system (OPFS), which pages and workers of an origin share.
 *
 * @module
 */
import type { TextCache } from "./host_interface.ts";

/** Folder of the texts. */
const FOLDER = "anneal-cache";

/** What is used of a folder. */
interface Folder {
  getDirectoryHandle(name: string, options: { readonly create: boolean }): Promise<Folder>;
  getFileHandle(name: string, options: { readonly create: boolean }): Promise<TextFile>;
  values(): AsyncIterable<{ readonly kind: "file" | "directory"; readonly name: string } & TextFile>;
}

interface TextFile {
  getFile(): Promise<Blob>;
  createWritable(): Promise<{ write(text: string): Promise<void>; close(): Promise<void> }>;
}

/** The cache; null where the browser has no file system of its own, as on pages that are not secure. */
export function browserCache(): TextCache | null {
  const { storage } = navigator as { storage?: { getDirectory?(): Promise<unknown> } };
  if (storage?.getDirectory === undefined) return null;
  const texts = new Map<string, string>();
  const open = async (): Promise<Folder> => {
    const root = await storage.getDirectory!() as Folder;
    return await root.getDirectoryHandle(FOLDER, { create: true });
  };
  const load = async (): Promise<void> => {
    for await (const entry of (await open()).values()) {
      if (entry.kind === "file") texts.set(entry.name, await (await entry.getFile()).text());
    }
  };
  const save = async (name: string, text: string): Promise<void> => {
    const file = await (await open()).getFileHandle(name, { create: true });
    const writable = await file.createWritable(); // takes the old file's place when it is closed
    await writable.write(text);
    await writable.close();
  };
  let loaded: Promise<void> | null = null;
  return {
    ready: () => loaded ??= load().catch(() => {}), // private windows have none
    read: (name) => texts.get(name) ?? null,
    write: (name, text) => {
      texts.set(name, text);
      save(name, text).catch(() => {}); // a cache that can't be written is none
    },
  };
}
