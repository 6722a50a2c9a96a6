/**
 * What keeps a file's tensors from being a model's.
 *
 * @module
 */
import { CheckpointError } from "../base/errors.ts";
import { fmtShape, sameShape, type Shape } from "../base/shape.ts";
import type { SafetensorsFile } from "./safetensors.ts";

/** The first of some texts, and how many more there are. */
export function firstOf(texts: readonly string[], most: number = 4): string {
  return texts.slice(0, most).join(", ") + (texts.length > most ? ` and ${texts.length - most} more` : "");
}

/**
 * Refuses a file in which tensors are missing or have another shape. All is told at once.
 *
 * @param what What cannot be loaded, and from where.
 * @param own A model's tensors.
 * @param found The file's names by the model's.
 * @param strangers What is wrong beside, such as names of the file that the model does not have.
 * @throws CheckpointError
 */
export function refuseMisfits(
  what: string,
  own: ReadonlyMap<string, { readonly shape: Shape }>,
  found: ReadonlyMap<string, string>,
  file: SafetensorsFile,
  strangers: readonly string[],
): void {
  const problems = [...strangers];
  for (const [name, { shape }] of own) {
    const theirs = found.get(name), got = theirs === undefined ? null : file.info(theirs).shape;
    if (got === null) problems.push(`${name} is missing`);
    else if (!sameShape(got, shape)) problems.push(`${theirs} is ${fmtShape(got)}, not ${fmtShape(shape)}`);
  }
  if (problems.length > 0) throw new CheckpointError(`Cannot load ${what}: ${firstOf(problems)}`);
}
