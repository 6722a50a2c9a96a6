/**
 * Transforms as plain data.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { AugTransforms } from "./aug_transforms.ts";
import { type BatchTransform, type BatchTransformJson, Normalize } from "./batch_tfms.ts";

/** The transform that `toJSON` made `json` of. */
export function batchTransformFromJson(json: BatchTransformJson): BatchTransform {
  if (json.kind === "Normalize") return new Normalize(json.mean, json.std);
  if (json.kind === "AugTransforms") return new AugTransforms(json.options);
  throw new ConfigError(
    `Cannot read a batch transform: kinds are Normalize and AugTransforms, got ${JSON.stringify(json)}`,
  );
}
