/**
 * How activations are mapped.
 *
 * @module
 * @see Zhou et al. 2015, arXiv:1512.04150; Selvaraju et al. 2016, arXiv:1610.02391
 */
import { ConfigError, ShapeError } from "../base/errors.ts";
import { checkOptions, integer, objectWith, oneOf } from "../base/options.ts";
import { fmtShape } from "../base/shape.ts";
import { hookOutputs } from "../fit/hooks.ts";
import { type AnyModule, Linear, Sequential } from "../nn/mod.ts";
import { evaluating } from "../nn/modes.ts";
import { type PixelImage, plotImages } from "../plot/mod.ts";
import { grad, noGrad, type Tensor } from "../tensor/mod.ts";
import type { Model } from "../train/mod.ts";
import type { ActivationMap, ActivationMapOptions } from "./activation_map.ts";
import type { ImageSource } from "./data/mod.ts";
import { toPictures } from "./data/show_batch.ts";
import type { VisionLearner } from "./learner.ts";

/** See `activationMap` of activation_map.ts. */
export async function activationMap<M extends Model>(
  learn: VisionLearner<M>,
  item: ImageSource | Tensor,
  options: ActivationMapOptions = {},
): Promise<ActivationMap> {
  const { method = "gradCam", label, layer = bodyOf(learn.model) } = checkOptions("map activations", options, {
    method: oneOf("gradCam", "cam"),
    layer: objectWith<AnyModule>("a module", "forward"),
    label: integer,
  });
  const [input] = await learn.dls.itemInputs([item]);
  const x = input.unsqueeze(0), { model } = learn;
  const modes = evaluating(model);
  using hooks = hookOutputs([layer]);
  try {
    const scores = model.forward(x), seen = hooks.stored[0];
    if (seen === null) throw new ConfigError("Cannot map activations: the model does not call this layer");
    if (seen.shape.length !== 4) {
      throw new ShapeError(`Cannot map activations: the layer gives images [1, c, h, w], got ${fmtShape(seen.shape)}`);
    }
    if (scores.shape.length !== 2) {
      throw new ShapeError(
        `Cannot map activations: the model gives scores [1, classes], got ${fmtShape(scores.shape)}`,
      );
    }
    const classes = scores.shape[1], chosen = label ?? await scores.argmax({ axis: 1 }).item();
    if (!Number.isInteger(chosen) || chosen < 0 || chosen >= classes) {
      throw new ConfigError(`Cannot map activations of class ${chosen}: classes go from 0 to ${classes - 1}`);
    }
    const [, channels, height, width] = seen.shape;
    const weights = method === "cam"
      ? linearOf(model, channels).weight.slice([[chosen, chosen + 1]]).reshape([1, channels, 1, 1])
      : grad(scores.slice([null, [chosen, chosen + 1]]).sum(), [seen])[0].mean({ axis: [2, 3], keepdim: true });
    const map = noGrad(() => {
      const sum = seen.mul(weights).sum({ axis: 1 });
      return method === "cam" ? sum : sum.relu();
    });
    const values = Float32Array.from(await map.data());
    const [picture] = await toPictures(learn.imageDls.decodeImages(x));
    const title = String(learn.imageDls.vocab[chosen] ?? chosen);
    return {
      label: chosen,
      values,
      width,
      height,
      figure: plotImages([withHeat(picture, values, width, height)], { titles: [title] }),
    };
  } finally {
    modes();
  }
}

function bodyOf(model: Model): AnyModule {
  if (model instanceof Sequential && model.length === 2) return model.at(0);
  throw new ConfigError("Cannot map activations: the model is no body and head, give { layer }, whose channels count");
}

function linearOf(model: Model, channels: number): Linear {
  const last = model.modules().filter((m): m is Linear => m instanceof Linear).at(-1);
  if (last !== undefined && last.weight.shape[1] === channels) return last;
  throw new ConfigError(
    `Cannot weigh ${channels} channels by the last linear layer: it takes ${
      last?.weight.shape[1] ?? "nothing, there is none"
    }; ` +
      'use { method: "gradCam" }',
  );
}

/** A map over a picture, between its places mixed bilinearly: the more it counts, the brighter and yellower. */
function withHeat(picture: PixelImage, values: Float32Array, width: number, height: number): PixelImage {
  const low = Math.min(...values), high = Math.max(...values), span = high > low ? high - low : 1;
  const at = (x: number, y: number) =>
    (values[Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))] - low) / span;
  const data = new Uint8Array(picture.width * picture.height * 3);
  for (let y = 0; y < picture.height; y++) {
    const v = (y + 0.5) / picture.height * height - 0.5, y0 = Math.floor(v), ty = v - y0;
    for (let x = 0; x < picture.width; x++) {
      const u = (x + 0.5) / picture.width * width - 0.5, x0 = Math.floor(u), tx = u - x0;
      const top = at(x0, y0) * (1 - tx) + at(x0 + 1, y0) * tx,
        below = at(x0, y0 + 1) * (1 - tx) + at(x0 + 1, y0 + 1) * tx;
      const heat = top * (1 - ty) + below * ty, k = y * picture.width + x;
      const grey = 0.6 *
        (0.299 * picture.data[3 * k] + 0.587 * picture.data[3 * k + 1] + 0.114 * picture.data[3 * k + 2]);
      [255, 210, 30].forEach((color, c) => data[3 * k + c] = Math.round(grey * (1 - 0.6 * heat) + color * 0.6 * heat));
    }
  }
  return { ...picture, data };
}
