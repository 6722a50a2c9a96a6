/**
 * Files from Hugging Face's hub, or another server that answers as it does.
 *
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { environment } from "../base/environment.ts";
import { ConfigError, DataError } from "../base/errors.ts";
import { host } from "../base/host.ts";
import { files } from "../base/host_files.ts";
import { checkArgument, checkOptions, flag, func, num, oneOf, type OptionTable, text } from "../base/options.ts";
import { fetchFile } from "./fetch_file.ts";
import { CachedRepo, hubCache, keptToken, type RepoType, sizeOf } from "./hub_cache.ts";

/** Options of `downloadHub`. */
export interface DownloadHubOptions {
  /** Branch, tag or commit; `main` by default. A commit's file that is there is not asked for again. */
  readonly revision?: string;
  /** What the repository holds: `model` by default, `dataset` or `space`. */
  readonly repoType?: RepoType;
  /** Address of the hub; by default `$HF_ENDPOINT`, or https://huggingface.co. */
  readonly endpoint?: string;
  /**
   * Token of who may read private repositories; by default `$HF_TOKEN`, or what `hf auth login` kept. It is sent to the
   * endpoint alone. An empty one sends none.
   */
  readonly token?: string;
  /** Folder of the files; by default that of Hugging Face's own library, `$HF_HUB_CACHE` or `$HF_HOME/hub`. */
  readonly cacheDir?: string;
  /** Whether to take what is there and ask for nothing; `$HF_HUB_OFFLINE` by default. */
  readonly localFilesOnly?: boolean;
  /** Called with the bytes that are there, and all of them. */
  readonly onProgress?: (done: number, total: number) => void;
  /** How often a transfer that brings nothing is tried again; 3 by default. */
  readonly retries?: number;
}

const DOWNLOAD: OptionTable<DownloadHubOptions> = {
  revision: text,
  repoType: oneOf("model", "dataset", "space"),
  endpoint: text,
  token: text,
  cacheDir: text,
  localFilesOnly: flag,
  onProgress: func(),
  retries: num,
};

/** What the hub says of a file. */
interface Offer {
  readonly commit: string;
  readonly etag: string;
  readonly bytes: number | undefined;
  /** The SHA-256 of a large file, which is its mark. */
  readonly sha256: string | undefined;
}

/** See `downloadHub`. */
export async function hubFile(repo: string, file: string, options: DownloadHubOptions = {}): Promise<string> {
  checkOptions("download", options, DOWNLOAD);
  checkArgument("download", "repo", repo, text);
  checkArgument("download", "file", file, text);
  const { revision = "main", repoType = "model" } = options;
  refuseNames(repo, file, revision);
  const endpoint = (options.endpoint ?? (environment("HF_ENDPOINT") || "https://huggingface.co")).replace(/\/+$/, "");
  const cached = new CachedRepo(options.cacheDir ?? hubCache(), repoType, repo);
  const what = `${file} of ${repo}${revision === "main" ? "" : ` at ${revision}`}`;
  refuseUnpermitted("read", what, cached.folder);
  const there = await kept(cached, revision, file), pinned = /^[0-9a-f]{40}$/.test(revision);
  if (there !== null && pinned) return there;
  if (options.localFilesOnly ?? isSet(environment("HF_HUB_OFFLINE"))) {
    if (there !== null) return there;
    throw new DataError(
      `Cannot take ${what} from ${cached.folder}: it is not there; without localFilesOnly and HF_HUB_OFFLINE it is fetched`,
    );
  }
  const kind = repoType === "model" ? "" : `${repoType}s/`;
  const page = `${endpoint}/${kind}${repo}`, path = file.split("/").map(encodeURIComponent).join("/");
  const address = `${page}/resolve/${encodeURIComponent(revision)}/${path}`;
  refuseUnpermitted("net", what, address);
  refuseUnpermitted("write", what, cached.folder);
  const token = options.token ?? await keptToken(), headers = token ? { authorization: `Bearer ${token}` } : undefined;
  const offer = await ask(address, what, page, headers, there);
  if (offer === null) return there!;
  const named = cached.snapshot(offer.commit, file), size = await sizeOf(named);
  if (size === null || offer.bytes !== undefined && size !== offer.bytes) {
    const { onProgress, retries } = options;
    await fetchFile(address, {
      dest: cached.blob(offer.etag),
      ...(offer.bytes === undefined ? {} : { bytes: offer.bytes }),
      ...(offer.sha256 === undefined ? {} : { sha256: offer.sha256 }),
      ...(headers === undefined ? {} : { headers }),
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(retries === undefined ? {} : { retries }),
    });
    if (size !== null) await files.remove(named); // torn, where it is a copy
  }
  await cached.keep(revision, offer.commit);
  return await cached.name(offer.etag, offer.commit, file);
}

/** The file as it was fetched the last time. */
async function kept(cached: CachedRepo, revision: string, file: string): Promise<string | null> {
  const commit = /^[0-9a-f]{40}$/.test(revision) ? revision : await cached.commitOf(revision);
  if (commit === null) return null;
  const path = cached.snapshot(commit, file);
  return await sizeOf(path) === null ? null : path;
}

/** What the hub has; null where it cannot be reached, but the file `there` can be taken. */
async function ask(
  address: string,
  what: string,
  page: string,
  headers: Readonly<Record<string, string>> | undefined,
  there: string | null,
): Promise<Offer | null> {
  const { origin } = new URL(address);
  for (let at = address, left = 5; left >= 0; left--) {
    let response: Response;
    try {
      response = await fetch(at, {
        method: "HEAD",
        redirect: host.kind === "browser" ? "follow" : "manual",
        headers: { "accept-encoding": "identity", ...headers },
        signal: AbortSignal.timeout(20000),
      });
    } catch (cause) {
      if (there !== null) return null;
      throw new DataError(
        `Cannot download ${what}: ${origin} cannot be reached (${
          (cause as Error).message.split("\n")[0]
        }), and it was ` +
          "not fetched before",
        { cause },
      );
    }
    await response.body?.cancel();
    if ((response.status >= 500 || response.status === 429) && there !== null) return null;
    const to = response.headers.get("location"), moved = response.status >= 300 && response.status < 400 && to !== null;
    // another name of the repository; where the content lies has what is asked for in front of it
    if (moved && response.headers.get("x-repo-commit") === null && new URL(to, at).origin === origin) {
      at = new URL(to, at).href;
      continue;
    }
    if (!response.ok && !moved) throw refused(response, what, page, headers !== undefined);
    return offerOf(response, what, origin);
  }
  throw new DataError(`Cannot download ${what}: ${origin} leads on and on`);
}

function offerOf({ headers, status }: Response, what: string, origin: string): Offer {
  const commit = headers.get("x-repo-commit") ?? "";
  const etag = (headers.get("x-linked-etag") ?? headers.get("etag") ?? "").replace(/^W\//, "").replaceAll('"', "");
  if (!/^[0-9a-f]{40}$/.test(commit) || !/^[\w-]{1,128}$/.test(etag)) {
    throw new DataError(
      `Cannot download ${what}: ${origin} does not answer as a hub does, its answer ${status} has no commit and no mark ` +
        "of the file; fetchCached fetches from any address",
    );
  }
  const linked = headers.get("x-linked-size"), length = linked ?? (status < 300 ? headers.get("content-length") : null);
  return {
    commit,
    etag,
    bytes: length !== null && /^\d+$/.test(length) ? Number(length) : undefined,
    sha256: /^[0-9a-f]{64}$/.test(etag) ? etag : undefined,
  };
}

function refused({ status, headers }: Response, what: string, page: string, withToken: boolean): DataError {
  const code = headers.get("x-error-code"), said = headers.get("x-error-message");
  const token = withToken
    ? "the token that was sent does not open it"
    : "no token was sent; give token, or set HF_TOKEN, where it is private";
  const why = code === "EntryNotFound"
    ? "the repository has no such file"
    : code === "RevisionNotFound"
    ? "the repository has no such revision"
    : code === "GatedRepo"
    ? `its conditions are to be accepted at ${page}; ${token}`
    : code === "RepoNotFound" || status === 401
    ? `there is no such repository, or it is not for everybody: ${token}`
    : status === 403
    ? `it is not for everybody: ${token}`
    : status === 404
    ? "there is no such file"
    : said ?? "it says no more";
  return new DataError(`Cannot download ${what}: ${page} answered ${status}: ${why}`);
}

function refuseNames(repo: string, file: string, revision: string): void {
  if (
    !/^[\w.-]+(?:\/[\w.-]+)?$/.test(repo) || repo.split("/").some((part) => /^\.+$/.test(part) || part.includes("--"))
  ) {
    throw new ConfigError(`Cannot download from "${repo}": a repository is owner/name, as in timm/resnet18.a1_in1k`);
  }
  const bad = (path: string) =>
    path.split("/").some((part) => part === "" || /^\.+$/.test(part) || /[\\\0:]/.test(part));
  if (bad(file)) throw new ConfigError(`Cannot download "${file}": it is no path inside of a repository`);
  if (bad(revision)) throw new ConfigError(`Cannot download revision "${revision}": it is a branch, a tag or a commit`);
}

function refuseUnpermitted(name: "read" | "write" | "net", what: string, path: string): void {
  if (name === "net" && !(URL.canParse(path) && /^https?:/.test(path))) {
    throw new ConfigError(`Cannot download ${what} from ${path}: the endpoint starts with https:// or http://`);
  }
  const place = name === "net" ? new URL(path).host : path;
  if (host.granted(name, place)) return;
  throw new ConfigError(`Cannot download ${what}: it is not permitted, run again with --allow-${name}=${place}`);
}

function isSet(value: string | null | undefined): boolean {
  return /^(?:1|on|yes|true)$/i.test(value ?? "");
}
