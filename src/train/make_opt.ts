/**
 * The learner's optimizer.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { shown } from "../base/options.ts";
import { Norm } from "../nn/mod.ts";
import type { Optimizer } from "../optim/mod.ts";
import { Parameter } from "../tensor/mod.ts";
import type { TrainLoop } from "./train_loop.ts";

/**
 * Makes the optimizer of a learner. Unless the learner says `wdBnBias`, norm layers and everything called `bias` do not
 * decay; unless it says `trainBn: false`, norm layers train on in frozen groups.
 */
export function makeOpt(learn: TrainLoop): Optimizer {
  const groups = learn.groups();
  if (groups.every((g) => g.length === 0)) {
    throw new ConfigError(
      `Cannot train ${learn.model.constructor.name}: it has no parameters that require gradients; ` +
        "parameters are found in the model's own fields",
    );
  }
  const opt = learn.optFunc(groups, { lr: learn.lr });
  if (typeof opt?.setFlag !== "function" || typeof opt.step !== "function") {
    throw new ConfigError(
      `Cannot train with the optFunc ${shown(learn.optFunc)}: it gives an optimizer, as Adam does, got ${shown(opt)}`,
    );
  }
  for (const m of learn.model.modules()) {
    const norm = m instanceof Norm;
    for (const [name, value] of Object.entries(m)) {
      if (!(value instanceof Parameter)) continue;
      if (!learn.wdBnBias && (norm || name === "bias")) opt.setFlag(value, "doWd", false);
      if (learn.trainBn && norm) opt.setFlag(value, "forceTrain", true);
    }
  }
  return opt;
}
