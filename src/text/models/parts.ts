/**
 * What transformers for text have in common.
 *
 * @module
 */
import { ConfigError, ShapeError } from "../../base/errors.ts";
import { fmtShape, sameShape, sizeOf } from "../../base/shape.ts";
import { Embedding, Linear, Module, type WeightInit } from "../../nn/mod.ts";
import { Parameter, type Rng, type Tensor, tensor, zeros } from "../../tensor/mod.ts";

/** How first weights are drawn. */
export interface Drawn {
  readonly init: WeightInit;
  readonly rng?: Rng;
}

/** Normal with this deviation; nothing is drawn where weights are loaded afterwards. */
export function drawnBy(std: number, rng: Rng | null | undefined, loaded: boolean): Drawn {
  const init: WeightInit = loaded
    ? (shape) => new Float32Array(sizeOf(shape))
    : (shape, from) => from.normalArray(sizeOf(shape), 0, std);
  return { init, ...(rng ? { rng } : {}) };
}

/** Nothing but what constructors take. */
const only = ({ init, rng }: Drawn): Drawn => ({ init, ...(rng === undefined ? {} : { rng }) });

/** A linear layer whose bias starts at 0. */
export function dense(inFeatures: number, outFeatures: number, drawn: Drawn): Linear {
  const layer = new Linear(inFeatures, outFeatures, { bias: false, ...only(drawn) });
  return Object.assign(layer, { bias: new Parameter(zeros([outFeatures])) });
}

/** Vectors of tokens or positions. */
export function vectors(count: number, size: number, drawn: Drawn, paddingIdx?: number): Embedding {
  return new Embedding(count, size, { ...only(drawn), ...(paddingIdx === undefined ? {} : { paddingIdx }) });
}

/** `y = x W + b` with a weight `[inFeatures, outFeatures]`, as GPT-2 keeps its weights ("Conv1D"). */
export class Conv1D extends Module {
  /** `[inFeatures, outFeatures]` */
  readonly weight: Parameter;
  /** `[outFeatures]` */
  readonly bias: Parameter;

  /** Draws the first weights; the bias starts at 0. */
  constructor(readonly inFeatures: number, readonly outFeatures: number, { init, rng }: Drawn, from: Rng) {
    super();
    const shape = [inFeatures, outFeatures];
    this.weight = new Parameter(tensor(init(shape, rng ?? from), { shape }));
    this.bias = new Parameter(zeros([outFeatures]));
  }

  /** `[..., inFeatures]` gives `[..., outFeatures]`. */
  override forward(x: Tensor): Tensor {
    return x.matmul(this.weight).add(this.bias);
  }
}

/** The activation by its name in configurations. */
export const ACTIVATIONS: Readonly<Record<ActivationName, (x: Tensor) => Tensor>> = {
  gelu: (x) => x.gelu(),
  gelu_new: (x) => x.gelu({ approximate: "tanh" }),
  gelu_pytorch_tanh: (x) => x.gelu({ approximate: "tanh" }),
  relu: (x) => x.relu(),
  silu: (x) => x.silu(),
};

/** Name of an activation, as configurations have it. */
export type ActivationName = "gelu" | "gelu_new" | "gelu_pytorch_tanh" | "relu" | "silu";

/** The names of activations. */
export const ACTIVATION_NAMES = Object.keys(ACTIVATIONS) as ActivationName[];

/** Refuses tokens that are no `[b, n]`, texts that are too long, and masks of another shape. */
export function checkTokens(what: string, ids: Tensor, mask: Tensor | undefined, longest: number): void {
  const { shape } = ids;
  if (shape.length !== 2 || (mask !== undefined && !sameShape(mask.shape, shape))) {
    throw new ShapeError(
      `Cannot apply ${what} to ${fmtShape(shape)}${
        mask === undefined ? "" : ` with a mask of ${fmtShape(mask.shape)}`
      }: it takes numbers of tokens [b, n], and a mask of the same shape`,
    );
  }
  if (shape[1] > longest) {
    throw new ShapeError(
      `Cannot apply ${what} to texts of ${shape[1]} tokens: it has ${longest} positions, cut them to seqLen ${longest}`,
    );
  }
}

/** Refuses sizes that do not divide into heads. */
export function checkHeads(what: string, size: number, heads: number): void {
  if (size % heads === 0) return;
  throw new ConfigError(`Cannot make ${what}: ${size} features do not divide into ${heads} heads`);
}

/** `[b, n, d]` as heads, `[b, heads, n, d / heads]`. */
export function toHeads(x: Tensor, heads: number): Tensor {
  const [b, n, d] = x.shape;
  return x.reshape([b, n, heads, d / heads]).permute([0, 2, 1, 3]);
}

/** Heads next to each other again. */
export function fromHeads(x: Tensor): Tensor {
  const [b, heads, n, d] = x.shape;
  return x.permute([0, 2, 1, 3]).reshape([b, n, heads * d]);
}
