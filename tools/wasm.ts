/**
 * Builds the WebAssembly kernels, `wasm/*.as.ts`: those of the CPU device into `src/device/cpu/wasm/`, the one that
 * resizes images into `src/vision/data/resample.gen.ts`; with `--check` it fails if one of these files is stale.
 * AssemblyScript is needed for this only.
 *
 * @module
 */
import { join } from "@std/path";

const root = new URL("../", import.meta.url);
const SOURCES = ["matmul", "offsets", "conv", "conv_thin", "threads", "scatter"];

/** The loops around kernels that are machine code. */
const NATIVE_SOURCES = ["offsets", "native"];

/** What calls the products of either. */
const CALLING_SOURCES = ["attention"];

/** The variants: with fused multiply-add or not, for memory that threads share or not. */
const VARIANTS = [
  { name: "RELAXED_SHARED", fma: "relaxed", shared: true },
  { name: "PLAIN_SHARED", fma: "plain", shared: true },
  { name: "RELAXED", fma: "relaxed", shared: false },
  { name: "PLAIN", fma: "plain", shared: false },
] as const;

const read = (name: string) => Deno.readTextFile(new URL(`wasm/${name}.as.ts`, root));

async function build(
  sources: readonly string[],
  relaxed: boolean,
  shared: boolean,
  folder: string,
): Promise<Uint8Array> {
  const text = (await Promise.all(sources.map(read))).join("\n");
  const source = join(folder, "kernels.ts"), output = join(folder, "kernels.wasm");
  await Deno.writeTextFile(source, text);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--config",
      new URL("wasm/deno.json", root).pathname,
      "npm:assemblyscript@0.28.20/asc",
      source,
      "-o",
      output,
      "-O3",
      "--noAssert",
      "--runtime",
      "stub",
      "--importMemory",
      "--memoryBase",
      "64",
      "--enable",
      "simd",
      ...(relaxed ? ["--enable", "relaxed-simd"] : []),
      ...(shared ? ["--enable", "threads", "--sharedMemory", "--initialMemory", "1", "--maximumMemory", "65536"] : []),
    ],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return await Deno.readFile(output);
}

/** A constant of a generated file: the bytes in base64. */
function constant(name: string, bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes)).replace(/.{1,100}/g, '  "$&" +\n').trimEnd().slice(0, -2);
  return `/** ${bytes.length} bytes. */\nexport const ${name}: string =\n${text};\n`;
}

const folder = await Deno.makeTempDir();
const files: { readonly path: string; readonly parts: readonly string[] }[] = [];
try {
  const add = (name: string, bytes: Uint8Array): void => {
    files.push({ path: `src/device/cpu/wasm/${name.toLowerCase()}.gen.ts`, parts: [constant(name, bytes)] });
  };
  for (const { name, fma, shared } of VARIANTS) {
    const sources = shared ? SOURCES : SOURCES.filter((s) => s !== "threads");
    add(name, await build([`fma_${fma}`, ...sources], fma === "relaxed", shared, folder));
  }
  add("NATIVE", await build(NATIVE_SOURCES, false, true, folder));
  add("CALLING_SHARED", await build(CALLING_SOURCES, false, true, folder));
  add("CALLING", await build(CALLING_SOURCES, false, false, folder));
  const resample = await build(["resample"], false, false, folder);
  files.push({ path: "src/vision/data/resample.gen.ts", parts: [constant("RESAMPLE", resample)] });
} finally {
  await Deno.remove(folder, { recursive: true });
}
for (const { path, parts } of files) {
  const text = `// Written by tools/wasm.ts from wasm/*.as.ts; do not edit.\n// deno-fmt-ignore-file\n\n${
    parts.join("\n")
  }`;
  const target = new URL(path, root);
  if (!Deno.args.includes("--check")) await Deno.writeTextFile(target, text);
  else if (await Deno.readTextFile(target).catch(() => "") !== text) {
    console.error(`${path} is stale: run \`deno task wasm\``);
    Deno.exit(1);
  }
}
