/**
 * Low-rank changes of single layers.
 *
 * @module
 */
import { type AnyModule, Dropout, Linear } from "../nn/mod.ts";
import { noGrad, type Rng, type Tensor } from "../tensor/mod.ts";
import { Conv1D } from "./models/parts.ts";

/** A layer that can be changed. */
export type ChangedLayer = Linear | Conv1D;

/** What is added to a layer: `scale B A x`, with `A` `[rank, inFeatures]` and `B` `[outFeatures, rank]`. */
export interface LoraParts {
  readonly a: Linear;
  readonly b: Linear;
}

/** How layers are changed. */
export interface LoraSpec {
  readonly rank: number;
  readonly scale: number;
  readonly dropout: number;
  readonly rng: Rng | null;
}

const NAMES = ["lora_A", "lora_B", "lora_dropout", "forward", "toJSON"];

/** Whether a layer can be changed. */
export function isChangeable(module: AnyModule): module is ChangedLayer {
  return module instanceof Linear || module instanceof Conv1D;
}

/** Whether some layer of a model is changed: then its description alone would build another one. */
export function hasLora(model: AnyModule): boolean {
  return model.modules().some((m) => Object.hasOwn(m, NAMES[0]));
}

/**
 * Changes a layer where it stands, so that all who hold it see it changed: `A` and `B` become parts of it, under PEFT's names,
 * and it computes with them. `A` starts as PEFT draws it, `B` at 0: at first the layer gives what it gave.
 */
export function changeLayer(layer: ChangedLayer, { rank, scale, dropout, rng }: LoraSpec): LoraParts {
  const drawn = rng === null ? {} : { rng };
  const a = new Linear(layer.inFeatures, rank, { bias: false, ...drawn });
  const b = new Linear(rank, layer.outFeatures, { bias: false, init: ([m, n]) => new Float32Array(m * n) });
  const drop = new Dropout(dropout, drawn);
  const before: (x: Tensor) => Tensor = layer.forward.bind(layer);
  const own = (name: string, value: unknown, enumerable: boolean) =>
    Object.defineProperty(layer, name, { value, enumerable, configurable: true });
  own("lora_A", a, true);
  own("lora_B", b, true);
  own("lora_dropout", drop, true);
  own("forward", (x: Tensor) => before(x).add(b.forward(a.forward(drop.forward(x))).mul(scale)), false);
  own("toJSON", () => null, false);
  for (const part of [a, b, drop]) part.train(layer.training);
  return { a, b };
}

/** Makes a layer again what it was; with `merge` its weight takes the change over. */
export function restoreLayer(layer: ChangedLayer, { a, b }: LoraParts, scale: number, merge: boolean): void {
  for (const name of NAMES) delete (layer as unknown as Record<string, unknown>)[name];
  if (!merge) return;
  noGrad(() => {
    const change = b.weight.matmul(a.weight).mul(scale);
    layer.weight.assign(layer.weight.add(layer instanceof Conv1D ? change.transpose(0, 1) : change));
  });
}
