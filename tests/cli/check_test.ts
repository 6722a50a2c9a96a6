/**
 * Recipes that are wrong, and what is said of them.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/base/errors.ts";
import { checkRecipe } from "../../src/cli/recipe/check.ts";
import { SMALL } from "./support.ts";

/** What is said, one line a problem. */
function problems(text: string, set: readonly string[] = []): string[] {
  return assertThrows(() => checkRecipe("r.yaml", text, set), ConfigError).message.split("\n");
}

function only(text: string, set: readonly string[] = []): string {
  const found = problems(text, set);
  assertEquals(found.length, 1, found.join("\n"));
  return found[0];
}

function begins(text: string, start: string): void {
  assert(text.startsWith(start), `got ${text}`);
}

Deno.test("a recipe that is right is taken as it is", () => {
  const recipe = checkRecipe("r.yaml", SMALL);
  assertEquals([recipe.loss, recipe.metrics, recipe.seed], ["crossEntropy", ["accuracy"], 7]);
});

Deno.test("unknown keys are told at the key, with what is allowed and the nearest name", () => {
  assertEquals(
    only(SMALL.replace("lrMax", "lrMx")),
    "r.yaml:16:3: policy: unknown key lrMx: allowed are kind, epochs, lrMax, div, divFinal, pctStart, moms, wd; did you mean lrMax?",
  );
  begins(only(SMALL.replace("seed", "sead")), "r.yaml:17:1: unknown key sead: allowed are data, model,");
});

Deno.test("every unknown key is told", () => {
  const found = problems(SMALL.replace("lrMax", "lrMx").replace("bs:", "batch:").replace("seed", "sead"));
  assertEquals(found.map((line) => line.split(":")[1]).sort(), ["16", "17", "6"]);
  const two = problems(SMALL.replace("  lrMax: 1e-2\n", "  lrMx: 1\n  pct: 1\n"));
  assertEquals(two.map((line) => line.slice(0, 12)), ["r.yaml:16:3:", "r.yaml:17:3:"]);
});

Deno.test("names that are none of those allowed come with the nearest", () => {
  begins(only(SMALL.replace("crossEntropy", "crosEntropy")), "r.yaml:10:7: loss: must be one of crossEntropy,");
  assert(only(SMALL.replace("crossEntropy", "crosEntropy")).endsWith("did you mean crossEntropy?"));
  begins(only(SMALL.replace("kind: mlp", "kind: mpl")), "r.yaml:8:9: model.kind: must be one of mlp,");
  begins(only(SMALL.replace("accuracy", "acuracy")), "r.yaml:11:11: metrics.0: must be one of accuracy,");
  begins(only(SMALL.replace("oneCycle", "onecycle")), "r.yaml:14:9: policy.kind: must be one of fit, oneCycle,");
});

Deno.test("values of another type or out of range are told with what they are", () => {
  begins(
    only(SMALL.replace("epochs: 2", "epochs: two")),
    'r.yaml:15:11: policy.epochs: must be a whole number, got "two"',
  );
  begins(only(SMALL.replace("seed: 7", "seed: -1")), "r.yaml:17:7: seed: must be a whole number from 0, got -1");
  begins(
    only(SMALL.replace("layers: [8]", "layers: [8, x]")),
    'r.yaml:9:15: model.layers.1: must be a whole number, got "x"',
  );
  assert(only(SMALL.replace("1e-2", "fast")).includes('got "fast"'));
});

Deno.test("what is missing is told where it belongs", () => {
  begins(only(SMALL.replace("  epochs: 2\n", "")), "r.yaml:14:3: policy.epochs: is missing");
  begins(only(SMALL.replace(/^model:\n.*\n.*\n/m, "")), "r.yaml:1:1: model: is missing");
  begins(
    only(SMALL.replace(/^policy:\n( {2}.*\n)*/m, "")),
    "r.yaml:1:1: policy: is missing: it is a block of keys, or a list",
  );
  assert(problems("").length === 1);
});

Deno.test("values of the command line win, and are named where they are wrong", () => {
  const recipe = checkRecipe("r.yaml", SMALL, ["policy.lrMax=1e-3", "metrics.0=mae", "callbacks.terminateOnNaN="]);
  assertEquals(recipe.policy, { kind: "oneCycle", epochs: 2, lrMax: 1e-3 });
  assertEquals([recipe.metrics, recipe.callbacks], [["mae"], { terminateOnNaN: null }]);
  begins(only(SMALL, ["policy.epochs=x"]), '--set policy.epochs=x: policy.epochs: must be a whole number, got "x"');
  begins(only(SMALL, ["polcy.epochs=1"]), "--set polcy.epochs=1: unknown key polcy");
  assert(only(SMALL, ["seed"]).includes("--set key=value"));
  assert(only(SMALL, ["__proto__.x=1"]).includes("no key is named __proto__"));
  assert(only(SMALL, ["metrics.7=mae"]).includes("--set metrics.7=mae"));
});

Deno.test("YAML that could do harm is refused, with its place", () => {
  const bomb = "a: &a [1,1,1,1,1,1,1,1,1]\n" +
    [..."bcdefghi"].map((c, i) => `${c}: &${c} [${Array(9).fill(`*${"abcdefgh"[i]}`).join(",")}]\n`).join("");
  begins(only(bomb), "r.yaml:1:");
  assert(only(bomb).includes("anchors are not for recipes"));
  for (const tag of ["!!js/function 'x'", "!include x", "!!binary aGk=", "!!set {a}", "!!str 1"]) {
    begins(only(`data: ${tag}\n`), "r.yaml:1:");
  }
  begins(only("data:\n  __proto__: { a: 1 }\n"), "r.yaml:2:3: no key is named __proto__");
  begins(only("constructor: 1\n"), "r.yaml:1:1: no key is named constructor");
  begins(only("<<: { a: 1 }\n"), "r.yaml:1:1: no key is named <<");
  begins(only("? [a]\n: 1\n"), "r.yaml:1:");
  begins(only("a: 1\na: 2\n"), "r.yaml:2:1:");
  begins(only("a: 1\n---\nb: 2\n"), "r.yaml:2:");
  for (const deep of ["[", "- ", "{a: "]) {
    assert(/^r.yaml:1:\d+: it is nested too deeply/.test(only(deep.repeat(50_000))));
  }
  begins(only("a: " + "x".repeat(1 << 20)), "r.yaml:1:1: a recipe has at most 256 KiB");
  assertEquals(Object.hasOwn(Object.prototype, "a"), false);
});

Deno.test({
  name: "a permission that the parser lacks is no fault of the recipe",
  permissions: { env: false, read: true },
  fn: () => {
    const line = "Cannot read the recipe r.yaml: the YAML parser looks at the environment, run again with --allow-env";
    assertEquals(only(SMALL), line);
  },
});
