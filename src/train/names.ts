/**
 * Names as the recorder's rows have them.
 *
 * @module
 */

/** `errorRate` and `ErrorRate` give `error_rate`; `MAE` gives `mae`, `f1Score` gives `f1_score`. */
export function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .toLowerCase();
}
