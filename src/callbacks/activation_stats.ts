/**
 * How the activations of layers are distributed while a model trains.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, flag, num, other } from "../base/options.ts";
import { hookOutputs, type Hooks } from "../fit/hooks.ts";
import type { AnyModule } from "../nn/mod.ts";
import { type Figure, type PixelImage, plotImages, plotLines, sideBySide } from "../plot/mod.ts";
import { cat, noGrad, readAll, stack, type Tensor, tensor } from "../tensor/mod.ts";
import { Callback, ORDER } from "../train/mod.ts";

/** Bins of a histogram, from 0 to {@link TOP}: fastai's. */
const BINS = 40, TOP = 10;
/** Activations up to this are near zero: fastai's. */
const NEAR_ZERO = 0.05;

/** Options of {@link ActivationStats}. */
export interface ActivationStatsOptions {
  /** The layers to look at; by default those that have parameters of their own. */
  readonly modules?: readonly AnyModule[];
  /** Whether histograms are kept, too; false by default. */
  readonly withHist?: boolean;
  /** Every how many training batches; 1 by default. */
  readonly every?: number;
}

/** What is known of a layer: one number for each batch that was looked at. */
export interface LayerStats {
  /** Mean of its activations. */
  readonly mean: readonly number[];
  /** Their deviation, with n - 1. */
  readonly std: readonly number[];
  /** Share of those at or below 0.05. */
  readonly nearZero: readonly number[];
}

/**
 * Mean, deviation and share near zero of what layers give in training, batch by batch, and as an option their histograms:
 * fastai's `ActivationStats`. Numbers are computed with the step and read once an epoch.
 *
 * @example
 * ```ts ignore
 * const stats = new ActivationStats({ withHist: true });
 * await learn.fit(1, { cbs: [stats] });
 * await (await stats.colorDim(-2)).save("activations.png");
 * ```
 */
export class ActivationStats extends Callback {
  /** See `Callback.order`. */
  override readonly order: number = ORDER.last;
  /** See `Callback.runProbe`. */
  override readonly runProbe: boolean = false;
  /** See `Callback.reportsOnly`. */
  override readonly reportsOnly: boolean = true;
  readonly #options: ActivationStatsOptions;
  readonly #every: number;
  #hooks: Hooks<Tensor | null> | null = null;
  #modules: readonly AnyModule[] = [];
  #watching = false;
  /** What was not read yet, `[layers, numbers]` for each batch. */
  #waiting: Tensor[] = [];
  /** What was read, batch by batch. */
  readonly #rows: Float32Array[] = [];

  /** Takes what to look at. */
  constructor(options: ActivationStatsOptions = {}) {
    super();
    const { every = 1 } = checkOptions("make ActivationStats", options, {
      modules: other("modules", Array.isArray),
      withHist: flag,
      every: num,
    });
    if (!Number.isInteger(every) || every < 1) {
      throw new ConfigError(`Cannot make ActivationStats: every is a whole number from 1, got ${every}`);
    }
    this.#options = options;
    this.#every = every;
  }

  /** See `Callback.settings`. */
  override settings(): Readonly<Record<string, unknown>> {
    return {};
  }

  /** See `Callback.beforeFit`. */
  override beforeFit(): void {
    this.#unhook(); // of a fit that ended with an error
    const all = this.learn.model.modules();
    this.#modules = this.#options.modules ??
      all.filter((m) => m.children().length === 0 && m.parameters().length > 0);
    if (this.#modules.length === 0) {
      throw new ConfigError("Cannot watch activations: the model has no layers with parameters, give { modules }");
    }
    this.#hooks = hookOutputs<Tensor | null>(this.#modules, {
      transform: (output) => this.#watching ? this.#statsOf(output) : null,
    });
  }

  /** See `Callback.beforeBatch`. */
  override beforeBatch(): void {
    this.#watching = this.learn.training && this.learn.iter % this.#every === 0;
    this.#hooks?.stored.fill(null);
  }

  /** See `Callback.afterPred`; later, the step may have changed what activations are made of. */
  override afterPred(): void {
    if (!this.#watching || this.#hooks === null) return;
    const empty = tensor(new Float32Array(this.#width).fill(NaN));
    const rows = this.#hooks.stored.map((row) => row ?? empty); // NaN of a layer that was not called
    this.#waiting.push(stack(rows).detach().keep());
  }

  /** See `Callback.afterEpoch`. */
  override async afterEpoch(): Promise<void> {
    await this.#read();
  }

  /** See `Callback.afterFit`. */
  override async afterFit(): Promise<void> {
    this.#unhook();
    await this.#read();
  }

  #unhook(): void {
    this.#hooks?.remove();
    this.#hooks = null;
  }

  async #read(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const data of await readAll(waiting)) this.#rows.push(Float32Array.from(data));
    for (const t of waiting) t.dispose();
  }

  get #width(): number {
    return this.#options.withHist === true ? 3 + BINS : 3;
  }

  #statsOf(output: Tensor): Tensor {
    return noGrad(() => {
      const x = output.detach().reshape([-1]);
      const facts = [x.mean(), x.std(), x.le(NEAR_ZERO).cast("f32").mean()];
      if (this.#options.withHist !== true) return stack(facts);
      const edges = tensor(Float32Array.from({ length: BINS }, (_, k) => k * TOP / BINS), { shape: [BINS, 1] });
      const row = x.unsqueeze(0), inside = row.le(TOP);
      const from = row.ge(edges).mul(inside).cast("f32").sum({ axis: 1 }); // those from each edge on
      const next = cat([from.slice([[1, BINS]]), tensor([0])]);
      return cat([stack(facts), from.sub(next)]);
    });
  }

  #layer(i: number): number {
    const n = this.#modules.length, at = i < 0 ? n + i : i;
    if (this.#rows.length === 0) throw new ConfigError("Cannot show activations: no training batch was looked at yet");
    if (!Number.isInteger(at) || at < 0 || at >= n) {
      throw new ConfigError(`Cannot show activations of layer ${i}: there are ${n}, counted from 0`);
    }
    return at;
  }

  /** The layers that are looked at, in their order. */
  get modules(): readonly AnyModule[] {
    return this.#modules;
  }

  /** The numbers of layer `i`; negative ones count from the end. */
  layerStats(i: number): LayerStats {
    const at = this.#layer(i) * this.#width, column = (k: number) => this.#rows.map((row) => row[at + k]);
    return { mean: column(0), std: column(1), nearZero: column(2) };
  }

  /** Histograms of layer `i`: 40 counts from 0 to 10 for each batch. */
  hist(i: number): number[][] {
    if (this.#options.withHist !== true) {
      throw new ConfigError("Cannot show histograms: none were kept, make ActivationStats with { withHist: true }");
    }
    const at = this.#layer(i) * this.#width + 3;
    return this.#rows.map((row) => Array.from(row.subarray(at, at + BINS)));
  }

  /** Mean, deviation and share near zero of layer `i` over the batches: fastai's `plot_layer_stats`. */
  plotLayerStats(i: number): Figure {
    const { mean, std, nearZero } = this.layerStats(i), size = { width: 300, height: 220 };
    return sideBySide([
      plotLines({ mean }, { title: "mean", ...size }),
      plotLines({ std }, { title: "std", ...size }),
      plotLines({ "near zero": nearZero }, { title: "% near zero", ...size }),
    ]);
  }

  /**
   * The histograms of layer `i` as a picture: batches from left to right, values from bottom to top, brighter where there
   * are more, on a logarithmic scale; fastai's `color_dim`.
   */
  colorDim(i: number): Figure {
    const columns = this.hist(i), most = Math.log1p(Math.max(1, ...columns.flat()));
    const width = columns.length, wide = Math.max(1, Math.round(320 / width)), high = 4;
    const image: PixelImage = {
      data: new Uint8Array(width * wide * BINS * high * 3),
      width: width * wide,
      height: BINS * high,
      channels: 3,
    };
    for (let y = 0; y < image.height; y++) {
      for (let x = 0; x < image.width; x++) {
        const count = columns[Math.floor(x / wide)][BINS - 1 - Math.floor(y / high)];
        image.data.set(colorOf(Math.log1p(count) / most), 3 * (y * image.width + x));
      }
    }
    return plotImages([image], { titles: [`${this.#modules[this.#layer(i)].constructor.name} ${i}`] });
  }
}

/** Dark blue over green to yellow, as bright as `share` is large. */
const COLORS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]] as const;

function colorOf(share: number): number[] {
  const at = Math.min(0.9999, Math.max(0, share)) * (COLORS.length - 1), k = Math.floor(at), t = at - k;
  return COLORS[k].map((v, c) => Math.round(v + t * (COLORS[k + 1][c] - v)));
}
