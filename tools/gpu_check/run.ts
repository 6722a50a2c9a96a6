/**
 * Runs a part of `deno task gpu:check` in a process of its own, and says what became of it.
 *
 * @module
 */
import { type Part, toldOf } from "./plan.ts";
import { type PartResult, resultIn, resultOf } from "./result.ts";

/**
 * What became of a part: all of it was right; numbers were `wrong`; something `failed`, and gave none; it was `stopped` when its
 * share of the time was over, and what it had done was right; or it was `left out`.
 */
export type State = "passed" | "wrong" | "failed" | "stopped" | "left out";

/** A part, and what became of it. */
export interface Outcome {
  readonly part: string;
  readonly state: State;
  readonly seconds: number;
  /** Seconds that it could have had. */
  readonly share: number;
  /** The last table that it printed; null without one. */
  readonly result: PartResult | null;
  /** Why it is not `passed`, in a line; empty where it is. */
  readonly why: string;
  /** The end of what it printed, where it failed. */
  readonly said: string;
}

/** What a part is not run for. */
export function leftOut(part: Pick<Part, "name">, why: string): Outcome {
  return { part: part.name, state: "left out", seconds: 0, share: 0, result: null, why, said: "" };
}

const MOST_SAID = 30;

/** Reads a stream by lines, and keeps the last ones. */
async function lines(stream: ReadableStream<Uint8Array>, kept: string[], each: (line: string) => void): Promise<void> {
  let rest = "";
  const take = (line: string) => {
    each(line);
    if (!line.startsWith('{"head"')) kept.push(line.slice(0, 400));
    if (kept.length > MOST_SAID) kept.shift();
  };
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    parts.forEach(take);
  }
  if (rest !== "") take(rest);
}

/** What the lines of a run of tests come to. */
class Tests {
  readonly #rows: (string | number)[][] = [];
  readonly #failed: string[] = [];
  /** Names of the errors that they threw. */
  readonly #errors: string[] = [];
  #at = "the first test";

  /** Takes a line of `deno test`; false where it says nothing new. */
  take(line: string): boolean {
    const [, name, state, time] = /^(.+?) \.\.\. (ok|FAILED|ignored)(?: \((.*)\))?/.exec(line) ?? [];
    const [, error] = /^error: (\w+)/.exec(line) ?? [];
    if (error !== undefined && error !== "Test") this.#errors.push(error);
    const [, begun] = /^(.+?) \.\.\.\s*$/.exec(line) ?? [];
    if (begun !== undefined) this.#at = begun;
    if (name === undefined) return begun !== undefined;
    this.#rows.push([name, state, time ?? ""]);
    if (state === "FAILED") this.#failed.push(name);
    this.#at = `what follows "${name}"`;
    return true;
  }

  /** The table so far. */
  result(whole: boolean): PartResult {
    const rows = [...this.#rows], failed = this.#failed, ran = rows.filter(([, state]) => state !== "ignored");
    // what a test asserts is a number, what else it throws is a fault
    const numbers = this.#errors.length > 0 && this.#errors.every((name) => name === "AssertionError");
    return resultOf({
      head: ["test", "", "time"],
      rows,
      wrong: numbers ? failed : [],
      faults: numbers ? [] : rows.length === 0 && whole ? ["no test ran"] : failed,
      whole,
      at: this.#at,
      absent: whole && rows.length > 0 && ran.length === 0 ? "the tests are ignored: there is no adapter" : "",
    });
  }
}

/** What a process came to. */
interface End {
  readonly result: PartResult | null;
  /** Whether it was stopped. */
  readonly late: boolean;
  readonly success: boolean;
  /** How it ended, in words. */
  readonly ended: string;
  /** Seconds since its last result. */
  readonly waited: number;
}

/** The state of a part, and why. */
export function judge({ result, late, success, ended, waited }: End): { state: State; why: string } {
  const { wrong = [], faults = [], whole = false, at = "", absent = "" } = result ?? {};
  const found = [...wrong, ...faults], more = found.length > 1 ? `, and ${found.length - 1} more` : "";
  const where = at === "" ? "" : `, ${at}`;
  if (found.length > 0) return { state: wrong.length > 0 ? "wrong" : "failed", why: `${found[0]}${more}` };
  if (late) {
    const step = result === null ? "it had not told anything" : `${Math.round(waited)} s in: ${at}`;
    return { state: "stopped", why: `its time was up, ${step}` };
  }
  if (!success) return { state: "failed", why: `it ended with ${ended}${where}` };
  if (result === null) return { state: "failed", why: "it printed no result" };
  if (absent !== "") return { state: "left out", why: absent };
  return whole ? { state: "passed", why: "" } : { state: "stopped", why: `its time was up${where}` };
}

/**
 * Runs a part for at most `share` seconds. Never throws.
 *
 * @param peak GFLOP/s that the adapter does at most; 0 where that is not known.
 */
export async function run(
  part: Pick<Part, "name" | "command" | "prints">,
  env: Readonly<Record<string, string>>,
  share: number,
  peak = 0,
): Promise<Outcome> {
  const start = performance.now(), { name, prints, command: [exe, ...args] } = part;
  const said: string[] = [], tests = new Tests();
  let result: PartResult | null = null, since = start, late = false;
  const take = (line: string) => {
    const found = prints === "tests" ? (tests.take(line) ? tests.result(false) : null) : resultIn(line);
    if (found === null) return;
    result = found;
    if (!late) since = performance.now(); // what comes after it was stopped had begun before
  };
  const outcome = (end: Pick<End, "success" | "ended">): Outcome => {
    const now = performance.now(), { state, why } = judge({ ...end, result, late, waited: (now - since) / 1000 });
    const seconds = Math.round((now - start) / 100) / 10;
    return { part: name, state, seconds, share, result, why, said: state === "failed" ? said.join("\n").trim() : "" };
  };
  if (prints === "tables") args.push("--seconds", String(toldOf(share)), "--peak", String(peak));
  try {
    const child = new Deno.Command(exe, {
      args,
      cwd: new URL("../../", import.meta.url).pathname,
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL"); // a driver may not hear of another signal
    }, share * 1000);
    const read = Promise.all([lines(child.stdout, said, take), lines(child.stderr, said, () => {})]);
    const { success, code, signal } = await child.status;
    clearTimeout(timer);
    await within(read, 1000); // a process of its own that goes on may hold them open
    if (prints === "tests" && !late) result = tests.result(true);
    return outcome({ success, ended: signal ?? `code ${code}` });
  } catch (error) {
    said.push(String(error));
    return outcome({ success: false, ended: String(error) });
  }
}

/** Waits for `promise`, but no longer than `ms`. */
async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([promise, new Promise((done) => timer = setTimeout(done, ms))]);
  clearTimeout(timer);
}
