/**
 * Checksums of what comes in pieces.
 *
 * @module
 */
import { host } from "./host.ts";
import type { Hash } from "./host_interface.ts";

export type { Hash } from "./host_interface.ts";

/** Starts one. The code behind it is loaded by the first call: most scripts never need it. */
export async function startHash(kind: "sha256" | "md5" = "sha256"): Promise<Hash> {
  return await host.startHash(kind);
}
