/**
 * What the trial of an adapter settled, kept on disk: it is made once per adapter, and every later process computes the
 * same way, to the bit. The files may be deleted at any time.
 *
 * @module
 */
import { environment } from "../../base/environment.ts";
import { FAMILIES, type Family } from "./kernels/plan.ts";

/** To be raised when the trial or the kernels it chooses among change. */
const TRIAL = 1;

/**
 * The family that was settled for the adapter, or what `trial` finds. Without the permission to read and write the user's
 * folder of caches, each process makes its own trial; nothing is asked for.
 *
 * @param adapter Everything that is known of the adapter.
 */
export function settledFamily(adapter: string, trial: () => Family): Family {
  const folder = cacheFolder();
  if (folder === null) return trial();
  const known = JSON.stringify({
    trial: TRIAL,
    adapter,
    deno: Deno.version.deno,
    cores: navigator.hardwareConcurrency,
  });
  const path = `${folder}/adapter-${hash(known)}.json`;
  const kept = read(path, known);
  if (kept !== null) return kept;
  const family = trial();
  write(folder, path, `${JSON.stringify({ known, family })}\n`);
  return family;
}

/** Where caches of this module lie, if that may be known. */
function cacheFolder(): string | null {
  const own = Deno.build.os === "windows"
    ? ["LOCALAPPDATA", "anneal/cache"]
    : ["HOME", Deno.build.os === "darwin" ? "Library/Caches/anneal" : ".cache/anneal"];
  for (const [variable, name] of [["XDG_CACHE_HOME", "anneal"], own]) {
    const base = environment(variable);
    if (base) return `${base}/${name}`; // set to nothing is not set
  }
  return null;
}

function read(path: string, known: string): Family | null {
  if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return null;
  try {
    const kept: unknown = JSON.parse(Deno.readTextFileSync(path));
    if (typeof kept !== "object" || kept === null || !("known" in kept) || !("family" in kept)) return null;
    return kept.known === known ? FAMILIES.find((name) => name === kept.family) ?? null : null;
  } catch {
    return null; // not there, or not what this module writes
  }
}

function write(folder: string, path: string, text: string): void {
  if (Deno.permissions.querySync({ name: "write", path: folder }).state !== "granted") return;
  // whole or not at all, whatever else runs
  const part = `${path}.${crypto.randomUUID()}`;
  try {
    Deno.mkdirSync(folder, { recursive: true });
    Deno.writeTextFileSync(part, text);
    Deno.renameSync(part, path);
  } catch {
    // a cache that can't be written is none
  }
}

/** FNV-1a, 32 bits: names of files need no more. */
function hash(text: string): string {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h >>> 0).toString(16).padStart(8, "0");
}
