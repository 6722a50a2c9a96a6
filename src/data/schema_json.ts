/**
 * Schemas of tables, read back from what was saved.
 *
 * @module
 */
import { DataError } from "../base/errors.ts";
import { CSV_OPTIONS, givenForm } from "./csv_form.ts";
import type { TabularSchema } from "./tabular_schema.ts";

type Dict = Readonly<Record<string, unknown>>;

/**
 * The schema that `JSON.stringify` kept, checked.
 *
 * @param json What `JSON.parse` gave.
 * @param what Where it comes from, for errors.
 * @throws DataError Where it is none, or of a version that this one does not know.
 */
export function schemaFromJson(json: unknown, what = "the schema"): TabularSchema {
  const fail = (why: string): never => {
    throw new DataError(`Cannot read ${what}: ${why}`);
  };
  const dict = (v: unknown, name: string): Dict =>
    typeof v === "object" && v !== null && !Array.isArray(v) ? v as Dict : fail(`${name} is not an object`);
  const list = (v: unknown, name: string): readonly unknown[] => Array.isArray(v) ? v : fail(`${name} is not a list`);
  const text = (v: unknown, name: string) => typeof v === "string" ? v : fail(`${name} is not a text`);
  const texts = (v: unknown, name: string) => list(v, name).map((t) => text(t, name));
  const number = (v: unknown, name: string) => Number.isFinite(v) ? v as number : fail(`${name} is not a number`);
  const std = (v: unknown, name: string) => number(v, name) > 0 ? v as number : fail(`${name} is not above 0`);

  const root = dict(json, "it");
  if (root.version !== 1) fail(`its version is ${String(root.version)}, this release reads version 1`);
  const numeric = list(root.numeric, "numeric").map((entry, i) => {
    const at = `numeric[${i}]`, { name, mean, std: deviation, median, hasMissing, filled } = dict(entry, at);
    return {
      name: text(name, `${at}.name`),
      mean: number(mean, `${at}.mean`),
      std: std(deviation, `${at}.std`),
      median: number(median, `${at}.median`),
      hasMissing: hasMissing === true,
      ...(filled === false ? { filled } as const : {}),
    };
  });
  const categorical = list(root.categorical, "categorical").map((entry, i) => {
    const at = `categorical[${i}]`, { name, words, numbers, marks } = dict(entry, at);
    if (marks !== undefined && !numeric.some((n) => n.name === marks)) fail(`${at}.marks is no column of numbers`);
    return {
      name: text(name, `${at}.name`),
      words: texts(words, `${at}.words`),
      ...(numbers === true ? { numbers } : {}),
      ...(marks === undefined ? {} : { marks: text(marks, `${at}.marks`) }),
    };
  });
  const goal = dict(root.target, "target"), name = text(goal.name, "target.name");
  if (goal.kind !== "classify" && goal.kind !== "regress") fail("target.kind is neither classify nor regress");
  const target = goal.kind === "classify"
    ? {
      kind: "classify" as const,
      name,
      classes: texts(goal.classes, "target.classes"),
      ...(goal.numbers === true ? { numbers: true } : {}),
    }
    : {
      kind: "regress" as const,
      name,
      mean: number(goal.mean, "target.mean"),
      std: std(goal.std, "target.std"),
    };
  const formFrom = (given: unknown) => {
    const form = givenForm(dict(given, "form"));
    for (const [name, option] of Object.entries(form)) {
      const { holds, takes } = CSV_OPTIONS[name as keyof typeof CSV_OPTIONS];
      if (!holds(option)) fail(`form.${name} is not ${takes}`);
    }
    return form;
  };
  const cells = dict(root.cells, "cells"), byColumn = dict(cells.naByColumn, "cells.naByColumn");
  return {
    version: 1,
    numeric,
    categorical,
    target,
    cells: {
      decimal: cells.decimal === "." || cells.decimal === "," ? cells.decimal : fail('cells.decimal is no "." or ","'),
      thousands: text(cells.thousands, "cells.thousands"),
      strip: texts(cells.strip, "cells.strip"),
      naValues: texts(cells.naValues, "cells.naValues"),
      naByColumn: Object.fromEntries(Object.entries(byColumn).map(([k, v]) => [k, texts(v, "cells.naByColumn")])),
      keepDefaultNa: cells.keepDefaultNa !== false,
    },
    form: formFrom(root.form),
    unused: texts(root.unused, "unused"),
    ...(root.typed === true ? { typed: true } : {}),
  };
}
