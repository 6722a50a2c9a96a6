/**
 * Tensors: lazy arrays, parameters, gradients, random numbers, and the choice of the device.
 *
 * @module
 */
export type { Dtype } from "../base/dtype.ts";
export type { Shape } from "../base/shape.ts";
export type { DeviceStats } from "../device/contract.ts";
export { type TensorData, TensorHandle } from "./handle.ts";
export { Tensor } from "./tensor.ts";
export type { Nested, NestedArray, TypedArray } from "./nested.ts";
export {
  arange,
  type ArangeOptions,
  cat,
  type DtypeOptions,
  full,
  type JoinOptions,
  oneHot,
  ones,
  rand,
  randn,
  randomNode,
  type RandomOptions,
  stack,
  tensor,
  type TensorOptions,
  where,
  zeros,
} from "./create.ts";
export { assignVariables, Buffer, moveVariables, Parameter, rereadAll, snapshots, Variable } from "./parameter.ts";
export { autocast, setAutocast } from "./autocast.ts";
export { backward, backwardTo, grad, type GradOptions, noGrad } from "./gradient.ts";
export { type DeviceInfo, deviceStats, init, type InitOptions, type WebgpuProvider } from "./init.ts";
export { aGenerator, defaultRng, Rng, type RngState, setSeed } from "./rng.ts";
export {
  abandon,
  assign,
  type Assigned,
  beforeWrite,
  currentDevice,
  endStep,
  flush,
  type HostRange,
  isLaunched,
  isMemory,
  liesIn,
  type Memory,
  memory,
  type MemoryWrite,
  onAbandon,
  partOf,
  pendingOf,
  type PendingWrite,
  placeOf,
  ready,
  rereadAs,
  viewOf,
  type ViewOptions,
  withHostMemory,
} from "./memory.ts";
export { type CapturedStep, endStepWith, type ForwardTrace, StepCapture, traceStep } from "./capture.ts";
export { asComposite, type CompositeAttrs, type Trace, trace, type TracedOp, type TracedSource } from "./trace.ts";
export { givenValue, type GradientRule, retainGrad } from "./custom_gradient.ts";
export { HostNumbers, stepInput, type StepInputOptions, travelling } from "./step_input.ts";
export { allBelow, numbersOnHost, rowsOnHost, takeRows, type UncheckedIndex, uncheckedIndices } from "./lookups.ts";
export { Segments } from "./segments.ts";
export { attentionWeights, type BatchMomentParts, batchMoments, binaryCrossEntropy, expm1Low } from "./fn/internal.ts";
export { type Copies, readAll, readAllSync, snapshotAll } from "./bulk.ts";
export { type NormalizedWithStats, normalizeWithStats } from "./normalize_with_stats.ts";
export { aTensor, type Operand } from "./operand.ts";
export * as ops from "./ops.ts";
export type { ClampOptions, GeluOptions, SoftplusOptions } from "./fn/activation.ts";
export type { ConvOptions, ConvTransposeOptions, PerAxis } from "./fn/conv.ts";
export type { GridSampleOptions, InterpolateOptions } from "./fn/image.ts";
export { INTERPOLATE, perAxisKind } from "./fn/option_tables.ts";
export type { PadOptions } from "./fn/pad.ts";
export type { AvgPoolOptions, MaxPoolOptions, PoolOptions } from "./fn/pool.ts";
export type { SliceRange } from "./fn/shape.ts";
export type { AxisOptions } from "./fn/softmax.ts";
export type { AttentionOptions, RotaryOptions } from "./ops/attention.ts";
export type { ArgOptions, ReduceOptions, VarOptions } from "./fn/statistics.ts";
