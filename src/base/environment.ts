/**
 * The environment of this process, read without ever prompting for a permission.
 *
 * @module
 */
import { host } from "./host.ts";

/** Value of the variable; null where it is not set; undefined where there is none, or reading it is not permitted. */
export function environment(variable: string): string | null | undefined {
  return host.environment(variable);
}
