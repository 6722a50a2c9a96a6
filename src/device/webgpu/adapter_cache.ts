/**
 * A cache on disk of what has been measured of an adapter: the trial runs once per adapter, and every later process chooses
 * the same kernels, hence computes the same bits. The files may be deleted at any time.
 *
 * @module
 */
import { host } from "../../base/host.ts";
import { textHash } from "../../base/checksum.ts";
import { type KernelStrategy, STRATEGIES } from "./kernels/plan.ts";
import { CLASSES, KINDS, type Tuning } from "./kernels/tiles.ts";

/** To be raised when the trial or the kernels it chooses among change. */
const TRIAL = 2;
/** To be raised when classes of shapes change, or how they are tried. */
const TUNING = 2;

/**
 * The cached kernel strategy of the adapter, or what `trial` finds. Without the permission to read and write the user's
 * cache folder, each process runs its own trial; no permission is requested.
 *
 * @param adapter Everything that is known of the adapter.
 */
export async function cachedStrategy(adapter: string, trial: () => Promise<KernelStrategy>): Promise<KernelStrategy> {
  await host.cache()?.ready();
  const known = knownOf({ trial: TRIAL, adapter });
  const kept = read(known, "strategy");
  const strategy = STRATEGIES.find((name) => name === kept);
  if (strategy !== undefined) return strategy;
  const found = await trial();
  write(known, { strategy: found });
  return found;
}

/**
 * What the adapter computes wrong: nothing, where it has passed the same test before, else what `trial` finds. A failure is
 * never cached: drivers get fixed.
 *
 * @param test Everything that the test consists of.
 */
export async function cachedFaults(adapter: string, test: string, trial: () => Promise<string[]>): Promise<string[]> {
  await host.cache()?.ready();
  const known = knownOf({ test: textHash(test), adapter });
  if (read(known, "sound") === true) return [];
  const faults = await trial();
  if (faults.length === 0) write(known, { sound: true });
  return faults;
}

/** What a tuning is found among. */
export interface Tried {
  /** Names of the tilings. */
  readonly names: readonly string[];
  /** What tells their kernels from those of other versions. */
  readonly kernels: string;
}

/** The cached tuning of the adapter, or what `trial` finds; see {@link cachedStrategy}. */
export async function cachedTuning(
  adapter: string,
  { names, kernels }: Tried,
  trial: () => Promise<Tuning>,
): Promise<Tuning> {
  await host.cache()?.ready();
  const known = knownOf({ tuning: TUNING, adapter, names, kernels });
  const kept = read(known, "tuning");
  if (isTuning(kept, names)) return kept;
  const found = await trial();
  write(known, { tuning: found });
  return found;
}

function knownOf(facts: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...facts, runtime: host.name, cores: host.processors });
}

function nameOf(known: string): string {
  return `adapter-${textHash(known)}.json`;
}

/** The entry `name` of the cached text, if all of `known` matches; undefined otherwise. */
function read(known: string, name: string): unknown {
  try {
    const kept: unknown = JSON.parse(host.cache()?.read(nameOf(known)) ?? "null");
    if (typeof kept !== "object" || kept === null || !("known" in kept) || kept.known !== known) return undefined;
    return Object.entries(kept).find(([key]) => key === name)?.[1];
  } catch {
    return undefined; // not what this module writes
  }
}

function write(known: string, facts: Readonly<Record<string, unknown>>): void {
  host.cache()?.write(nameOf(known), `${JSON.stringify({ known, ...facts })}\n`);
}

/** Whether `value` is a {@link Tuning}, as it comes from a file, of tilings among `names`. */
export function isTuning(value: unknown, names: readonly string[]): value is Tuning {
  if (!isRecord(value) || (value.strategy !== "shared" && value.strategy !== "tiled")) return false;
  const { tilings } = value;
  return isRecord(tilings) && KINDS.every((kind) => {
    const named = tilings[kind];
    return isRecord(named) && CLASSES.every((shape) => names.includes(String(named[shape])));
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
