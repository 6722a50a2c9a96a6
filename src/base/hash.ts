/**
 * Checksums of what comes in pieces.
 *
 * @module
 */

/** A checksum under way. */
export interface Hash {
  /** Takes more in: bytes as they lie, text as UTF-8. */
  update(data: ArrayBufferView | string): unknown;
  /** The checksum of all that was taken in, as hexadecimal digits. */
  digest(encoding: "hex"): string;
}

/** Starts one. The code behind it is loaded by the first call: most scripts never need it. */
export async function startHash(kind: "sha256" | "md5" = "sha256"): Promise<Hash> {
  const { createHash } = await import("node:crypto");
  return createHash(kind);
}
