/**
 * An optimizer's state in files: statistics are tensors, the rest is plain data.
 *
 * @module
 */
import type { SavedState, StateDict } from "../io/state_dict.ts";
import { type HostPart, type Hypers, type OptimizerState, paramParts, type ParamState } from "../optim/mod.ts";

/** An optimizer's state as a state that files hold. */
export function optimizerState({ state, hypers, count }: OptimizerState): StateDict {
  return { hypers, parameters: state.map(paramParts), count: count ?? null };
}

/** What {@link optimizerState} gave. */
export function savedOptimizer(state: SavedState): OptimizerState {
  const count = state.value("count") === null ? {} : { count: state.count("count") };
  return {
    hypers: savedHypers(state),
    state: state.states("parameters").map((entry): ParamState => {
      const stats = entry.state("stats");
      return {
        ...savedHostPart(entry.state("host")),
        ...Object.fromEntries(stats.names.map((name) => [name, stats.tensor(name)])),
      };
    }),
    ...count,
  };
}

/** Each group's hyper-parameters. */
export function savedHypers(state: SavedState): Hypers[] {
  return state.states("hypers").map((h) => Object.fromEntries(h.names.map((name) => [name, h.number(name)])));
}

/** What the host keeps of a parameter. */
export function savedHostPart(state: SavedState): HostPart {
  return {
    ...(state.has("step") ? { step: state.count("step") } : {}),
    ...(state.has("doWd") ? { doWd: state.boolean("doWd") } : {}),
    ...(state.has("forceTrain") ? { forceTrain: state.boolean("forceTrain") } : {}),
  };
}
