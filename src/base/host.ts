/**
 * The runtime that this module runs in: Deno, Node, Bun or a browser.
 *
 * @module
 */
import { browserHost } from "./host_browser.ts";
import { denoHost } from "./host_deno.ts";
import { nodeHost } from "./host_node.ts";
import type { Host } from "./host_interface.ts";

export type { Host } from "./host_interface.ts";

function detect(): Host {
  const { Deno: deno, process: node } = globalThis as {
    Deno?: { version?: { deno?: string }; permissions?: object };
    process?: { versions?: { node?: string }; getBuiltinModule?: unknown };
  };
  if (deno?.version?.deno !== undefined && deno.permissions !== undefined) return denoHost();
  if (node?.versions?.node !== undefined && node.getBuiltinModule !== undefined) return nodeHost();
  return browserHost();
}

/** The runtime. */
export const host: Host = detect();
