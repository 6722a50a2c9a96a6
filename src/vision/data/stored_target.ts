/**
 * What labels are, as exported learners keep it.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { CategoryTarget, MultiCategoryTarget, RegressionTarget, type Target } from "../../block/target.ts";
import type { Label } from "../../data/labels.ts";
import type { TargetJson } from "./image_options.ts";
import { MaskTarget } from "./mask.ts";
import { PointsTarget } from "./points.ts";

/** A target as it was stored: for names and losses, labels are not read any more. */
export function targetOf(vocab: readonly Label[], json: TargetJson | undefined): Target {
  switch (json?.kind) {
    case undefined:
      return new CategoryTarget(vocab);
    case "multiCategory":
      return new MultiCategoryTarget(vocab);
    case "mask":
      return new MaskTarget(vocab);
    case "points":
      return new PointsTarget(json.c / 2);
    case "regression":
      return new RegressionTarget(json.c, json.c > 1);
  }
  throw new ConfigError(`Cannot read labels of the kind ${json?.kind}`);
}
