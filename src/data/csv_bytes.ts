/**
 * The text of a file: unpacked, decoded, and refused where it is no text.
 *
 * @module
 */
import { host } from "../base/host.ts";
import { fileFault, files, isMissing, piecesOf } from "../base/host_files.ts";
import { ConfigError, DataError } from "../base/errors.ts";
import { checkPath, didYouMean } from "../base/options.ts";

/** How files of other kinds begin, and what to do with them. */
const OTHERS: readonly (readonly [start: string, what: string])[] = [
  ["PK\x03\x04", "a zip archive, as Excel's .xlsx is: save it as CSV, or unpack it"],
  ["PAR1", "a Parquet file: DataLoaders.fromTable and readParquet read it"],
  ["ARROW1", "an Arrow file: DataLoaders.fromTable and readArrow read it"],
  ["BZh", "packed by bzip2: unpack it, or pack it by gzip"],
  ["\xfd7zXZ", "packed by xz: unpack it, or pack it by gzip"],
  ["\x28\xb5\x2f\xfd", "packed by Zstandard: unpack it, or pack it by gzip"],
  ["\xd0\xcf\x11\xe0", "an old Office document, as Excel's .xls is: save it as CSV"],
  ["SQLite format", "an SQLite database: write the table as CSV"],
];

/** Spellings of other libraries, and the labels of the Encoding standard. */
const ALIASES: Readonly<Record<string, string>> = {
  "latin-1": "windows-1252",
  "latin_1": "windows-1252",
  "cp-1252": "windows-1252",
  "ansi": "windows-1252",
  "utf-8-sig": "utf-8",
  "utf_8": "utf-8",
  "utf_8_sig": "utf-8",
  "utf16": "utf-16",
  "mac-roman": "macintosh",
};
/** Labels to suggest; `TextDecoder` knows more. */
const COMMON = [
  "utf-8",
  "windows-1252",
  "latin1",
  "utf-16le",
  "utf-16be",
  "iso-8859-15",
  "windows-1250",
  "windows-1251",
]
  .concat("shift_jis", "euc-jp", "euc-kr", "gbk", "gb18030", "big5", "koi8-r", "macintosh");

/**
 * Reads text of an encoding, and throws where bytes do not fit.
 *
 * @throws ConfigError Where there is no such encoding.
 */
export function decoderOf(encoding: string): TextDecoder {
  const label = encoding.trim().toLowerCase();
  try {
    return new TextDecoder(ALIASES[label] ?? label, { fatal: true });
  } catch (cause) {
    throw new ConfigError(
      `Cannot read text as "${encoding}": the encodings are those of TextDecoder, such as ${COMMON.join(", ")}` +
        didYouMean(encoding, COMMON),
      { cause },
    );
  }
}

/**
 * The text of a file, piece by piece. What gzip packed is unpacked, whatever the file's name; UTF-16 is known by its
 * byte-order mark; a mark is no part of the text.
 *
 * @param encoding A label of `TextDecoder`; UTF-8 by default.
 * @throws DataError Where the file is missing or no text, or its bytes do not fit the encoding, with the line.
 */
export async function* textOf(file: string, encoding?: string): AsyncGenerator<string, void, undefined> {
  const given = encoding === undefined ? null : decoderOf(encoding);
  let decoder = given, line = 1, rest: Uint8Array = new Uint8Array(0);
  for await (const bytes of bytesOf(file)) {
    if (decoder === null) decoder = byMark(bytes);
    if (line === 1 && rest.length === 0) refuseOthers(file, bytes, decoder);
    let text: string;
    try {
      text = decoder.decode(bytes, { stream: true });
    } catch (cause) {
      throw undecoded(file, line, joined(rest, bytes), decoder.encoding, cause);
    }
    if (text !== "") yield text;
    const end = bytes.lastIndexOf(10);
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) line++;
    rest = end >= 0 ? bytes.slice(end + 1) : rest.length < 1 << 16 ? joined(rest, bytes) : rest;
  }
  try {
    const text = decoder?.decode() ?? "";
    if (text !== "") yield text;
  } catch (cause) {
    throw undecoded(file, line, rest, decoder!.encoding, cause);
  }
}

/** Reads UTF-16 where its byte-order mark is, else UTF-8. */
export function byMark([a, b]: Uint8Array): TextDecoder {
  if (a === 0xff && b === 0xfe) return decoderOf("utf-16le");
  return decoderOf(a === 0xfe && b === 0xff ? "utf-16be" : "utf-8");
}

function refuseOthers(file: string, bytes: Uint8Array, decoder: TextDecoder): void {
  const start = String.fromCharCode(...bytes.subarray(0, 16));
  const other = OTHERS.find(([begin]) => start.startsWith(begin));
  if (other !== undefined) throw new DataError(`Cannot read ${file}: it is ${other[1]}`);
  refuseZeros(file, bytes, decoder);
}

/** Refuses bytes that are no text, or UTF-16 without a mark. */
export function refuseZeros(file: string | URL, bytes: Uint8Array, { encoding }: TextDecoder): void {
  if (encoding.startsWith("utf-16") || !bytes.subarray(0, 4096).includes(0)) return;
  throw new DataError(
    `Cannot read ${file}: it holds zero bytes, as no ${encoding} text does; ` +
      `give encoding: "utf-16le" if it is UTF-16, as Excel's "Unicode text" is`,
  );
}

/** The error for bytes that do not fit; `bytes` begin with line `first`. */
function undecoded(file: string, first: number, bytes: Uint8Array, encoding: string, cause: unknown): DataError {
  let line = first;
  for (let from = 0; from < bytes.length && !encoding.startsWith("utf-16"); line++) {
    const end = bytes.indexOf(10, from), part = bytes.subarray(from, end < 0 ? bytes.length : end);
    try {
      new TextDecoder(encoding, { fatal: true }).decode(part);
    } catch {
      break;
    }
    if (end < 0) break;
    from = end + 1;
  }
  return new DataError(
    `Cannot read ${file}:${line}: its bytes are no ${encoding === "utf-8" ? "UTF-8" : encoding}; ` +
      `give its encoding, as in encoding: "windows-1252" (Latin-1), or save it as UTF-8`,
    { cause },
  );
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

async function* bytesOf(file: string): AsyncGenerator<Uint8Array, void, undefined> {
  checkPath("read a table", file);
  const head = new Uint8Array(2);
  try {
    const start = await files.open(file);
    try {
      await start.read(head);
    } finally {
      await start.close();
    }
    const pieces = piecesOf(await files.stream(file));
    yield* head[0] === 0x1f && head[1] === 0x8b ? host.gunzip(pieces) : pieces;
  } catch (cause) {
    const why = isMissing(cause)
      ? "there is no such file"
      : fileFault(cause) === "folder"
      ? "it is a folder"
      : (cause as Error).message;
    throw new DataError(`Cannot read ${file}: ${why}`, { cause });
  }
}
