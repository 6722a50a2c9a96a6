/**
 * `docs/how_to/recipes.md` has every key of recipes, `docs/how_to/command_line.md` every command.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { makeProgram } from "../../src/cli/program.ts";
import {
  callbackForms,
  dataForms,
  LOSSES,
  METRICS,
  modelForms,
  OPTIMIZERS,
  policyForms,
  recipeJsonSchema,
  SUGGESTIONS,
} from "../../src/cli/recipe/schema.ts";
import { codeSpans, page, tableRows } from "./markdown.ts";

const PAGE = await page("docs/how_to/recipes.md");

/** A part of the recipe's JSON Schema. */
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly type?: string;
}

const ROOT = recipeJsonSchema() as Schema;

/** Keys of a section's table: the type and the default that it tells. */
function keysOf(heading: string): Map<string, { type: string; fallback: string }> {
  const [, rest] = PAGE.split(`\n${heading}\n`);
  assert(rest !== undefined, `there is no section ${heading}`);
  const rows = tableRows(rest.split(/\n#+ /)[0]);
  return new Map(rows.map(([key, type, fallback]) => [key.replaceAll("`", ""), { type, fallback }]));
}

/** What the page says of a form's keys must be what the schema says: the keys, which are required, which are flags. */
function compare(heading: string, form: Schema): void {
  const told = keysOf(heading), properties = form.properties ?? {};
  assertEquals([...told.keys()].sort(), Object.keys(properties).sort(), heading);
  for (const [key, { type, fallback }] of told) {
    assertEquals(
      fallback === "required",
      form.required?.includes(key) ?? false,
      `${heading}: whether ${key} is required`,
    );
    assertEquals(type === "true or false", properties[key].type === "boolean", `${heading}: whether ${key} is a flag`);
    assertEquals(
      /^whole number/.test(type) && !type.includes(","),
      properties[key].type === "integer",
      `${heading}: ${key}`,
    );
  }
}

/** The forms of a part that has kinds. */
function formsOf(part: Schema): Schema[] {
  const own = part.properties?.kind?.const === undefined ? [] : [part];
  return [...own, ...[...part.oneOf ?? [], ...part.anyOf ?? []].flatMap(formsOf)];
}

/** The section of a kind. */
function headingOf(part: string, kind: string): string {
  const line = PAGE.split("\n").find((l) => l.startsWith(`### \`${part}\`: `) && l.includes(`\`kind: ${kind}\``));
  assert(line !== undefined, `there is no section on ${part} of kind ${kind}`);
  return line;
}

Deno.test("recipes.md has every key of recipes, and no other", () => {
  compare("## The whole", ROOT);
  compare("## `optimizer`", ROOT.properties!.optimizer);
  const parts = { data: dataForms, model: modelForms, policy: policyForms };
  for (const [part, kinds] of Object.entries(parts)) {
    const forms = formsOf(ROOT.properties![part]);
    assertEquals(forms.map((form) => form.properties!.kind.const), Object.keys(kinds));
    for (const form of forms) compare(headingOf(part, form.properties!.kind.const!), form);
  }
});

Deno.test("recipes.md has every callback of recipes with its options, and no other", () => {
  const callbacks = Object.entries(callbackForms).flatMap(([name, { shape }]) => [
    name,
    ...Object.keys(shape).map((key) => `${name}.${key}`),
  ]);
  assertEquals([...keysOf("## `callbacks`").keys()].sort(), callbacks.sort());
});

Deno.test("recipes.md has every word that a key may be", () => {
  const told = new Set([...codeSpans(PAGE), ...[...PAGE.matchAll(/kind: (\w+)/g)].map(([, kind]) => kind)]);
  const words: string[] = [...LOSSES, ...METRICS, ...OPTIMIZERS];
  const collect = (value: unknown): void => {
    if (value === null || typeof value !== "object") return;
    if ("enum" in value && Array.isArray(value.enum)) words.push(...value.enum);
    Object.values(value).forEach(collect);
  };
  collect(ROOT);
  assertEquals(
    [...new Set(words)].filter((word) => !told.has(word) && !(SUGGESTIONS as readonly string[]).includes(word)),
    [],
  );
  for (const name of SUGGESTIONS) assert(PAGE.includes(name), name);
});

Deno.test("command_line.md has every command and option", async () => {
  const text = await page("docs/how_to/command_line.md");
  const missing = makeProgram().commands.flatMap((command) => [
    ...(text.includes(`\nanneal ${command.name()}`) ? [] : [command.name()]),
    ...command.options.map(({ long }) => long!).filter((long) => !text.includes(long)).map((o) =>
      `${command.name()} ${o}`
    ),
  ]);
  assertEquals(missing, []);
});
