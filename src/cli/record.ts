/**
 * Figures of a run that is over, from the numbers that it left.
 *
 * @module
 */
import * as z from "zod";
import { ConfigError } from "../base/errors.ts";
import { type Figure, lossFigure, schedFigure } from "../plot/mod.ts";
import type { Row } from "../train/mod.ts";

/** The numbers of all fits of a run, one after the other. */
export interface RunRecord {
  /** Smoothed losses, one a batch; null for one that is no number. */
  readonly losses: readonly (number | null)[];
  /** Batches up to the end of each epoch. */
  readonly iters: readonly number[];
  /** Batches up to the end of each fit. */
  readonly ends: readonly number[];
  /** Hyper-parameters, batch by batch; null where a fit did not schedule one. */
  readonly hps: Readonly<Record<string, (number | null)[]>>;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** What the recorder has of a fit. */
interface Fit {
  readonly losses: readonly number[];
  readonly iters: readonly number[];
  readonly lrs: readonly number[];
  readonly hps: Readonly<Record<string, readonly number[]>>;
  readonly rows: readonly Row[];
}

/** Puts the fits of a run one behind the other. The learning rate is there in any case, other hyper-parameters where one scheduled them. */
export function joinFits(fits: readonly Fit[]): RunRecord {
  const names = new Set(fits.flatMap((fit) => ["lr", ...Object.keys(fit.hps)]));
  const hps: Record<string, (number | null)[]> = Object.fromEntries([...names].map((name) => [name, []]));
  const losses: (number | null)[] = [], iters: number[] = [], ends: number[] = [];
  for (const fit of fits) {
    const before = losses.length;
    for (const iter of fit.iters) iters.push(before + iter);
    for (let i = 0; i < fit.losses.length; i++) {
      losses.push(Number.isFinite(fit.losses[i]) ? fit.losses[i] : null);
      for (const name of names) hps[name].push((fit.hps[name] ?? (name === "lr" ? fit.lrs : []))[i] ?? null);
    }
    if (losses.length > before) ends.push(losses.length);
  }
  return { losses, iters, ends, hps, rows: fits.flatMap((fit) => fit.rows) };
}

/** The figure of a run's losses; dotted lines stand between its fits. */
export function lossesOf({ losses, iters, ends, rows }: RunRecord): Figure {
  const valid = rows.map((row) => typeof row.valid_loss === "number" ? row.valid_loss : NaN);
  return lossFigure({
    losses: losses.map((v) => v ?? NaN),
    iters,
    validLosses: valid.every(Number.isNaN) ? [] : valid,
    rules: ends.slice(0, -1),
  });
}

/** The figure of a run's hyper-parameters. */
export function scheduleOf({ hps }: RunRecord): Figure {
  return schedFigure(Object.fromEntries(Object.entries(hps).map(([name, list]) => [name, list.map((v) => v ?? NaN)])));
}

const maybe = z.union([z.number(), z.null()]); // JSON has no NaN

const record = z.object({
  losses: z.array(maybe),
  iters: z.array(z.number()),
  ends: z.array(z.number()).default([]), // runs of before have one fit
  hps: z.record(z.string(), z.array(maybe)),
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
  return what === "schedule" ? scheduleOf(data) : lossesOf(data);
}
