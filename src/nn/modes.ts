/**
 * Which layers train.
 *
 * @module
 */
import type { AnyModule } from "./module.ts";

/** Remembers which layers of a model train; the function given back has them, and no others, train again. */
export function rememberModes(model: AnyModule): () => void {
  const modes = model.modules().map((m) => ({ m, training: m.training }));
  return () => modes.forEach(({ m, training }) => m.training = training);
}

/** Puts a model into evaluation mode; the function given back has the layers train that did before. */
export function evaluating(model: AnyModule): () => void {
  const modes = rememberModes(model);
  model.eval();
  return modes;
}
