/**
 * Checksums: they tell values apart or damaged, and keep nothing secret.
 *
 * @module
 */

const OFFSET_BASIS = 0x811c9dc5, PRIME = 0x01000193;

/** A checksum of 32-bit words, 32 bits: FNV-1a word by word, with the high bits mixed in. */
export function hashWords(words: Uint32Array, seed: number = OFFSET_BASIS): number {
  let h = seed;
  for (let i = 0; i < words.length; i++) h = Math.imul(h ^ words[i], PRIME) ^ (h >>> 15);
  return h >>> 0;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** The CRC-32 of bytes, as PNG and zip have it. */
export function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) c = CRC_TABLE[(c ^ bytes[i]) & 0xff] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** A checksum of text: FNV-1a in two halves, 16 hexadecimal digits. */
export function textHash(text: string): string {
  let a = OFFSET_BASIS, b = PRIME;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    a = Math.imul(a ^ c, PRIME);
    b = Math.imul(b ^ (c + i), 0x85ebca6b);
  }
  const hex = (n: number) => (n >>> 0).toString(16).padStart(8, "0");
  return hex(a) + hex(b);
}
