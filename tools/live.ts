/**
 * Writes `src/live/page.gen.ts` from `live/`; with `--check` it fails if that file is stale. The page's modules are put
 * one after the other, in order of their imports, without import and export: one file then holds all.
 *
 * @module
 */
const root = new URL("../", import.meta.url);
const target = new URL("src/live/page.gen.ts", root);

/** A module's text after those that it imports, each once. */
async function bundle(name: string, done: Set<string>): Promise<string> {
  if (done.has(name)) return "";
  done.add(name);
  const text = await Deno.readTextFile(new URL(`live/${name}`, root));
  const before: string[] = [];
  for (const [, path] of text.matchAll(/^import (?:.* from )?"\.\/(.+)";$/gm)) before.push(await bundle(path, done));
  return before.join("") + text.replace(/^import .*\n/gm, "").replace(/^export /gm, "");
}

function constant(name: string, about: string, text: string): string {
  return `/** ${about} */\nexport const ${name}: string = \`${text.replace(/[\\`]|\$\{/g, (c) => `\\${c}`)}\`;\n`;
}

async function generate(): Promise<string> {
  const script = `"use strict";\n${await bundle("main.js", new Set())}`;
  const style = await Deno.readTextFile(new URL("live/page.css", root));
  const html = await Deno.readTextFile(new URL("live/page.html", root));
  for (const text of [script, style]) {
    if (/<\/(script|style)|<!--/i.test(text)) throw new Error("live/ holds text that would end its element");
  }
  const [start, middle, end] = html.split(/\s*\/\* (?:STYLE|SCRIPT) \*\/\s*/);
  return [
    "// Written by tools/live.ts from live/; do not edit.\n",
    constant("STYLE", "`live/page.css`", style),
    constant("SCRIPT", "`live/main.js` and what it imports.", script),
    constant("START", "`live/page.html` up to its style.", start),
    constant("MIDDLE", "Between style and script.", middle),
    constant("END", "After the script.", end),
    "/** The page. */\nexport const PAGE: string = `${START}${STYLE}${MIDDLE}${SCRIPT}${END}`;\n",
  ].join("\n");
}

const text = await generate();
if (Deno.args.includes("--check")) {
  if (await Deno.readTextFile(target).catch(() => "") !== text) {
    console.error("src/live/page.gen.ts is stale: run `deno run -A tools/live.ts`");
    Deno.exit(1);
  }
} else {
  await Deno.writeTextFile(target, text);
}
