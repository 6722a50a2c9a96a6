/**
 * Reading the documents of the repository.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

/** The text of a file of the repository. */
export function page(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

/** All Markdown files that users read, by their path in the repository. */
export async function documents(): Promise<string[]> {
  const found = ["README.md"];
  for (const folder of ["docs/", "docs/how_to/"]) {
    for await (const { name } of Deno.readDir(new URL(folder, ROOT))) {
      if (name.endsWith(".md")) found.push(folder + name);
    }
  }
  return found.sort();
}

/** Cells of the rows of all tables, without the heads. */
export function tableRows(text: string): string[][] {
  const lines = text.split("\n");
  const isRule = (line: string | undefined) => line !== undefined && /^\|[\s:|-]+\|$/.test(line);
  return lines.filter((line, i) => line.startsWith("|") && !isRule(line) && !isRule(lines[i + 1]))
    .map((line) => line.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim()));
}

/** What stands between backticks, outside of blocks of code. */
export function codeSpans(text: string): string[] {
  return [...text.replace(/^```[\s\S]*?^```/gm, "").matchAll(/`([^`]+)`/g)].map(([, code]) => code);
}

/** Names of options and other members that any interface or class of `src/` and `testing.ts` declares. */
export async function declaredNames(): Promise<Set<string>> {
  const names = new Set<string>();
  const visit = async (folder: URL): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) await visit(new URL(`${name}/`, folder));
      else if (name.endsWith(".ts") && !name.endsWith(".gen.ts")) {
        const text = await Deno.readTextFile(new URL(name, folder));
        for (const [, member] of text.matchAll(/^ {2}(?:override |readonly )*([A-Za-z_$][\w$]*)\??:/gm)) {
          names.add(member);
        }
      }
    }
  };
  await visit(new URL("src/", ROOT));
  return names;
}

/** A block of code in a document. */
export interface Block {
  /** Where it stands, `file:line`. */
  readonly place: string;
  /** The word behind the fence: "ts", "yaml", "sh"; with what follows, such as "ts ignore". */
  readonly kind: string;
  readonly code: string;
}

/** The blocks of code of a document. */
export function blocks(file: string, text: string): Block[] {
  return [...text.matchAll(/^```(.+)\n([\s\S]*?)^```$/gm)].map(({ 1: kind, 2: code, index }) => ({
    place: `${file}:${text.slice(0, index).split("\n").length}`,
    kind: kind.trim(),
    code,
  }));
}
