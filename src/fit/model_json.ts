/**
 * Models as plain data: what layers say of themselves ({@link layerJson}).
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { layerJson } from "../nn/containers.ts";
import { type AnyModule, Sequential } from "../nn/mod.ts";

/**
 * A model as plain data; null where code of somebody's own is needed to build it again, or layers share weights.
 */
export function modelJson(model: AnyModule): LayerJson | null {
  const shared = withRepeats(model) !== model.parameters().length;
  return shared ? null : layerJson(model);
}

/** Number of parameters, those of a layer that stands in several places counted each time. */
function withRepeats(model: AnyModule): number {
  if (!(model instanceof Sequential)) return model.parameters().length;
  return [...model].reduce((n, layer) => n + withRepeats(layer), 0);
}
