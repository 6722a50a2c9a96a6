/**
 * The page of `deno task gpu:check`.
 *
 * @module
 */
import type { PartResult } from "./result.ts";
import type { Outcome } from "./run.ts";

type Cell = string | number;

function cell(value: Cell): string {
  return String(value).replaceAll("|", "\\|").replaceAll("\n", " ");
}

/** A table of Markdown. */
function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const line = (cells: readonly Cell[]) => `| ${cells.map(cell).join(" | ")} |`;
  return ["", line(head), line(head.map(() => "---")), ...rows.map(line)];
}

/** The rows of all parts whose tables have the column `name`, and where their columns are. */
function rowsWith(
  outcomes: readonly Outcome[],
  name: string,
): { at: (column: string) => number; row: readonly Cell[] }[] {
  return outcomes.flatMap(({ result }) =>
    result === null || result.head[0] !== name ? [] : result.rows.map((row) => ({
      at: (column) => result.head.indexOf(column),
      row,
    }))
  );
}

/** The fastest family at each size, its share of the peak, and how it stands to PyTorch; nothing where no product was timed. */
export function productsTable(outcomes: readonly Outcome[]): string[] {
  const best = new Map<Cell, { family: Cell; gflops: number; share: Cell }>();
  for (const { at, row } of rowsWith(outcomes, "family")) {
    const family = row[at("family")], n = row[at("n")], gflops = row[at("GFLOP/s")];
    if (at("GFLOP/s") < 0 || typeof gflops !== "number" || family === "f16") continue;
    if (gflops > (best.get(n)?.gflops ?? 0)) best.set(n, { family, gflops, share: row[at("of the peak")] });
  }
  if (best.size === 0) return [];
  const torch = new Map(
    rowsWith(outcomes, "PyTorch on CUDA").filter(({ at, row }) => row[at("operands")] === "f32")
      .map(({ at, row }) => [row[at("n")], Number(row[at("GFLOP/s")])]),
  );
  const rows = [...best].map(([n, { family, gflops, share }]) => {
    const theirs = torch.get(n);
    return [
      n,
      family,
      gflops,
      share,
      theirs ?? "–",
      theirs === undefined ? "–" : `${(gflops / theirs).toPrecision(3)} x`,
    ];
  });
  return table(["product of", "fastest family", "GFLOP/s", "of the peak", "PyTorch f32", "Anneal is"], rows);
}

/** How often each state is there. */
export function tally(outcomes: readonly Outcome[]): string {
  const counts = new Map<string, number>();
  for (const { state } of outcomes) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${state}`).join(", ");
}

/** What a run was. */
export interface About {
  readonly date: string;
  /** What was asked for, and with which versions. */
  readonly how: string;
}

/** The page: what became of each part, products in short, then tables of the same columns together, then what went wrong. */
export function page({ date, how }: About, outcomes: readonly Outcome[]): string {
  const lines = [`# GPU check, ${date}`, "", how, "", tally(outcomes)];
  lines.push(
    ...table(["part", "", "s", ""], outcomes.map(({ part, state, seconds, why }) => [part, state, seconds, why])),
  );
  lines.push(...productsTable(outcomes));
  const tables = new Map<string, { head: readonly string[]; rows: PartResult["rows"][number][] }>();
  for (const { result } of outcomes) {
    if (result === null || result.rows.length === 0) continue;
    const key = result.head.join("|"), { rows } = tables.get(key) ?? { rows: [] };
    tables.set(key, { head: result.head, rows: [...rows, ...result.rows] });
  }
  for (const { head, rows } of tables.values()) lines.push(...table(head, rows));
  for (const { part, said, result } of outcomes) {
    const found = [...result?.wrong ?? [], ...result?.faults ?? []];
    if (found.length === 0 && said === "") continue;
    lines.push("", `## ${part}`, ...found.flatMap((line) => ["", line]));
    if (said !== "") lines.push("", "```text", said, "```");
  }
  return lines.join("\n") + "\n";
}
