/**
 * Chromium without a window, and a server for its pages; tests that need it are skipped, visibly, where there is none.
 *
 * @module
 */
import type { Browser, Page } from "playwright-core";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Path of Chromium; undefined where there is none. */
export const chromiumPath: string | undefined = PATHS.find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

/** With WebGPU by SwiftShader, which computes on the CPU. */
const ARGUMENTS = ["--headless=new", "--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/** Starts Chromium. */
export async function startChromium(): Promise<Browser> {
  const { chromium } = await import("playwright-core");
  return await chromium.launch({ executablePath: chromiumPath!, headless: false, args: ARGUMENTS });
}

/** The headers that let a page's threads share memory. */
export const ISOLATION: Readonly<Record<string, string>> = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

const TYPES: Readonly<Record<string, string>> = { js: "text/javascript", html: "text/html", wasm: "application/wasm" };

/** A server of files, with the headers of isolation or without. */
export interface PageServer extends AsyncDisposable {
  readonly url: string;
}

/** Serves folders: names that start with one of `folders`' keys from there. */
export function servePages(
  folders: Readonly<Record<string, string>>,
  { isolated }: { readonly isolated: boolean },
): PageServer {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const headers = { ...(isolated ? ISOLATION : {}), "cache-control": "no-store" };
    if (pathname === "/") {
      const page = '<!doctype html><meta charset="utf-8"><title>Anneal</title><link rel="icon" href="data:,">';
      return new Response(page, { headers: { ...headers, "content-type": "text/html" } });
    }
    const start = Object.keys(folders).find((key) => pathname.startsWith(key));
    if (start === undefined || pathname.includes("..")) return new Response("", { status: 404 });
    try {
      const bytes = await Deno.readFile(folders[start] + pathname.slice(start.length));
      const type = TYPES[pathname.split(".").at(-1)!] ?? "application/octet-stream";
      return new Response(bytes, { headers: { ...headers, "content-type": type } });
    } catch {
      return new Response("", { status: 404 });
    }
  });
  return { url: `http://127.0.0.1:${server.addr.port}/`, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** Opens a page; what goes wrong in it is told. */
export async function openPage(browser: Browser, url: string, problems: string[]): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(url);
  return page;
}

/** Bundles a module for browsers into a folder, as `deno bundle` does by itself; gives the folder. */
export async function bundle(...entries: string[]): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "anneal_bundle_" });
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--platform",
      "browser",
      "--code-splitting",
      "--minify",
      "--keep-names",
      "--outdir",
      folder,
      ...entries,
    ],
  }).output();
  if (code !== 0) throw new Error(`deno bundle: ${new TextDecoder().decode(stderr)}`);
  return folder;
}
