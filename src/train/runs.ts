/**
 * Who may use a learner: a fit, an evaluation and the like share its state, so that one at a time has it. Those that a
 * callback starts, and waits for, run inside of the one that called the callback.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { host } from "../base/host.ts";
import type { CallContext } from "../base/host_interface.ts";

/** One call of `fit`, `validate` and the like. */
interface Run {
  readonly what: string;
  /** The run whose callback made the call. */
  readonly outer: Run | null;
  /** Whether it is a loop over batches, inside of which only callbacks make calls. */
  readonly loop: boolean;
}

/** Options of {@link Runs.take}. */
export interface TakeOptions {
  /** Whether it is a loop over batches, inside of which only callbacks make calls. */
  readonly loop?: boolean;
}

/**
 * The run that the code under way belongs to, however often it has waited since; `"no"` where the runtime cannot follow
 * calls, as in browsers, and null until it is loaded, which the first run waits for.
 */
let current: CallContext<Run> | "no" | null = null;

/** The runs of one learner that have begun and not ended, each inside of the one before. */
export class Runs {
  readonly #open: Run[] = [];
  #handlers = 0;
  #starting: Promise<void> | null = null;

  /** How many there are. */
  get depth(): number {
    return this.#open.length;
  }

  /** What the first run in this process waits for before its body is called; else null. */
  get starting(): Promise<void> | null {
    return this.#starting;
  }

  /** What the one is called that has `depth` others around it. */
  nameAt(depth: number): string {
    return this.#open[depth]?.what ?? "run";
  }

  /** A handler of a callback begins; it ends with {@link handled}. */
  handling(): void {
    this.#handlers++;
  }

  /** A handler of a callback has ended. */
  handled(): void {
    this.#handlers--;
  }

  /**
   * Runs `body`, which has the learner to itself.
   *
   * @param what The method's name, for errors.
   * @throws ConfigError where another run has the learner, unless this call is made by it. Where the runtime cannot follow
   *   calls, one that is made while a handler of a callback is under way counts as the handler's.
   */
  async take<T>(what: string, body: () => T | Promise<T>, { loop = false }: TakeOptions = {}): Promise<T> {
    current ??= host.callContext === null ? "no" : null;
    const inner = this.#open.at(-1), outer = this.#caller(inner);
    if (inner !== undefined && !isWithin(outer, inner)) {
      const other = this.#open.find((run) => !isWithin(outer, run))!.what;
      throw new ConfigError(
        `Cannot call ${what}() now: ${other}() of this learner is still under way; write "await learn.${other}(...)" there`,
      );
    }
    const run: Run = { what, outer, loop };
    this.#open.push(run);
    try {
      if (current === null) await (this.#starting = load());
      this.#starting = null;
      return await (current === "no" || current === null ? body() : current.run(run, body));
    } finally {
      this.#open.splice(this.#open.indexOf(run), 1);
    }
  }

  /** The run that a call under way is made by. */
  #caller(inner: Run | undefined): Run | null {
    if (current !== "no") return current?.get() ?? null;
    return inner !== undefined && (!inner.loop || this.#handlers > 0) ? inner : null;
  }
}

/**
 * Takes a learner's turn at once, as `what` does, for a `body` whose code is loaded first: what is called after it comes
 * after it. What is no learner is for the body to refuse.
 */
export async function inTurn<T>(
  learn: { readonly runs: Runs },
  what: string,
  body: () => Promise<T>,
): Promise<T> {
  return learn?.runs instanceof Runs ? await learn.runs.take(what, body) : await body();
}

async function load(): Promise<void> {
  current = await host.callContext!<Run>();
}

function isWithin(run: Run | null, whole: Run): boolean {
  for (let r = run; r !== null; r = r.outer) if (r === whole) return true;
  return false;
}
