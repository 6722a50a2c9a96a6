/**
 * Who may use a learner: a fit, an evaluation and the like share its state, so that one at a time has it. Those that a
 * callback starts, and waits for, run inside of the one that called the callback.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { ConfigError } from "../base/errors.ts";

/** One call of `fit`, `validate` and the like. */
interface Run {
  readonly what: string;
  /** The run whose callback made the call. */
  readonly outer: Run | null;
}

/** The run that the code under way belongs to, however often it has waited since. */
const current = new AsyncLocalStorage<Run>();

/** The runs of one learner that have begun and not ended, each inside of the one before. */
export class Runs {
  readonly #open: Run[] = [];

  /** How many there are. */
  get depth(): number {
    return this.#open.length;
  }

  /** What the one is called that has `depth` others around it. */
  nameAt(depth: number): string {
    return this.#open[depth]?.what ?? "run";
  }

  /**
   * Runs `body`, which has the learner to itself.
   *
   * @param what The method's name, for errors.
   * @throws ConfigError where another run has the learner, unless this call is made by it.
   */
  async take<T>(what: string, body: () => T | Promise<T>): Promise<T> {
    const inner = this.#open.at(-1), outer = current.getStore() ?? null;
    if (inner !== undefined && !isWithin(outer, inner)) {
      const other = this.#open.find((run) => !isWithin(outer, run))!.what;
      throw new ConfigError(
        `Cannot call ${what}() now: ${other}() of this learner is still under way; write "await learn.${other}(...)" there`,
      );
    }
    const run: Run = { what, outer };
    this.#open.push(run);
    try {
      return await current.run(run, body);
    } finally {
      this.#open.splice(this.#open.indexOf(run), 1);
    }
  }
}

function isWithin(run: Run | null, whole: Run): boolean {
  for (let r = run; r !== null; r = r.outer) if (r === whole) return true;
  return false;
}
