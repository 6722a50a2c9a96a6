/**
 * The command line: `deno run -A jsr:@anneal/anneal/cli`, or `deno task anneal` in the repository.
 *
 * Exit codes: 0 done, or as far as the budget went; 1 it failed; 2 the command line or the recipe is wrong; 130 and 143 interrupted, with everything saved.
 *
 * @module
 */
import { CommanderError } from "commander";
import { AnnealError, ConfigError, InterruptedError } from "../base/errors.ts";
import { makeProgram } from "./program.ts";

/** Runs a command line; gives the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    await makeProgram().parseAsync([...args], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 1 && !error.code.startsWith("anneal.") ? 2 : error.exitCode;
    }
    if (error instanceof AnnealError) {
      console.error(error.message);
      if (error instanceof InterruptedError) return error.reason === "SIGTERM" ? 143 : 130;
      return error instanceof ConfigError ? 2 : 1;
    }
    throw error;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
