/**
 * Checks an adapter, and measures it: one command, under ten minutes, no network. What fails is written down, and the rest goes on.
 *
 *     deno task gpu:check [--minutes N] [--only part,part] [--quick] [--dawn]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { dawnDriver } from "../tests/support/dawn.ts";
import { FAMILIES, type PartResult } from "./gpu_check/parts.ts";

const USAGE = `Checks a WebGPU adapter, and measures it; the results go to bench/results/.

Usage: deno task gpu:check [options]

  --minutes N   when to stop (default 9); parts that have not run by then are written down as left out
  --only LIST   parts whose names begin so: adapter, conformance, products, peak, torch, recorded, nets, bench
  --quick       small sizes and a sample of the cases: whether everything runs
  --dawn        Dawn (npm:webgpu) in place of Deno's own WebGPU
  --help        show this text`;

/** One part: its command, and how long it may take. */
export interface Part {
  readonly name: string;
  readonly command: readonly string[];
  readonly seconds: number;
}

/** What became of a part. */
export interface Outcome {
  readonly part: string;
  readonly state: "passed" | "wrong" | "failed" | "left out";
  readonly seconds: number;
  readonly result: PartResult | null;
  /** The end of what it printed, where it failed. */
  readonly said: string;
}

const TORCH = `
import json, time, torch
rows, wrong = [], []
if torch.cuda.is_available():
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    for n in SIZES:
        a = torch.rand(n, n, device="cuda"); b = torch.rand(n, n, device="cuda"); best = 1e9
        for i in range(12):
            torch.cuda.synchronize(); t = time.perf_counter(); a @ b; torch.cuda.synchronize()
            best = min(best, time.perf_counter() - t)
        rows.append([torch.cuda.get_device_name(), n, round(best * 1e3, 3), round(2 * n ** 3 / best / 1e9)])
else:
    rows.append(["PyTorch finds no CUDA", "", "", ""])
print(json.dumps({"head": ["PyTorch f32, allow_tf32 = False", "n", "ms", "GFLOP/s"], "rows": rows, "wrong": wrong}))
`;

const root = new URL("../", import.meta.url).pathname;

function partsOf(quick: boolean, preload: readonly string[]): Part[] {
  const deno = (...args: string[]) => [Deno.execPath(), ...args];
  const own = (name: string): Part => ({
    name,
    command: deno("run", "-A", "--no-check", "--cached-only", ...preload, `${root}tools/gpu_check/parts.ts`, name)
      .concat(quick ? ["--quick"] : []),
    seconds: 240,
  });
  const test = (name: string, ...args: string[]): Part => ({
    name,
    command: deno("test", "-A", "--no-check", "--cached-only", ...preload, ...args),
    seconds: 120,
  });
  const workloads = quick ? ["mm512"] : ["mlp64", "mlp256", "cnn", "resnet18", "chargpt", "mm1024", "mm2048"];
  const bench = (name: string): Part => ({
    name: `bench:${name}`,
    command: deno(
      "run",
      "-A",
      "--no-check",
      `${root}bench/main.ts`,
      name,
      "--device",
      "webgpu",
      "--rounds",
      "1",
      "--secs",
    )
      .concat(quick ? ["0.5"] : ["2"]),
    seconds: 120,
  });
  return [
    own("adapter"),
    ...["auto", ...FAMILIES].map((family) => own(`conformance:${family}`)),
    own("peak"),
    ...["auto", ...FAMILIES].map((family) => own(`products:${family}`)),
    {
      name: "torch",
      command: ["python3", "-c", TORCH.replace("SIZES", quick ? "[256]" : "[1024, 2048, 4096, 8192]")],
      seconds: 60,
    },
    own("recorded"),
    test("nets", "--filter", "/webgpu/", `${root}tests/vision/resnet_test.ts`),
    // its processes open Deno's own WebGPU
    ...(preload.length > 0 ? [] : workloads.map(bench)),
  ];
}

/** Runs a part, which may take until `until` (of `performance.now()`). Never throws. */
export async function run(part: Part, env: Readonly<Record<string, string>>, until: number): Promise<Outcome> {
  const start = performance.now(), over = (until - start) / 1000, left = Math.min(part.seconds, over);
  const outcome = (state: Outcome["state"], result: PartResult | null, said: string): Outcome => ({
    ...{ part: part.name, state, result, said },
    seconds: Math.round((performance.now() - start) / 100) / 10,
  });
  if (over <= 5) return outcome("left out", null, "the time was up");
  const [exe, ...args] = part.command;
  try {
    const signal = AbortSignal.timeout(left * 1000);
    const { success, stdout, stderr } = await new Deno.Command(exe, {
      args,
      cwd: root,
      env: { NO_COLOR: "1", ...env },
      signal,
    })
      .output();
    const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    const said = (error + out).trim().split("\n").slice(-20).join("\n");
    const line = out.split("\n").findLast((text) => text.startsWith('{"head"'));
    const result: PartResult | null = line === undefined ? null : JSON.parse(line);
    const isTable = /^(bench|nets)/.test(part.name);
    if (!success || (result === null && !isTable)) {
      return outcome(
        "failed",
        result,
        performance.now() - start > left * 1000 ? `stopped after ${left} s\n${said}` : said,
      );
    }
    return outcome(result !== null && result.wrong.length > 0 ? "wrong" : "passed", result, isTable ? out.trim() : "");
  } catch (error) {
    return outcome("failed", null, String(error));
  }
}

function cell(value: string | number): string {
  return String(value).replaceAll("|", "\\|");
}

/** The page: a line for each part, then tables of the same columns together, then what failed. */
export function page(date: string, outcomes: readonly Outcome[]): string {
  const lines = [`# GPU check, ${date}`, "", "| part | | s |", "| --- | --- | --- |"];
  for (const { part, state, seconds } of outcomes) lines.push(`| ${part} | ${state} | ${seconds} |`);
  const tables = new Map<string, PartResult["rows"][number][]>();
  for (const { result } of outcomes) {
    if (result === null) continue;
    const head = result.head.join(" | ");
    tables.set(head, [...tables.get(head) ?? [], ...result.rows]);
  }
  for (const [head, rows] of tables) {
    lines.push("", `| ${head} |`, `| ${head.split(" | ").map(() => "---").join(" | ")} |`);
    for (const row of rows) lines.push(`| ${row.map(cell).join(" | ")} |`);
  }
  for (const { part, state, said, result } of outcomes) {
    for (const line of result?.wrong ?? []) lines.push("", `${part}: ${line}`);
    if (said !== "" && state !== "left out") lines.push("", `## ${part}`, "", "```text", said, "```");
  }
  return lines.join("\n") + "\n";
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      minutes: { type: "string", default: "9" },
      only: { type: "string" },
      quick: { type: "boolean", default: false },
      dawn: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const minutes = Number(values.minutes);
  if (values.help || !(minutes > 0)) {
    console.log(USAGE);
    Deno.exit(values.help ? 0 : 2);
  }
  const driver = values.dawn ? await dawnDriver() : { adapter: "", env: {} };
  if (driver === null) {
    console.error("Cannot check Dawn: it finds no driver that it takes (see `deno task test:dawn`)");
    Deno.exit(1);
  }
  const preload = values.dawn ? ["--no-lock", "--preload", `${root}tests/support/dawn_preload.ts`] : [];
  const wanted = values.only?.split(",");
  const parts = partsOf(values.quick, preload).filter(({ name }) =>
    wanted?.some((only) => name.startsWith(only)) ?? true
  );
  if (parts.length === 0) {
    console.error(`No part begins with ${values.only} (--help shows them)`);
    Deno.exit(2);
  }
  const until = performance.now() + minutes * 60_000, date = new Date().toISOString();
  const outcomes: Outcome[] = [];
  const folder = `${root}bench/results/`, name = `gpu-${date.slice(0, 16).replace(":", "")}`;
  await Deno.mkdir(folder, { recursive: true });
  for (const part of parts) {
    const outcome = await run(part, driver.env, until);
    outcomes.push(outcome);
    console.log(`${outcome.state.padEnd(8)} ${outcome.seconds.toFixed(1).padStart(6)} s  ${part.name}`);
    // kept as it goes, whatever happens to this process
    await Deno.writeTextFile(`${folder}${name}.json`, JSON.stringify({ date, minutes, outcomes }, null, 2) + "\n");
    await Deno.writeTextFile(`${folder}${name}.md`, page(date, outcomes));
  }
  console.log(`Written to bench/results/${name}.json and .md`);
  Deno.exit(outcomes.every(({ state }) => state === "passed" || state === "left out") ? 0 : 1);
}
