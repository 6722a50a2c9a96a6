/**
 * Convolutions as layers.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { ConfigError } from "../base/errors.ts";
import { checkOptions, either, flag, func, num, oneOf, type OptionTable, shown } from "../base/options.ts";
import { sizeOf } from "../base/shape.ts";
import {
  aGenerator,
  defaultRng,
  Parameter,
  type PerAxis,
  perAxisKind,
  type Rng,
  type Tensor,
  tensor,
} from "../tensor/mod.ts";
import { checkSizes, uniformParameter } from "./linear.ts";
import { Module } from "./module.ts";
import type { WeightInit } from "./weight_init.ts";

/** Options of {@link Conv1d} and {@link Conv2d}; numbers stand for all axes. */
export interface ConvLayerOptions {
  /** Distance between windows; 1 by default. */
  readonly stride?: PerAxis;
  /** Elements on both sides of each axis; 0 by default. `"same"` keeps the input's size, at stride 1. */
  readonly padding?: PerAxis | "same";
  /** What the padding consists of; zeros by default. */
  readonly padMode?: "zeros" | "reflect" | "replicate" | "circular";
  /** Distance between the taps of a window; 1 by default. */
  readonly dilation?: PerAxis;
  /** Number of parts that the channels fall into; each output channel sees one part. 1 by default. */
  readonly groups?: number;
  /** Whether there is a bias; true by default. */
  readonly bias?: boolean;
  /** Draws the weight; by default evenly from `[-1, 1) / sqrt(fanIn)`, as PyTorch does. */
  readonly init?: WeightInit;
  /** Where the first weights come from; the default generator. */
  readonly rng?: Rng;
}

/** Options of {@link ConvTranspose2d}. */
export interface ConvTransposeLayerOptions extends Omit<ConvLayerOptions, "padding" | "padMode"> {
  /** Rows and columns that are left out on both sides of the result; 0 by default. */
  readonly padding?: PerAxis;
  /** Rows and columns added at the end of the result, below the stride; 0 by default. */
  readonly outputPadding?: PerAxis;
}

const SHARED = {
  stride: perAxisKind,
  dilation: perAxisKind,
  groups: num,
  bias: flag,
  init: func<WeightInit>(),
  rng: aGenerator,
};
const CONV: OptionTable<ConvLayerOptions> = {
  ...SHARED,
  padding: either(perAxisKind, oneOf("same")),
  padMode: oneOf("zeros", "reflect", "replicate", "circular"),
};
const CONV_TRANSPOSE: OptionTable<ConvTransposeLayerOptions> = {
  ...SHARED,
  padding: perAxisKind,
  outputPadding: perAxisKind,
};

function numbersOf(layer: string, name: string, value: PerAxis, d: number, least: number): readonly number[] {
  const all: readonly unknown[] = Array.isArray(value) ? value : new Array(d).fill(value);
  if (all.length !== d || !all.every((n): n is number => Number.isInteger(n) && (n as number) >= least)) {
    throw new ConfigError(
      `Cannot make ${layer}: ${name} is a whole number from ${least}${d > 1 ? `, or ${d} of them` : ""}, got ${
        shown(value)
      }`,
    );
  }
  return all;
}

function checkGroups(layer: string, groups: number, channels: Readonly<Record<string, number>>): void {
  checkSizes(layer, { ...channels, groups });
  for (const [name, n] of Object.entries(channels)) {
    if (n % groups !== 0) throw new ConfigError(`Cannot make ${layer}: ${groups} groups do not divide ${n} ${name}`);
  }
}

function firstWeight(shape: readonly number[], fanIn: number, init: WeightInit | undefined, rng: Rng): Parameter {
  if (init === undefined) return uniformParameter(shape, 1 / Math.sqrt(fanIn), rng);
  return new Parameter(tensor(init(shape, rng), { shape: [...shape] }));
}

/** What convolutions over `d` axes share. */
export abstract class ConvBase extends Module {
  /** `[outChannels, inChannels / groups, taps...]` */
  readonly weight: Parameter;
  /** `[outChannels]`, or null. */
  readonly bias: Parameter | null;
  /** Taps of each axis. */
  readonly kernel: readonly number[];
  /** Distance between windows, of each axis. */
  readonly stride: readonly number[];
  /** Elements on both sides of each axis. */
  readonly padding: readonly number[];
  /** What the padding consists of. */
  readonly padMode: "zeros" | "reflect" | "replicate" | "circular";
  /** Distance between taps, of each axis. */
  readonly dilation: readonly number[];
  /** Number of parts that the channels fall into. */
  readonly groups: number;
  /** Elements added behind, where `"same"` needs an odd number. */
  readonly #behind: readonly number[];

  /** Takes what all of them take; `d` is the number of axes. */
  protected constructor(
    d: number,
    readonly inChannels: number,
    readonly outChannels: number,
    kernel: PerAxis,
    options: ConvLayerOptions,
  ) {
    super();
    const name = this.constructor.name;
    checkOptions(`make ${name}`, options, CONV);
    const { stride = 1, padding = 0, padMode = "zeros", dilation = 1, groups = 1, bias = true, init } = options;
    const rng = options.rng ?? defaultRng();
    checkGroups(name, groups, { inChannels, outChannels });
    this.kernel = numbersOf(name, "kernel", kernel, d, 1);
    this.stride = numbersOf(name, "stride", stride, d, 1);
    this.dilation = numbersOf(name, "dilation", dilation, d, 1);
    const whole = this.kernel.map((k, i) => this.dilation[i] * (k - 1));
    if (padding === "same") {
      if (this.stride.some((s) => s !== 1)) {
        throw new ConfigError(`Cannot make ${name}: padding "same" needs stride 1, got ${this.stride.join(", ")}`);
      }
      this.padding = whole.map((n) => Math.floor(n / 2));
    } else this.padding = numbersOf(name, "padding", padding, d, 0);
    this.#behind = padding === "same" ? whole.map((n) => n % 2) : whole.map(() => 0);
    this.padMode = padMode;
    this.groups = groups;
    const shape = [outChannels, inChannels / groups, ...this.kernel];
    const fanIn = sizeOf(shape.slice(1));
    this.weight = firstWeight(shape, fanIn, init, rng);
    this.bias = bias ? uniformParameter([outChannels], 1 / Math.sqrt(fanIn), rng) : null;
  }

  /** Sizes and options as plain data. */
  protected get facts(): Omit<LayerJson, "kind"> {
    const { inChannels, outChannels, kernel, stride, padMode, dilation, groups, bias } = this;
    const padding = this.#behind.some((n) => n > 0) ? "same" : this.padding;
    return { inChannels, outChannels, kernel, stride, padding, padMode, dilation, groups, bias: bias !== null };
  }

  /** The input as the convolution takes it, and the padding that is left to it. */
  protected padded(x: Tensor): { readonly x: Tensor; readonly padding: readonly number[] } {
    const { padding, padMode } = this;
    const rest = padding.map(() => 0);
    if (x.shape.length !== padding.length + 2) return { x, padding }; // the op says what is wrong
    if (padMode !== "zeros" && (padding.some((n) => n > 0) || this.#behind.some((n) => n > 0))) {
      const widths = padding.map((n, i): [number, number] => [n, n + this.#behind[i]]);
      return { x: x.pad([[0, 0], [0, 0], ...widths], { mode: padMode }), padding: rest };
    }
    if (this.#behind.every((n) => n === 0)) return { x, padding };
    const widths = this.#behind.map((n): [number, number] => [0, n]);
    return { x: x.pad([[0, 0], [0, 0], ...widths]), padding };
  }
}

/** Convolution of sequences `[n, inChannels, length]` by `weight` `[outChannels, inChannels / groups, taps]`. */
export class Conv1d extends ConvBase {
  /**
   * Draws the first weights.
   *
   * @param inChannels Channels of the input.
   * @param outChannels Channels of the output.
   * @param kernel Taps of a window.
   */
  constructor(inChannels: number, outChannels: number, kernel: PerAxis, options: ConvLayerOptions = {}) {
    super(1, inChannels, outChannels, kernel, options);
  }

  /** `[n, inChannels, length]` gives `[n, outChannels, places]`. */
  override forward(x: Tensor): Tensor {
    const { weight, bias, stride, dilation, groups } = this;
    const { x: from, padding } = this.padded(x);
    return from.conv1d(weight, { bias, stride, padding, dilation, groups });
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { ...this.facts, kind: "Conv1d" };
  }
}

/** Convolution of images `[n, inChannels, h, w]` by `weight` `[outChannels, inChannels / groups, kh, kw]`. */
export class Conv2d extends ConvBase {
  /**
   * Draws the first weights.
   *
   * @param inChannels Channels of the input.
   * @param outChannels Channels of the output.
   * @param kernel Rows and columns of a window, `[kh, kw]` or one number for both.
   */
  constructor(inChannels: number, outChannels: number, kernel: PerAxis, options: ConvLayerOptions = {}) {
    super(2, inChannels, outChannels, kernel, options);
  }

  /** `[n, inChannels, h, w]` gives `[n, outChannels, oh, ow]`. */
  override forward(x: Tensor): Tensor {
    const { weight, bias, stride, dilation, groups } = this;
    const { x: from, padding } = this.padded(x);
    return from.conv2d(weight, { bias, stride, padding, dilation, groups });
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { ...this.facts, kind: "Conv2d" };
  }
}

/** The gradient of a convolution as a layer: `[n, inChannels, h, w]` becomes larger by the stride. */
export class ConvTranspose2d extends Module {
  /** `[inChannels, outChannels / groups, kh, kw]` */
  readonly weight: Parameter;
  /** `[outChannels]`, or null. */
  readonly bias: Parameter | null;
  /** Rows and columns of a window. */
  readonly kernel: readonly number[];
  /** Distance between windows in the output, of each axis. */
  readonly stride: readonly number[];
  /** Rows and columns left out on both sides of the output. */
  readonly padding: readonly number[];
  /** Rows and columns added at the end of the output. */
  readonly outputPadding: readonly number[];
  /** Distance between taps, of each axis. */
  readonly dilation: readonly number[];
  /** Number of parts that the channels fall into. */
  readonly groups: number;

  /**
   * Draws the first weights.
   *
   * @param inChannels Channels of the input.
   * @param outChannels Channels of the output.
   * @param kernel Rows and columns of a window, `[kh, kw]` or one number for both.
   */
  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    kernel: PerAxis,
    options: ConvTransposeLayerOptions = {},
  ) {
    super();
    checkOptions("make ConvTranspose2d", options, CONV_TRANSPOSE);
    const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1, bias = true, init } = options;
    const rng = options.rng ?? defaultRng();
    const name = "ConvTranspose2d";
    checkGroups(name, groups, { inChannels, outChannels });
    this.kernel = numbersOf(name, "kernel", kernel, 2, 1);
    this.stride = numbersOf(name, "stride", stride, 2, 1);
    this.padding = numbersOf(name, "padding", padding, 2, 0);
    this.outputPadding = numbersOf(name, "outputPadding", outputPadding, 2, 0);
    this.dilation = numbersOf(name, "dilation", dilation, 2, 1);
    this.groups = groups;
    const shape = [inChannels, outChannels / groups, ...this.kernel];
    const fanIn = sizeOf(shape.slice(1)); // PyTorch's fan-in of a transposed weight, too
    this.weight = firstWeight(shape, fanIn, init, rng);
    this.bias = bias ? uniformParameter([outChannels], 1 / Math.sqrt(fanIn), rng) : null;
  }

  /** `[n, inChannels, h, w]` gives `[n, outChannels, oh, ow]`. */
  override forward(x: Tensor): Tensor {
    const { weight, bias, stride, padding, outputPadding, dilation, groups } = this;
    return x.convTranspose2d(weight, { bias, stride, padding, outputPadding, dilation, groups });
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { inChannels, outChannels, kernel, stride, padding, outputPadding, dilation, groups, bias } = this;
    return {
      kind: "ConvTranspose2d",
      ...{ inChannels, outChannels, kernel, stride, padding, outputPadding, dilation, groups, bias: bias !== null },
    };
  }
}
