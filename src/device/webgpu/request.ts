/**
 * Asks the runtime for an adapter.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { host } from "../../base/host.ts";

/** How an adapter is asked for. */
export interface AdapterRequest {
  /** Which WebGPU; the runtime's own by default. */
  readonly gpu?: GPU;
  readonly powerPreference?: GPUPowerPreference;
  /** Threads that a driver without a GPU is to use; see {@link chooseThreads}. */
  readonly threads?: number;
}

/**
 * An adapter, or null where there is none or no WebGPU.
 *
 * @throws {ConfigError} If the driver can't be given that number of threads.
 */
export async function requestAdapter(
  { gpu = host.gpu, powerPreference, threads }: AdapterRequest = {},
): Promise<GPUAdapter | null> {
  if (gpu === undefined) return null;
  held.add(gpu);
  const restore = [chooseThreads(threads), silenceLoader()];
  try {
    return await gpu.requestAdapter(powerPreference === undefined ? {} : { powerPreference });
  } finally {
    restore.forEach((undo) => undo());
  }
}

/** Kept for good: Dawn's devices fault once the object they came from has been collected. */
const held = new Set<GPU>();

/** Read by Mesa's software adapter, once in a process; "0" computes without threads of its own. */
const THREADS = "LP_NUM_THREADS";
/** Processors up to which threads are more than those. */
const FEW_PROCESSORS = 8;

/** What the driver of this process was started with: the user's own choice, this module's, or nothing. */
let started: { readonly value: string | undefined } | null = null;

/**
 * Gives Mesa's software adapter a number of threads. It shares a kernel out among them in equal parts, so that one that the
 * system holds up holds up all: with two for a processor the others go on meanwhile. One thread is the driver's own, which
 * nobody has to wake: for steps that take less than waking does. What the user has set stands.
 *
 * @returns Puts the environment back, which other processes inherit.
 */
function chooseThreads(threads: number | undefined): () => void {
  const nothing = () => {};
  if (host.os !== "linux") return nothing;
  const own = host.environment(THREADS);
  const permitted = own !== undefined;
  if (threads !== undefined && !permitted) {
    throw new ConfigError(
      `Cannot give the driver ${threads} threads: it reads them from the environment, run again with --allow-env=${THREADS}`,
    );
  }
  const processors = host.processors;
  const wanted = threads ?? (processors > 1 && processors <= FEW_PROCESSORS ? 2 * processors : undefined);
  const value = wanted === 1 ? "0" : wanted?.toString();
  if (started === null) {
    started = { value: own ?? (permitted ? value : undefined) };
    if (own === null && value !== undefined) {
      host.setEnvironment(THREADS, value);
      return () => host.setEnvironment(THREADS, null);
    }
  }
  if (threads === undefined || started.value === value) return nothing;
  throw new ConfigError(
    `Cannot give the driver ${threads} threads: it has been started with ${THREADS}=${started.value ?? "unset"}, and ` +
      "reads that once in a process; choose before anything else asks for an adapter",
  );
}

const RUNTIME_DIR = "XDG_RUNTIME_DIR";

/** How many requests are in flight with a folder that is not the user's, and what the user has set. */
const silenced: { requests: number; own: string | null } = { requests: 0, own: null };

/**
 * Keeps the Vulkan loader's drivers from printing an "error" to the terminal where this variable, which they look for a
 * display server by, is missing, as in most containers, or not an absolute path. Computing needs no display: any folder will
 * do. Without the permission to set the variable, the line stays.
 *
 * @returns Restores what the user has set, once no request is in flight.
 */
function silenceLoader(): () => void {
  if (host.os !== "linux") return () => {};
  const own = host.environment(RUNTIME_DIR);
  if (own === undefined || (silenced.requests === 0 && own?.startsWith("/"))) return () => {};
  if (silenced.requests++ === 0) {
    silenced.own = own;
    host.setEnvironment(RUNTIME_DIR, "/tmp");
  }
  return () => {
    if (--silenced.requests > 0) return;
    host.setEnvironment(RUNTIME_DIR, silenced.own);
  };
}

/** Whether the WGSL of `gpu` has what goes by this name. */
export function hasLanguageFeature(gpu: GPU, name: string): boolean {
  const features = "wgslLanguageFeatures" in gpu ? gpu.wgslLanguageFeatures : null;
  return typeof features === "object" && features !== null && "has" in features && typeof features.has === "function" &&
    features.has(name) === true;
}
