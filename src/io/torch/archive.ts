/**
 * Archives that PyTorch writes: zip files whose entries are stored as they are, so that any part of one can be read alone.
 *
 * @module
 */
import { crc32 } from "../../base/checksum.ts";
import { DataError } from "../../base/errors.ts";
import type { FileRanges as Source } from "../../base/file_ranges.ts";

interface Entry {
  readonly name: string;
  /** Where its header begins. */
  readonly at: number;
  readonly size: number;
  readonly crc: number;
  /** Why its bytes are not what it holds; null where they are. */
  readonly packed: string | null;
}

/** Bytes of an entry's own header before its name. */
const HEADER = 30;

/** An open archive. */
export class Archive {
  readonly #source: Source;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #checked = new Set<string>();

  private constructor(source: Source, entries: ReadonlyMap<string, Entry>) {
    this.#source = source;
    this.#entries = entries;
  }

  /** Reads the directory of a zip file. */
  static async open(source: Source): Promise<Archive> {
    const { Reader, ZipReader } = await import("@zip.js/zip.js");
    class Ranges extends Reader<Source> {
      override size = source.size;
      override async readUint8Array(at: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
        return await source.range(at, Math.min(at + length, source.size)) as Uint8Array<ArrayBuffer>;
      }
    }
    const zip = new ZipReader(new Ranges(source), { useWebWorkers: false });
    const entries = new Map<string, Entry>();
    try {
      for await (const entry of zip.getEntriesGenerator()) {
        const { filename: name, encrypted, compressionMethod, compressedSize, uncompressedSize, offset, signature } =
          entry;
        if (entry.directory) continue;
        if (entries.has(name)) throw broken(source, `it has the entry ${JSON.stringify(name)} twice`);
        if (!(offset >= 0 && compressedSize >= 0 && offset + HEADER + compressedSize <= source.size)) {
          throw broken(source, `its entry ${JSON.stringify(name)} goes beyond its end: it was cut`);
        }
        const packed = encrypted
          ? "encrypted"
          : compressionMethod === 0 && compressedSize === uncompressedSize
          ? null
          : "compressed";
        entries.set(name, { name, at: offset, size: compressedSize, crc: signature ?? 0, packed });
      }
    } catch (cause) {
      if (cause instanceof DataError) throw cause;
      throw broken(source, `it is a damaged zip archive (${cause instanceof Error ? cause.message : cause})`, cause);
    }
    return new Archive(source, entries);
  }

  /** Names of the entries. */
  get names(): IterableIterator<string> {
    return this.#entries.keys();
  }

  /** Size of an entry in bytes; null where there is none of this name. */
  size(name: string): number | null {
    return this.#entries.get(name)?.size ?? null;
  }

  /**
   * Bytes `start` to `end` of an entry. The first time, all of it is read and compared with its checksum, where the writer
   * worked one out.
   */
  async read(name: string, start: number, end: number): Promise<Uint8Array> {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw broken(this.#source, `it has no entry ${JSON.stringify(name)}`);
    if (entry.packed !== null) {
      throw broken(this.#source, `its entry ${JSON.stringify(name)} is ${entry.packed}, which PyTorch's are not`);
    }
    const from = await this.#start(entry);
    if (entry.crc === 0 || this.#checked.has(name)) return await this.#source.range(from + start, from + end);
    const all = await this.#source.range(from, from + entry.size);
    if (crc32(all) !== entry.crc) {
      throw broken(this.#source, `its entry ${JSON.stringify(name)} does not have its checksum: it is damaged`);
    }
    this.#checked.add(name);
    return start === 0 && end === entry.size ? all : all.slice(start, end);
  }

  /** Where an entry's bytes begin. */
  async #start({ name, at, size }: Entry): Promise<number> {
    const bytes = await this.#source.range(at, at + HEADER);
    const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER);
    const from = at + HEADER + header.getUint16(26, true) + header.getUint16(28, true);
    if (header.getUint32(0, true) !== 0x04034b50 || from + size > this.#source.size) {
      throw broken(this.#source, `its entry ${JSON.stringify(name)} is not where its directory says`);
    }
    return from;
  }
}

/** An error of a file that is not as PyTorch writes it. */
export function broken({ what }: Pick<Source, "what">, why: string, cause?: unknown): DataError {
  return new DataError(`Cannot read ${what} as a file of PyTorch: ${why}`, { cause });
}
