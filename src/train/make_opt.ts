/**
 * The learner's optimizer.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import type { Optimizer } from "../optim/mod.ts";
import type { TrainLoop } from "./train_loop.ts";

/** Makes the optimizer of a learner, with its flags for norm layers and biases. */
export function makeOpt(learn: TrainLoop): Optimizer {
  const groups = learn.groups();
  if (groups.every((g) => g.length === 0)) {
    throw new ConfigError("Cannot train this model: it has no parameters that require gradients");
  }
  return learn.optFunc(groups, { lr: learn.lr });
}
