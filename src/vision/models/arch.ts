/**
 * Architectures: functions that make a model, and what is known about each.
 *
 * @module
 */
import { func, num, type OptionTable } from "../../base/options.ts";
import { type AnyModule, Conv2d, kaimingNormal, type Module, type WeightInit } from "../../nn/mod.ts";
import { aGenerator, type Rng, type Tensor } from "../../tensor/mod.ts";

/** Options of every architecture. */
export interface ArchOptions {
  /** Number of outputs; 1000 by default. */
  readonly nOut?: number;
  /** Channels of the images; 3 by default. */
  readonly nIn?: number;
  /** Draws the weights of convolutions, instead of the architecture's own way. */
  readonly init?: WeightInit;
  /** Where the first weights come from; the default generator. */
  readonly rng?: Rng;
}

/** Weights of a training on ImageNet. */
export interface ArchWeights {
  /** Address of a file whose names are those of the model: safetensors, or one that `torch.save` wrote. */
  readonly url: string;
  /** Size of the file in bytes, where known. */
  readonly bytes?: number;
  /** Its SHA-256 in hexadecimal digits, or the first of them, at least 8, where known. */
  readonly sha256?: string;
}

/** Images to one vector each: `[n, nIn, h, w]` gives `[n, nOut]`. */
export type VisionModel = Module<[Tensor], Tensor>;

/**
 * An architecture: a function that makes the model, with what learners have to know about it.
 *
 * @example
 * ```ts ignore
 * const model = resnet18({ nOut: 10 });
 * ```
 */
export interface Arch {
  /** Makes the model, with new weights. */
  (options?: ArchOptions): VisionModel;
  /** The name, under which exported learners find it again. */
  readonly name: string;
  /** How many of the model's children are the body: a negative number counts from the end; null for those before the last pool. */
  readonly cut: number | null;
  /** Where the body is divided into the first and the second parameter group; null for one group. */
  readonly splitAt: number | null;
  /** Mean and standard deviation of the channels that the weights were trained with. */
  readonly stats: readonly [mean: readonly number[], std: readonly number[]] | null;
  /** Weights to start from; null where there are none. */
  readonly weights: ArchWeights | null;
}

/** What {@link defineArch} is told of an architecture. */
export interface ArchInfo {
  /** See {@link Arch.cut}; null by default. */
  readonly cut?: number | null;
  /** See {@link Arch.splitAt}; null by default. */
  readonly splitAt?: number | null;
  /** See {@link Arch.stats}; null by default. */
  readonly stats?: readonly [mean: readonly number[], std: readonly number[]] | null;
  /** See {@link Arch.weights}; null by default. */
  readonly weights?: ArchWeights | null;
}

/** What the options of every architecture may be. */
export const ARCH: OptionTable<ArchOptions> = { nOut: num, nIn: num, init: func(), rng: aGenerator };

/** An architecture of one's own: `make` as a function with a name, and what learners have to know about it. */
export function defineArch(name: string, make: (options: ArchOptions) => VisionModel, info: ArchInfo = {}): Arch {
  const { cut = null, splitAt = null, stats = null, weights = null } = info;
  const arch = (options: ArchOptions = {}) => make(options);
  Object.defineProperty(arch, "name", { value: name });
  return Object.assign(arch, { cut, splitAt, stats, weights });
}

/** How residual nets draw their convolutions: the spread of gradients is kept. */
export const FAN_OUT: WeightInit = kaimingNormal({ mode: "fanOut" });

/** The first convolution of a model, in order of definition; null if there is none. */
export function firstConv(model: AnyModule): Conv2d | null {
  return model.modules().find((m): m is Conv2d => m instanceof Conv2d) ?? null;
}
