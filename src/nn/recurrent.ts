/**
 * Recurrent layers: outputs that depend on what came before.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { ConfigError, DataError, DtypeError, ShapeError } from "../base/errors.ts";
import { checkOptions, either, flag, num, nums, oneOf, type OptionTable } from "../base/options.ts";
import { fmtShape, sameShape } from "../base/shape.ts";
import {
  aGenerator,
  allBelow,
  arange,
  aTensor,
  defaultRng,
  type Rng,
  stepInput,
  Tensor,
  zeros,
} from "../tensor/mod.ts";
import { Dropout } from "./activations.ts";
import { checkSizes, uniformParameter } from "./linear.ts";
import { Module } from "./module.ts";
import {
  type Carried,
  type Cell,
  GRU_CELL,
  joinDirections,
  LSTM_CELL,
  runDirection,
  simpleCell,
  stackStates,
  type StepWeights,
} from "./recurrent_steps.ts";

/** Options of {@link LSTM} and {@link GRU}. */
export interface RecurrentOptions {
  /** Layers on top of each other; 1 by default. */
  readonly layers?: number;
  /** Whether a second net goes from the end to the start; the outputs of both stand next to each other. */
  readonly bidirectional?: boolean;
  /** Probability that an output of a layer is dropped before the next one, in training; 0 by default. */
  readonly dropout?: number;
  /** Whether there are biases; true by default. */
  readonly bias?: boolean;
  /** Where the first weights, and what is dropped, come from; the default generator. */
  readonly rng?: Rng;
}

/** Options of {@link RNN}. */
export interface RnnOptions extends RecurrentOptions {
  /** What is taken of the sum; `"tanh"` by default. */
  readonly nonlinearity?: "tanh" | "relu";
}

/** Options of the `forward` of recurrent layers. */
export interface SequenceOptions {
  /**
   * How many steps of each item count, from 0 to n, `[b]`; all by default. What comes after is padding: its outputs are 0,
   * the state is the one after the last step that counts, and the way back starts there.
   */
  readonly lengths?: Tensor | readonly number[];
}

const RECURRENT: OptionTable<RecurrentOptions> = {
  layers: num,
  bidirectional: flag,
  dropout: num,
  bias: flag,
  rng: aGenerator,
};
const RNN_OPTIONS: OptionTable<RnnOptions> = { ...RECURRENT, nonlinearity: oneOf("tanh", "relu") };
const SEQUENCE: OptionTable<SequenceOptions> = { lengths: either(aTensor, nums) };

/** What {@link RNN}, {@link GRU} and {@link LSTM} have in common; `S` is the state that they carry. */
export abstract class Recurrent<S>
  extends Module<[x: Tensor, state?: S | null, options?: SequenceOptions], [Tensor, S]> {
  /** Layers on top of each other. */
  readonly layers: number;
  /** Whether a second net goes from the end to the start. */
  readonly bidirectional: boolean;
  /** Whether there are biases. */
  readonly bias: boolean;
  /** Between layers. */
  readonly drop: Dropout;

  /**
   * Draws the first weights evenly from `[-1, 1) / sqrt(hidden)`.
   *
   * @param input Size of the last axis of the input.
   * @param hidden Size of the state.
   * @param cell What a step does.
   */
  constructor(
    readonly input: number,
    readonly hidden: number,
    options: RecurrentOptions,
    /** @internal */
    readonly cell: Cell,
  ) {
    super();
    const { layers = 1, bidirectional = false, dropout = 0, bias = true, rng } = options;
    checkSizes(new.target.name, { input, hidden, layers });
    this.layers = layers;
    this.bidirectional = bidirectional;
    this.bias = bias;
    if (!(dropout >= 0 && dropout <= 1)) {
      throw new ConfigError(`Cannot make ${new.target.name}: dropout is a probability from 0 to 1, got ${dropout}`);
    }
    const bound = 1 / Math.sqrt(hidden), wide = cell.gates * hidden;
    for (let layer = 0; layer < layers; layer++) {
      for (const suffix of this.suffixes(layer)) {
        const size = layer === 0 ? input : hidden * this.directions;
        const put = (name: string, shape: number[]) =>
          Object.defineProperty(this, `${name}_${suffix}`, {
            value: uniformParameter(shape, bound, rng ?? defaultRng()),
            enumerable: true,
            writable: true,
            configurable: true, // weights that others drop from are taken out
          });
        put("weight_ih", [wide, size]);
        put("weight_hh", [wide, hidden]);
        if (bias) put("bias_ih", [wide]);
        if (bias) put("bias_hh", [wide]);
      }
    }
    this.drop = new Dropout(dropout, rng === undefined ? {} : { rng });
  }

  /** 2 for bidirectional nets, else 1. */
  get directions(): number {
    return this.bidirectional ? 2 : 1;
  }

  /** What the names of a layer's weights end in, one for each direction. */
  protected suffixes(layer: number): string[] {
    return this.bidirectional ? [`l${layer}`, `l${layer}_reverse`] : [`l${layer}`];
  }

  /** The weights whose names end in `suffix`. */
  #weights(suffix: string): StepWeights {
    const at = (name: string) => (this as unknown as Record<string, Tensor | undefined>)[`${name}_${suffix}`] ?? null;
    return { ih: at("weight_ih")!, hh: at("weight_hh")!, biasIh: at("bias_ih"), biasHh: at("bias_hh") };
  }

  /** `states` are `[layers directions, b, hidden]`, one for each that the cell carries. */
  protected run(
    x: Tensor,
    states: readonly Tensor[] | null,
    options: SequenceOptions,
  ): readonly [y: Tensor, states: Tensor[]] {
    const { lengths } = checkOptions(`apply ${this.constructor.name}`, options, SEQUENCE);
    const { cell, hidden } = this;
    if (x.shape.length !== 3 || x.shape[2] !== this.input) {
      throw new ShapeError(
        `Cannot apply ${this.constructor.name}(${this.input}, ${hidden}) to ${fmtShape(x.shape)}: ` +
          `it takes [b, n, ${this.input}], batch first`,
      );
    }
    const [b, n] = x.shape, all = this.layers * this.directions;
    const first = states === null
      ? Array.from({ length: cell.states }, () => zeros([all, b, hidden]))
      : states.map((s) => this.#checked(s, [all, b, hidden]));
    const counts = lengths === undefined ? null : this.#counts(lengths, b, n);
    // which steps are none of the padding, `[b, n, 1]`
    const alive = counts === null ? null : arange(n, { dtype: "i32" }).reshape([1, n, 1]).lt(counts.reshape([b, 1, 1]));
    if (n === 0) return [zeros([b, 0, hidden * this.directions]), first];
    const last: Carried[] = [];
    let y = x;
    for (let layer = 0; layer < this.layers; layer++) {
      if (layer > 0) y = this.drop.forward(y);
      const ways = this.suffixes(layer).map((suffix, direction) => {
        const at = layer * this.directions + direction;
        const own = first.map((s) => s.slice([[at, at + 1]]).reshape([b, hidden]));
        return runDirection(cell, y, own, this.#weights(suffix), { reverse: direction === 1, alive, lengths: counts });
      });
      y = joinDirections(ways.map(([out]) => out));
      last.push(...ways.map(([, state]) => state));
    }
    return [y, first.map((_, k) => stackStates(last, k))];
  }

  #checked(state: Tensor, shape: readonly number[]): Tensor {
    if (!(state instanceof Tensor) || !sameShape(state.shape, shape)) {
      throw new ShapeError(
        `Cannot apply ${this.constructor.name} with a state of ${
          state instanceof Tensor ? fmtShape(state.shape) : String(state)
        }: it must be ${fmtShape(shape)}, [layers directions, b, hidden]`,
      );
    }
    return state;
  }

  /** Numbers of steps that are none of the padding, i32 `[b]`. */
  #counts(lengths: Tensor | readonly number[], b: number, n: number): Tensor {
    const what = `Cannot apply ${this.constructor.name} with lengths`;
    const list = lengths instanceof Tensor
      ? lengths
      : stepInput([...lengths], { dtype: "i32", shape: [lengths.length] });
    if (list.dtype === "f32" || list.dtype === "bool") {
      throw new DtypeError(`${what} of type ${list.dtype}: they are whole numbers, cast to i32`);
    }
    if (!sameShape(list.shape, [b])) {
      throw new ShapeError(`${what} of shape ${fmtShape(list.shape)}: there is one for each of ${b} items, [${b}]`);
    }
    const fits = (l: number) => Number.isInteger(l) && l >= 0 && l <= n;
    const wrong = lengths instanceof Tensor
      ? allBelow(lengths, n + 1)
      : lengths.every((l) => fits(l)) || { bad: lengths.find((l) => !fits(l)) };
    if (wrong !== null && wrong !== true) throw new DataError(`${what} ${wrong.bad}: they go from 0 to ${n}`);
    return list.cast("i32");
  }

  /** What the constructor needs, as plain data. */
  protected json(): LayerJson {
    const { input, hidden, layers, bidirectional, bias, drop } = this;
    return { kind: this.constructor.name, input, hidden, layers, bidirectional, bias, dropout: drop.p };
  }
}

/** The state of an {@link LSTM}: hidden and cell state, each `[layers directions, b, hidden]`. */
export type LstmState = readonly [h: Tensor, c: Tensor];

/**
 * Long short-term memory over `[b, n, input]`, batch first: outputs `[b, n, directions hidden]`, and the state after the last
 * step, which the next part of a sequence goes on from (`detach()` it, or gradients go back through all parts). Names, gates
 * and first weights are PyTorch's.
 *
 * @see Hochreiter & Schmidhuber 1997
 */
export class LSTM extends Recurrent<LstmState> {
  /** Draws the first weights. */
  constructor(input: number, hidden: number, options: RecurrentOptions = {}) {
    checkOptions(`make ${new.target.name}`, options, RECURRENT);
    super(input, hidden, options, LSTM_CELL);
  }

  /** `[b, n, input]` and a state, 0 by default, give the outputs and the state after the last step. */
  override forward(x: Tensor, state: LstmState | null = null, options: SequenceOptions = {}): [Tensor, LstmState] {
    if (state !== null && !(Array.isArray(state) && state.length === 2)) {
      throw new ConfigError(`Cannot apply ${this.constructor.name} with this state: it is a pair, [h, c]`);
    }
    const [y, [h, c]] = this.run(x, state, options);
    return [y, [h, c]];
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return this.json();
  }
}

/** Gated recurrent units over `[b, n, input]`, batch first, as PyTorch has them; the state is `[layers directions, b, hidden]`. */
export class GRU extends Recurrent<Tensor> {
  /** Draws the first weights. */
  constructor(input: number, hidden: number, options: RecurrentOptions = {}) {
    checkOptions(`make ${new.target.name}`, options, RECURRENT);
    super(input, hidden, options, GRU_CELL);
  }

  /** `[b, n, input]` and a state, 0 by default, give the outputs and the state after the last step. */
  override forward(x: Tensor, state: Tensor | null = null, options: SequenceOptions = {}): [Tensor, Tensor] {
    const [y, [h]] = this.run(x, state === null ? null : [state], options);
    return [y, h];
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return this.json();
  }
}

/** A plain recurrent net over `[b, n, input]`, batch first: `h' = tanh(W x + b + U h + c)`, or with ReLU. */
export class RNN extends Recurrent<Tensor> {
  /** What is taken of the sum. */
  readonly nonlinearity: "tanh" | "relu";

  /** Draws the first weights. */
  constructor(input: number, hidden: number, options: RnnOptions = {}) {
    checkOptions(`make ${new.target.name}`, options, RNN_OPTIONS);
    const { nonlinearity = "tanh", ...rest } = options;
    super(input, hidden, rest, simpleCell(nonlinearity));
    this.nonlinearity = nonlinearity;
  }

  /** `[b, n, input]` and a state, 0 by default, give the outputs and the state after the last step. */
  override forward(x: Tensor, state: Tensor | null = null, options: SequenceOptions = {}): [Tensor, Tensor] {
    const [y, [h]] = this.run(x, state === null ? null : [state], options);
    return [y, h];
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { ...this.json(), nonlinearity: this.nonlinearity };
  }
}
