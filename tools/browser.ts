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

/** Bundles `entry`, a path in the project, and measures it. */
export async function sizesOf(root: URL, entry: string): Promise<Sizes> {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root))) as {
    imports: Record<string, string>;
  };
  const external = Object.keys(imports).filter((name) => !name.startsWith("@std/")).flatMap((
    name,
  ) => [name, `${name}/*`]);
  const folder = await Deno.makeTempDir();
  try {
    const start = `${folder}/start.ts`;
    await Deno.writeTextFile(
      start,
      `export * from "${new URL(entry, root)}";\n` +
        ["cpu/start", "webgpu/mod"].map((d, i) =>
          `export const device${i} = () => import("${new URL(`src/device/${d}.ts`, root)}");\n`
        )
          .join(""),
    );
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["bundle", "--quiet", "--platform", "browser", "--code-splitting", "--minify", "--keep-names"],
        ...external.flatMap((name) => ["--external", name]),
        ...["--config", new URL("deno.json", root).pathname, "--outdir", `${folder}/out`, start],
      ],
    }).output();
    if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
    const texts = new Map<string, string>(), sizes = new Map<string, number>();
    for await (const { name } of Deno.readDir(`${folder}/out`)) {
      const bytes = await Deno.readFile(`${folder}/out/${name}`);
      texts.set(name, new TextDecoder().decode(bytes));
      sizes.set(name, gzipped(bytes));
    }
    const closure = (name: string, seen: Set<string>): Set<string> => {
      if (seen.has(name)) return seen;
      seen.add(name);
      for (const [, next] of texts.get(name)!.matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)) closure(next, seen);
      return seen;
    };
    const sum = (names: Iterable<string>): number => [...names].reduce((bytes, name) => bytes + sizes.get(name)!, 0);
    const first = closure("start.js", new Set());
    const more = (names: readonly string[]): number => {
      const all = new Set(first);
      for (const name of names) closure(name, all);
      return sum([...all].filter((name) => !first.has(name)));
    };
    const late = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, name]) => name);
    const [cpu, webgpu] = late(texts.get("start.js")!, /import\("\.\/((?:start|mod)-[^"]+)"\)/g);
    const variant = late(texts.get(cpu)!, /import\("\.\/((?:relaxed_shared|calling_shared)\.gen-[^"]+)"\)/g);
    if (webgpu === undefined || variant.length !== 2) throw new Error("the bundle does not look as expected");
    return { start: sum(first), cpu: more([cpu, ...variant]), webgpu: more([webgpu]) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  for (const entry of ["src/entry/core.ts", "mod.ts"]) {
    const { start, cpu, webgpu } = await sizesOf(root, entry);
    const kb = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;
    console.log(`${entry}: ${kb(start)}, CPU ${kb(cpu)} more, WebGPU ${kb(webgpu)} more`);
  }
}
