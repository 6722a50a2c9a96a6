/**
 * IDX files, the format of MNIST: a header of sizes, then bytes.
 *
 * @see https://yann.lecun.com/exdb/mnist/
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { files, isMissing, piecesOf } from "../base/host_files.ts";
import { DataError } from "../base/errors.ts";
import { checkPath } from "../base/options.ts";

/** Contents of an IDX file: u8, row-major. */
export interface IdxArray {
  /** Sizes, outermost first. */
  readonly shape: readonly number[];
  /** Elements, a view into the file's bytes. */
  readonly data: Uint8Array;
}

const U8 = 0x08;

/**
 * Reads an IDX file of unsigned bytes.
 *
 * @param bytes The whole file.
 * @param what The file's name, for errors.
 * @throws {DataError} If it is no IDX file, holds another type, or has more or fewer bytes than its sizes need.
 */
export function readIdx(bytes: Uint8Array, what: string): IdxArray {
  if (bytes.length < 4) {
    throw new DataError(`Cannot read ${what}: an IDX file has at least 4 bytes, got ${bytes.length}`);
  }
  const [zero0, zero1, dtype, rank] = bytes;
  if (zero0 !== 0 || zero1 !== 0) {
    const got = Array.from(bytes.subarray(0, 4), (b) => b.toString(16).padStart(2, "0")).join(" ");
    throw new DataError(`Cannot read ${what}: an IDX file starts with the bytes 00 00, got ${got}`);
  }
  if (dtype !== U8) {
    throw new DataError(`Cannot read ${what}: its elements must be unsigned bytes (type 8), got type ${dtype}`);
  }
  if (rank === 0) throw new DataError(`Cannot read ${what}: an IDX array has at least one axis, got none`);
  const header = 4 + 4 * rank;
  if (bytes.length < header) {
    throw new DataError(`Cannot read ${what}: the header of ${rank} axes has ${header} bytes, got ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const size = shape.reduce((n, length) => n * length, 1), data = bytes.subarray(header);
  if (data.length !== size) {
    throw new DataError(`Cannot read ${what}: an array of [${shape.join(", ")}] has ${size} bytes, got ${data.length}`);
  }
  return { shape, data };
}

/** See `loadIdx` of `readers.ts`. */
export async function loadIdx(path: string | URL): Promise<IdxArray> {
  const what = String(path);
  const bytes = await bytesAt(path);
  const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return readIdx(gzipped ? await gunzip(bytes, what) : bytes, what);
}

async function bytesAt(path: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  if (path instanceof URL && path.protocol !== "file:") {
    const response = await fetch(path).catch((cause) => {
      throw new DataError(`Cannot read ${path}: ${(cause as Error).message}`, { cause });
    });
    if (!response.ok) throw new DataError(`Cannot read ${path}: the server answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  }
  if (typeof path === "string") checkPath("read arrays", path);
  try {
    return await files.readFile(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new DataError(`Cannot read ${path}: there is no such file`, { cause: error });
  }
}

/** Bytes of the largest header: 255 axes. */
const MAX_HEADER = 4 + 4 * 255;

async function gunzip(bytes: Uint8Array<ArrayBuffer>, what: string): Promise<Uint8Array> {
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const parts: Uint8Array[] = [];
    let size = 0, limit = Infinity;
    for await (const part of piecesOf(stream)) {
      parts.push(part);
      size += part.byteLength;
      // a few bytes may unpack to any number of them: no more than the header promises are taken in
      if (limit === Infinity && size >= 4) limit = promised(joined(parts, Math.min(size, MAX_HEADER)));
      if (size > limit) throw new DataError(`Cannot read ${what}: it unpacks to more bytes than its sizes need`);
    }
    return joined(parts, size);
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`Cannot read ${what}: its gzip data is torn or damaged`, { cause: error });
  }
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part.subarray(0, size - at), at);
    at += Math.min(part.byteLength, size - at);
  }
  return all;
}

/** Bytes of the whole file by its header; Infinity while that is not there yet. What is no header is refused later. */
function promised(start: Uint8Array): number {
  const rank = start[3], header = 4 + 4 * rank;
  if (start.byteLength < header) return Infinity;
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  let size = 1;
  for (let i = 0; i < rank; i++) size *= view.getUint32(4 + 4 * i);
  return header + size;
}
