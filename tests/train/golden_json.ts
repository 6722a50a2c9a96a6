/**
 * Recordings of fastai.
 *
 * @module
 */

/** The content of a file in `tests/golden`. Numbers that JSON has none for are strings: see {@link numberOf}. */
export async function readGolden<T>(name: string): Promise<T> {
  return JSON.parse(await Deno.readTextFile(new URL(`../golden/${name}`, import.meta.url))) as T;
}

/** A recorded number: "NaN", "Infinity" and "-Infinity" are written as strings. */
export function numberOf(value: number | string): number {
  return Number(value);
}
