/**
 * From a recipe's text to a checked recipe, or to a message that says where and what.
 *
 * @module
 */
import type * as z from "zod";
import { ConfigError } from "../../base/errors.ts";
import { meant, shown } from "./forms.ts";
import { type Recipe, recipeSchema } from "./schema.ts";
import { FORBIDDEN, readSource } from "./source.ts";

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
  const given = overrides.map(readOverride);
  const value = given.reduce((v, { path, value, text }) => put(v, path, value, text), source.value);
  const result = recipeSchema.safeParse(value);
  if (result.success) return result.data;
  // a misspelt key comes first: what is missing may be what it meant
  const lines = result.error.issues.flatMap((issue) => explain(issue, [], value)).map(({ path, key, text }) => {
    const name = path.map(String).join(".");
    const from = given.find((o) => comesFrom(o.path, [...path, ...(key === undefined ? [] : [key])], source.value));
    const place = from === undefined ? source.place(path, key) : `--set ${from.text}`;
    return `${place}: ${name === "" ? "" : `${name}: `}${text}`;
  });
  const unknown = (line: string) => line.includes(" unknown key ") ? 0 : 1;
  throw new ConfigError([...new Set(lines)].sort((a, b) => unknown(a) - unknown(b)).join("\n"));
}

/** Whether what is at `path` was given by an override: there, further out, or inside something that the file lacks. */
function comesFrom(given: readonly string[], path: readonly PropertyKey[], root: unknown): boolean {
  const same = (n: number): boolean => given.slice(0, n).every((step, i) => step === String(path[i]));
  if (given.length <= path.length) return same(given.length);
  return path.length > 0 && same(path.length) && at(root, path) === undefined;
}

interface Problem {
  readonly path: readonly PropertyKey[];
  /** The offending key below `path`. */
  readonly key?: string;
  readonly text: string;
}

/** The problems behind an issue; of several forms that do not fit, that which comes nearest speaks. */
function explain(issue: Issue, prefix: readonly PropertyKey[], root: unknown): Problem[] {
  const path = [...prefix, ...issue.path], got = at(root, path);
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const depth = (issues: readonly Issue[]) => Math.max(...issues.map((i) => i.path.length * 2 + kindOf(i)));
    const nearest = [...issue.errors].sort((a, b) => depth(b) - depth(a))[0];
    if (depth(nearest) > 0) return nearest.flatMap((inner) => explain(inner, path, root));
    const wanted = issue.errors.map((issues) => wish(issues[0])).filter((w) => w !== "");
    if (got === undefined) return [{ path, text: `is missing: it is ${wanted.join(", or ")}` }];
    return [{ path, text: `must be ${wanted.join(", or ")}, got ${shown(got)}` }];
  }
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const hint = meant(key, issue.message.split(", "));
      return { path, key, text: `unknown key ${key}: allowed are ${issue.message}${hint}` };
    });
  }
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

/** A value of the command line, and where it goes. */
interface Override {
  readonly text: string;
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Reads `a.b.c=value`; the value is YAML. */
function readOverride(text: string): Override {
  const at = text.indexOf("=");
  const path = text.slice(0, Math.max(0, at)).split(".").map((step) => step.trim());
  if (path.includes("")) {
    throw new ConfigError(`Cannot set ${text}: write --set key=value, as in --set policy.lrMax=1e-3`);
  }
  const reserved = path.find((step) => FORBIDDEN.has(step));
  if (reserved !== undefined) throw new ConfigError(`Cannot set ${text}: no key is named ${reserved}`);
  const { value } = readSource(`--set ${text}`, `value: ${text.slice(at + 1)}`);
  return { text, path, value: (value as { value: unknown }).value };
}

/** `root` with `given` at `path`. */
function put(root: unknown, [step, ...rest]: readonly string[], given: unknown, text: string): unknown {
  if (step === undefined) return given;
  if (Array.isArray(root)) {
    const i = Number(step);
    if (!Number.isInteger(i) || i < 0 || i > root.length) {
      throw new ConfigError(
        `Cannot use --set ${text}: there is a list of ${root.length} entries, counted from 0, got ${step}`,
      );
    }
    return [...root.slice(0, i), put(root[i], rest, given, text), ...root.slice(i + 1)];
  }
  const map = root !== null && typeof root === "object" ? root as Record<string, unknown> : {};
  return { ...map, [step]: put(map[step], rest, given, text) };
}
