/**
 * Starts scripts in several processes, as users do.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import type { RunOptions, RunResult } from "./rank_train.ts";

/** An MPI installation that tests run on. */
export type Family = "mpich" | "openmpi";

const COMMANDS: Record<Family, readonly string[]> = {
  mpich: ["mpiexec.hydra"],
  // the tests run as root in containers, on machines with fewer cores than ranks
  openmpi: ["mpiexec.openmpi", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none"],
};

/** How a launched script ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function installed(family: Family): boolean {
  try {
    return new Deno.Command(COMMANDS[family][0], { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    return false; // there is no such command
  }
}

/** Which installations there are. */
export const INSTALLED: Readonly<Record<Family, boolean>> = {
  mpich: installed("mpich"),
  openmpi: installed("openmpi"),
};

/** How to launch. */
export interface LaunchOptions {
  readonly family?: Family;
  /** More for the launcher. */
  readonly extra?: readonly string[];
  /** Deno's permissions. */
  readonly flags?: readonly string[];
  /** A command that runs the rest of the line. */
  readonly wrapper?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A command that runs `script` in `n` processes. */
export function launch(
  n: number,
  script: string,
  args: readonly string[],
  { family = "mpich", extra = [], flags = ["-A"], wrapper = [], env = {} }: LaunchOptions = {},
): Deno.Command {
  const [command, ...own] = COMMANDS[family];
  const path = fromFileUrl(new URL(script, import.meta.url));
  return new Deno.Command(command, {
    args: [
      ...own,
      ...extra,
      "-n",
      String(n),
      ...wrapper,
      Deno.execPath(),
      "run",
      "--no-prompt",
      ...flags,
      path,
      ...args,
    ],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs it to its end. */
export async function finish(command: Deno.Command): Promise<Ended> {
  const { code, stdout, stderr } = await command.output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** Runs a script on `n` processes, each of which writes `<rank>.json` into the folder that is its first argument. */
export async function resultsOf<T>(
  n: number,
  script: string,
  args: readonly string[] = [],
  how: LaunchOptions = {},
): Promise<{ results: T[]; stderr: string }> {
  const dir = await Deno.makeTempDir();
  try {
    const { code, stderr } = await finish(launch(n, script, [dir, ...args], how));
    if (code !== 0) throw new Error(`${n} ranks ended with ${code}: ${stderr}`);
    const texts = Array.from({ length: n }, (_, r) => Deno.readTextFile(`${dir}/${r}.json`));
    return { results: (await Promise.all(texts)).map((t) => JSON.parse(t)), stderr };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Trains on `n` processes and gives each one's numbers. */
export async function trainOn(n: number, options: RunOptions, how: LaunchOptions = {}): Promise<RunResult[]> {
  return (await resultsOf<RunResult>(n, "rank_train.ts", [JSON.stringify(options)], how)).results;
}

/** The processes' numbers, once each has written down its own. */
export async function pidsOf(dir: string, n: number): Promise<number[]> {
  for (let i = 0; i < 200; i++) {
    try {
      const texts = await Promise.all(Array.from({ length: n }, (_, r) => Deno.readTextFile(`${dir}/${r}.pid`)));
      if (texts.every((t) => t.endsWith("\n"))) return texts.map(Number);
    } catch {
      // not there yet
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the processes did not start");
}

/** Whether a process runs. */
function alive(pid: number): boolean {
  try {
    // a process that ended but was not collected yet is a zombie
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

/** Waits up to 5 seconds until none of the processes runs; gives those that do. */
export async function survivors(pids: readonly number[]): Promise<number[]> {
  const start = performance.now();
  while (pids.some(alive) && performance.now() - start < 5000) await new Promise((resolve) => setTimeout(resolve, 20));
  return pids.filter(alive);
}

/** Registers a test that needs an MPI installation; shown as ignored where it is absent. */
export function mpiTest(name: string, fn: () => Promise<void>, family: Family = "mpich"): void {
  Deno.test({ name: `${name} (${family})`, ignore: !INSTALLED[family], fn });
}
