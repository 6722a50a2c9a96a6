/**
 * Checksums of arrays that lie on the device.
 *
 * @module
 */
import { startHash } from "../base/hash.ts";
import { eventLoopTurn } from "../base/turn.ts";
import { numbersOnHost, partOf, readAll, type Tensor } from "../tensor/mod.ts";

/** Bytes of an array that is read whole. */
const WHOLE_BYTES = 256 << 20;
/** Of larger ones this many pieces are read, of this many elements, spread evenly from the first to the last. */
const PIECES = 512, PIECE = 1 << 15;
/** Elements that are on the host at the same time. */
const AT_ONCE = 1 << 22;

/** A checksum of a realized tensor's elements, as they lie: 16 hexadecimal digits. */
export async function contentHash(t: Tensor, { wholeBytes = WHOLE_BYTES } = {}): Promise<string> {
  const { size, dtype } = t;
  const bytes = size * (dtype === "u8" ? 1 : 4);
  const hash = await startHash();
  const take = async (pieces: readonly (readonly [from: number, n: number])[]): Promise<void> => {
    const onHost = pieces.map(([from, n]) => numbersOnHost(t, from, n)); // not uploaded for this
    const parts = onHost.every((part) => part !== null)
      ? onHost
      : await readAll(pieces.map(([from, n]) => partOf(t, from, n)));
    for (const values of parts) hash.update(values);
    await eventLoopTurn();
  };
  if (bytes <= wholeBytes || size <= PIECES * PIECE) {
    for (let from = 0; from < size; from += AT_ONCE) await take([[from, Math.min(AT_ONCE, size - from)]]);
    return hash.digest("hex").slice(0, 16);
  }
  for (let i = 0; i < PIECES; i += 64) {
    const starts = Array.from({ length: 64 }, (_, k) => Math.floor((i + k) / (PIECES - 1) * (size - PIECE) / 4) * 4);
    await take(starts.map((from) => [from, PIECE]));
  }
  await take([[size - PIECE, PIECE]]); // starts are multiples of 4
  return hash.digest("hex").slice(0, 16);
}
