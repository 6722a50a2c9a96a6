/**
 * Matrices as pictures: a cell an entry, the darker, the larger.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, text, texts } from "../base/options.ts";
import { Figure } from "./figure.ts";
import type { MatrixPanel } from "./panel.ts";

/** Options of {@link plotMatrix}. */
export interface PlotMatrixOptions {
  /** Name of each row. */
  readonly rows: readonly string[];
  /** Name of each column. */
  readonly columns: readonly string[];
  /** Name of the rows' axis; none by default. */
  readonly rowLabel?: string;
  /** Name of the columns' axis; none by default. */
  readonly columnLabel?: string;
  /** Heading; none by default. */
  readonly title?: string;
}

/** Pixels of a cell, and of a letter of its axis's names. */
const CELL = 44, LETTER = 6.6;

/**
 * A matrix with the number in every cell.
 *
 * @param values Rows of numbers, all of one length.
 * @throws {ConfigError} If rows or names are not as many as there should be.
 */
export function plotMatrix(values: readonly (readonly number[])[], options: PlotMatrixOptions): Figure {
  checkOptions("plotMatrix", options, { rows: texts, columns: texts, rowLabel: text, columnLabel: text, title: text });
  const { rows, columns, rowLabel = "", columnLabel = "", title = "" } = options;
  if (values.length === 0 || columns.length === 0) {
    throw new ConfigError("Cannot show a matrix: it has no cells");
  }
  if (values.length !== rows.length || values.some((row) => row.length !== columns.length)) {
    throw new ConfigError(
      `Cannot show a matrix: names for ${rows.length} rows and ${columns.length} columns were given, ` +
        `got ${values.length} rows of ${[...new Set(values.map((row) => row.length))].join(", ")}`,
    );
  }
  const margin = (names: readonly string[]) => Math.ceil(Math.max(...names.map((n) => n.length)) * LETTER) + 34;
  const left = margin(rows), bottom = margin(columns);
  const panel: MatrixPanel = {
    kind: "matrix",
    values,
    rows,
    columns,
    rowLabel,
    columnLabel,
    title,
    cell: CELL,
    left,
    width: left + columns.length * CELL + 16,
    height: 34 + rows.length * CELL + bottom,
  };
  return new Figure([panel]);
}

/** How often each class (row) was taken for each (column), as a picture; with `normalize` in shares of each row. */
export function confusionFigure(
  counts: readonly (readonly number[])[],
  vocab: readonly string[],
  { normalize, title }: { readonly normalize: boolean; readonly title: string },
): Figure {
  const shares = counts.map((row) => {
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((n) => total === 0 ? 0 : n / total);
  });
  return plotMatrix(normalize ? shares : counts, {
    rows: vocab,
    columns: vocab,
    rowLabel: "Actual",
    columnLabel: "Predicted",
    title,
  });
}
