/**
 * Optimizers.
 *
 * @module
 */
export type { OptFunc, OptOptions, ParamsLike } from "./factory.ts";
export { type HyperValue, type Slice, slice } from "./hyper.ts";
export { Lookahead, type LookaheadOptions, ranger } from "./lookahead.ts";
export { Optimizer } from "./optimizer.ts";
export type { OptimizerState, ParamState } from "./state.ts";
export { adamStep, momentumStep, sgdStep } from "./rules.ts";
export { Adam, Lamb, Larc, QHAdam, RAdam, RMSProp, SGD } from "./rules.ts";
export { averageGrad, averageSqrGrad, l2Reg, stepStat, weightDecay } from "./steppers.ts";
export {
  type HostNumber,
  type Hypers,
  type NumberKind,
  type StatKind,
  type StepInfo,
  type Stepper,
  Update,
} from "./stepper.ts";
