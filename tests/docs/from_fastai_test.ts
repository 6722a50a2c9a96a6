/**
 * `docs/from_fastai.md` names what there is, and all of it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import * as anneal from "../../mod.ts";
import * as testing from "../../testing.ts";
import { codeSpans, declaredNames, page, tableRows } from "./markdown.ts";

const PAGE = await page("docs/from_fastai.md");

/** Names of variables that the page's code stands on, with what they may be. */
const OBJECTS: Readonly<Record<string, readonly object[]>> = {
  learn: [
    testing.synthLearner({ seed: 1 }),
    anneal.VisionLearner.prototype,
    anneal.TextClassifierLearner.prototype,
  ],
  recorder: [anneal.Recorder.prototype],
  dls: [
    anneal.DataLoaders.prototype,
    anneal.ImageDataLoaders.prototype,
    anneal.TabularDataLoaders.prototype,
    anneal.ArrayDataLoaders.prototype,
    anneal.TextDataLoaders.prototype,
    { schema: 0, vocab: 0 }, // fields of instances
  ],
  tokenizer: [anneal.Tokenizer.prototype],
  t: [anneal.Tensor.prototype],
  x: [anneal.Tensor.prototype],
  found: [Object.fromEntries(["valley", "curve", "points", "reasons"].map((name) => [name, 0]))],
};

/** Exports that need no line, and why. */
const UNTOLD: Readonly<Record<string, string>> = {
  AnnealError: "a class of errors, as are its subclasses; fastai has none of its own",
};

function isError(value: unknown): boolean {
  return typeof value === "function" && value.prototype instanceof anneal.AnnealError;
}

/** Names that stand alone or behind `new`: exports, or methods of what fastai has them on. */
const ALONE: readonly object[] = [
  anneal,
  testing,
  ...Object.values(OBJECTS).flat(),
  anneal.Callback.prototype,
  anneal.ImageDataLoaders,
  anneal.ClassificationInterpretation.prototype,
];
const has = (objects: readonly object[], name: string): boolean => objects.some((object) => name in object);

/** What is wrong with a piece of code in Anneal's column: names that there are not. */
function unknownNames(code: string, options: ReadonlySet<string>): string[] {
  const bad: string[] = [];
  const bare = code.replace(/"[^"]*"/g, '""').replace(/\(\) => …|…|\.\.\./g, "");
  // options: names inside of braces
  const outside = bare.replace(/\{([^{}]*)\}/g, (_, inner: string) => {
    const lists = inner.match(/\[[^\]]*\]/g) ?? [];
    for (const part of inner.replace(/\[[^\]]*\]/g, "[]").split(",")) {
      const [, name] = /^\s*([A-Za-z_$][\w$]*)/.exec(part) ?? [];
      if (name !== undefined && !options.has(name)) bad.push(name);
    }
    return `{${lists.join(" ")}}`;
  });
  if (/^@|^[a-z_]+\.md$|^\//.test(outside)) return bad;
  for (const [path] of outside.matchAll(/[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*/g)) {
    const [head, ...members] = path.split(".");
    if (["new", "await", "of", "true", "false"].includes(path) || /^[a-z]$/.test(path)) continue;
    if (ARGUMENTS.has(path)) continue;
    if (head in OBJECTS) {
      if (members.length > 0 && !has(OBJECTS[head], members[0])) bad.push(path);
      if (head === "learn" && members[0] === "recorder" && members.length > 1 && !has(OBJECTS.recorder, members[1])) {
        bad.push(path);
      }
      continue;
    }
    const own = (anneal as Record<string, unknown>)[head];
    const known = members.length === 0 ? has(ALONE, head) || options.has(head) : own !== undefined &&
      members.every((name) => has([own as object, (own as { prototype?: object }).prototype ?? {}], name));
    if (!known) bad.push(path);
  }
  return bad;
}

/** Arguments in calls. */
const ARGUMENTS: ReadonlySet<string> = new Set(
  [
    "nEpoch",
    "nCycles",
    "cycleLen",
    "path",
    "item",
    "arrays",
    "rows",
    "file",
    "files",
    "loss",
    "model",
    "state",
    "text",
    "texts",
    "ids",
    "split",
  ],
);

Deno.test("from_fastai.md names nothing that Anneal does not have", async () => {
  const options = await declaredNames();
  const wrong = tableRows(PAGE).flatMap(([fastai, ours = "", differs = ""]) => {
    const spans = ours.trim() === "the same" ? codeSpans(fastai) : codeSpans(ours);
    const bad = spans.flatMap((code) => unknownNames(code, options));
    if (bad.length === 0) return [];
    return [`${bad.join(", ")} in: ${fastai} | ${ours} | ${differs.slice(0, 20)}`];
  });
  assertEquals(wrong, []);
});

Deno.test("from_fastai.md mentions every function and class of mod.ts", () => {
  const told = new Set(codeSpans(PAGE).flatMap((code) => code.match(/[A-Za-z_$][\w$]*/g) ?? []));
  const missing = Object.entries(anneal).filter(([name, value]) =>
    !told.has(name) && !(name in UNTOLD) && !isError(value)
  ).map(([name]) => name);
  assertEquals(missing, []);
  assertEquals(Object.keys(UNTOLD).filter((name) => !(name in anneal)), [], "exceptions that are not exported");
});

Deno.test("the check finds names that there are not", () => {
  const options: ReadonlySet<string> = new Set(["lrMax"]);
  assertEquals(unknownNames("fitOneCycles(n, { lrMaxi })", options), ["lrMaxi", "fitOneCycles"]);
  assertEquals(unknownNames("learn.recorder.plotLosses()", options), ["learn.recorder.plotLosses"]);
  assertEquals(unknownNames("DataLoaders.fromNothing", options), ["DataLoaders.fromNothing"]);
  assertEquals(unknownNames("learn.fitOneCycle(n, { lrMax: 1 })", options), []);
});
