/**
 * What comments in documents say that a line prints is what it prints.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { toFileUrl } from "@std/path";
import { blocks, documents, page } from "./markdown.ts";

/** `console.log(…); // literal`, on a line of its own. */
const TOLD = /^(\s*)console\.log\((.*)\); \/\/ (about )?((?:[[{"0-9]|true|false).*)$/;

/** The literals that a comment begins with: lists, objects, numbers, strings, flags, `…`. */
function literals(comment: string): string {
  const part = /^\s*(?:-?\d[\d.e+-]*|"[^"]*"|true\b|false\b|…|,)/;
  let rest = comment, taken = "";
  for (;;) {
    const open = /^\s*[[{]/.exec(rest);
    let end = part.exec(rest)?.[0].length ?? 0;
    if (open !== null) {
      let depth = 0;
      for (end = open[0].length - 1; end < rest.length; end++) {
        if ("[{".includes(rest[end])) depth++;
        if ("]}".includes(rest[end]) && --depth === 0) break;
      }
      end++;
    }
    if (end === 0) return taken;
    taken += rest.slice(0, end);
    rest = rest.slice(end);
  }
}

/** Whether what was printed is what the literals say; `…` stands for anything. */
function fits(printed: string, said: string, about: boolean): boolean {
  const bare = (text: string) => text.replace(/\s/g, "");
  const number = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/g;
  const close = (text: string) => about ? text.replace(number, (n) => Number(n).toPrecision(2)) : text;
  const pattern = close(bare(said)).split("…").map((s) => s.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*");
  return new RegExp(`^${pattern}$`).test(close(bare(printed)));
}

const ROOT = new URL("../../", import.meta.url);
const { exports } = JSON.parse(await page("deno.json")) as { exports: Record<string, string> };

/** The block as a module of its own, which tells what it prints where a comment says it. */
function told(code: string): { readonly code: string; readonly said: readonly { comment: string; about: boolean }[] } {
  const said: { comment: string; about: boolean }[] = [];
  const lines = code.split("\n").map((line) => {
    const [, indent, args, about, comment] = TOLD.exec(line) ?? [];
    if (comment === undefined) return line;
    said.push({ comment, about: about !== undefined });
    return `${indent}globalThis.__told(${said.length - 1}, ${args});`;
  });
  const text = lines.join("\n").replace(/from "@anneal\/anneal(\/\w+)?"/g, (_, part: string | undefined) => {
    return `from "${new URL(exports[part === undefined ? "." : `.${part}`], ROOT)}"`;
  });
  return { code: text, said };
}

for (const file of await documents()) {
  const found = blocks(file, await page(file)).filter(({ kind }) => kind === "ts")
    .map((block) => ({ ...block, ...told(block.code) })).filter(({ said }) => said.length > 0);
  for (const { place, code, said } of found) {
    Deno.test(`${place} prints what its comments say`, async () => {
      const printed: string[] = [];
      const scope = globalThis as { __told?: (i: number, ...values: unknown[]) => void };
      scope.__told = (i, ...values) => {
        printed[i] = values.map((v) => typeof v === "string" ? v : Deno.inspect(v, { iterableLimit: 1000 })).join(" ");
      };
      const module = await Deno.makeTempFile({ suffix: ".ts" });
      try {
        await Deno.writeTextFile(module, code);
        await import(toFileUrl(module).href);
      } finally {
        await Deno.remove(module);
        delete scope.__told;
      }
      for (const [i, { comment, about }] of said.entries()) {
        assert(printed[i] !== undefined, `the line with "${comment}" was not reached`);
        assert(
          fits(printed[i], literals(comment), about),
          `the comment says ${comment}, the line prints ${printed[i]}`,
        );
      }
    });
  }
}

Deno.test("comments are told from what they add in words", () => {
  assertEquals(literals("[ 0.1, 0.2 ]: equal factors"), "[ 0.1, 0.2 ]");
  assertEquals(literals("14 [ 2, 4 ], both"), "14 [ 2, 4 ],");
  assert(fits('[ "a", "b" ]', '["a", …]', false));
  assert(!fits('[ "a", "b" ]', '["b", …]', false));
  assert(fits("[ 0.00100001 ]", "[0.001]", true));
  assert(!fits("[ 0.002 ]", "[0.001]", true));
  assert(!fits("15", "14", false));
});
