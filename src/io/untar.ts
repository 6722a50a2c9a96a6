/**
 * Unpacking of tar archives, gzipped or not, that may come from anywhere: nothing is written outside the folder, nothing
 * beyond its limits, and the folder is there as a whole or not at all.
 *
 * @module
 */
import { files, type FolderEntry, piecesOf } from "../base/host_files.ts";
import { basename, dirname, join } from "../base/path.ts";
import { DataError } from "../base/errors.ts";

/** Options of {@link untar}. */
export interface UntarOptions {
  /** Most bytes of all files; 64 GiB by default. */
  readonly maxBytes?: number;
  /** Most bytes of all files for each byte of the archive, from 64 MiB on; 200 by default. */
  readonly maxRatio?: number;
  /** Most entries; 5 million by default. */
  readonly maxEntries?: number;
  /** Called with the bytes of the archive that were read, and all of them. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Bytes that may come out of any archive, however small. */
const FREE_BYTES = 64 << 20;

interface LinkEntry {
  readonly name: string;
  readonly target: string;
  readonly hard: boolean;
}

/**
 * Unpacks `archive` into the folder `dest`, which must not exist. Where everything lies in one folder, its contents are
 * unpacked.
 *
 * @throws {DataError} If the archive is damaged, has entries or links that lead outside, devices, or more than the limits.
 */
export async function untar(archive: string, dest: string, options: UntarOptions = {}): Promise<void> {
  const temporary = `${dest}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  await files.mkdir(temporary, { recursive: true });
  try {
    await unpack(archive, temporary, options);
    const inside: FolderEntry[] = [];
    for await (const entry of files.readDir(temporary)) inside.push(entry);
    if (inside.length === 0) throw new DataError(`Cannot unpack ${archive}: it is empty`);
    const [only] = inside;
    await files.rename(inside.length === 1 && only.isDirectory ? join(temporary, only.name) : temporary, dest);
  } finally {
    await files.remove(temporary, { recursive: true }).catch(() => {});
  }
}

async function unpack(archive: string, folder: string, options: UntarOptions): Promise<void> {
  const { maxBytes = 64 * 2 ** 30, maxRatio = 200, maxEntries = 5e6, onProgress } = options;
  const { extract } = await import("tar-stream");
  const refuse = (why: string): never => {
    throw new DataError(`Cannot unpack ${archive}: ${why}`);
  };
  const { size: archiveBytes } = await files.stat(archive);
  const tar = extract();
  let stopped = false;
  const links: LinkEntry[] = [], linkNames = new Set<string>(), made = new Set<string>();
  let bytes = 0, entries = 0;

  const consume = async (): Promise<void> => {
    for await (const entry of tar) {
      const { name: raw, type, size = 0, linkname } = entry.header;
      if (++entries > maxEntries) refuse(`it has more than ${maxEntries} entries`);
      const name = insideName(raw) ?? refuse(`the entry "${raw}" leads outside`);
      if (size > 0 && type === "file") {
        bytes += size; // as announced, before anything is written
        if (bytes > maxBytes) refuse(`its files have more than ${maxBytes} bytes`);
        if (bytes > FREE_BYTES && bytes > maxRatio * archiveBytes) {
          refuse(`its files have more than ${maxRatio} times the bytes of the archive`);
        }
      }
      if (throughLink(name, linkNames)) refuse(`the entry "${raw}" lies behind a link`);
      const path = join(folder, name);
      if (type === "directory") await files.mkdir(path, { recursive: true });
      else if (type === "file" || type === "contiguous-file") {
        if (linkNames.has(name)) refuse(`"${raw}" is both a link and a file`);
        await files.mkdir(dirname(path), { recursive: true });
        const file = await files.open(path, { write: true, create: true, truncate: true });
        try {
          for await (const chunk of entry) {
            if (!(chunk instanceof Uint8Array)) continue;
            for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
          }
        } finally {
          await file.close();
        }
        made.add(name);
      } else if (type === "symlink" || type === "link") {
        const hard = type === "link";
        links.push({ name, target: linkname ?? "", hard });
        if (!hard) linkNames.add(name);
        if (made.has(name)) refuse(`"${raw}" is both a file and a link`);
      } else refuse(`the entry "${raw}" is a ${type}`);
      entry.resume();
    }
  };

  const feed = async (): Promise<void> => {
    const head = new Uint8Array(2);
    const file = await files.open(archive);
    const got = await file.read(head);
    await file.close();
    let done = 0;
    const counted = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        done += chunk.length;
        onProgress?.(done, archiveBytes);
        controller.enqueue(chunk);
      },
    });
    const gzipped = got === 2 && head[0] === 0x1f && head[1] === 0x8b;
    const plain = (await files.stream(archive)).pipeThrough(counted);
    for await (const chunk of piecesOf(gzipped ? plain.pipeThrough(new DecompressionStream("gzip")) : plain)) {
      if (stopped) return;
      if (!tar.write(chunk)) {
        await new Promise<void>((go) => {
          tar.once("drain", () => go());
          tar.once("close", () => go());
        });
      }
    }
    tar.end(undefined);
  };

  const failed = (error: unknown): void => {
    stopped = true;
    tar.destroy(error instanceof Error ? error : new Error(String(error)));
  };
  const results = await Promise.allSettled([
    consume().catch((error) => {
      failed(error);
      throw error;
    }),
    feed().catch((error) => {
      failed(error);
      throw error;
    }),
  ]);
  const errors = results.flatMap((r) => r.status === "rejected" ? [r.reason] : []);
  const own = errors.find((e) => e instanceof DataError);
  if (own !== undefined) throw own;
  if (errors.length > 0) {
    const why = errors[0] instanceof Error ? errors[0].message.split("\n")[0] : String(errors[0]);
    throw new DataError(`Cannot unpack ${archive}: it is damaged or no tar archive, ${why}`, { cause: errors[0] });
  }
  for (const link of links) await makeLink(link, folder, linkNames, made, refuse);
}

/** Links come last, so that no file is ever written through one. */
async function makeLink(
  { name, target, hard }: LinkEntry,
  folder: string,
  links: ReadonlySet<string>,
  made: ReadonlySet<string>,
  refuse: (why: string) => never,
): Promise<void> {
  const reached = hard ? insideName(target) : resolveLink(name, target, links);
  if (reached === null || (hard && throughLink(reached, links))) {
    refuse(`the link "${name}" leads outside, to "${target}"`);
  }
  const path = join(folder, name);
  await files.mkdir(dirname(path), { recursive: true });
  if (hard) {
    if (!made.has(reached)) refuse(`the link "${name}" leads to "${target}", which is no file of the archive`);
    await files.link(join(folder, reached), path);
  } else await files.symlink(target, path);
}

/** A name inside the folder, with `/` between its parts; null if it leads outside. */
function insideName(name: string): string | null {
  if (/^[\\/]|^[A-Za-z]:|\0/.test(name)) return null;
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  return parts.some((part) => part.split("\\").includes("..")) ? null : parts.join("/");
}

/** Whether a folder on the way to `name` is a link. */
function throughLink(name: string, links: ReadonlySet<string>): boolean {
  for (let at = dirname(name); at !== "." && basename(at) !== ""; at = dirname(at)) if (links.has(at)) return true;
  return false;
}

/** Where a symbolic link leads; null if outside, or through another link, behind which `..` means something else. */
function resolveLink(name: string, target: string, links: ReadonlySet<string>): string | null {
  if (target === "" || /^[\\/]|^[A-Za-z]:|\0|\\/.test(target)) return null;
  const at = name.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "" || part === ".") continue;
    if (links.has(at.join("/"))) return null;
    if (part !== "..") at.push(part);
    else if (at.pop() === undefined) return null;
  }
  return at.join("/");
}
