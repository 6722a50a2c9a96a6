/**
 * What the trial of an adapter settled, kept on disk: it is made once per adapter, and every later process computes the
 * same way, to the bit. The files may be deleted at any time.
 *
 * @module
 */
import { environment } from "../../base/environment.ts";
import { textHash } from "../../base/checksum.ts";
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
  const known = knownOf({ trial: TRIAL, adapter });
  const kept = read(known, "family");
  const family = FAMILIES.find((name) => name === kept);
  if (family !== undefined) return family;
  const found = trial();
  write(known, { family: found });
  return found;
}

/**
 * What the adapter computes wrong: nothing, where it was found sound before by the same test, else what `trial` finds. A
 * fault is never kept: drivers are mended.
 *
 * @param test Everything that the test consists of.
 */
export async function settledFaults(adapter: string, test: string, trial: () => Promise<string[]>): Promise<string[]> {
  const known = knownOf({ test: textHash(test), adapter });
  if (read(known, "sound") === true) return [];
  const faults = await trial();
  if (faults.length === 0) write(known, { sound: true });
  return faults;
}

function knownOf(facts: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...facts, deno: Deno.version.deno, cores: navigator.hardwareConcurrency });
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

function pathIn(folder: string, known: string): string {
  return `${folder}/adapter-${textHash(known)}.json`;
}

/** What is kept under `name` where all of `known` is the same; undefined if nothing is. */
function read(known: string, name: string): unknown {
  const folder = cacheFolder();
  if (folder === null) return undefined;
  const path = pathIn(folder, known);
  if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return undefined;
  try {
    const kept: unknown = JSON.parse(Deno.readTextFileSync(path));
    if (typeof kept !== "object" || kept === null || !("known" in kept) || kept.known !== known) return undefined;
    return Object.entries(kept).find(([key]) => key === name)?.[1];
  } catch {
    return undefined; // not there, or not what this module writes
  }
}

function write(known: string, facts: Readonly<Record<string, unknown>>): void {
  const folder = cacheFolder();
  if (folder === null || Deno.permissions.querySync({ name: "write", path: folder }).state !== "granted") return;
  const path = pathIn(folder, known);
  // whole or not at all, whatever else runs
  const part = `${path}.${crypto.randomUUID()}`;
  try {
    Deno.mkdirSync(folder, { recursive: true });
    Deno.writeTextFileSync(part, `${JSON.stringify({ known, ...facts })}\n`);
    Deno.renameSync(part, path);
  } catch {
    // a cache that can't be written is none
  }
}
