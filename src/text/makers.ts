/**
 * Models of texts out of plain data; see `src/fit/layer_makers.ts`.
 *
 * @module
 */
import { CheckpointError } from "../base/errors.ts";
import type { LayerMaker, LayerParts } from "../fit/layer_makers.ts";
import { isDict } from "../io/state_dict.ts";
import { SequenceEncoder, type TextPooling } from "./architecture.ts";
import { TextClassifier } from "./classifier.ts";
import { LanguageModel } from "./language_model.ts";
import { TEXT_MAKERS as ENCODER_MAKERS } from "./models/makers.ts";

/** The encoder inside. */
function encoderIn({ json, layer }: LayerParts): SequenceEncoder {
  const value = json.value("encoder");
  const made: unknown = isDict(value) ? layer(value) : null;
  if (made instanceof SequenceEncoder) return made;
  throw new CheckpointError("Cannot restore a model of texts: its encoder is none");
}

const POOLINGS: readonly TextPooling[] = ["concat", "mean", "first"];

/** The models of the library, and what they are made of. */
export const TEXT_MAKERS: ReadonlyMap<string, LayerMaker> = new Map<string, LayerMaker>([
  ...ENCODER_MAKERS,
  ["LanguageModel", (parts) => new LanguageModel(encoderIn(parts), { rng: parts.drawn.rng })],
  ["TextClassifier", (parts) => {
    const { json, drawn } = parts, encoder = encoderIn(parts), nOut = json.count("nOut");
    const linFtrs = json.numbers("linFtrs"), ps = json.numbers("ps");
    const pooling = POOLINGS.find((p) => p === json.value("pooling"));
    if (pooling === undefined) {
      throw new CheckpointError(`Cannot restore a text classifier: pooling is one of ${POOLINGS.join(", ")}`);
    }
    let width = encoder.hiddenSize * (pooling === "concat" ? 3 : 1);
    for (const size of [...linFtrs, nOut]) {
      parts.weights(width * size);
      width = size;
    }
    return new TextClassifier(encoder, nOut, { pooling, linFtrs, ps, rng: drawn.rng });
  }],
]);
