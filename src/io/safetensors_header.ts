/**
 * The header of a safetensors file: which tensors it holds and where, checked as strictly as the format's own parser does;
 * a key twice is refused, too. Fields that the format does not name are passed over, as there.
 *
 * @module
 * @see https://huggingface.co/docs/safetensors
 */
import { DataError } from "../base/errors.ts";
import { nestedDeeper } from "./json_depth.ts";

/** Element types of the format that can be read. */
export type FileDtype =
  | "F64"
  | "F32"
  | "F16"
  | "BF16"
  | "I64"
  | "I32"
  | "I16"
  | "I8"
  | "U64"
  | "U32"
  | "U16"
  | "U8"
  | "BOOL";

/** Bytes of one element. */
export const FILE_DTYPE_BYTES: Readonly<Record<FileDtype, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
};

/** Sizes of types that the format knows and this library does not read, in bits. Of others, newer ones, it is not known. */
const OTHER_BITS: Readonly<Record<string, number>> = {
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  C64: 64,
};

/** Where a tensor lies. */
export interface FileEntry {
  /** As written in the file; reading fails for types other than {@link FileDtype}. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte and the byte after the last, counted from the start of the file. */
  readonly start: number;
  readonly end: number;
}

/** The header of a file. */
export interface FileHeader {
  readonly entries: ReadonlyMap<string, FileEntry>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Longest header that is accepted, in bytes; the format's own limit. */
const MAX_HEADER_BYTES = 100_000_000;
/** Deepest nesting of a header. The entries, one of them and its shape take 3; fields that others add may have more. */
const MAX_DEPTH = 32;

/** Length of the header, from the first 8 bytes of a file of `fileBytes` bytes. */
export function headerLength(first: Uint8Array, fileBytes: number, what: string): number {
  if (first.byteLength < 8) throw broken(what, `it has ${fileBytes} bytes, less than the 8 of the header's length`);
  const length = new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw broken(what, `its header would have ${length} bytes, more than ${MAX_HEADER_BYTES}`);
  }
  if (8 + Number(length) > fileBytes) {
    throw broken(what, `its header would have ${length} bytes, but the file has only ${fileBytes}`);
  }
  return Number(length);
}

/** Reads the header's text; `fileBytes` is the size of the whole file. */
export async function parseHeader(text: Uint8Array, fileBytes: number, what: string): Promise<FileHeader> {
  let json: string;
  try {
    json = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text);
  } catch {
    throw broken(what, "its header is not UTF-8 text");
  }
  if (!json.startsWith("{")) throw broken(what, "its header does not begin with {");
  if (nestedDeeper(json, MAX_DEPTH)) throw broken(what, "its header is nested too deeply");
  await checkKeys(json, what);
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    throw broken(what, `its header is not JSON (${(error as Error).message})`);
  }
  const entries = new Map<string, FileEntry>();
  const metadata = new Map<string, string>();
  const base = 8 + text.byteLength;
  for (const [name, value] of Object.entries(parsed as Record<string, unknown>)) {
    if (name === "__metadata__") {
      if (value === null) continue; // as good as none
      if (!isRecord(value)) throw broken(what, "its __metadata__ is not an object");
      for (const [key, entry] of Object.entries(value)) {
        if (typeof entry !== "string") throw broken(what, `its metadata ${JSON.stringify(key)} is not a string`);
        metadata.set(key, entry);
      }
    } else entries.set(name, entryOf(name, value, base, what));
  }
  checkLayout(entries, base, fileBytes, what);
  return { entries, metadata };
}

/** `JSON.parse` keeps the last of equal keys; here they are an error. */
async function checkKeys(json: string, what: string): Promise<void> {
  const { visit } = await import("jsonc-parser");
  const open: Set<string>[] = [];
  let fault: string | null = null;
  visit(json, {
    onObjectBegin: () => {
      open.push(new Set());
    },
    onObjectEnd: () => {
      open.pop();
    },
    onObjectProperty: (key) => {
      const seen = open[open.length - 1];
      if (seen.has(key)) fault ??= `its header has the key ${JSON.stringify(key)} twice`;
      seen.add(key);
    },
  }, { disallowComments: true });
  if (fault !== null) throw broken(what, fault);
}

function entryOf(name: string, value: unknown, base: number, what: string): FileEntry {
  const fail = (why: string) => broken(what, `tensor ${JSON.stringify(name)} ${why}`);
  if (!isRecord(value)) throw fail("is not described by an object");
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string") throw fail("has no dtype");
  if (!isSizes(shape)) throw fail("has no shape of whole numbers");
  if (!isSizes(offsets) || offsets.length !== 2) throw fail("has no data_offsets of two whole numbers");
  const [start, end] = offsets;
  if (end < start) throw fail(`ends at ${end}, before its start at ${start}`);
  const width = Object.hasOwn(FILE_DTYPE_BYTES, dtype)
    ? FILE_DTYPE_BYTES[dtype as FileDtype] * 8
    : Object.hasOwn(OTHER_BITS, dtype)
    ? OTHER_BITS[dtype]
    : null;
  let bits = width ?? 1;
  for (const n of shape) {
    bits *= n;
    if (!Number.isSafeInteger(bits)) throw fail(`has the impossible shape [${shape}]`);
  }
  const bytes = shape.includes(0) ? 0 : bits / 8;
  if (width !== null && end - start !== bytes) {
    throw fail(`takes ${end - start} bytes, but ${dtype} of shape [${shape}] takes ${bytes}`);
  }
  return { dtype, shape, start: base + start, end: base + end };
}

/** Tensors follow each other without gap or overlap, and fill the file. */
function checkLayout(entries: ReadonlyMap<string, FileEntry>, base: number, fileBytes: number, what: string): void {
  const byStart = [...entries].sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
  let at = base;
  for (const [name, { start, end }] of byStart) {
    if (start !== at) {
      const how = start < at ? "overlaps the one before it" : "leaves a gap before it";
      throw broken(
        what,
        `tensor ${JSON.stringify(name)} starts at byte ${start - base} and ${how}, expected ${at - base}`,
      );
    }
    at = end;
  }
  if (at !== fileBytes) {
    throw broken(what, `its tensors end at byte ${at}, but it has ${fileBytes}: it was cut or something was added`);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function broken(what: string, why: string): DataError {
  return new DataError(`Cannot read ${what} as safetensors: ${why}`);
}
