/**
 * Names of machines as they stand in addresses.
 *
 * @module
 */

/** Whether only programs of this machine reach `hostname`. */
export function isLoopback(hostname: string): boolean {
  const name = bareName(hostname);
  return name === "localhost" || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}

/** Without brackets and the last dot, in small letters. */
export function bareName(hostname: string): string {
  return hostname.toLowerCase().replace(/^\[|\]$/g, "").replace(/\.$/, "");
}
