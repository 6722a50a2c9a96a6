/**
 * How often each class was taken for each other, and the scores made of it; as scikit-learn defines them.
 *
 * @module
 */

/** How a score of each class becomes one: that of one class, their mean, over all items, or the mean by the classes' sizes. */
export type Average = "binary" | "macro" | "micro" | "weighted";

/** Right and wrong decisions about one class. */
export interface Counts {
  /** Items of the class that were found. */
  readonly tp: number;
  /** Items that were taken for it. */
  readonly fp: number;
  /** Items of the class that were missed. */
  readonly fn: number;
}

/** `matrix[i][j]`: items of class `labels[i]` that were taken for `labels[j]`. */
export interface Confusion {
  /** The classes, ascending. */
  readonly labels: readonly number[];
  /** Rows are targets, columns predictions. */
  readonly matrix: readonly (readonly number[])[];
}

/** The confusion of predicted classes with targets; the classes are those that occur. */
export function confusion(pred: ArrayLike<number>, targ: ArrayLike<number>): Confusion {
  const labels = [...new Set([...Array.from(pred), ...Array.from(targ)])].sort((a, b) => a - b);
  const index = new Map(labels.map((label, i) => [label, i]));
  const matrix = labels.map(() => labels.map(() => 0));
  for (let i = 0; i < targ.length; i++) matrix[index.get(targ[i])!][index.get(pred[i])!]++;
  return { labels, matrix };
}

/** Right and wrong decisions about each class. */
export function countsOf({ matrix }: Confusion): Counts[] {
  return matrix.map((row, i) => {
    const tp = row[i];
    return { tp, fp: matrix.reduce((sum, r) => sum + r[i], 0) - tp, fn: row.reduce((a, b) => a + b, 0) - tp };
  });
}

/** `a / b`, 0 where there is nothing to divide. */
export function ratio(a: number, b: number): number {
  return b === 0 ? 0 : a / b;
}

/** tp / (tp + fp) */
export const precisionOf = ({ tp, fp }: Counts): number => ratio(tp, tp + fp);

/** tp / (tp + fn) */
export const recallOf = ({ tp, fn }: Counts): number => ratio(tp, tp + fn);

/** tp / (tp + fp + fn) */
export const jaccardOf = ({ tp, fp, fn }: Counts): number => ratio(tp, tp + fp + fn);

/** The mean of precision and recall in which recall counts `beta` times as much. */
export const fbetaOf = (beta: number) => ({ tp, fp, fn }: Counts): number =>
  ratio((1 + beta ** 2) * tp, (1 + beta ** 2) * tp + beta ** 2 * fn + fp);

/** One number of each class's score. `positive` is the index of the class that "binary" asks for. */
export function averaged(
  counts: readonly Counts[],
  score: (c: Counts) => number,
  average: Average,
  positive: number,
): number {
  if (average === "binary") return positive < 0 ? 0 : score(counts[positive]);
  if (average === "micro") {
    const sum = (key: keyof Counts): number => counts.reduce((s, c) => s + c[key], 0);
    return score({ tp: sum("tp"), fp: sum("fp"), fn: sum("fn") });
  }
  const weights = counts.map(({ tp, fn }) => average === "weighted" ? tp + fn : 1);
  return ratio(counts.reduce((s, c, i) => s + score(c) * weights[i], 0), weights.reduce((a, b) => a + b, 0));
}

/** Agreement beyond chance: Cohen's kappa; disagreements may count by the distance of the classes. */
export function kappaOf({ matrix }: Confusion, weights: "none" | "linear" | "quadratic"): number {
  const rows = matrix.map((r) => r.reduce((a, b) => a + b, 0));
  const cols = matrix.map((_, j) => matrix.reduce((s, r) => s + r[j], 0));
  const n = rows.reduce((a, b) => a + b, 0);
  let seen = 0, chance = 0;
  matrix.forEach((row, i) =>
    row.forEach((count, j) => {
      const w = weights === "none" ? Number(i !== j) : weights === "linear" ? Math.abs(i - j) : (i - j) ** 2;
      seen += w * count;
      chance += w * rows[i] * cols[j] / n;
    })
  );
  return 1 - seen / chance;
}

/** The correlation of predicted and true classes (Matthews 1975, Gorodkin 2004); 0 where either is constant. */
export function matthewsOf({ matrix }: Confusion): number {
  const rows = matrix.map((r) => r.reduce((a, b) => a + b, 0));
  const cols = matrix.map((_, j) => matrix.reduce((s, r) => s + r[j], 0));
  const n = rows.reduce((a, b) => a + b, 0);
  const right = matrix.reduce((s, r, i) => s + r[i], 0);
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((s, v, i) => s + v * b[i], 0);
  return ratio(right * n - dot(rows, cols), Math.sqrt((n * n - dot(cols, cols)) * (n * n - dot(rows, rows))));
}
