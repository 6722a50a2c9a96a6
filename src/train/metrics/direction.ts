/**
 * Which way a column of the rows is better.
 *
 * @module
 */

const SMALLER_IS_BETTER = /loss|error|perplexity|(^|_)(r?mse|mae|msle|exp_rmspe)$/;

/** Whether smaller values of a column are better: losses, errors, perplexity. */
export function smallerIsBetter(name: string): boolean {
  return SMALLER_IS_BETTER.test(name);
}
