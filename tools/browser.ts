/**
 * Measures what a browser loads: bundles the core and the main entry point as `deno bundle` does, npm packages left out, and
 * prints the bytes, gzipped, of what is loaded at the start and of each device.
 *
 * @module
 */

import { gzipSync } from "node:zlib";

/** What a page loads of an entry point, in bytes of gzip. */
export interface Sizes {
  /** At the start. */
  readonly start: number;
  /** For the CPU device besides: its code, and the kernels of one variant. */
  readonly cpu: number;
  /** For WebGPU besides. */
  readonly webgpu: number;
}

/** Bytes of `gzip -9`, as files are packed that a server packs once. */
function gzipped(bytes: Uint8Array<ArrayBuffer>): number {
  return gzipSync(bytes, { level: 9 }).length;
}

/** The files of a bundle by name, and their sizes. */
interface Bundle {
  readonly texts: ReadonlyMap<string, string>;
  /** The files that some load at once, with what those load at once. */
  closure(names: Iterable<string>): Set<string>;
  /** Bytes of `gzip -9` of files. */
  sum(names: Iterable<string>): number;
}

/** Bundles a program, `start.js` in the bundle, as pages do, but for packages of npm. */
async function bundle(root: URL, program: string): Promise<Bundle> {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root))) as {
    imports: Record<string, string>;
  };
  const external = Object.keys(imports).filter((name) => !name.startsWith("@std/")).flatMap((
    name,
  ) => [name, `${name}/*`]);
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/start.ts`, program);
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["bundle", "--quiet", "--platform", "browser", "--code-splitting", "--minify", "--keep-names"],
        ...external.flatMap((name) => ["--external", name]),
        ...["--config", new URL("deno.json", root).pathname, "--outdir", `${folder}/out`, `${folder}/start.ts`],
      ],
    }).output();
    if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
    const texts = new Map<string, string>(), sizes = new Map<string, number>();
    for await (const { name } of Deno.readDir(`${folder}/out`)) {
      const bytes = await Deno.readFile(`${folder}/out/${name}`);
      texts.set(name, new TextDecoder().decode(bytes));
      sizes.set(name, gzipped(bytes));
    }
    const visit = (name: string, seen: Set<string>): void => {
      if (seen.has(name)) return;
      seen.add(name);
      for (const [, next] of texts.get(name)!.matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)) visit(next, seen);
    };
    return {
      texts,
      closure: (names) => {
        const seen = new Set<string>();
        for (const name of names) visit(name, seen);
        return seen;
      },
      sum: (names) => [...names].reduce((bytes, name) => bytes + sizes.get(name)!, 0),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Bundles `entry`, a path in the project, and measures it. */
export async function sizesOf(root: URL, entry: string): Promise<Sizes> {
  const { texts, closure, sum } = await bundle(
    root,
    `export * from "${new URL(entry, root)}";\n` +
      ["cpu/start", "webgpu/mod"].map((d, i) =>
        `export const device${i} = () => import("${new URL(`src/device/${d}.ts`, root)}");\n`
      )
        .join(""),
  );
  const first = closure(["start.js"]);
  const more = (names: readonly string[]): number => sum([...closure(names)].filter((name) => !first.has(name)));
  const late = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, name]) => name);
  const [cpu, webgpu] = late(texts.get("start.js")!, /import\("\.\/((?:start|mod)-[^"]+)"\)/g);
  const variant = late(texts.get(cpu)!, /import\("\.\/((?:relaxed_shared|calling_shared)\.gen-[^"]+)"\)/g);
  if (webgpu === undefined || variant.length !== 2) throw new Error("the bundle does not look as expected");
  return { start: sum(first), cpu: more([cpu, ...variant]), webgpu: more([webgpu]) };
}

/** Bytes of gzip that a page loads of a small program at the start: two linear layers, fitted. */
export async function smallSize(root: URL): Promise<number> {
  const { closure, sum } = await bundle(
    root,
    `import { DataLoaders, init, Learner } from "${new URL("src/entry/core.ts", root)}";
import * as nn from "${new URL("src/nn/mod.ts", root)}";
await init();
const x = { data: Float32Array.from({ length: 64 }, Math.random), shape: [64, 1] };
const dls = DataLoaders.fromArrays({ x, y: x, xValid: x, yValid: x }, { bs: 16 });
const model = new nn.Sequential(new nn.Linear(1, 32), new nn.ReLU(), new nn.Linear(32, 1));
const learn = new Learner(dls, model, { lossFunc: new nn.MSELoss() });
await learn.fit(1);
`,
  );
  return sum(closure(["start.js"]));
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  const kb = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;
  for (const entry of ["src/entry/core.ts", "mod.ts"]) {
    const { start, cpu, webgpu } = await sizesOf(root, entry);
    console.log(`${entry}: ${kb(start)}, CPU ${kb(cpu)} more, WebGPU ${kb(webgpu)} more`);
  }
  console.log(`a small program: ${kb(await smallSize(root))}`);
}
