/**
 * The folder of files from Hugging Face's hub, laid out as its own library does, so that both find what the other brought.
 *
 * @see https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 * @module
 */
import { environment } from "../base/environment.ts";
import { ConfigError } from "../base/errors.ts";
import { fileFault, files, isMissing } from "../base/host_files.ts";
import { host } from "../base/host.ts";
import { dirname, join, relative } from "../base/path.ts";

/** What a repository holds. */
export type RepoType = "model" | "dataset" | "space";

/** The first of these variables that the environment has; null where it has none that may be read. */
function first(...names: string[]): string | null {
  for (const name of names) {
    const value = environment(name);
    if (value) return value;
  }
  return null;
}

/** `$HF_HOME`, or `huggingface` in the folder for caches; null where the environment does not say. */
function hubHome(): string | null {
  const home = first("HF_HOME");
  if (home !== null) return home;
  if (host.kind === "browser") return "/huggingface"; // of the page's own files
  const caches = first("XDG_CACHE_HOME"), user = first("HOME", "USERPROFILE");
  if (caches !== null) return join(caches, "huggingface");
  return user === null ? null : join(user, ".cache", "huggingface");
}

/**
 * The folder of the hub's files: `$HF_HUB_CACHE`, or `hub` in `$HF_HOME`.
 *
 * @throws {ConfigError} Where the environment may not be read or names none; nothing is asked for.
 */
export function hubCache(): string {
  const given = first("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE");
  if (given !== null) return given;
  const home = hubHome();
  if (home !== null) return join(home, "hub");
  throw new ConfigError(
    "Cannot find the folder for files from the hub: the environment does not name it; give cacheDir, or run again with " +
      "--allow-env=HF_HOME,HF_HUB_CACHE,HOME",
  );
}

/** The token of `$HF_TOKEN`, or that which Hugging Face's own tools keep; null where there is none to be read. */
export async function keptToken(): Promise<string | null> {
  const token = first("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN");
  if (token !== null) return token.trim();
  const home = hubHome(), path = first("HF_TOKEN_PATH") ?? (home === null ? null : join(home, "token"));
  if (path === null || !host.granted("read", path)) return null;
  try {
    const text = (await files.readTextFile(path)).trim();
    return text === "" ? null : text;
  } catch {
    return null;
  }
}

/** A repository in the folder. */
export class CachedRepo {
  /** Its folder. */
  readonly folder: string;

  constructor(cache: string, type: RepoType, repo: string) {
    this.folder = join(cache, [`${type}s`, ...repo.split("/")].join("--"));
  }

  /** Where a file's content lies, by its mark. */
  blob(etag: string): string {
    return join(this.folder, "blobs", etag);
  }

  /** Where a file of a commit lies. */
  snapshot(commit: string, file: string): string {
    return join(this.folder, "snapshots", commit, ...file.split("/"));
  }

  /** The commit that a branch or tag led to the last time; null where that is not known. */
  async commitOf(revision: string): Promise<string | null> {
    try {
      const commit = (await files.readTextFile(join(this.folder, "refs", ...revision.split("/")))).trim();
      return /^[0-9a-f]{40}$/.test(commit) ? commit : null;
    } catch {
      return null;
    }
  }

  /** Keeps the commit that a branch or tag leads to. */
  async keep(revision: string, commit: string): Promise<void> {
    if (revision === commit || await this.commitOf(revision) === commit) return;
    const path = join(this.folder, "refs", ...revision.split("/")), own = `${path}.${crypto.randomUUID().slice(0, 8)}`;
    await files.mkdir(dirname(path), { recursive: true });
    await files.writeTextFile(own, commit);
    await files.rename(own, path);
  }

  /** Gives a blob the name that it has in a commit; a copy where there are no links, as Hugging Face's library does. */
  async name(etag: string, commit: string, file: string): Promise<string> {
    const path = this.snapshot(commit, file);
    if (await sizeOf(path) !== null) return path;
    await files.mkdir(dirname(path), { recursive: true });
    try {
      await files.symlink(relative(dirname(path), this.blob(etag)), path);
    } catch (error) {
      if (fileFault(error) === "exists") return path; // another process has been quicker
      await files.rename(this.blob(etag), path);
    }
    return path;
  }
}

/** Bytes of a file; null where there is none, as where a link leads nowhere. */
export async function sizeOf(path: string): Promise<number | null> {
  try {
    const { isFile, size } = await files.stat(path);
    return isFile ? size : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
