/**
 * Texts as numbers.
 *
 * @module
 */
import { eventLoopTurn } from "../../base/turn.ts";
import { startHash } from "../../base/hash.ts";
import { DataError } from "../../base/errors.ts";
import type { EncodeOptions, Tokenizer } from "../tokenizer.ts";

/** Characters that are encoded before others have a turn. */
const AT_ONCE = 1 << 20;

/**
 * The numbers of texts. One without any, such as an empty one of a tokenizer that puts nothing at the ends, gets the number
 * of an end, so that nothing is a mean of nothing.
 *
 * @throws DataError Where one is no string; it is named by its place.
 */
export async function encodeAll(
  tokenizer: Tokenizer,
  texts: readonly string[],
  options: EncodeOptions = {},
): Promise<Int32Array[]> {
  const out: Int32Array[] = [];
  let since = 0;
  for (const [i, text] of texts.entries()) {
    if (typeof text !== "string") {
      throw new DataError(
        `Cannot use text ${i}, counted from 0: it is no string, got ${text === null ? "null" : typeof text}`,
      );
    }
    const ids = tokenizer.encode(text, options);
    out.push(ids.length > 0 ? ids : Int32Array.of(tokenizer.eosId ?? tokenizer.bosId ?? tokenizer.padId));
    if ((since += text.length) < AT_ONCE) continue;
    since = 0;
    await eventLoopTurn();
  }
  return out;
}

/** A checksum of numbers and where each text ends: 16 hexadecimal digits. */
export async function listsHash(lists: readonly Int32Array[]): Promise<string> {
  const hash = await startHash();
  hash.update(Int32Array.from(lists, ({ length }) => length));
  for (const list of lists) hash.update(list);
  return hash.digest("hex").slice(0, 16);
}
