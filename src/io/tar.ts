/**
 * Folders as one file: how a run that was begun in a browser goes on elsewhere, and the other way. The archive is a plain tar
 * (POSIX.1-1988, "ustar"), which `tar` packs and unpacks, too.
 *
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { files } from "../base/host_files.ts";
import { dirname, join } from "../base/path.ts";
import { DataError } from "../base/errors.ts";

const BLOCK = 512;
/** Bytes of a file's name in a header, and of the folders in front of it. */
const NAME = 100, PREFIX = 155;

const encoder = new TextEncoder();

/** The files in a folder, with their paths inside of it. */
async function* filesIn(folder: string, inside = ""): AsyncGenerator<string> {
  const names: [string, boolean][] = [];
  for await (const { name, isFile, isDirectory } of files.readDir(folder)) {
    if (isFile || isDirectory) names.push([name, isDirectory]);
  }
  for (const [name, isFolder] of names.sort(([a], [b]) => a < b ? -1 : 1)) {
    if (name.startsWith(".")) continue; // locks, and what writers that were killed left behind
    if (isFolder) yield* filesIn(join(folder, name), `${inside}${name}/`);
    else yield inside + name;
  }
}

/** The header of a file: its name, size and a sum over itself, in octal digits. */
function header(name: string, bytes: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(BLOCK);
  const put = (at: number, text: string): void => out.set(encoder.encode(text), at);
  const octal = (at: number, digits: number, n: number): void => put(at, n.toString(8).padStart(digits, "0"));
  let base = name, prefix = "";
  while (encoder.encode(base).length > NAME) {
    const cut = base.indexOf("/");
    if (cut < 0) throw new DataError(`Cannot pack ${name}: a file's name has at most ${NAME} bytes`);
    prefix += (prefix === "" ? "" : "/") + base.slice(0, cut);
    base = base.slice(cut + 1);
  }
  if (encoder.encode(prefix).length > PREFIX) throw new DataError(`Cannot pack ${name}: it lies too deep`);
  put(0, base);
  octal(100, 7, 0o644);
  octal(108, 7, 0);
  octal(116, 7, 0);
  octal(124, 11, bytes);
  octal(136, 11, 0);
  put(148, "        "); // the sum's own place counts as blanks
  put(156, "0");
  put(257, "ustar\0" + "00");
  put(345, prefix);
  octal(148, 6, out.reduce((a, b) => a + b, 0));
  out[154] = 0;
  return out;
}

/** See `packFolder` of `folder_archive.ts`. */
export async function packFolder(folder: string): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const name of filesIn(folder)) {
    const bytes = await files.readFile(join(folder, name));
    parts.push(header(name, bytes.length), bytes, new Uint8Array(-bytes.length & BLOCK - 1));
  }
  if (parts.length === 0) throw new DataError(`Cannot pack ${folder}: there is no file in it`);
  parts.push(new Uint8Array(2 * BLOCK));
  return new Blob(parts, { type: "application/x-tar" });
}

/** See `unpackFolder` of `folder_archive.ts`. */
export async function unpackFolder(archive: Blob | Uint8Array, folder: string): Promise<void> {
  const bytes = archive instanceof Uint8Array ? archive : new Uint8Array(await archive.arrayBuffer());
  const entries = [...entriesOf(bytes, folder)];
  if (entries.length === 0) throw new DataError(`Cannot unpack into ${folder}: the archive holds no file`);
  for (const { name, data } of entries) {
    const path = join(folder, name);
    await files.mkdir(dirname(path), { recursive: true });
    await files.writeFile(path, data);
  }
}

function* entriesOf(bytes: Uint8Array, folder: string): Generator<{ name: string; data: Uint8Array }> {
  const refuse = (why: string): never => {
    throw new DataError(`Cannot unpack into ${folder}: the archive ${why}`);
  };
  for (let at = 0; at + BLOCK <= bytes.length;) {
    const head = bytes.subarray(at, at + BLOCK);
    if (head.every((byte) => byte === 0)) return;
    const text = (from: number, length: number): string =>
      new TextDecoder().decode(head.subarray(from, from + length)).split("\0")[0];
    const sum = head.reduce((a, b, i) => a + (i >= 148 && i < 156 ? 32 : b), 0);
    if (parseInt(text(148, 8), 8) !== sum) refuse("is damaged, or no tar file");
    const size = parseInt(text(124, 12), 8), prefix = text(345, PREFIX), kind = text(156, 1);
    const name = (prefix === "" ? "" : `${prefix}/`) + text(0, NAME);
    const data = bytes.subarray(at + BLOCK, at + BLOCK + size);
    if (!(size >= 0) || data.length !== size) refuse(`ends in the middle of ${name}`);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (kind === "5") continue; // a folder, which its files make
    if (kind !== "0" && kind !== "") refuse(`has ${name}, which is no file`);
    if (/^[\\/]|^[A-Za-z]:|\\/.test(name) || name.split("/").includes("..")) {
      refuse(`has ${name}, which leads elsewhere`);
    }
    yield { name, data };
  }
  if (bytes.length > 0) refuse("ends too early");
}
