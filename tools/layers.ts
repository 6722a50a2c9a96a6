/**
 * Checks that imports point down the layers only; prints each one that doesn't and fails.
 *
 * @module
 */

/** Layer of each path, the longest prefix wins. Within a layer, parts with different names don't import each other. */
export const LAYERS: readonly (readonly [prefix: string, layer: number])[] = [
  ["src/base/", 0],
  ["src/schedule/", 0],
  ["src/device/", 1],
  ["src/graph/", 2],
  ["src/tensor/", 3],
  ["src/nn/", 4],
  ["src/optim/", 4],
  ["src/data/", 4],
  ["src/io/", 4],
  ["src/plot/", 4],
  ["src/train/", 5],
  ["src/fit/", 6],
  ["src/callbacks/", 6],
  ["src/distrib/", 6],
  ["src/vision/", 7],
  ["src/live/", 7],
  ["src/cli/", 8],
  ["src/entry/", 8],
  ["mod.ts", 9],
  ["testing.ts", 9],
];

/** Parts of one layer that may import each other all the same, and why. */
const SIDEWAYS: readonly (readonly [from: string, to: string, why: string])[] = [
  ["src/schedule/", "src/base/", "errors are everybody's"],
  ["src/fit/", "src/callbacks/", "a policy may bring callbacks"],
  ["src/callbacks/", "src/fit/", "a callback may be a schedule"],
  ["src/fit/", "src/distrib/", "the learner's one line for it"],
  ["mod.ts", "src/cli/", "entry points know each other"],
  ["testing.ts", "mod.ts", "entry points know each other"],
  ["src/cli/", "mod.ts", "entry points know each other"],
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
  if (SIDEWAYS.some(([x, y]) => x === a[0] && y === b[0])) return null;
  return `${from} imports ${to}: parts of layer ${a[1]} are independent of each other`;
}

/** The paths in relative imports and exports of a module's text. */
export function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, ""); // examples in documentation import, too
  const found = code.matchAll(
    /^\s*(?:import|export)\b[^;]*?from\s+"(\.[^"]+)"|\bimport\(\s*"(\.[^"]+)"|^\s*import\s+"(\.[^"]+)"/gm,
  );
  return [...found].map((m) => m[1] ?? m[2] ?? m[3]);
}

async function* modules(folder: URL): AsyncGenerator<URL> {
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isDirectory) yield* modules(new URL(`${entry.name}/`, folder));
    else if (entry.name.endsWith(".ts")) yield new URL(entry.name, folder);
  }
}

/** Every forbidden import below a root. */
export async function violations(root: URL): Promise<string[]> {
  const files: URL[] = [];
  for await (const url of modules(new URL("src/", root))) files.push(url);
  for (const name of ["mod.ts", "testing.ts"]) {
    const url = new URL(name, root);
    if (await Deno.stat(url).then(() => true, () => false)) files.push(url);
  }
  const out: string[] = [];
  for (const url of files) {
    const from = url.href.slice(root.href.length);
    for (const path of importsOf(await Deno.readTextFile(url))) {
      const why = forbidden(from, new URL(path, url).href.slice(root.href.length));
      if (why !== null) out.push(why);
    }
  }
  return out.sort();
}

if (import.meta.main) {
  const found = await violations(new URL("../", import.meta.url));
  for (const line of found) console.error(line);
  if (found.length > 0) Deno.exit(1);
}
