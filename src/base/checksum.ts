/**
 * Checksums by FNV-1a: they tell values apart, and keep nothing secret.
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
