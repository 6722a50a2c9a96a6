/**
 * Damage: files as accidents and attackers leave them.
 *
 * @module
 */
import type { Rng } from "../../src/tensor/mod.ts";

/** Texts that parsers stumble over. */
const TOKENS = [
  "__proto__",
  "constructor",
  "1e400",
  "-1",
  "-0",
  "0.5",
  "null",
  "true",
  "[]",
  "{}",
  '""',
  "9007199254740993",
  "4294967296",
  "NaN",
  "../../etc/passwd",
  '{"__proto__":{"polluted":1}}',
  "[".repeat(2000),
  '{"a":'.repeat(500),
  "\\u0000",
  "\uFFFD",
  "1".repeat(400),
];

/** One or a few random changes of `bytes`; where it is text, often at its numbers, names and strings. */
export function mutate(bytes: Uint8Array, rng: Rng, { text = false }: { readonly text?: boolean } = {}): Uint8Array {
  let out = bytes;
  for (let n = 1 + rng.integer(3); n > 0; n--) {
    out = text && rng.uniform() < 0.7 ? mutateText(out, rng) : mutateBytes(out, rng);
  }
  return out;
}

function mutateBytes(bytes: Uint8Array, rng: Rng): Uint8Array {
  const out = bytes.slice();
  const at = bytes.length === 0 ? 0 : rng.integer(bytes.length);
  const length = Math.min(bytes.length - at, 1 + rng.integer(64));
  const noise = Uint8Array.from({ length: 1 + rng.integer(16) }, () => rng.integer(256));
  switch (rng.integer(8)) {
    case 0:
      if (out.length > 0) out[at] ^= 1 << rng.integer(8);
      return out;
    case 1:
      if (out.length > 0) out[at] = [0, 1, 0x7f, 0x80, 0xff][rng.integer(5)];
      return out;
    case 2: // torn
      return out.slice(0, at);
    case 3:
      return concat(out, noise);
    case 4:
      return concat(out.subarray(0, at), out.subarray(at + length));
    case 5:
      return concat(out.subarray(0, at), noise, out.subarray(at));
    case 6:
      return concat(out.subarray(0, at + length), out.subarray(at));
    default: // the sizes and lengths that stand in front
      out.set(noise.subarray(0, Math.min(out.length, 4)), Math.min(Math.max(0, out.length - 4), rng.integer(12)));
      return out;
  }
}

function mutateText(bytes: Uint8Array, rng: Rng): Uint8Array {
  const text = new TextDecoder().decode(bytes);
  const places = [...text.matchAll(/-?\d+(\.\d+)?|"[^"]*"|true|false|null/g)];
  if (places.length === 0) return mutateBytes(bytes, rng);
  const { 0: old, index } = places[rng.integer(places.length)];
  const token = TOKENS[rng.integer(TOKENS.length)];
  const other = places[rng.integer(places.length)][0];
  const quoted = old.startsWith('"') && rng.uniform() < 0.6 ? JSON.stringify(token) : token;
  const next = rng.uniform() < 0.3 ? other : quoted;
  return new TextEncoder().encode(text.slice(0, index) + next + text.slice(index + old.length));
}

function concat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}
