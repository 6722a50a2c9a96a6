/**
 * Layers of sequences out of plain data; see `model_json.ts`.
 *
 * @module
 */
import type { SavedState } from "../io/state_dict.ts";
import * as nn from "../nn/mod.ts";
import type { LayerMaker } from "./model_json.ts";

type RecurrentClass = typeof nn.LSTM | typeof nn.GRU | typeof nn.RNN;

function recurrent(make: RecurrentClass, gates: number): LayerMaker {
  return ({ json, drawn: { rng }, weights }) => {
    const input = json.count("input"), hidden = json.count("hidden"), layers = json.count("layers");
    const bidirectional = json.boolean("bidirectional"), ways = bidirectional ? 2 : 1;
    weights(ways * gates * hidden * (input + hidden + (layers - 1) * (ways + 1) * hidden));
    const options = { layers, bidirectional, bias: json.boolean("bias"), dropout: json.number("dropout"), rng };
    return new make(input, hidden, { ...options, ...nonlinearity(json) });
  };
}

function nonlinearity(json: SavedState): nn.RnnOptions {
  return json.has("nonlinearity") ? { nonlinearity: json.string("nonlinearity") === "relu" ? "relu" : "tanh" } : {};
}

/** The layers of sequences of `nn`. */
export const SEQUENCE_MAKERS: Readonly<Record<string, LayerMaker>> = {
  RNN: recurrent(nn.RNN, 1),
  GRU: recurrent(nn.GRU, 3),
  LSTM: recurrent(nn.LSTM, 4),
};
