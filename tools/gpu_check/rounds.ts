/**
 * The order of a run of `deno task gpu:check`: every part once, then those that were stopped twice as long, by their value,
 * as far as others have left time over.
 *
 * @module
 */
import { type Part, shareOf } from "./plan.ts";
import { leftOut, type Outcome } from "./run.ts";

/** What {@link rounds} needs. */
export interface RoundsOptions {
  /** Seconds that are left of the run. */
  readonly left: () => number;
  /** Runs a part for at most `share` seconds. */
  readonly run: (part: Part, share: number) => Promise<Outcome>;
  /** Is given what has become of a part, and all of them. */
  readonly tell: (outcome: Outcome, all: readonly Outcome[]) => Promise<void>;
}

/** A part is run again where it gets so many times as long as it had. */
const WORTH = 1.3;

/** Runs the parts; what became of each. */
export async function rounds(parts: readonly Part[], { left, run, tell }: RoundsOptions): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [i, part] of parts.entries()) {
    const share = shareOf(parts.slice(i), left());
    const outcome = share === 0 ? leftOut(part, "the time was up") : await run(part, share);
    outcomes.push(outcome);
    await tell(outcome, outcomes);
  }
  for (let more = true; more;) {
    more = false;
    for (const [at, part] of parts.entries()) {
      const { state, share: before } = outcomes[at], share = Math.min(part.most, left(), 2 * before);
      if (state !== "stopped" || share < WORTH * before) continue;
      outcomes[at] = await run(part, share);
      await tell(outcomes[at], outcomes);
      more = true;
    }
  }
  return outcomes;
}
