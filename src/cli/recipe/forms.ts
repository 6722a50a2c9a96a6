/**
 * Forms of recipes that say, when something does not fit, what would.
 *
 * @module
 */
import * as z from "zod";
import { didYouMean } from "../../base/options.ts";

/** The hint at the nearest name, where there is one. */
export function meant(got: unknown, names: readonly string[]): string {
  return typeof got === "string" ? didYouMean(got, names) : "";
}

function list(names: readonly string[]): string {
  return names.join(", ");
}

/** An object with these keys and no others; the message about an unknown one is the list of those that are known. */
export function form<S extends z.core.$ZodShape>(shape: S): z.ZodObject<S, z.core.$strict> {
  const names = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => issue.code === "unrecognized_keys" ? list(names) : undefined,
  });
}

/** One of some words. */
export function word<const N extends readonly [string, ...string[]]>(
  names: N,
): z.ZodEnum<z.core.util.ToEnum<N[number]>> {
  return z.enum(names, {
    error: (issue) =>
      issue.input === undefined
        ? `is missing: one of ${list(names)}`
        : `must be one of ${list(names)}, got ${shown(issue.input)}${meant(issue.input, names)}`,
  });
}

/** One of several objects, told apart by their `kind`. */
export function kinds<O extends readonly [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]]>(
  names: readonly string[],
  options: O,
): z.ZodDiscriminatedUnion<O, "kind"> {
  return z.discriminatedUnion("kind", options, {
    error: (issue) => {
      const kind = (issue.input as { kind?: unknown } | null | undefined)?.kind;
      return kind === undefined
        ? `is missing: one of ${list(names)}`
        : `must be one of ${list(names)}, got ${shown(kind)}${meant(kind, names)}`;
    },
  });
}

/** A value as it stands in a message. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** A whole number from `least`. */
export function whole(least: number): z.ZodInt {
  return z.int({ error: (i) => `must be a whole number, got ${shown(i.input)}` }).min(least, {
    error: (i) => `must be a whole number from ${least}, got ${shown(i.input)}`,
  });
}

/** A list of at least one. */
export function some<T extends z.core.SomeType>(item: T): z.ZodArray<T> {
  return z.array(item).min(1, { error: "must have at least one entry" });
}

/** A number, in these bounds; `above` excludes its bound. */
export function number({ above, least, most }: { above?: number; least?: number; most?: number } = {}): z.ZodNumber {
  const rule = [
    above === undefined ? "" : `above ${above}`,
    least === undefined ? "" : `from ${least}`,
    most === undefined ? "" : `to ${most}`,
  ].filter((part) => part !== "").join(" ");
  const error = (i: { input?: unknown }) => `must be a number ${rule}`.trim() + `, got ${shown(i.input)}`;
  let it = z.number({ error });
  if (above !== undefined) it = it.gt(above, { error });
  if (least !== undefined) it = it.min(least, { error });
  if (most !== undefined) it = it.max(most, { error });
  return it;
}
