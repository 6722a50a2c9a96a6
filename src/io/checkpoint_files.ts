/**
 * Checkpoints on disk: a directory each, there as a whole or not at all, every file with its checksum.
 *
 * @module
 */
import { files, isMissing } from "../base/host_files.ts";
import { startHash } from "../base/hash.ts";
import { EventLoopYielder } from "../base/event_loop_yielder.ts";
import { join } from "../base/path.ts";
import { CheckpointError } from "../base/errors.ts";
import { nestedDeeper } from "./json_depth.ts";

/** Files of a checkpoint by name, each in parts. */
export type CheckpointParts = ReadonlyMap<string, readonly Uint8Array[]>;

/** What a checkpoint's manifest says beside its files: short text for looking at and choosing by. */
export type CheckpointNote = Readonly<Record<string, string | number | boolean>>;

/** A checkpoint that was found whole. */
export interface FoundCheckpoint {
  readonly path: string;
  /** Its number: later ones have larger numbers. */
  readonly number: number;
  readonly note: CheckpointNote;
  /** The checked bytes of each file. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** Version of the layout that this library writes. */
export const FORMAT = 1;

const MANIFEST = "manifest.json";
/** Name of a checkpoint's directory. */
const NAME = /^\d{6,15}$/;
const TEMPORARY = ".tmp-";
const TRASH = ".old-";
/** Bytes that are hashed or written before other work gets its turn. */
const PIECE = 1 << 20;
/** A manifest larger than this is none. */
const MAX_MANIFEST = 1 << 20;
/** Deepest nesting of a manifest. */
const MAX_DEPTH = 3;

/** The directory of checkpoint `number`. */
export function checkpointPath(dir: string, number: number): string {
  return join(dir, String(number).padStart(6, "0"));
}

/** Numbers of the checkpoints in `dir`, newest first; whether they are whole shows when they are read. */
export async function checkpointNumbers(dir: string): Promise<number[]> {
  const found: number[] = [];
  try {
    for await (const { name, isDirectory } of files.readDir(dir)) {
      if (isDirectory && NAME.test(name)) found.push(Number(name));
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return found.sort((a, b) => b - a);
}

/** Removes what writers that were killed left behind. Only while no other process writes there. */
export async function sweep(dir: string): Promise<void> {
  const left: string[] = [];
  for await (const { name } of files.readDir(dir)) {
    const path = join(dir, name);
    if (name.startsWith(TEMPORARY) || name.startsWith(TRASH) || await isHalf(path, name)) left.push(path);
  }
  for (const path of left) await files.remove(path, { recursive: true });
}

/** Where folders cannot be renamed: whether a writer was killed before the manifest, which it writes last. */
async function isHalf(path: string, name: string): Promise<boolean> {
  return !files.movesFolders && NAME.test(name) && await files.stat(join(path, MANIFEST)).then(() => false, isMissing);
}

/**
 * Writes a checkpoint: into a temporary directory, flushed, then renamed. What was there before stays until then. Where folders
 * cannot be renamed, the manifest comes last, without which it is none.
 */
export async function writeCheckpoint(
  dir: string,
  number: number,
  parts: CheckpointParts,
  note: CheckpointNote,
): Promise<string> {
  const path = checkpointPath(dir, number);
  const temporary = files.movesFolders ? join(dir, `${TEMPORARY}${crypto.randomUUID().slice(0, 8)}`) : path;
  try {
    await files.mkdir(temporary);
    const listed: Record<string, { bytes: number; sha256: string }> = {};
    for (const [name, own] of parts) listed[name] = await writeFile(join(temporary, name), own);
    const body = { format: FORMAT, note, files: listed };
    const manifest = JSON.stringify({ ...body, sha256: await digest(JSON.stringify(body)) }, null, 1);
    await writeFile(join(temporary, MANIFEST), [new TextEncoder().encode(manifest)]);
    await files.flushFolder(temporary);
    if (temporary !== path) await files.rename(temporary, path);
    await files.flushFolder(dir);
    return path;
  } catch (error) {
    await files.remove(temporary, { recursive: true }).catch(() => {}); // the first error is the one to report
    throw error;
  }
}

/** Removes a checkpoint, so that it is there as a whole until it is gone. */
export async function removeCheckpoint(dir: string, number: number): Promise<void> {
  if (!files.movesFolders) return await files.remove(checkpointPath(dir, number), { recursive: true });
  const trash = join(dir, `${TRASH}${crypto.randomUUID().slice(0, 8)}`);
  await files.rename(checkpointPath(dir, number), trash);
  await files.remove(trash, { recursive: true });
}

/** What the manifest of a checkpoint says, checked against its own checksum only. */
export async function readNote(dir: string, number: number): Promise<CheckpointNote> {
  return (await readManifest(checkpointPath(dir, number))).note;
}

/**
 * Reads a checkpoint whole and checks every byte.
 *
 * @param names Files that it must have; others are not read.
 * @throws CheckpointError saying what is wrong with it.
 */
export async function readCheckpoint(
  dir: string,
  number: number,
  names: readonly string[],
): Promise<FoundCheckpoint> {
  const path = checkpointPath(dir, number);
  const { note, listed } = await readManifest(path);
  const found = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const name of names) {
    const entry = listed.get(name);
    if (entry === undefined) throw torn(path, `its manifest lists no ${name}`);
    const bytes = await readFile(path, name, entry.bytes);
    if (bytes.byteLength !== entry.bytes) {
      throw torn(path, `${name} has ${bytes.byteLength} bytes, its manifest says ${entry.bytes}`);
    }
    if (await digestOf([bytes]) !== entry.sha256) throw torn(path, `the checksum of ${name} does not match`);
    found.set(name, bytes);
  }
  return { path, number, note, files: found };
}

interface Listed {
  readonly bytes: number;
  readonly sha256: string;
}

async function readManifest(path: string): Promise<{ note: CheckpointNote; listed: ReadonlyMap<string, Listed> }> {
  const bytes = await readFile(path, MANIFEST, MAX_MANIFEST);
  let parsed: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (nestedDeeper(text, MAX_DEPTH)) throw torn(path, "its manifest is nested too deeply");
    parsed = JSON.parse(text);
  } catch {
    throw torn(path, "its manifest is not JSON");
  }
  if (!isRecord(parsed)) throw torn(path, "its manifest is no object");
  const { sha256, ...body } = parsed;
  if (sha256 !== await digest(JSON.stringify(body))) throw torn(path, "the checksum of its manifest does not match");
  const { format, note, files: entries } = body;
  if (format !== FORMAT) {
    throw new CheckpointError(
      `Cannot use the checkpoint ${path}: it has format ${String(format)}, this version of Anneal reads ${FORMAT}`,
    );
  }
  if (!isRecord(note) || !isRecord(entries)) throw torn(path, "its manifest lacks an entry");
  const listed = new Map<string, Listed>();
  for (const [name, entry] of Object.entries(entries)) {
    if (!isRecord(entry)) throw torn(path, `its manifest says nothing of ${name}`);
    const { bytes, sha256 } = entry;
    if (typeof bytes !== "number" || !Number.isSafeInteger(bytes) || bytes < 0 || typeof sha256 !== "string") {
      throw torn(path, `its manifest has no size and checksum of ${name}`);
    }
    listed.set(name, { bytes, sha256 });
  }
  const plain: Record<string, string | number | boolean> = Object.create(null);
  for (const [name, v] of Object.entries(note)) {
    if (typeof v === "string" || typeof v === "number" || typeof v === "boolean") plain[name] = v;
  }
  return { note: plain, listed };
}

/** Reads a file of at most `limit` bytes; no link is followed. */
async function readFile(path: string, name: string, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const file = join(path, name);
  try {
    const { isFile, size } = await files.lstat(file);
    if (!isFile) throw torn(path, `${name} is no file`);
    if (size > limit) throw torn(path, `${name} has ${size} bytes, at most ${limit} are expected`);
    return await files.readFile(file);
  } catch (error) {
    if (isMissing(error)) throw torn(path, `${name} is missing`);
    throw error;
  }
}

async function writeFile(path: string, parts: readonly Uint8Array[]): Promise<{ bytes: number; sha256: string }> {
  const file = await files.open(path, { write: true, createNew: true });
  try {
    const hash = await startHash();
    let bytes = 0;
    for (const piece of pieces(parts)) {
      hash.update(piece);
      for (let done = 0; done < piece.byteLength;) done += await file.write(piece.subarray(done));
      bytes += piece.byteLength;
    }
    await file.sync();
    return { bytes, sha256: hash.digest("hex") };
  } finally {
    await file.close();
  }
}

async function digestOf(parts: readonly Uint8Array[]): Promise<string> {
  const hash = await startHash();
  const yielder = new EventLoopYielder();
  for (const piece of pieces(parts)) {
    hash.update(piece);
    if (yielder.due) await yielder.yield();
  }
  return hash.digest("hex");
}

function* pieces(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const part of parts) {
    for (let at = 0; at < part.byteLength; at += PIECE) yield part.subarray(at, at + PIECE);
  }
}

async function digest(text: string): Promise<string> {
  const hash = await startHash();
  hash.update(text);
  return hash.digest("hex");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function torn(path: string, why: string): CheckpointError {
  return new CheckpointError(`Cannot use the checkpoint ${path}: ${why}; it is torn or damaged`);
}
