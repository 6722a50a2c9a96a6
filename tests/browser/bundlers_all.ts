/**
 * What docs/how_to/browser.md says of bundlers: a program bundled by each trains in Chromium, on the page and in an engine, with
 * Deno's bits. `deno bundle` takes the sources; esbuild and vite take the package for npm, from the packed file, as pages that
 * are built with Node do.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { buildNpm } from "../../tools/npm.ts";
import { chromiumPath, openPage, servePages, startChromium } from "../support/chromium.ts";
import { train } from "./bundlers/step.js";
import { tempDir } from "../support/temp.ts";

const sources = new URL("bundlers/", import.meta.url);
const PROGRAMS = ["page.js", "train.js", "step.js"];
/** The versions that were tried; npm downloads them into the folder of the test. */
const TOOLS = ["esbuild@0.28.2", "vite@8.4.0"];

/** vite's configuration as the page of the documentation has it. */
async function documented(): Promise<string> {
  const text = await Deno.readTextFile(new URL("../../docs/how_to/browser.md", import.meta.url));
  const found = /\/\/ vite\.config\.js\n([^]*?)```/.exec(text);
  if (found === null) throw new Error("docs/how_to/browser.md has no vite.config.js");
  return found[1];
}

/** The words of the documentation's command that begins with `name`, for the two programs, with another folder. */
async function command(name: string, programs: readonly string[], to: string): Promise<string[]> {
  const text = await Deno.readTextFile(new URL("../../docs/how_to/browser.md", import.meta.url));
  const line = text.split("\n").find((each) => each.startsWith(`${name} `));
  if (line === undefined) throw new Error(`docs/how_to/browser.md has no command of ${name}`);
  return line.replace("page.ts train.ts", programs.join(" ")).replace(/\bdist\b/, to).split(" ");
}

async function run([name, ...args]: readonly string[], cwd: string | URL): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(name, { args, cwd }).output();
  if (success) return;
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  throw new Error(`${name} ${args.join(" ")} failed: ${out}${error}`);
}

const works = (name: string) => run([name, "--version"], ".").then(() => true, () => false);
const npm = chromiumPath !== undefined && await works("node") && await works("npm");

let app: Promise<string> | null = null;

/** A folder with the package, the bundlers, and the programs; made once. */
function installed(): Promise<string> {
  return app ??= (async () => {
    const folder = tempDir({ prefix: "anneal_bundlers_" });
    const packed = await buildNpm(`${folder}/built`);
    await Deno.writeTextFile(`${folder}/package.json`, '{ "type": "module", "private": true }');
    await run(["npm", "install", "--no-audit", "--no-fund", packed, ...TOOLS], folder);
    for (const name of PROGRAMS) await Deno.copyFile(new URL(name, sources), `${folder}/${name}`);
    await Deno.writeTextFile(`${folder}/vite.config.js`, await documented());
    await Deno.writeTextFile(`${folder}/index.html`, '<!doctype html><script type="module" src="./page.js"></script>');
    return folder;
  })();
}

let expected: Promise<number[]> | null = null;
const inDeno = (): Promise<number[]> => expected ??= (async () => await train(tempDir(), { native: false }))();

/** Trains in Chromium by a bundle below `folder`: `script` is its first file. */
async function tryBundle(folders: Record<string, string>, script: string): Promise<void> {
  await using server = servePages(folders, { isolated: false });
  const browser = await startChromium();
  try {
    const problems: string[] = [], page = await openPage(browser, server.url, problems);
    const trained = await page.evaluate(async (script) => {
      await import(script);
      return await (globalThis as unknown as { trained: Promise<Record<"here" | "there", number[]>> }).trained;
    }, script);
    const want = await inDeno();
    assertEquals(trained, { here: want, there: want });
    assertEquals(problems, []);
  } finally {
    await browser.close();
  }
}

const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test({
  name: "bundlers: what deno bundle makes of the sources trains in Chromium",
  ignore: chromiumPath === undefined,
  ...options,
  fn: async () => {
    const folder = tempDir({ prefix: "anneal_bundlers_" });
    await run([Deno.execPath(), ...(await command("deno", PROGRAMS.slice(0, 2), folder)).slice(1)], sources);
    await tryBundle({ "/js/": `${folder}/` }, "/js/page.js");
  },
});

Deno.test({
  name: "bundlers: what esbuild makes of the package for npm trains in Chromium",
  ignore: !npm,
  ...options,
  fn: async () => {
    const folder = await installed();
    await run(["npx", ...await command("esbuild", PROGRAMS.slice(0, 2), "esbuilt")], folder);
    await tryBundle({ "/js/": `${folder}/esbuilt/` }, "/js/page.js");
  },
});

Deno.test({
  name: "bundlers: what vite makes of the package for npm trains in Chromium",
  ignore: !npm,
  ...options,
  fn: async () => {
    const folder = await installed();
    await run(["npx", "vite", "build"], folder);
    const [, script] = /src="([^"]+)"/.exec(await Deno.readTextFile(`${folder}/dist/index.html`))!;
    await tryBundle({ "/assets/": `${folder}/dist/assets/` }, script);
  },
});
