/**
 * Layers of transformers on top of each other.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { checkArgument, checkOptions, instanceOf, objectWith, type OptionTable } from "../base/options.ts";
import type { Tensor } from "../tensor/mod.ts";
import { ATTEND, type AttendOptions } from "./attention.ts";
import { layerJson } from "./containers.ts";
import { checkSizes } from "./linear.ts";
import { Module } from "./module.ts";
import {
  DECODE,
  type DecodeAttendOptions,
  type DecodeForward,
  type Forward,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  type TransformerLayerOptions,
} from "./transformer.ts";

/** Options of {@link TransformerEncoder} and {@link TransformerDecoder}. */
export interface TransformerOptions {
  /** Normalizes what the last layer gives; nothing does by default. */
  readonly norm?: Module;
}

const STACK: OptionTable<TransformerOptions> = { norm: objectWith("a module", "forward") };

type AnyLayer = TransformerEncoderLayer | TransformerDecoderLayer;

/** `n` layers like `layer`, which is the first of them: all start from its weights, as in PyTorch. */
function copies<L extends AnyLayer>(
  what: string,
  layer: L,
  n: number,
  Class: new (dim: number, heads: number, options: TransformerLayerOptions) => L,
): L[] {
  checkArgument(`make ${what}`, "layer", layer, instanceOf<L>(Class, `a ${Class.name}`));
  checkSizes(what, { numLayers: n });
  const state = layer.stateDict();
  return Array.from({ length: n }, (_, i) => {
    if (i === 0) return layer;
    const copy = new Class(layer.dim, layer.heads, layer.options);
    copy.loadStateDict(state);
    return copy;
  });
}

function stackJson(
  kind: string,
  { layers, numLayers, norm }: {
    readonly layers: readonly AnyLayer[];
    readonly numLayers: number;
    readonly norm: Module | null;
  },
): LayerJson | null {
  const layer = layerJson(layers[0]), last = norm === null ? null : layerJson(norm);
  return layer === null || (norm !== null && last === null) ? null : { kind, layer, numLayers, norm: last };
}

/** Layers of an encoder on top of each other; all start from the weights of `layer`, as in PyTorch. */
export class TransformerEncoder extends Module<Forward, Tensor> {
  /** The layers. */
  readonly layers: readonly TransformerEncoderLayer[];
  /** What comes behind them, or null. */
  readonly norm: Module | null;

  /**
   * Copies the layer.
   *
   * @param layer The first layer.
   * @param numLayers Number of layers.
   */
  constructor(layer: TransformerEncoderLayer, readonly numLayers: number, options: TransformerOptions = {}) {
    super();
    checkOptions("make TransformerEncoder", options, STACK);
    this.layers = copies("TransformerEncoder", layer, numLayers, TransformerEncoderLayer);
    this.norm = options.norm ?? null;
  }

  /** `[b, n, dim]` gives `[b, n, dim]`. */
  override forward(x: Tensor, options: AttendOptions = {}): Tensor {
    checkOptions("apply TransformerEncoder", options, ATTEND);
    const y = this.layers.reduce((z, layer) => layer.forward(z, options), x);
    return this.norm === null ? y : this.norm.forward(y);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return stackJson("TransformerEncoder", this);
  }
}

/** Layers of a decoder on top of each other; all start from the weights of `layer`, as in PyTorch. */
export class TransformerDecoder extends Module<DecodeForward, Tensor> {
  /** The layers. */
  readonly layers: readonly TransformerDecoderLayer[];
  /** What comes behind them, or null. */
  readonly norm: Module | null;

  /**
   * Copies the layer.
   *
   * @param layer The first layer.
   * @param numLayers Number of layers.
   */
  constructor(layer: TransformerDecoderLayer, readonly numLayers: number, options: TransformerOptions = {}) {
    super();
    checkOptions("make TransformerDecoder", options, STACK);
    this.layers = copies("TransformerDecoder", layer, numLayers, TransformerDecoderLayer);
    this.norm = options.norm ?? null;
  }

  /** `[b, n, dim]` and a memory `[b, m, dim]` give `[b, n, dim]`. */
  override forward(x: Tensor, memory: Tensor, options: DecodeAttendOptions = {}): Tensor {
    checkOptions("apply TransformerDecoder", options, DECODE);
    const y = this.layers.reduce((z, layer) => layer.forward(z, memory, options), x);
    return this.norm === null ? y : this.norm.forward(y);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return stackJson("TransformerDecoder", this);
  }
}
