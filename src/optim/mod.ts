/**
 * Optimizers.
 *
 * @module
 */
export type { GradRange } from "./grads.ts";
export { GradScaler, type ScaleRules, type ScaleState } from "./grad_scaler.ts";
export type { OptFunc, OptOptions } from "./factory.ts";
export type { ParamsLike } from "./params_like.ts";
export { aHyper, type HyperValue, type Slice, slice } from "./hyper.ts";
export { Lookahead, type LookaheadOptions, ranger } from "./lookahead.ts";
export { Optimizer } from "./optimizer.ts";
export { Adam, adamStep, Lamb, Larc, momentumStep, QHAdam, RAdam, RMSProp, SGD, sgdStep } from "./rules.ts";
export type { CapturedUpdate } from "./captured_update.ts";
export { type HostPart, type OptimizerState, paramParts, type ParamState } from "./state.ts";
export { averageGrad, averageSqrGrad, l2Reg, stepStat, weightDecay } from "./steppers.ts";
export { type Hypers, type NumberKind, type StatKind, type StepInfo, type Stepper, Update } from "./stepper.ts";
