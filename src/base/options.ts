/**
 * Names of options, and what was probably meant by a wrong one. `deno run` does not check types: a misspelt option would
 * go unnoticed.
 *
 * @module
 */
import { ConfigError } from "./errors.ts";

/** The entry of `names` that `name` was probably meant to be: the one at the smallest editing distance. */
export function nearestName(name: string, names: readonly string[]): string {
  const distance = (a: string, b: string): number => {
    let row = Array.from({ length: b.length + 1 }, (_, j) => j);
    for (let i = 1; i <= a.length; i++) {
      const next = [i];
      for (let j = 1; j <= b.length; j++) {
        next.push(
          Math.min(
            next[j - 1] + 1,
            row[j] + 1,
            row[j - 1] + (a[i - 1].toLowerCase() === b[j - 1].toLowerCase() ? 0 : 1),
          ),
        );
      }
      row = next;
    }
    return row[b.length];
  };
  return names.reduce((best, n) => distance(name, n) < distance(name, best) ? n : best);
}

/**
 * Throws where `options` has a name that is not among `known`.
 *
 * @param what What was to be done, as in "fit".
 */
export function refuseUnknown<O extends object>(
  what: string,
  options: O,
  known: readonly (keyof O & string)[],
): void {
  for (const name of Object.keys(options)) {
    if (known.some((k) => k === name)) continue;
    throw new ConfigError(
      `Cannot ${what} with ${name}: the options are ${known.join(", ")}; did you mean ${nearestName(name, known)}?`,
    );
  }
}
