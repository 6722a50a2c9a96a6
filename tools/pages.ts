/**
 * Pages of one's own: modules bundled for browsers, and a server of them with the headers that threads need. The tests in
 * Chromium and `examples/browser/` use it.
 *
 * @module
 */

/** The headers that let a page's threads share memory. */
export const ISOLATION: Readonly<Record<string, string>> = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript",
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  wasm: "application/wasm",
};

/** A body of the type that a name's ending says. */
export function bodyOf(name: string, body: BodyInit): Response {
  const type = TYPES[name.split(".").at(-1)!] ?? "application/octet-stream";
  return new Response(body, { headers: { "content-type": type } });
}

/** A server of files, with the headers of isolation or without. */
export interface PageServer extends AsyncDisposable {
  readonly url: string;
}

/** Options of {@link servePages}. */
export interface ServeOptions {
  /** Whether with the headers of {@link ISOLATION}. */
  readonly isolated: boolean;
  /** Port on 127.0.0.1; any free one by default. */
  readonly port?: number;
  /** Answers what is in no folder; null where it does not know either. By default `/` is an empty page. */
  readonly answer?: (path: string) => Promise<Response | null> | Response | null;
}

const EMPTY = '<!doctype html><meta charset="utf-8"><title>Anneal</title><link rel="icon" href="data:,">';

/** Serves folders: names that start with one of `folders`' keys from there. */
export function servePages(folders: Readonly<Record<string, string>>, options: ServeOptions): PageServer {
  const { isolated, port = 0, answer = (path) => path === "/" ? bodyOf("a.html", EMPTY) : null } = options;
  const find = async (path: string): Promise<Response | null> => {
    const start = Object.keys(folders).find((key) => path.startsWith(key));
    if (start === undefined) return await answer(path);
    if (path.includes("..")) return null;
    try {
      return bodyOf(path, await Deno.readFile(folders[start] + path.slice(start.length)));
    } catch {
      return null;
    }
  };
  const server = Deno.serve({ port, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const response = await find(new URL(request.url).pathname) ??
      new Response("There is nothing here", { status: 404 });
    const headers = { ...(isolated ? ISOLATION : {}), "cache-control": "no-store" };
    for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
    return response;
  });
  return { url: `http://127.0.0.1:${server.addr.port}/`, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** Options of {@link bundle}. */
export interface BundleOptions {
  /** Path of the `deno.json` that the modules belong to; the one around them by default. */
  readonly config?: string;
  /** Whether the text is made short, classes keeping their names; true by default. */
  readonly minify?: boolean;
}

/** Bundles modules for browsers into a new folder, as `deno bundle` does by itself; gives the folder. */
export async function bundle(
  entries: readonly string[],
  { config, minify = true }: BundleOptions = {},
): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "anneal_bundle_" });
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--platform", "browser", "--code-splitting"],
      ...(minify ? ["--minify", "--keep-names"] : []),
      ...(config === undefined ? [] : ["--config", config]),
      ...["--outdir", folder, ...entries],
    ],
    env: { NO_COLOR: "1" },
  }).output();
  if (code === 0) return folder;
  await Deno.remove(folder, { recursive: true });
  throw new Error(`deno bundle: ${new TextDecoder().decode(stderr).trim()}`);
}
