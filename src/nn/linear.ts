/**
 * Layers with weights that multiply.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { ConfigError, ShapeError } from "../base/errors.ts";
import { checkOptions, flag, func, num, shown } from "../base/options.ts";
import { fmtShape, sizeOf } from "../base/shape.ts";
import { aGenerator, defaultRng, Parameter, type Rng, type Tensor, tensor } from "../tensor/mod.ts";
import { Module } from "./module.ts";
import type { WeightInit } from "./weight_init.ts";

/** Throws unless every number is a whole one from 1. */
export function checkSizes(layer: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, n] of Object.entries(sizes)) {
    if (!Number.isInteger(n) || n < 1) {
      throw new ConfigError(`Cannot make ${layer}: ${name} is a whole number from 1, got ${shown(n)}`);
    }
  }
}

/** A parameter of numbers drawn evenly from `[-bound, bound)`, in f64 on the host. */
export function uniformParameter(shape: readonly number[], bound: number, rng: Rng): Parameter {
  return new Parameter(
    tensor(rng.uniformArray(sizeOf(shape), -bound, bound), { shape: [...shape] }),
  );
}

/** Options of {@link Linear}. */
export interface LinearOptions {
  /** Whether there is a bias; true by default. */
  readonly bias?: boolean;
  /** Draws the weight; by default evenly from `[-1, 1) / sqrt(inFeatures)`. */
  readonly init?: WeightInit;
  /** Where the first weights come from; the default generator. */
  readonly rng?: Rng;
}

/**
 * `y = x W^T + b`, for `x` of shape `[..., inFeatures]`, `weight` `[outFeatures, inFeatures]` and `bias` `[outFeatures]`, both
 * drawn from `[-1, 1) / sqrt(inFeatures)` as PyTorch does.
 */
export class Linear extends Module {
  /** `[outFeatures, inFeatures]` */
  readonly weight: Parameter;
  /** `[outFeatures]`, or null. */
  readonly bias: Parameter | null;

  /**
   * Draws the first weights.
   *
   * @param inFeatures Size of the last axis of the input.
   * @param outFeatures Size of the last axis of the output.
   */
  constructor(readonly inFeatures: number, readonly outFeatures: number, options: LinearOptions = {}) {
    super();
    checkOptions("make Linear", options, { bias: flag, init: func(), rng: aGenerator });
    const { bias = true, init, rng = defaultRng() } = options;
    checkSizes("Linear", { inFeatures, outFeatures });
    const bound = 1 / Math.sqrt(inFeatures);
    const shape = [outFeatures, inFeatures];
    this.weight = init === undefined
      ? uniformParameter(shape, bound, rng)
      : new Parameter(tensor(init(shape, rng), { shape }));
    this.bias = bias ? uniformParameter([outFeatures], bound, rng) : null;
  }

  /** `[..., inFeatures]` gives `[..., outFeatures]`. */
  override forward(x: Tensor): Tensor {
    const { shape } = x;
    if (shape.length === 0 || shape[shape.length - 1] !== this.inFeatures) {
      throw new ShapeError(
        `Cannot apply Linear(${this.inFeatures}, ${this.outFeatures}) to ${fmtShape(shape)}: ` +
          `the last axis must have size ${this.inFeatures}`,
      );
    }
    const y = x.matmul(this.weight.transpose(0, 1));
    return this.bias === null ? y : y.add(this.bias.cast(y.dtype));
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { inFeatures, outFeatures, bias } = this;
    return { kind: "Linear", inFeatures, outFeatures, bias: bias !== null };
  }
}

/** Options of {@link Embedding}. */
export interface EmbeddingOptions {
  /** Row that is 0 at first and gets no gradient. */
  readonly paddingIdx?: number;
  /** Draws the rows; by default from the standard normal distribution. */
  readonly init?: WeightInit;
  /** Where the first weights come from; the default generator. */
  readonly rng?: Rng;
}

/**
 * Rows of `weight` `[count, size]`, looked up by whole numbers of any shape: `[...]` gives `[..., size]`. A number that is
 * no row is a ShapeError where the host knows the numbers, as those of a loader; where only the device does, it gives NaN, and
 * the line in which a fit tells of a NaN loss names the number, the item and this layer.
 */
export class Embedding extends Module {
  /** `[count, size]`, a row for each number. */
  readonly weight: Parameter;
  /** Row that gets no gradient, or null. */
  readonly paddingIdx: number | null;

  /**
   * Draws the first rows.
   *
   * @param count Number of rows.
   * @param size Size of a row; drawn from the standard normal distribution.
   */
  constructor(
    readonly count: number,
    readonly size: number,
    options: EmbeddingOptions = {},
  ) {
    super();
    checkOptions("make Embedding", options, { paddingIdx: num, init: func(), rng: aGenerator });
    const { paddingIdx, init, rng = defaultRng() } = options;
    checkSizes("Embedding", { count, size });
    if (paddingIdx !== undefined && (!Number.isInteger(paddingIdx) || paddingIdx < 0 || paddingIdx >= count)) {
      throw new ConfigError(`Cannot make Embedding: paddingIdx is a row from 0 to ${count - 1}, got ${paddingIdx}`);
    }
    const values = init === undefined ? rng.normalArray(count * size) : init([count, size], rng);
    if (paddingIdx !== undefined) values.fill(0, paddingIdx * size, (paddingIdx + 1) * size);
    this.weight = new Parameter(tensor(values, { shape: [count, size] }));
    this.paddingIdx = paddingIdx ?? null;
  }

  /** `[...]` of whole numbers gives `[..., size]`. */
  override forward(index: Tensor): Tensor {
    const flat = index.reshape([-1]);
    const rows = this.weight.indexSelect(flat, { axis: 0 });
    const { paddingIdx } = this;
    const shape = [...index.shape, this.size];
    if (paddingIdx === null) return rows.reshape(shape);
    // the padding row is used as it is, but nothing flows back to it
    const padding = flat.eq(paddingIdx).unsqueeze(1);
    return padding.cast("f32").mul(rows.detach()).add(padding.not().cast("f32").mul(rows)).reshape(shape);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { count, size, paddingIdx } = this;
    return { kind: "Embedding", count, size, paddingIdx };
  }
}
