/**
 * The environment of this process, read without ever prompting for a permission.
 *
 * @module
 */

/** Value of the variable; null where it is not set; undefined where reading it is not permitted. */
export function environment(variable: string): string | null | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) ?? null : undefined;
}
