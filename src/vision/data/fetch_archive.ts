/**
 * How data sets from the network are fetched and unpacked.
 *
 * @module
 */
import "../../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { host } from "../../base/host.ts";
import { files, isFolder } from "../../base/host_files.ts";
import { basename, dirname, join } from "../../base/path.ts";
import { ConfigError } from "../../base/errors.ts";
import { checkOptions, flag, num, objectWith, type OptionTable, text } from "../../base/options.ts";
import { fastaiHome } from "../../io/fastai_home.ts";
import { fetchCached } from "../../io/fetch_cached.ts";
import { barText, type Logger, stdoutLogger } from "../../train/mod.ts";
import { type UntarDataOptions, URLs } from "./external.ts";

/** Size and MD5 of the first MiB, as fastai checks them. */
const CHECKS: Readonly<Record<string, { readonly bytes: number; readonly md5Start: string }>> = {
  [URLs.PETS]: { bytes: 811706944, md5Start: "e4db5c768afd933bb91f5f594d7417a4" },
};

const UNTAR_DATA: OptionTable<UntarDataOptions> = {
  base: text,
  forceDownload: flag,
  sha256: text,
  logger: objectWith("a logger", "line"),
  maxBytes: num,
  retries: num,
};

/** See `untarData` of external.ts. */
export async function untarData(url: string, options: UntarDataOptions = {}): Promise<string> {
  checkOptions("fetch a data set", options, UNTAR_DATA);
  const { forceDownload = false, sha256, logger = stdoutLogger(), maxBytes, retries } = options;
  const file = basename(URL.canParse(url) ? new URL(url).pathname : url);
  const name = file.replace(/\.(tgz|tar\.gz|tar)$/, "");
  if (name === file || name === "" || name.startsWith(".")) {
    throw new ConfigError(`Cannot unpack ${url}: archives end in .tgz, .tar.gz or .tar`);
  }
  const base = options.base ?? fastaiHome();
  const archive = join(base, "archive", file), folder = join(base, "data", name);
  if (host.granted("read", base) && !forceDownload && await isFolder(folder)) return folder;
  const show = (what: string) => progress(logger, `${what} ${file}`);
  await fetchCached(url, {
    dest: archive,
    ...CHECKS[url],
    force: forceDownload,
    onProgress: show("Fetching"),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(retries === undefined ? {} : { retries }),
  }).finally(() => logger.status?.(""));
  await files.mkdir(dirname(folder), { recursive: true });
  const old = `${folder}.${crypto.randomUUID().slice(0, 8)}.old`;
  const replacing = await isFolder(folder);
  if (replacing) await files.rename(folder, old);
  try {
    const { untar } = await import("../../io/untar.ts");
    await untar(archive, folder, { onProgress: show("Unpacking"), ...(maxBytes === undefined ? {} : { maxBytes }) });
  } catch (error) {
    if (replacing) await files.rename(old, folder);
    throw error;
  } finally {
    logger.status?.("");
  }
  if (replacing) await files.remove(old, { recursive: true });
  return folder;
}

/** Milliseconds between two drawings. */
const DRAW_MS = 100;

function progress(logger: Logger, what: string): (done: number, total: number) => void {
  let drawn = 0;
  return (done, total) => {
    const now = performance.now();
    if (logger.status === undefined || (now - drawn < DRAW_MS && done !== total)) return;
    drawn = now;
    const mb = (n: number): string => (n / 2 ** 20).toFixed(1);
    if (Number.isNaN(total)) return logger.status(`${what} ${mb(done)} MiB`);
    logger.status(barText(what, done / Math.max(1, total), [`${mb(done)}/${mb(total)} MiB`], logger.columns ?? 80));
  };
}
