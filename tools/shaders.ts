/**
 * Writes `src/device/webgpu/wgsl.gen.ts` from `shaders/*.wgsl`, without comments, which pages would load;
 * with `--check` it fails if that file is stale.
 *
 * @module
 */
const root = new URL("../", import.meta.url);
const target = new URL("src/device/webgpu/wgsl.gen.ts", root);

/** A shader without what only its readers need, comments; no shader has comments of several lines. Marks of parts stay. */
function plain(text: string): string {
  const lines = text.split("\n").map((line) =>
    /^\s*\/\/ (?:begin|end|hook)\b/.test(line) ? line : line.replace(/\s*\/\/.*$/, "")
  );
  return lines.filter((line) => line !== "").join("\n") + "\n";
}

async function generate(): Promise<string> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(new URL("shaders", root))) {
    if (entry.isFile && entry.name.endsWith(".wgsl")) names.push(entry.name);
  }
  const parts = await Promise.all(
    names.sort().map(async (name) => {
      const text = await Deno.readTextFile(new URL(`shaders/${name}`, root));
      const escaped = plain(text).replace(/[\\`]|\$\{/g, (c) => `\\${c}`);
      const constant = name.slice(0, -5).toUpperCase();
      return `/** \`shaders/${name}\` */\nexport const ${constant}: string = \`\\\n${escaped}\`;\n`;
    }),
  );
  return `// Written by tools/shaders.ts from shaders/*.wgsl; do not edit.\n\n${parts.join("\n")}`;
}

const text = await generate();
if (Deno.args.includes("--check")) {
  const present = await Deno.readTextFile(target).catch(() => "");
  if (present !== text) {
    console.error("src/device/webgpu/wgsl.gen.ts is stale: run `deno run -A tools/shaders.ts`");
    Deno.exit(1);
  }
} else {
  await Deno.writeTextFile(target, text);
}
