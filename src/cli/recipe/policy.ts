/**
 * The policies of a recipe.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { withoutUndefined } from "../../base/without_undefined.ts";
import { minimum, ParamScheduler, slide, steep, valley } from "../../fit/mod.ts";
import type { Learner } from "../../learner/mod.ts";
import { type HyperValue, slice } from "../../optim/mod.ts";
import { schedFromJson } from "../../schedule/mod.ts";
import type { Callback } from "../../train/mod.ts";
import type { Policy, Rate, Recipe } from "./schema.ts";

/** The policies in order. */
export function policiesOf({ policy }: Recipe): readonly Policy[] {
  return Array.isArray(policy) ? policy : [policy];
}

const FUNCS = { valley, slide, minimum, steep } as const;

/** A learning rate; where the finder is to say it, it runs now. */
async function rateOf(learn: Learner, rate: Rate | undefined): Promise<HyperValue | undefined> {
  if (rate === undefined || typeof rate === "number") return rate;
  if (Array.isArray(rate)) return slice(rate[0], rate[1]);
  const { find } = rate as { find: keyof typeof FUNCS };
  const result = await learn.lrFind({ suggestFuncs: { [find]: FUNCS[find] } });
  const found = result[find];
  if (typeof found !== "number") {
    throw new ConfigError(
      `Cannot train: the learning-rate finder's ${find} made no suggestion (${result.reasons[find]})`,
    );
  }
  learn.logger.line(`Learning rate by ${find}: ${found.toPrecision(3)}`);
  return found;
}

/** Runs one policy. */
export async function runPolicy(
  learn: Learner,
  policy: Policy,
  cbs: readonly Callback[],
  resume: boolean,
): Promise<void> {
  switch (policy.kind) {
    case "fit": {
      const { kind: _, epochs, lr, ...rest } = policy;
      return await learn.fit(epochs, { ...rest, ...withoutUndefined({ lr: await rateOf(learn, lr) }), cbs, resume });
    }
    case "oneCycle": {
      const { kind: _, epochs, lrMax, ...rest } = policy;
      return await learn.fitOneCycle(epochs, {
        ...rest,
        ...withoutUndefined({ lrMax: await rateOf(learn, lrMax) }),
        cbs,
        resume,
      });
    }
    case "flatCos": {
      const { kind: _, epochs, lr, ...rest } = policy;
      return await learn.fitFlatCos(epochs, {
        ...rest,
        ...withoutUndefined({ lr: await rateOf(learn, lr) }),
        cbs,
        resume,
      });
    }
    case "sgdr": {
      const { kind: _, cycles, cycleLen, lrMax, ...rest } = policy;
      const lr = withoutUndefined({ lrMax: await rateOf(learn, lrMax) });
      return await learn.fitSgdr(cycles, cycleLen, { ...rest, ...lr, cbs, resume });
    }
    case "fineTune": {
      const { kind: _, epochs, ...rest } = policy;
      return await learn.fineTune(epochs, { ...rest, cbs, resume });
    }
    case "schedule": {
      const { kind: _, epochs, hypers, ...rest } = policy;
      const scheds = Object.fromEntries(
        Object.entries(hypers).map(([name, sched]) => [name, schedFromJson(sched)]),
      );
      return await learn.fit(epochs, { ...rest, cbs: [...cbs, new ParamScheduler(scheds)], resume });
    }
  }
}
