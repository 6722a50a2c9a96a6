/**
 * AWD-LSTM: a language model of LSTM layers that drops words, weights, inputs and outputs, as fastai has it.
 *
 * @module
 * @see Merity, Keskar & Socher 2017, arXiv:1708.02182
 * @see Howard & Ruder 2018, arXiv:1801.06146
 */
import type { LayerJson } from "../../base/json.ts";
import { ConfigError, ShapeError } from "../../base/errors.ts";
import { checkOptions, flag, num, type OptionTable, whole } from "../../base/options.ts";
import { fmtShape, sameShape } from "../../base/shape.ts";
import { type AnyModule, Embedding, LSTM, type LstmState, type SequenceOptions } from "../../nn/mod.ts";
import { Buffer, cat, type Parameter, snapshots, type Tensor, zeros } from "../../tensor/mod.ts";
import { SequenceEncoder, TEXT_ARCH, type TextArch, type TextArchOptions } from "../architecture.ts";
import { RNNDropout } from "../rnn_dropout.ts";
import { EmbeddingDropout, WeightDropout } from "./weight_dropout.ts";

/** Sizes and probabilities of {@link awdLstm}; the defaults are fastai's, probabilities of a classifier in brackets. */
export interface AwdLstmOptions {
  /** Size of the vectors of tokens, and of the output; 400 by default. */
  readonly embSize?: number;
  /** Size of the layers between; 1,152 by default. */
  readonly hidden?: number;
  /** Number of LSTM layers; 3 by default. */
  readonly layers?: number;
  /** Whether a second net goes from the end to the start: no language model then. */
  readonly bidirectional?: boolean;
  /** Number of the padding token; 1 by default. */
  readonly padId?: number;
  /** Probability that a feature is dropped between layers; 0.15 (0.3). */
  readonly hiddenP?: number;
  /** Probability that a feature of the input is dropped; 0.25 (0.4). */
  readonly inputP?: number;
  /** Probability that a word is dropped; 0.02 (0.05). */
  readonly embedP?: number;
  /** Probability that a recurrent weight is dropped; 0.2 (0.5). */
  readonly weightP?: number;
  /** Probability that a feature of the output is dropped; 0.1 (0.4). */
  readonly outputP?: number;
}

const OPTIONS: OptionTable<AwdLstmOptions> = {
  embSize: whole(1),
  hidden: whole(1),
  layers: whole(1),
  bidirectional: flag,
  padId: whole(0),
  hiddenP: num,
  inputP: num,
  embedP: num,
  weightP: num,
  outputP: num,
};

/** fastai's `awd_lstm_lm_config` and `awd_lstm_clas_config`. */
const PROBABILITIES = {
  lm: { hiddenP: 0.15, inputP: 0.25, embedP: 0.02, weightP: 0.2, outputP: 0.1 },
  classifier: { hiddenP: 0.3, inputP: 0.4, embedP: 0.05, weightP: 0.5, outputP: 0.4 },
} as const;

/** The vectors of tokens are drawn evenly from `[-0.1, 0.1)`. */
const INIT_RANGE = 0.1;

/** LSTM layers over vectors of tokens; a language model goes on where the batch before ended. Names are fastai's. */
export class AwdLstm extends SequenceEncoder {
  override readonly hiddenSize: number;
  override readonly causal: boolean;
  override readonly carriesState: boolean;
  override readonly maxLength: null = null;
  override readonly pooling = "concat" as const;
  override readonly headBias: boolean = true;
  override readonly outputDropout: number;
  /** The vectors of tokens. */
  readonly encoder: Embedding;
  /** The same, with words dropped. */
  readonly encoderDp: EmbeddingDropout;
  /** The LSTM layers. */
  readonly rnns: readonly WeightDropout[];
  /** Of the vectors of tokens. */
  readonly inputDp: RNNDropout;
  /** Of the layers' outputs. */
  readonly hiddenDps: readonly RNNDropout[];
  #state: { readonly b: number; readonly layers: readonly (readonly [h: Buffer, c: Buffer])[] } | null = null;

  /**
   * Draws the first weights.
   *
   * @param vocabSize Number of tokens.
   * @param options Sizes and probabilities.
   * @param made What an architecture is told.
   */
  constructor(
    override readonly vocabSize: number,
    readonly options: AwdLstmOptions = {},
    readonly made: TextArchOptions = {},
  ) {
    super();
    checkOptions("make an AWD-LSTM", options, OPTIONS);
    checkOptions("make an AWD-LSTM", made, TEXT_ARCH);
    const { task = "lm", dropMult = 1, rng = null } = made;
    const { embSize = 400, hidden = 1152, layers = 3, bidirectional = false } = options;
    const padId = made.padId ?? options.padId ?? 1, ways = bidirectional ? 2 : 1;
    const p = { ...PROBABILITIES[task], ...options };
    const drawn = rng === null ? {} : { rng };
    if (hidden % ways !== 0 || embSize % ways !== 0) {
      throw new ConfigError(`Cannot make an AWD-LSTM of both directions: embSize and hidden are even numbers`);
    }
    if (!(dropMult >= 0)) {
      throw new ConfigError(`Cannot make an AWD-LSTM: dropMult is a number from 0, got ${dropMult}`);
    }
    this.hiddenSize = embSize;
    this.causal = !bidirectional;
    this.carriesState = task === "lm";
    this.outputDropout = p.outputP * dropMult;
    this.encoder = new Embedding(vocabSize, embSize, {
      init: ([count, size], from) => from.uniformArray(count * size, -INIT_RANGE, INIT_RANGE),
      ...(padId < vocabSize ? { paddingIdx: padId } : {}),
      ...drawn,
    });
    this.encoderDp = this.named("encoder_dp", new EmbeddingDropout(this.encoder, p.embedP * dropMult, rng));
    this.rnns = Array.from({ length: layers }, (_, i) => {
      const size = (i === layers - 1 ? embSize : hidden) / ways;
      const lstm = new LSTM(i === 0 ? embSize : hidden, size, { bidirectional, ...drawn });
      return new WeightDropout(lstm, p.weightP * dropMult, ["weight_hh_l0"], rng);
    });
    this.inputDp = this.named("input_dp", new RNNDropout(p.inputP * dropMult, drawn));
    this.hiddenDps = Array.from({ length: layers }, () => {
      return new RNNDropout(p.hiddenP * dropMult, drawn);
    });
  }

  override get tiedWeight(): Parameter {
    return this.encoder.weight;
  }

  override forward(ids: Tensor, mask?: Tensor): Tensor {
    const { shape } = ids;
    if (shape.length !== 2 || (mask !== undefined && !sameShape(mask.shape, shape))) {
      throw new ShapeError(
        `Cannot apply an AWD-LSTM to ${fmtShape(shape)}${
          mask === undefined ? "" : ` with a mask of ${fmtShape(mask.shape)}`
        }: it takes numbers of tokens [b, n], and a mask of the same shape`,
      );
    }
    const lengths: SequenceOptions = mask === undefined ? {} : { lengths: mask.cast("i32").sum({ axis: 1 }) };
    let y = this.inputDp.forward(this.encoderDp.forward(ids));
    const last: LstmState[] = [];
    const first = this.carriesState ? this.#carried(shape[0]) : null;
    this.rnns.forEach((rnn, i) => {
      const [out, state] = rnn.forward(y, first?.[i] ?? null, lengths);
      last.push(state);
      y = i === this.rnns.length - 1 ? out : this.hiddenDps[i].forward(out);
    });
    first?.forEach((own, i) => own.forEach((buffer, k) => buffer.assign(last[i][k].detach())));
    return y;
  }

  /** The states that the batch before left; those of more or fewer texts where their number changes, as in fastai. */
  #carried(b: number): readonly (readonly [h: Buffer, c: Buffer])[] {
    const before = this.#state;
    if (before?.b === b) return before.layers;
    const layers = this.rnns.map(({ module }, i) => {
      const { hidden, directions } = module as LSTM;
      const start = zeros([directions, b, hidden]);
      const from = (old: Tensor | undefined): Buffer => {
        if (old === undefined || before === null) return new Buffer(start);
        return new Buffer(
          before.b > b ? old.slice([null, [0, b]]) : cat([old, zeros([directions, b - before.b, hidden])], { axis: 1 }),
        );
      };
      return [from(before?.layers[i][0]), from(before?.layers[i][1])] as const;
    });
    this.#state = { b, layers };
    return layers;
  }

  override reset(): void {
    this.#state = null;
  }

  override carriedState(): ReadonlyMap<string, Tensor> {
    const layers = this.#state?.layers ?? [];
    const copies = snapshots(layers.flat());
    return new Map(copies.map((t, i) => [`${i % 2 === 0 ? "h" : "c"}${i >> 1}`, t]));
  }

  override carry(state: ReadonlyMap<string, Tensor>): void {
    const layers = this.rnns.flatMap((_, i) => {
      const h = state.get(`h${i}`), c = state.get(`c${i}`);
      return h === undefined || c === undefined ? [] : [[new Buffer(h), new Buffer(c)] as const];
    });
    this.#state = layers.length === this.rnns.length ? { b: layers[0][0].shape[1], layers } : null;
  }

  override layerGroups(): readonly (readonly AnyModule[])[] {
    return [[this.encoder, this.encoderDp], ...this.rnns.map((rnn, i) => [rnn, this.hiddenDps[i]])];
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { vocabSize, options, made: { rng: _, ...made } } = this;
    return { kind: "AwdLstm", vocabSize, options: { ...options }, made: { ...made } };
  }
}

/** An architecture of AWD-LSTM, and others with other sizes. */
export interface AwdLstmArch extends TextArch {
  /** The architecture with other sizes and probabilities. */
  with(options: AwdLstmOptions): TextArch;
}

/**
 * fastai's AWD_LSTM: three LSTM layers, 24 million weights beside those of the tokens. `awdLstm.with({ hidden: 400 })` has other
 * sizes.
 */
export const awdLstm: AwdLstmArch = Object.assign(
  (vocabSize: number, options: TextArchOptions = {}): SequenceEncoder => new AwdLstm(vocabSize, {}, options),
  {
    with: (sizes: AwdLstmOptions): TextArch => {
      checkOptions("make an AWD-LSTM", sizes, OPTIONS);
      return (vocabSize, options = {}) => new AwdLstm(vocabSize, sizes, options);
    },
  },
);
