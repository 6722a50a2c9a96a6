/**
 * Checks that imports point down the layers only and run in no circles, and that only the rooms that may name a runtime (Deno,
 * Node, a browser) do; prints what doesn't hold and fails.
 *
 * @module
 */

/** Layer of each path, the longest prefix wins. Parts of one layer don't import each other. */
export const LAYERS: readonly (readonly [prefix: string, layer: number])[] = [
  ["src/base/", 0],
  ["src/schedule/", 1],
  ["src/device/", 1],
  ["src/graph/", 2],
  ["src/tensor/", 3],
  ["src/nn/", 4],
  ["src/optim/", 4],
  ["src/data/", 4],
  ["src/io/", 4],
  ["src/plot/", 4],
  ["src/block/", 5],
  ["src/train/", 5],
  ["src/interop/", 5],
  ["src/fit/", 6],
  ["src/callbacks/", 7],
  ["src/distrib/", 7],
  ["src/learner/", 8],
  ["src/vision/", 9],
  ["src/text/", 9],
  ["src/live/", 9],
  ["src/engine/", 9],
  ["src/load/", 10],
  ["src/cli/", 11],
  ["src/entry/", 11],
  ["mod.ts", 12],
  ["testing.ts", 12],
];

function layerOf(path: string): readonly [prefix: string, layer: number] | undefined {
  return LAYERS.find(([prefix]) => path === prefix || (prefix.endsWith("/") && path.startsWith(prefix)));
}

/** Parts that only the layer right above them sees: the rest asks that layer. */
const HIDDEN: readonly (readonly [part: string, above: string])[] = [["src/graph/", "src/tensor/"]];

/** Why a file of one path may not import one of another; null if it may. */
export function forbidden(from: string, to: string): string | null {
  const a = layerOf(from), b = layerOf(to);
  if (a === undefined) return `${from} belongs to no layer: add it to tools/layers.ts`;
  if (b === undefined) return `${from} imports ${to}, which belongs to no layer`;
  const above = HIDDEN.find(([part]) => part === b[0])?.[1];
  if (above !== undefined && a[0] !== b[0] && a[0] !== above && a[1] > b[1]) {
    return `${from} imports ${to}: only ${above} may, use what src/tensor/mod.ts has of it`;
  }
  if (a[0] === b[0] || a[1] > b[1]) return null;
  if (a[1] < b[1]) return `${from} (layer ${a[1]}) imports ${to} (layer ${b[1]}): imports point down`;
  return `${from} imports ${to}: parts of layer ${a[1]} are independent of each other`;
}

/** What may name a runtime: the host and its files, native code through FFI, MPI, the live page's server, the command line. */
const ROOMS: readonly string[] = [
  "src/base/host",
  "src/device/cpu/native/",
  "src/vision/data/jpeg.ts",
  "src/distrib/",
  "src/live/",
  "src/cli/",
];

/** What names a runtime in a module's text, where it may not: the first such words, or null. Comments and texts may. */
export function namesRuntime(path: string, text: string): string | null {
  if (path.startsWith("src/") && text.includes('from "@std/path"')) return '"@std/path"'; // src/base/path.ts is for all hosts
  if (!path.startsWith("src/") || ROOMS.some((room) => path.startsWith(room))) return null;
  const code = text.replace(/\/\*[\s\S]*?\*\/|(?<![:"'`\w])\/\/.*$/gm, "")
    .replace(/"(?:[^"\\\n]|\\.)*"/g, (literal) => literal.startsWith('"node:') ? literal : '""');
  // the flags of WebGPU are globals of the runtime's own: src/device/webgpu/flags.ts has them for all
  return /"node:\w+"|\bGPU(?:BufferUsage|TextureUsage|MapMode|ShaderStage)\.\w+|(?:globalThis\??\.|(?<![\w$.]))(?:Deno|Bun|process|navigator)\s*(?:\?\.|[.[])\s*\w*/
    .exec(code)
    ?.[0] ?? null;
}

/** An import or export of another module of the project. */
export interface Import {
  /** The path, as it is written. */
  readonly path: string;
  /** Whether nothing but types is taken: nothing is left of it when the program runs. */
  readonly typeOnly: boolean;
  /** Whether it is an `import()`, which waits until it is called: by then both modules are there. */
  readonly late: boolean;
  /** Whether nothing is taken, not even types. */
  readonly alone: boolean;
}

/** The relative imports and exports of a module's text. */
export function importsOf(text: string): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, ""); // examples in documentation import, too
  const found = code.matchAll(
    /^\s*(?:import|export)\b([^;]*?)from\s+"(\.[^"]+)"|\bimport\(\s*"(\.[^"]+)"|^\s*import\s+"(\.[^"]+)"/gm,
  );
  return [...found].map(([, names, from, dynamic, alone]) => ({
    path: from ?? dynamic ?? alone,
    typeOnly: names !== undefined && takesTypes(names.trim()),
    late: dynamic !== undefined,
    alone: alone !== undefined,
  }));
}

/** Whether `type { A, B }` or `{ type A, type B }`. */
function takesTypes(names: string): boolean {
  if (names.startsWith("type ")) return true;
  const inside = /^\{([^}]*)\}$/.exec(names)?.[1];
  return inside !== undefined &&
    inside.split(",").every((name) => name.trim() === "" || name.trim().startsWith("type "));
}

/**
 * Whether an import takes nothing of an entry point: code that comes with its first use says so which entry is there by then,
 * and bundlers, which cut where one file is reached from places that another is not, leave that entry whole.
 */
function tellsEntry(to: string, { alone }: Import): boolean {
  return alone && (to === "mod.ts" || to.startsWith("src/entry/"));
}

/** The files of each circle of a graph of imports: its strongly connected components of two files or more (Tarjan 1972). */
export function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>(), low = new Map<string, number>();
  const stack: string[] = [], circles: string[][] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    stack.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!graph.has(next)) continue;
      if (!index.has(next)) {
        visit(next);
        low.set(file, Math.min(low.get(file)!, low.get(next)!));
      } else if (stack.includes(next)) low.set(file, Math.min(low.get(file)!, index.get(next)!));
    }
    if (low.get(file) !== index.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1) circles.push(circle.sort());
  };
  for (const file of graph.keys()) if (!index.has(file)) visit(file);
  return circles;
}

async function* modules(folder: URL): AsyncGenerator<URL> {
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isDirectory) yield* modules(new URL(`${entry.name}/`, folder));
    else if (entry.name.endsWith(".ts")) yield new URL(entry.name, folder);
  }
}

/** Every forbidden import, and every circle, below a root. */
export async function violations(root: URL): Promise<string[]> {
  const files: URL[] = [];
  for await (const url of modules(new URL("src/", root))) files.push(url);
  for (const name of ["mod.ts", "testing.ts"]) {
    const url = new URL(name, root);
    if (await Deno.stat(url).then(() => true, () => false)) files.push(url);
  }
  const out: string[] = [];
  const values = new Map<string, string[]>(), all = new Map<string, string[]>();
  for (const url of files) {
    const from = url.href.slice(root.href.length);
    values.set(from, []);
    all.set(from, []);
    const text = await Deno.readTextFile(url);
    const runtime = namesRuntime(from, text);
    if (runtime !== null) {
      out.push(`${from} names a runtime (${runtime}): only ${ROOMS.join(", ")} may, use src/base/host.ts`);
    }
    for (const found of importsOf(text)) {
      const { path, typeOnly, late } = found, to = new URL(path, url).href.slice(root.href.length);
      if (tellsEntry(to, found)) {
        values.get(from)!.push(to); // what the entry has from its start cannot tell it
        continue;
      }
      all.get(from)!.push(to);
      if (!typeOnly && !late) values.get(from)!.push(to);
      const why = forbidden(from, to);
      if (why !== null) out.push(why);
    }
  }
  for (const circle of circlesOf(values)) out.push(`${circle.join(", ")} import each other in a circle`);
  const folder = (file: string): string => file.slice(0, file.lastIndexOf("/"));
  for (const circle of circlesOf(all)) {
    if (new Set(circle.map(folder)).size < 2) continue;
    out.push(`${circle.join(", ")} import each other's types in a circle across folders`);
  }
  return out.sort();
}

if (import.meta.main) {
  const found = await violations(new URL("../", import.meta.url));
  for (const line of found) console.error(line);
  if (found.length > 0) Deno.exit(1);
}
