/**
 * Encoders out of plain data; see `src/fit/layer_makers.ts`.
 *
 * @module
 */
import { CheckpointError } from "../../base/errors.ts";
import type { LayerMaker, LayerParts } from "../../fit/layer_makers.ts";
import { isDict } from "../../io/state_dict.ts";
import type { TextArchOptions } from "../architecture.ts";
import { RNNDropout } from "../rnn_dropout.ts";
import { AwdLstm } from "./awd_lstm.ts";
import { Bert } from "./bert.ts";
import { Gpt } from "./gpt.ts";

/** What a dictionary of the description holds; the constructors check it. */
function dict({ json }: LayerParts, name: string): Record<string, unknown> {
  const value = json.value(name);
  if (isDict(value)) return { ...value };
  throw new CheckpointError(`Cannot restore an encoder: ${name} is no dictionary`);
}

/** Sizes by name, each a whole number from 1. */
function guard(sizes: Record<string, unknown>, names: readonly string[]): number[] {
  return names.map((name) => {
    const v = sizes[name];
    if (Number.isSafeInteger(v) && (v as number) > 0) return v as number;
    throw new CheckpointError(`Cannot restore an encoder: ${name} is a whole number from 1`);
  });
}

/** The encoders of the library, and layers that they are made of. */
export const TEXT_MAKERS: ReadonlyMap<string, LayerMaker> = new Map(Object.entries<LayerMaker>({
  RNNDropout: ({ json }) => new RNNDropout(json.number("p")),
  AwdLstm: (parts) => {
    const vocab = parts.json.count("vocabSize"), options = dict(parts, "options");
    const [emb, hidden, layers] = guard({ embSize: 400, hidden: 1152, layers: 3, ...options }, [
      "embSize",
      "hidden",
      "layers",
    ]);
    parts.weights(vocab * emb + (layers === 1 ? 4 * emb * emb : 4 * hidden * hidden * (layers - 1)));
    return new AwdLstm(vocab, options, dict(parts, "made") as TextArchOptions);
  },
  Bert: (parts) => {
    const vocab = parts.json.count("vocabSize"), sizes = dict(parts, "sizes");
    const [size, layers, inner, longest] = guard(sizes, [
      "hiddenSize",
      "layers",
      "intermediateSize",
      "maxLength",
    ]);
    parts.weights((vocab + longest) * size + layers * (4 * size * size + 2 * size * inner));
    return new Bert(vocab, sizes, { ...(dict(parts, "made") as TextArchOptions), loaded: true });
  },
  Gpt: (parts) => {
    const vocab = parts.json.count("vocabSize"), sizes = dict(parts, "sizes");
    const [size, layers, inner, longest] = guard(sizes, ["nEmbd", "nLayer", "nInner", "blockSize"]);
    parts.weights((vocab + longest) * size + layers * (4 * size * size + 2 * size * inner));
    return new Gpt(vocab, sizes, { ...(dict(parts, "made") as TextArchOptions), loaded: true });
  },
}));
