/**
 * What `anneal predict` is told of files of tables, and where it writes.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { tableBytes, type WrittenColumn, writtenFormat } from "../data/table_text.ts";
import { writeAtomic } from "../base/atomic.ts";
import { readSource } from "./recipe/source.ts";
import type { FailedLine, PredictionLine } from "./inspect.ts";

/** Options of `--form key=value`; values are YAML, as in `--form decimal=,` and `--form header=false`. */
export function formOf(texts: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(texts.map((text) => {
    const at = text.indexOf("="), name = text.slice(0, Math.max(0, at)).trim(), value = text.slice(at + 1);
    if (name === "") {
      throw new ConfigError(`Cannot use --form ${text}: write --form key=value, as in --form delimiter=;`);
    }
    // marks of punctuation mean themselves
    if (/^[^\w[{"']*$/.test(value)) return [name, value];
    return [name, (readSource(`--form ${text}`, `value: ${value}`).value as { value: unknown }).value];
  }));
}

/** Writes predictions to a `.csv` or `.parquet` file: `input`, `prediction`, and `probability` where there are classes. */
export async function writePredictions(path: string, all: readonly (PredictionLine | FailedLine)[]): Promise<number> {
  writtenFormat(path);
  const lines = all.filter((line) => !("error" in line)) as PredictionLine[];
  const table: Record<string, WrittenColumn> = { input: lines.map(({ input }) => input) };
  const width = Math.max(1, ...lines.map(({ prediction: p }) => Array.isArray(p) ? p.length : 1));
  const cell = (p: PredictionLine["prediction"], i: number) =>
    typeof p === "object" ? p[i] ?? null : i === 0 ? p : null;
  for (let i = 0; i < width; i++) {
    table[width === 1 ? "prediction" : `prediction_${i}`] = lines.map(({ prediction }) => cell(prediction, i));
  }
  if (lines.some(({ probability }) => probability !== undefined)) {
    table.probability = lines.map(({ probability }) => probability ?? null);
  }
  await writeAtomic(path, await tableBytes(path, table));
  return lines.length;
}
