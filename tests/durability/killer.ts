/**
 * Starts real training processes, kills them at random moments, and sees whether anything was lost.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { checkpointNumbers, checkpointPath, readNote } from "../../src/io/checkpoint_files.ts";
import { Rng } from "../../src/tensor/mod.ts";

const VICTIM = new URL("./victim.ts", import.meta.url).pathname;

/** What a series of kills came to. */
export interface KillReport {
  readonly kills: number;
  /** Kills while a checkpoint was being written. */
  readonly duringSaves: number;
  /** Kills before the first batch, while the process started or read a checkpoint. */
  readonly duringStart: number;
  /** Runs that were killed until they reached their end. */
  readonly runs: number;
  /** Runs whose end was not the same, bit for bit. */
  readonly different: number;
  /** Starts that did not go on from the newest checkpoint that was on disk. */
  readonly lost: number;
  readonly seconds: number;
}

/** Options of {@link killAndResume}. */
export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  /** Milliseconds from the first batch in which the kill comes; 150 by default. */
  readonly withinMs?: number;
  readonly tell?: (line: string) => void;
}

function start(dir: string, result: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", VICTIM, dir, result],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** Reads a child's output as it comes. */
class Output {
  text = "";
  readonly done: Promise<void>;
  #waiting: (() => void)[] = [];

  constructor(stream: ReadableStream<Uint8Array>) {
    this.done = this.#read(stream);
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.text += decoder.decode(chunk, { stream: true });
      for (const f of this.#waiting.splice(0)) f();
    }
    for (const f of this.#waiting.splice(0)) f();
  }

  /** Resolves when `pattern` was written, or nothing more will be. */
  async until(pattern: RegExp): Promise<void> {
    let ended = false;
    void this.done.then(() => ended = true);
    while (!pattern.test(this.text) && !ended) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** The newest whole checkpoint on disk, or null. */
async function newestOf(dir: string): Promise<string | null> {
  for (const number of await checkpointNumbers(dir)) {
    if (await readNote(dir, number).then(() => true, () => false)) return checkpointPath(dir, number);
  }
  return null;
}

/** Kills training processes `kills` times, each run until it comes to its end, and compares the ends with one never killed. */
export async function killAndResume(
  { kills, seed, withinMs = 150, tell = () => {} }: KillOptions,
): Promise<KillReport> {
  const began = performance.now();
  const root = await Deno.makeTempDir({ prefix: "kill-" });
  const rng = new Rng(seed);
  let done = 0, duringSaves = 0, duringStart = 0, runs = 0, different = 0, lost = 0;
  try {
    const wanted = join(root, "wanted.json");
    const whole = start(join(root, "whole"), wanted);
    await Promise.all([new Output(whole.stdout).done, whole.status]);
    const reference = await Deno.readTextFile(wanted);
    while (done < kills) {
      const dir = join(root, `run${runs}`), result = join(root, `result${runs}.json`);
      for (let ended = false; !ended;) {
        const newest = await newestOf(dir);
        const child = start(dir, result);
        const output = new Output(child.stdout);
        let timer: ReturnType<typeof setTimeout> | undefined;
        if (done < kills) {
          const early = rng.uniform() < 0.1;
          const kill = (): void => {
            timer = setTimeout(() => {
              try {
                child.kill("SIGKILL");
              } catch { /* it came to its end first */ }
            }, rng.uniform() * (early ? 800 : withinMs));
          };
          if (early) kill();
          else void output.until(/Going on|starting anew/).then(kill);
        }
        const [{ signal }] = await Promise.all([child.status, output.done]);
        clearTimeout(timer);
        const went = /Going on from ([^:]+):/.exec(output.text)?.[1] ?? null;
        const over = /finished before/.test(output.text);
        if (newest !== null && went !== null && went !== newest && !over) lost++;
        if (newest !== null && /starting anew/.test(output.text.split("\n")[1] ?? "")) lost++;
        if (signal === "SIGKILL") {
          done++;
          if (!/Going on|starting anew/.test(output.text)) duringStart++;
          else if (await writing(dir)) duringSaves++;
          if (done % 20 === 0) tell(`${done} kills, ${runs} whole runs, ${different} different, ${lost} lost`);
        } else ended = true;
      }
      runs++;
      if (await Deno.readTextFile(result).catch(() => "") !== reference) different++;
      else await Deno.remove(dir, { recursive: true });
    }
    assertEquals(JSON.parse(reference)["rows 0"].length > 100, true);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
  return { kills: done, duringSaves, duringStart, runs, different, lost, seconds: (performance.now() - began) / 1000 };
}

async function writing(dir: string): Promise<boolean> {
  for await (const { name } of Deno.readDir(dir)) if (name.startsWith(".tmp-")) return true;
  return false;
}
