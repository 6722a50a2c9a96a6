/**
 * The commands and their options.
 *
 * @module
 */
import { Command, CommanderError } from "commander";
import { ConfigError, DataError } from "../base/errors.ts";
import { type Logger, Output, stdoutLogger } from "../train/mod.ts";
import { secondsOf } from "./budget.ts";
import { VERSION } from "./environment.ts";
import type { RunResult } from "./train.ts";

/** What commands print: text for people, or with `--json` one line for programs. */
interface Printer {
  readonly logger: Logger;
  /** The result: as JSON, or as these lines. */
  result(value: unknown, lines: readonly string[]): void;
  /** The same after work that stands whether anybody reads of it or not. */
  done(value: unknown, lines: readonly string[]): void;
}

function printer(json: boolean): Printer {
  const result = json
    ? (value: unknown) => print(JSON.stringify(value))
    : (_: unknown, lines: readonly string[]) => print(lines.join("\n"));
  if (json) {
    const output = new Output(Deno.stderr);
    return { logger: { line: (text: string) => output.write(text + "\n") }, result, done: result };
  }
  const logger = stdoutLogger();
  return { logger, result, done: (_, lines) => lines.forEach((line) => logger.line(line)) };
}

/** Writes to standard output, however slow its reader is; one that has gone away has read enough. */
function print(text: string): void {
  try {
    if (text !== "") console.log(text);
  } catch (cause) {
    if (cause instanceof Deno.errors.BrokenPipe) return;
    throw new DataError(`Cannot write to standard output: ${(cause as Error).message}`, { cause });
  }
}

/** The result of training: one that is not finished says so itself. */
function resultLines({ finished, seconds, out }: RunResult): string[] {
  return finished ? [`Done in ${seconds.toFixed(1)} s: ${out} holds the model, the log and pictures`] : [];
}

const collect = (value: string, all: string[]): string[] => [...all, value];

interface Common {
  readonly json: boolean;
}
interface WithSet extends Common {
  readonly set: string[];
}

interface Predicting extends Common {
  readonly item: string[];
  readonly form: string[];
  readonly out?: string;
}

interface Generating extends Common {
  readonly n: string;
  readonly temperature: string;
  readonly topK?: string;
  readonly minP?: string;
  readonly seed?: string;
}

interface Training {
  readonly live?: string | boolean;
  readonly budget?: string;
}

/** What `anneal export` may be told. */
interface ExportFlags {
  readonly onnx?: boolean;
  readonly hub?: boolean;
  readonly opset?: string;
  readonly normalize?: boolean;
  readonly activation?: boolean;
}

/** A command with the options that all have, and an example below its help. */
function add(program: Command, usage: string, description: string, example: string): Command {
  return program.command(usage).description(description)
    .option("--json", "one line of JSON on standard output; messages go to standard error", false)
    .addHelpText("after", `\nExample:\n  $ anneal ${example}`);
}

const SET = [
  "--set <key=value>",
  "put a value into the recipe, as in --set policy.lrMax=1e-3",
  collect,
  [] as string[],
] as const;

const BUDGET = [
  "--budget <time>",
  "stop after this time, as in 30s, 5m or 1h, with everything saved for resume; implies --json",
] as const;

/** All commands. */
export function makeProgram(): Command {
  const program = new Command("anneal").description("Trains neural networks by recipes.").version(VERSION)
    .exitOverride().showHelpAfterError("(--help shows what there is)");

  add(
    program,
    "train <recipe>",
    "train by a recipe, a YAML file",
    "train examples/recipes/mnist_mlp.yaml --out runs/digits",
  )
    .option(...SET)
    .option("--out <folder>", "folder of the run; by default the recipe's, or the next free one under runs/")
    .option("--live [port]", "show the run on a page on this machine")
    .option(...BUDGET)
    .action(async (file: string, { set, out, json, live, budget }: WithSet & Training & { out?: string }) => {
      const seconds = budget === undefined ? {} : { budget: secondsOf(budget) };
      const { readRecipe } = await import("./run_folder.ts");
      const { trainRecipe } = await import("./train.ts");
      const recipe = await readRecipe(file, set);
      const print = printer(json || budget !== undefined);
      const cbs = live === undefined ? [] : [await livePage(live)];
      const result = await trainRecipe(recipe, file, {
        logger: print.logger,
        cbs,
        ...seconds,
        ...(out === undefined ? {} : { out }),
      });
      print.done(result, resultLines(result));
    });

  add(
    program,
    "resume <run>",
    "go on with a run that was interrupted, from its newest checkpoint",
    "resume runs/digits",
  )
    .option("--live [port]", "show the run on a page on this machine")
    .option(...BUDGET)
    .action(async (run: string, { json, live, budget }: Common & Training) => {
      const seconds = budget === undefined ? {} : { budget: secondsOf(budget) };
      const { resumeRun } = await import("./train.ts");
      const print = printer(json || budget !== undefined);
      const cbs = live === undefined ? [] : [await livePage(live)];
      const result = await resumeRun(run, { logger: print.logger, cbs, ...seconds });
      print.done(result, resultLines(result));
    });

  add(program, "lr-find <recipe>", "look for a learning rate", "lr-find examples/recipes/mnist_mlp.yaml --out lr.png")
    .option(...SET)
    .option("--out <picture>", "where the curve goes, .png or .svg", "lr_find.png")
    .action(async (file: string, { set, out, json }: WithSet & { out: string }) => {
      const { lrFindRecipe } = await import("./inspect.ts");
      const print = printer(json);
      const found = await lrFindRecipe(file, set, out, print.logger);
      print.result(found, [
        ...Object.entries(found.suggestions).map(([name, lr]) =>
          `${name.padEnd(8)} ${lr === null ? `none: ${found.reasons[name]}` : lr.toExponential(2)}`
        ),
        `The curve is in ${out}`,
      ]);
    });

  add(program, "validate <run>", "measure a trained model on the validation set", "validate runs/digits")
    .action(async (run: string, { json }: Common) => {
      const { validateRun } = await import("./inspect.ts");
      const print = printer(json);
      const values = await validateRun(run, print.logger);
      print.result(values, Object.entries(values).map(([name, value]) => `${name.padEnd(12)} ${value}`));
    });

  add(
    program,
    "generate <run> [start]",
    "have a trained language model write on",
    'generate runs/moby "Call me" --n 60 --temperature 0.7',
  )
    .option("--n <number>", "tokens to write", "40")
    .option("--temperature <number>", "below 1 likely tokens become likelier, 0 always takes the likeliest", "0.8")
    .option("--top-k <number>", "draw from so many of the likeliest tokens only")
    .option("--min-p <number>", "do not draw tokens less probable than this")
    .option("--seed <number>", "seed of what is drawn")
    .action(async (run: string, start: string | undefined, { json, ...options }: Generating) => {
      const { generateText } = await import("./inspect.ts");
      const print = printer(json);
      const number = (name: string, text: string | undefined): Record<string, number> => {
        if (text === undefined) return {};
        const value = Number(text);
        if (text.trim() !== "" && Number.isFinite(value)) return { [name]: value };
        throw new ConfigError(`Cannot write with ${name} ${text}: it takes a number`);
      };
      const { n = 40, ...rest } = {
        ...number("n", options.n),
        ...number("temperature", options.temperature),
        ...number("topK", options.topK),
        ...number("minP", options.minP),
        ...number("seed", options.seed),
      };
      const text = await generateText(run, start ?? "", { n, ...rest }, printer(true).logger);
      print.result({ text }, [text]);
    });

  add(
    program,
    "predict <run> [inputs...]",
    "predict with a trained model: image files, texts or files of text, a file (.csv, .parquet, .feather, .jsonl) or column=value pairs of a table, a file of arrays (.safetensors, .npz), or --item of the validation set",
    "predict runs/digits --item 0 --item 7",
  )
    .option("--item <number>", "item of the validation set; may be given several times", collect, [] as string[])
    .option(
      "--form <key=value>",
      "how a table's file is written where that differs from training, as in --form decimal=,",
      collect,
      [] as string[],
    )
    .option("--out <file>", "write the predictions into a .csv or .parquet file")
    .action(async (run: string, inputs: string[], { item, json, form, out }: Predicting) => {
      const { predictRun } = await import("./inspect.ts");
      const { formOf, writePredictions } = await import("./predict_form.ts");
      const print = printer(json);
      // predictions alone go to standard output
      const all = await predictRun(run, inputs, item, printer(true).logger, formOf(form), out);
      const written = out === undefined ? null : await writePredictions(out, all);
      print.result(
        written === null ? all : { out, predictions: written },
        written !== null ? [`Written to ${out}: ${written} predictions`] : all.flatMap((p) => {
          if ("error" in p) return [];
          const sure = p.probability === undefined ? "" : ` (${(100 * p.probability).toFixed(1)} %)`;
          return [`${p.input}: ${p.prediction}${sure}`];
        }),
      );
      const failed = all.flatMap((p) => "error" in p ? [p.error] : []);
      for (const error of failed) console.error(error);
      if (failed.length > 0) throw new CommanderError(1, "anneal.predict", "");
    });

  add(program, "plot <run>", "draw a run's losses or schedule again", "plot runs/digits --what schedule --out s.svg")
    .option("--what <figure>", "losses or schedule", "losses")
    .option("--out <picture>", "where it goes, .png or .svg; by default it is drawn in the terminal")
    .action(async (run: string, { what, out, json }: Common & { what: string; out?: string }) => {
      const { plotRun } = await import("./inspect.ts");
      const text = await plotRun(run, what, out);
      printer(json).result({ out: out ?? null }, [text]);
    });

  add(
    program,
    "export <run> <folder>",
    "write the trained model with all that predictions need into a folder or a .safetensors file, for loadLearner; or as ONNX, for other runtimes",
    "export runs/digits model",
  )
    .option("--onnx", "write it as model.onnx, for other runtimes; a file of that ending says so, too")
    .option("--hub", "as a repository of Hugging Face's hub: a folder with model.safetensors and config.json")
    .option("--opset <number>", "version of ONNX's operators, 17 to 22; 18 by default")
    .option("--normalize", "the .onnx file takes inputs as the data has them, and scales them itself")
    .option("--activation", "outputs of the .onnx file pass through the loss's activation, such as a softmax")
    .action(async (run: string, folder: string, { json, ...onnx }: Common & ExportFlags) => {
      const { exportRun } = await import("./inspect.ts");
      const print = printer(json);
      const files = await exportRun(run, folder, onnx, print.logger);
      print.result({ files }, files.map((file) => `Written to ${file}`));
    });

  add(program, "devices", "what there is to compute on", "devices --json")
    .action(async ({ json }: Common) => {
      const { adapters } = await import("./environment.ts");
      const { openCpu } = await import("../device/cpu/mod.ts");
      const cpu = openCpu();
      cpu.close();
      const found = { processors: navigator.hardwareConcurrency, cpu: cpu.name, adapters: await adapters() };
      printer(json).result(found, [
        `cpu     ${cpu.name}`,
        ...found.adapters.map((a) => `webgpu  ${a.name}${a.software ? " (software: the cpu is faster)" : ""}`),
      ]);
    });

  add(program, "doctor", "say what is missing, and what to type", "doctor")
    .action(async ({ json }: Common) => {
      const { examine } = await import("./doctor.ts");
      const findings = await examine();
      const mark = { ok: "ok      ", note: "note    ", missing: "missing " } as const;
      printer(json).result(
        findings,
        findings.map((f) => `${mark[f.state]}${f.what}${f.fix === undefined ? "" : `\n        ${f.fix}`}`),
      );
      if (findings.some((f) => f.state === "missing")) throw new CommanderError(1, "anneal.doctor", "");
    });

  return program;
}

async function livePage(port: string | boolean) {
  if (typeof port === "string" && !(/^\d+$/.test(port) && Number(port) < 65536)) {
    throw new ConfigError(`Cannot use --live ${port}: the port is a whole number from 0 to 65535, 0 for any free one`);
  }
  const { LivePage } = await import("../live/mod.ts");
  return new LivePage(typeof port === "string" ? { port: Number(port) } : {});
}
