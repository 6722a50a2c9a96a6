/**
 * Samples of what a language model writes, epoch after epoch.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkArgument, checkOptions, text, whole } from "../base/options.ts";
import { Callback, ORDER, tell, type TrainLoop } from "../train/mod.ts";
import { GENERATE, type GenerateOptions } from "./generate_options.ts";
import { LmLearner } from "./learner.ts";

/** Options of {@link SampleText}: those of writing on, and these. */
export interface SampleTextOptions extends GenerateOptions {
  /** Tokens of a sample; 40 by default. */
  readonly n?: number;
  /** Epochs between two samples; 1 by default. */
  readonly every?: number;
}

/** A sample. */
export interface TextSample {
  /** Number of the epoch, from 0. */
  readonly epoch: number;
  /** The start, and what was written after it. */
  readonly text: string;
}

/**
 * Has the model write on from a start after each epoch: a line of the logger, and a card of the live page. Nothing that the
 * fit depends on is changed; with a seed, 0 by default, samples differ by what the model has learnt alone.
 */
export class SampleText extends Callback {
  /** See `Callback`. */
  override readonly order: number = ORDER.afterRecorder;
  /** See `Callback`. */
  override readonly runProbe: boolean = false;
  /** See `Callback`. */
  override readonly rank0Only: boolean = true;
  /** See `Callback`. */
  override readonly reportsOnly: boolean = true;
  /** The samples of the last fit. */
  readonly samples: TextSample[] = [];
  readonly #start: string;
  readonly #options: SampleTextOptions;

  /**
   * Takes the start.
   *
   * @param start What the samples begin with; "" by default.
   */
  constructor(start: string = "", options: SampleTextOptions = {}) {
    super();
    checkOptions("make SampleText", options, { ...GENERATE, n: whole(1), every: whole(1) });
    checkArgument("make SampleText", "start", start, text);
    this.#start = start;
    this.#options = options;
  }

  /** See `Callback`. */
  override attach(learn: TrainLoop | null): void {
    if (learn !== null && !((learn as unknown) instanceof LmLearner)) {
      throw new ConfigError("Cannot sample texts: SampleText takes a learner of languageModelLearner");
    }
    super.attach(learn);
  }

  /** See `Callback`. */
  override beforeFit(): void {
    if (!this.learn.resuming) this.samples.length = 0;
  }

  /** See `Callback`. */
  override async afterEpoch(): Promise<void> {
    const { epoch } = this.learn, learn: unknown = this.learn;
    const { n = 40, every = 1, ...options } = this.#options;
    if (!(learn instanceof LmLearner) || (epoch + 1) % every !== 0) return;
    const text = await learn.predict(this.#start, n, { seed: 0, ...options });
    this.samples.push({ epoch, text });
    tell(learn.logger, `Epoch ${epoch} writes: ${text.replace(/\s*\n\s*/g, " ⏎ ")}`);
  }

  /** See `Callback.shown`. */
  override shown(): readonly { readonly title: string; readonly text: string }[] {
    return this.samples.map(({ epoch, text }) => ({ title: `Epoch ${epoch}`, text }));
  }
}
