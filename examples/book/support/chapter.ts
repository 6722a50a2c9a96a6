/**
 * What the examples of all chapters have in common: their options, and how they begin.
 *
 * @module
 */
import { join } from "@std/path";
import { Command, InvalidArgumentError, Option } from "commander";
import { AnnealError, deviceStats, init, setSeed } from "../../../mod.ts";
import { setup } from "../../../tools/setup.ts";

/** Options of every chapter. */
export interface ChapterOptions {
  /** A GPU, or the CPU; by default a GPU if there is one. */
  readonly device?: "webgpu" | "cpu";
  /** A second or two on little data, as the tests do it, instead of the whole chapter. */
  readonly quick: boolean;
  /** Seed of data that are made, of weights and of order. */
  readonly seed: number;
  /** Folder for pictures, data that are made, and learners. */
  readonly out: string;
}

/** What options are where nothing is said. */
export const DEFAULTS: ChapterOptions = { quick: false, seed: 42, out: join("out", "book") };

/** Opens the device, and seeds whatever is drawn at random. */
export async function begin({ device, seed }: ChapterOptions): Promise<void> {
  await init(device ? { device } : {});
  setSeed(seed);
}

function whole(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 0) throw new InvalidArgumentError("It is a whole number from 0.");
  return n;
}

/** Runs a chapter by the options of the command line. */
export async function runChapter(about: string, main: (options: ChapterOptions) => Promise<unknown>): Promise<void> {
  const command = new Command()
    .description(about)
    .addOption(
      new Option("--device <name>", "device (default: a GPU if there is one, else cpu)").choices(["webgpu", "cpu"]),
    )
    .option("--quick", "a second or two on little data", DEFAULTS.quick)
    .addOption(new Option("--seed <n>", "seed of everything random").argParser(whole).default(DEFAULTS.seed))
    .option("--out <folder>", "folder for pictures, made data and learners", DEFAULTS.out)
    .action(async (options: ChapterOptions) => {
      const start = performance.now();
      try {
        if (options.device === "webgpu") await setup(); // a software adapter, where there is none
        await begin(options);
        console.log(`Device: ${deviceStats().name}`);
        await main(options);
      } catch (error) {
        if (!(error instanceof AnnealError)) throw error;
        console.error(`${error.name}: ${error.message}`);
        Deno.exit(1);
      }
      console.log(`Done in ${((performance.now() - start) / 1000).toFixed(1)} s; files are in ${options.out}`);
    });
  await command.parseAsync(Deno.args, { from: "user" });
}
