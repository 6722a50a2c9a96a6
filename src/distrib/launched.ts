/**
 * Whether this process was started with others; only then the code for that is loaded, which pages never do.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { host } from "../base/host.ts";
import { launchOf } from "../base/launch.ts";
import type { World } from "./world.ts";

/** What processes of a run need; null in one that was started alone. */
export const parts: typeof import("./parts.ts") | null = launchOf() === null ? null : await import("./parts.ts");

/**
 * The processes of the run; null for one that was started alone.
 *
 * @throws ConfigError where there cannot be others, or a permission or MPI's library is missing.
 */
export function openWorld(): World | null {
  if (host.kind === "browser") {
    throw new ConfigError("Cannot train in several processes: a page has no MPI, leave distributed() out there");
  }
  const launch = launchOf({ insist: true });
  if (launch === null) return null;
  if (host.kind !== "deno") {
    throw new ConfigError("Cannot train in several processes: MPI needs Deno, run the script with it");
  }
  return parts!.World.open(launch);
}
