/**
 * What is a learner.
 *
 * @module
 */
import { checkArgument, other } from "../base/options.ts";
import { type Model, TrainLoop } from "../train/mod.ts";

const A_LEARNER = other<TrainLoop>("a Learner", (v) => v instanceof TrainLoop);

/** A learner, whatever its model takes and gives; throws, of what is none, that `what` can't be done. */
export function aLearner<M extends Model>(what: string, learn: TrainLoop<M>): TrainLoop {
  const loop = learn as unknown as TrainLoop;
  checkArgument(what, "learn", loop, A_LEARNER);
  return loop;
}
