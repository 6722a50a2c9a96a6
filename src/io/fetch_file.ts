/**
 * Files from the network, fetched once: resumed where a transfer was cut, checked, and put in place as a whole.
 *
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { host } from "../base/host.ts";
import { files, type HostFile, isMissing } from "../base/host_files.ts";
import { startHash } from "../base/hash.ts";
import { dirname, resolve } from "../base/path.ts";
import { AnnealError, ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, flag, func, num, type OptionTable, other, text } from "../base/options.ts";

/** Options of `fetchCached`. */
export interface FetchOptions {
  /** Where the file is to lie. */
  readonly dest: string;
  /** Its size, where known. A file of another size that lies there is fetched anew. */
  readonly bytes?: number;
  /** Its SHA-256 in hexadecimal digits, or the first of them, at least 8, where known. */
  readonly sha256?: string;
  /** The MD5 of its first MiB in hexadecimal digits, where known: what fastai lists for its data sets. */
  readonly md5Start?: string;
  /** Whether to fetch it even if it is there; false by default. */
  readonly force?: boolean;
  /** Headers of requests, such as `authorization`. They are sent to the host of the address alone, not to where it leads. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Called with the bytes that are there, and all of them; NaN where the server does not say. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Longest silence of the server in milliseconds before the transfer counts as cut; 60,000 by default. */
  readonly stallMs?: number;
  /** How often a transfer that brings nothing is tried again; 3 by default. */
  readonly retries?: number;
  /** Wait before the first of these tries in milliseconds, twice as long before the next; 500 by default. */
  readonly retryMs?: number;
}

const FETCH: OptionTable<FetchOptions> = {
  dest: text,
  bytes: num,
  sha256: other("8 to 64 hexadecimal digits", (v) => typeof v === "string" && /^[0-9a-f]{8,64}$/i.test(v)),
  md5Start: text,
  force: flag,
  headers: other("texts by name", (v) => typeof v === "object" && v !== null && !Array.isArray(v)),
  onProgress: func(),
  stallMs: num,
  retries: num,
  retryMs: num,
};

/** What was known of a file when its transfer began. */
interface Origin {
  readonly url: string;
  /** The server's mark of this version; without one a transfer can't be resumed. */
  readonly mark: string | null;
}

/** A transfer that was cut, and may be taken up again. */
class CutTransfer extends Error {}

/** See `fetchCached`. */
export async function fetchFile(url: string | URL, options: FetchOptions): Promise<string> {
  const { dest, bytes, force = false } = checkOptions("fetch", options, FETCH);
  const address = String(url);
  refuseUnpermitted("read", dest, address);
  if (!force && await isThere(dest, bytes)) return dest;
  refuseUnpermitted("write", dest, address);
  await files.mkdir(dirname(dest), { recursive: true });
  const part = `${dest}.part`, note = `${dest}.part.json`;
  const lock = await files.lock(part, { wait: true });
  try {
    if (!force && await isThere(dest, bytes)) { // another process has been quicker
      await files.remove(part).catch(() => {});
      return dest;
    }
    refuseUnpermitted("net", dest, address);
    const file = await files.open(part, { read: true, write: true, create: true });
    try {
      await transfer(address, file, note, options);
      await verify(file, address, options).catch(async (error) => {
        await file.truncate(0);
        throw error;
      });
      await file.syncData();
    } finally {
      await file.close();
    }
    await files.rename(part, dest);
  } finally {
    lock?.release();
  }
  await files.remove(note).catch(() => {});
  return dest;
}

async function isThere(path: string, bytes: number | undefined): Promise<boolean> {
  try {
    const { isFile, size } = await files.stat(path);
    return isFile && (bytes === undefined || size === bytes);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function refuseUnpermitted(name: "read" | "write" | "net", dest: string, address: string): void {
  if (name === "net" && !URL.canParse(address)) throw new ConfigError(`Cannot fetch ${address}: it is no address`);
  const { host: server, protocol } = name === "net" ? new URL(address) : { host: "", protocol: "" };
  if (name === "net" && protocol !== "https:" && protocol !== "http:") {
    throw new ConfigError(`Cannot fetch ${address}: addresses start with https:// or http://`);
  }
  if (host.granted(name, name === "net" ? server : dirname(resolve(dest)))) return;
  const flag = name === "net" ? `--allow-net=${server}` : `--allow-${name}=${dirname(dest)}`;
  const hint = name === "read" ? "" : `, or put the file at ${dest}`;
  throw new ConfigError(`Cannot fetch ${address}: it is not permitted, run again with ${flag}${hint}`);
}

/** Brings the whole file, however often the transfer is cut while something comes. */
async function transfer(address: string, file: HostFile, note: string, options: FetchOptions): Promise<void> {
  const { retries = 3, retryMs = 500, dest } = options;
  const origin = await readNote(note);
  if (origin === null || origin.url !== address || origin.mark === null) await file.truncate(0);
  let mark = origin?.mark ?? null;
  for (let idle = 0;;) {
    const before = (await file.stat()).size;
    try {
      mark = await once(address, file, note, before, mark, options);
      return;
    } catch (error) {
      if (!(error instanceof CutTransfer)) throw error;
      const got = (await file.stat()).size;
      idle = got > before ? 0 : idle + 1;
      if (idle > retries) {
        const kept = got > 0 ? `; ${got} bytes are kept, calling it again goes on from there` : "";
        throw new DataError(
          `Cannot fetch ${address}: ${error.message}; without a network put the file at ${dest}${kept}`,
          { cause: error.cause },
        );
      }
      mark = (await readNote(note))?.mark ?? null;
      if (mark === null) await file.truncate(0);
      await new Promise((wake) => setTimeout(wake, idle === 0 ? 0 : retryMs * 2 ** (idle - 1)));
    }
  }
}

/** One request, from byte `from` on. */
async function once(
  address: string,
  file: HostFile,
  note: string,
  from: number,
  mark: string | null,
  options: FetchOptions,
): Promise<string | null> {
  const { stallMs = 60000, bytes, onProgress } = options;
  const stop = new AbortController();
  let timer = setTimeout(() => stop.abort(), stallMs);
  const alive = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => stop.abort(), stallMs);
  };
  const cut = (error: unknown): CutTransfer => {
    const silent = stop.signal.aborted ? `the server was silent for ${stallMs / 1000} s` : reasonOf(error);
    return new CutTransfer(silent, { cause: error });
  };
  const headers: Record<string, string> = { ...options.headers, "accept-encoding": "identity" };
  if (from > 0 && mark !== null) Object.assign(headers, { range: `bytes=${from}-`, "if-range": mark });
  try {
    const response = await ask(address, { headers, signal: stop.signal }, options).catch((error) => {
      throw error instanceof AnnealError ? error : cut(error);
    });
    try {
      if (response.status === 416) {
        await file.truncate(0);
        throw new CutTransfer("the server could not go on where the transfer was cut");
      }
      if (response.status >= 500 || response.status === 429) {
        throw new CutTransfer(`the server answered ${response.status}`);
      }
      if (!response.ok || response.body === null) {
        throw new DataError(`Cannot fetch ${address}: the server answered ${response.status} ${response.statusText}`);
      }
      const { start, total } = extent(response);
      if (response.status === 206 && start !== from) {
        await file.truncate(0);
        throw new CutTransfer(`the server went on at byte ${start}, not ${from}`);
      }
      if (bytes !== undefined && !Number.isNaN(total) && total !== bytes) {
        throw new DataError(`Cannot use what ${address} offers: the file has ${bytes} bytes, not ${total}`);
      }
      let at = start;
      await file.truncate(at);
      await file.seek(at, 0);
      const fresh = markOf(response);
      await files.writeTextFile(note, JSON.stringify({ url: address, mark: fresh }));
      const reader = response.body.getReader();
      for (;;) {
        alive();
        const { done, value } = await reader.read().catch((error) => {
          throw cut(error);
        });
        if (done) break;
        for (let written = 0; written < value.length;) written += await file.write(value.subarray(written));
        at += value.length;
        if (at > (bytes ?? Infinity)) {
          throw new DataError(`Cannot use what ${address} sends: it goes on after ${bytes} bytes`);
        }
        onProgress?.(at, total);
      }
      if (at < total) throw new CutTransfer(`the transfer was cut after ${at} of ${total} bytes`);
      return fresh;
    } catch (error) {
      await response.body?.cancel().catch(() => {});
      throw error;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Longest way that a server may lead. */
const MAX_REDIRECTS = 10;

/**
 * The answer of the server that an address leads to. Headers of the caller are for the first host only, and each host is
 * asked only if that is permitted.
 */
async function ask(address: string, init: RequestInit, { dest, headers: own = {} }: FetchOptions): Promise<Response> {
  // pages are not told where they are led; they send no such header there either
  if (host.kind === "browser") return await fetch(address, init);
  const bare = new Headers(init.headers);
  for (const name of Object.keys(own)) bare.delete(name);
  const { origin } = new URL(address);
  for (let at = address, left = MAX_REDIRECTS; left >= 0; left--) {
    const headers = new URL(at).origin === origin ? init.headers : bare;
    const response = await fetch(at, { ...init, headers, redirect: "manual" });
    const to = response.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(response.status) || to === null) return response;
    await response.body?.cancel();
    at = new URL(to, at).href;
    refuseUnpermitted("net", dest, at);
  }
  throw new DataError(`Cannot fetch ${address}: the server leads on and on`);
}

/** Where an answer starts, and how long the whole file is. */
function extent(response: Response): { start: number; total: number } {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
  if (response.status === 206 && range !== null) {
    return { start: Number(range[1]), total: range[2] === "*" ? NaN : Number(range[2]) };
  }
  const length = response.headers.get("content-length");
  return { start: 0, total: length === null || response.headers.has("content-encoding") ? NaN : Number(length) };
}

/** What tells this version of the file from others: a strong ETag, or the date. */
function markOf({ headers }: Response): string | null {
  const etag = headers.get("etag");
  return etag !== null && !etag.startsWith("W/") ? etag : headers.get("last-modified");
}

async function readNote(path: string): Promise<Origin | null> {
  try {
    const value: unknown = JSON.parse(await files.readTextFile(path));
    if (typeof value !== "object" || value === null || !("url" in value) || !("mark" in value)) return null;
    const { url, mark } = value;
    return typeof url === "string" && (mark === null || typeof mark === "string") ? { url, mark } : null;
  } catch {
    return null; // none, or torn: the transfer starts anew
  }
}

async function verify(file: HostFile, address: string, options: FetchOptions): Promise<void> {
  const { bytes, sha256, md5Start } = options;
  const { size } = await file.stat();
  const wrong = (what: string, want: string | number, got: string | number): never => {
    throw new DataError(`Cannot use what ${address} sent: its ${what} must be ${want}, got ${got}`);
  };
  if (bytes !== undefined && size !== bytes) wrong("size", bytes, size);
  if (sha256 !== undefined) {
    const got = await digest(file, "sha256", size);
    if (!got.startsWith(sha256.toLowerCase())) wrong("SHA-256", sha256, got);
  }
  if (md5Start !== undefined) {
    const got = await digest(file, "md5", Math.min(size, 1 << 20));
    if (got !== md5Start.toLowerCase()) wrong("MD5 of the first MiB", md5Start, got);
  }
}

/** Digest of the first `length` bytes, in hexadecimal digits. */
async function digest(file: HostFile, kind: "sha256" | "md5", length: number): Promise<string> {
  const hash = await startHash(kind), buffer = new Uint8Array(1 << 20);
  await file.seek(0, 0);
  for (let left = length; left > 0;) {
    const n = await file.read(buffer.subarray(0, Math.min(left, buffer.length)));
    if (n === null) break;
    hash.update(buffer.subarray(0, n));
    left -= n;
  }
  return hash.digest("hex");
}

function reasonOf(error: unknown): string {
  if (error instanceof AnnealError) return error.message;
  return error instanceof Error ? error.message.split("\n")[0] : String(error);
}
