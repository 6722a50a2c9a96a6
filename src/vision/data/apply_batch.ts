/**
 * Transforms of a batch, one after the other.
 *
 * @module
 */
import type { Target } from "../../block/target.ts";
import type { Batch } from "../../data/mod.ts";
import type { Rng } from "../../tensor/mod.ts";
import { type BatchTransform, intToFloat } from "./batch_tfms.ts";
import { isSpatial } from "./spatial.ts";

/** Images u8 `[n, h, w, 3]` and their labels as a model takes them; labels that lie in the image move with it. */
export function applyBatchTfms(
  batch: Batch,
  tfms: readonly BatchTransform[],
  target: Target,
  training: boolean,
  rng: Rng,
): Batch {
  const context = { training, rng };
  let x = intToFloat(batch[0]);
  if (batch.length < 2 || !isSpatial(target)) {
    for (const tfm of tfms) x = tfm.apply(x, context);
    return [x, ...batch.slice(1)];
  }
  let y = target.kind === "mask" ? batch[1].cast("i32") : batch[1];
  for (const tfm of tfms) [x, y] = tfm.applyWith(x, y, target, context);
  return [x, y];
}
