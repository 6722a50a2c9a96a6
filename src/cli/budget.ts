/**
 * Budgets of time on the command line.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** The seconds of a text such as 30s, 5m or 1.5h. */
export function secondsOf(budget: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smh])$/.exec(budget.trim()) ?? [];
  const seconds = Number(number) * SECONDS[unit];
  if (seconds > 0) return seconds;
  throw new ConfigError(
    `Cannot train with --budget ${JSON.stringify(budget)}: it is a number above 0 and s, m or h, as in 30s, 5m or 1.5h`,
  );
}
