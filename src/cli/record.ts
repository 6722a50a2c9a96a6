/**
 * Figures of a run that is over, from the numbers that it left.
 *
 * @module
 */
import * as z from "zod";
import { ConfigError } from "../base/errors.ts";
import { type Figure, lossFigure, schedFigure } from "../plot/mod.ts";

const maybe = z.union([z.number(), z.null()]); // JSON has no NaN

const record = z.object({
  losses: z.array(maybe),
  iters: z.array(z.number()),
  hps: z.record(z.string(), z.array(z.union([z.number(), z.array(z.number())]))),
  rows: z.array(z.record(z.string(), z.unknown())),
});

/** The figure of losses or of the schedule. */
export async function figureOfRecord(file: string, what: "losses" | "schedule"): Promise<Figure> {
  let json: unknown;
  try {
    json = JSON.parse(await Deno.readTextFile(file));
  } catch (cause) {
    const why = cause instanceof Deno.errors.NotFound ? "the run has not finished" : (cause as Error).message;
    throw new ConfigError(`Cannot plot ${file}: ${why}`, { cause });
  }
  const { success, data } = record.safeParse(json);
  if (!success) throw new ConfigError(`Cannot plot ${file}: it is not what a run leaves`);
  const { losses, iters, hps, rows } = data;
  if (what === "schedule") return schedFigure(hps);
  const valid = rows.map((row) => typeof row.valid_loss === "number" ? row.valid_loss : NaN);
  return lossFigure({
    losses: losses.map((v) => v ?? NaN),
    iters,
    validLosses: valid.every(Number.isNaN) ? [] : valid,
  });
}
