/**
 * Documents lead to what there is: links, recipes, command lines, entry points.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { checkRecipe } from "../../src/cli/recipe/check.ts";
import { makeProgram } from "../../src/cli/program.ts";
import { blocks, codeSpans, documents, page } from "./markdown.ts";

const ROOT = new URL("../../", import.meta.url);
const FILES = await documents();
const TEXTS = new Map(await Promise.all([...FILES, "CONTRIBUTING.md"].map(async (f) => [f, await page(f)] as const)));
const BLOCKS = [...TEXTS].flatMap(([file, text]) => blocks(file, text));

async function exists(url: URL): Promise<boolean> {
  return await Deno.stat(url).then(() => true, () => false);
}

Deno.test("links of documents lead to files that there are", async () => {
  const broken: string[] = [];
  for (const [file, text] of TEXTS) {
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      if (!await exists(new URL(target.split("#")[0], new URL(file, ROOT)))) broken.push(`${file}: ${target}`);
    }
  }
  assertEquals(broken, []);
});

Deno.test("every page is reached from the README", () => {
  const readme = TEXTS.get("README.md")!;
  assertEquals(FILES.filter((file) => file !== "README.md" && !readme.includes(`(${file})`)), []);
});

Deno.test("files that CONTRIBUTING.md names are there", async () => {
  const named = codeSpans(TEXTS.get("CONTRIBUTING.md")!).flatMap((code) =>
    code.match(/\b(?:src|tests|docs|tools|examples|bench|shaders|live)\/[\w./*]*/g) ?? []
  );
  assert(named.length > 20);
  const missing: string[] = [];
  for (const path of new Set(named)) {
    const [start, rest] = path.split("*"), folder = new URL(start.replace(/[^/]*$/, ""), ROOT);
    const there = rest === undefined
      ? await exists(new URL(path, ROOT))
      : [...Deno.readDirSync(folder)].some(({ name }) => name.startsWith(start.split("/").at(-1)!));
    if (!there) missing.push(path);
  }
  assertEquals(missing, []);
});

Deno.test("recipes in documents are right", () => {
  const recipes = BLOCKS.filter(({ kind, code }) => kind === "yaml" && /^data:/m.test(code));
  assert(recipes.length > 0);
  for (const { place, code } of recipes) checkRecipe(place, code);
});

Deno.test("command lines in documents have commands and options that there are", () => {
  const commands = new Map(makeProgram().commands.map((c) => [c.name(), c.options.flatMap(({ long }) => long ?? [])]));
  let seen = 0;
  for (const { place, kind, code } of BLOCKS.filter(({ kind }) => kind === "sh" || kind === "text")) {
    for (const [, name, rest] of code.matchAll(/(?:^|deno task |\/)(?:anneal|cli) ([\w-]+)(.*)$/gm)) {
      if (kind === "text" && !commands.has(name) && !rest.startsWith(" ")) continue;
      const line = rest.split(/\s#\s/)[0], options = name === "help" ? [] : commands.get(name);
      assert(options !== undefined, `${place}: there is no command "${name}"`);
      for (const [option] of line.matchAll(/--[\w-]+/g)) {
        assert(options.includes(option), `${place}: anneal ${name} has no ${option}`);
      }
      seen++;
    }
  }
  assert(seen > 20, `${seen} command lines were found`);
});

Deno.test("the README has every entry point", async () => {
  const { exports } = JSON.parse(await page("deno.json")) as { exports: Record<string, string> };
  const told = codeSpans(TEXTS.get("README.md")!).map((code) => code.replace("@anneal/anneal", ""));
  assertEquals(Object.keys(exports).filter((name) => !told.includes(name.slice(1))), []);
});

/** Words of code that are others', or made up. */
const OTHERS: ReadonlySet<string> = new Set(
  ["createComputePipelineAsync", "UnsafeFnPointer", "DistributedDL", "afterEpochs", "MyNet"],
);

Deno.test("names in the text of documents occur in the code", async () => {
  const words = new Set<string>();
  const visit = async (folder: URL): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) await visit(new URL(`${name}/`, folder));
      else if (name.endsWith(".ts") && !name.endsWith(".gen.ts")) {
        for (const [word] of (await Deno.readTextFile(new URL(name, folder))).matchAll(/[A-Za-z_$][\w$]*/g)) {
          words.add(word);
        }
      }
    }
  };
  for (const folder of ["src/", "tools/", "bench/", "tests/support/"]) await visit(new URL(folder, ROOT));
  for (const word of (await page("testing.ts")).match(/[A-Za-z_$][\w$]*/g)!) words.add(word);
  for (const word of (await page("deno.json")).match(/\w+/g)!) words.add(word);
  const wrong = [...TEXTS].filter(([file]) => file !== "docs/from_fastai.md").flatMap(([file, text]) =>
    codeSpans(text).flatMap((code) => code.match(/[A-Za-z_$][\w$]*/g) ?? [])
      .filter((word) => /[a-z][A-Z]/.test(word) && !words.has(word) && !OTHERS.has(word)).map((word) =>
        `${file}: ${word}`
      )
  );
  assertEquals(wrong, []);
});
