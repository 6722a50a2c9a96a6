/**
 * The text of a recipe, and where in it a value stands.
 *
 * @module
 */
import { parse } from "@std/yaml";
import { isAlias, isMap, isNode, isScalar, LineCounter, type Node, parseAllDocuments, visit } from "yaml";
import { ConfigError } from "../../base/errors.ts";

/** A recipe as written. */
export interface RecipeSource {
  /** Name of the file, for messages. */
  readonly file: string;
  /** What the document holds; its form is not checked yet. */
  readonly value: unknown;
  /** `file:line:column` of a value, or of the key at the end of the path; of what is around it where it is not written. */
  place(path: readonly PropertyKey[], key?: string): string;
}

/** Largest recipe in bytes: nobody writes more by hand. */
const MOST_BYTES = 256 * 1024;

/** Keys that name what every JavaScript object has. */
export const FORBIDDEN: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/**
 * Reads a recipe's text. It is plain data: anchors, aliases, tags and merge keys are refused, and so are keys twice.
 *
 * @throws {ConfigError} That begins with `file:line:column`.
 */
export function readSource(file: string, text: string): RecipeSource {
  if (text.length > MOST_BYTES) {
    throw new ConfigError(`${file}:1:1: a recipe has at most ${MOST_BYTES / 1024} KiB, got ${text.length} characters`);
  }
  const lines = new LineCounter();
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const documents = guarded(file, () => parseAllDocuments(text, { lineCounter: lines, schema: "core" }));
  const [document] = Array.isArray(documents) ? documents : [];
  if (document === undefined) throw new ConfigError(`${file}:1:1: the recipe is empty`);
  if (Array.isArray(documents) && documents.length > 1) {
    throw new ConfigError(`${at(documents[1].range[0])}: a recipe is one document, got ${documents.length}`);
  }
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw new ConfigError(`${at(problem.pos[0])}: ${firstLine(problem)}`);
  guarded(file, () =>
    visit(document, {
      Alias: (_, node) => refuse(node, "aliases are not for recipes, write the value out"),
      Node: (_, node) => {
        if (!isAlias(node) && node.anchor) refuse(node, "anchors are not for recipes, write the value out");
        if (node.tag) refuse(node, `tags are not for recipes, got ${node.tag}`);
      },
      Pair: (_, { key }) => {
        if (!isScalar(key)) {
          const offset = isNode(key) ? key.range?.[0] ?? 0 : 0;
          throw new ConfigError(`${at(offset)}: keys of a recipe are words, got a list or a block`);
        }
        if (FORBIDDEN.has(String(key.value)) || key.value === "<<") refuse(key, `no key is named ${key.value}`);
        if (typeof key.value !== "string") refuse(key, `keys are words, got ${key.value}`);
      },
    }));
  function refuse(node: Node, why: string): never {
    throw new ConfigError(`${at(node.range?.[0] ?? 0)}: ${why}`);
  }
  const value = guarded(file, () => parse(text, { schema: "core" }));
  return {
    file,
    value,
    place(path, key) {
      let node: unknown = document.contents;
      let offset = 0;
      const steps = [...path, ...(key === undefined ? [] : [key])];
      for (const [i, step] of steps.entries()) {
        if (isMap(node)) {
          const pair = node.items.find((p) => isScalar(p.key) && p.key.value === step);
          if (pair === undefined) break;
          const wanted = key !== undefined && i === steps.length - 1 ? pair.key : pair.value;
          const empty = !isNode(wanted) || wanted.range?.[0] === wanted.range?.[1];
          offset = (empty ? pair.key as Node : wanted).range?.[0] ?? offset;
          node = pair.value;
        } else {
          const items: unknown[] = (node as { items?: unknown[] } | null)?.items ?? [];
          node = items[Number(step)];
          offset = (node as Node | undefined)?.range?.[0] ?? offset;
        }
      }
      return at(offset);
    },
  };
}

/** What the parser says, without the place, which stands in front already. */
function firstLine(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).split("\n")[0];
  if (text.startsWith("Maximum call stack")) return "it is nested too deeply";
  return text.replace(/ at line \d+, column \d+:?$/, "");
}

/** What the parser cannot cope with, such as ten thousand brackets, is the recipe's fault. */
function guarded<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (error instanceof Deno.errors.NotCapable) { // the parser looks whether it is to be traced
      throw new ConfigError(
        `Cannot read the recipe ${file}: the YAML parser looks at the environment, run again with --allow-env`,
        { cause: error },
      );
    }
    const why = error instanceof RangeError ? "it is nested too deeply" : firstLine(error);
    throw new ConfigError(`${file}:1:1: cannot be read: ${why}`, { cause: error });
  }
}
