/**
 * From a recipe's text to a checked recipe, or to a message that says where and what.
 *
 * @module
 */
import type * as z from "zod";
import { ConfigError } from "../../base/errors.ts";
import { shown } from "./forms.ts";
import { type Recipe, recipeSchema } from "./schema.ts";
import { readSource, type RecipeSource } from "./source.ts";

type Issue = z.core.$ZodIssue;

/**
 * Checks a recipe.
 *
 * @param file Its name, for messages.
 * @param overrides `policy.lrMax=1e-3` and the like, which win over the text.
 * @throws {ConfigError} One line a problem, each beginning with `file:line:column`.
 */
export function checkRecipe(file: string, text: string, overrides: readonly string[] = []): Recipe {
  const source = readSource(file, text);
  const value = overrides.reduce((v, override) => overridden(v, override), source.value);
  const result = recipeSchema.safeParse(value);
  if (result.success) return result.data;
  // a misspelt key comes first: what is missing may be what it meant
  const lines = result.error.issues.flatMap((issue) => explain(issue, [], value)).map(({ path, key, text }) => {
    const name = path.map(String).join(".");
    return `${source.place(path, key)}: ${name === "" ? "" : `${name} `}${text}`;
  });
  const unknown = (line: string) => line.includes(" unknown key ") ? 0 : 1;
  throw new ConfigError([...new Set(lines)].sort((a, b) => unknown(a) - unknown(b)).join("\n"));
}

interface Problem {
  readonly path: readonly PropertyKey[];
  /** The offending key below `path`. */
  readonly key?: string;
  readonly text: string;
}

/** The problems behind an issue; of several forms that do not fit, that which comes nearest speaks. */
function explain(issue: Issue, prefix: readonly PropertyKey[], root: unknown): Problem[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const depth = (issues: readonly Issue[]) => Math.max(...issues.map((i) => i.path.length * 2 + kindOf(i)));
    const nearest = [...issue.errors].sort((a, b) => depth(b) - depth(a))[0];
    if (depth(nearest) > 0) return nearest.flatMap((inner) => explain(inner, path, root));
    const wanted = issue.errors.map((issues) => wish(issues[0])).filter((w) => w !== "");
    return [{ path, text: `must be ${wanted.join(", or ")}, got ${shown(at(root, path))}` }];
  }
  const got = at(root, path);
  if (issue.code === "unrecognized_keys") return [{ path, key: issue.keys[0], text: issue.message }];
  if (issue.code === "invalid_type" && got === undefined) return [{ path, text: "is missing" }];
  if (issue.message.startsWith("Invalid input")) return [{ path, text: `must be ${wish(issue)}, got ${shown(got)}` }];
  return [{ path, text: issue.message }];
}

/** Issues about what is inside a form count as nearer than those about the form itself. */
function kindOf(issue: Issue): number {
  return issue.code === "invalid_type" && issue.path.length === 0 ? 0 : 1;
}

function wish(issue: Issue): string {
  if (issue.code === "invalid_type") {
    const names: Record<string, string> = {
      object: "a block of keys",
      array: "a list",
      tuple: "a list",
      int: "a whole number",
    };
    return names[issue.expected] ?? `a ${issue.expected}`;
  }
  if (issue.code === "invalid_value") return issue.values.map(String).join(" or ");
  return issue.message.replace(/^must be /, "").replace(/, got .*/, "");
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let v = value;
  for (const step of path) {
    v = v === null || typeof v !== "object" ? undefined : (v as Record<PropertyKey, unknown>)[step];
  }
  return v;
}

/** `value` with `a.b.c=text` put in; the text is read as YAML. */
function overridden(value: unknown, override: string): unknown {
  const at = override.indexOf("=");
  if (at < 1) throw new ConfigError(`Cannot set ${override}: write --set key=value, as in --set policy.lrMax=1e-3`);
  const source: RecipeSource = readSource(`--set ${override}`, `value: ${override.slice(at + 1)}`);
  const given = (source.value as { value: unknown }).value;
  const put = (v: unknown, [step, ...rest]: readonly string[]): unknown => {
    if (step === undefined) return given;
    if (step === "__proto__" || step === "constructor" || step === "prototype") {
      throw new ConfigError(`Cannot set ${override}: no key is named ${step}`);
    }
    if (Array.isArray(v)) return v.map((item, i) => i === Number(step) ? put(item, rest) : item);
    const map = v !== null && typeof v === "object" ? v as Record<string, unknown> : {};
    return { ...map, [step]: put(map[step], rest) };
  };
  return put(value, override.slice(0, at).split("."));
}
