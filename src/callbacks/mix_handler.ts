/**
 * What mixing callbacks share.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, shown } from "../base/options.ts";
import { aGenerator, defaultRng, type Rng, stepInput, type Tensor } from "../tensor/mod.ts";
import { Callback, computeLoss, itemLosses, type LossFunc, type LossObject, tellsItems } from "../train/mod.ts";

/** Options of mixing callbacks. */
export interface MixOptions {
  /** The source of random numbers; the default generator if left out. */
  readonly rng?: Rng;
}

/**
 * Mixes each training item with another one of its batch. Targets that are numbers are mixed too; for classes the loss is
 * `lambda` parts of the item's own loss and the rest of the other's.
 */
export abstract class MixHandler extends Callback {
  /** False: validation batches are left alone. */
  override runValid: boolean = false;
  /** Both parameters of the beta distribution. */
  readonly alpha: number;
  /** Its own generator; null where it draws from the default one. In a plain field, so that checkpoints find it. */
  readonly rng: Rng | null;
  #original: LossFunc | null = null;
  /** Targets of the items mixed in. */
  #other: readonly Tensor[] = [];
  /** Share of the item itself: `[n]` or one number. */
  protected lambda: Tensor | null = null;

  /**
   * Makes a MixHandler.
   *
   * @param alpha Both parameters of the beta distribution that shares come from; small means little mixing.
   */
  constructor(alpha: number, options: MixOptions = {}) {
    super();
    const { rng } = checkOptions(`make ${new.target.name}`, options, { rng: aGenerator });
    if (typeof alpha !== "number" || !(alpha > 0)) {
      throw new ConfigError(`Cannot mix with alpha ${shown(alpha)}: it must be above 0`);
    }
    this.alpha = alpha;
    this.rng = rng ?? null;
  }

  /** Where random numbers come from. */
  protected get source(): Rng {
    return this.rng ?? defaultRng();
  }

  /** See `Callback.settings`. */
  override settings(): Readonly<Record<string, unknown>> {
    return { alpha: this.alpha };
  }

  /** Mixes `learn.xb` and sets {@link lambda}; `order` is a permutation of the batch, i32 `[n]`. */
  protected abstract mix(order: Tensor, n: number): void;

  /** See `Callback.beforeTrain`. */
  override beforeTrain(): void {
    const { learn } = this;
    const original = learn.lossFunc;
    this.#original = original;
    learn.lossFunc = this.#mixed(original);
    learn.defer(() => this.#restore());
  }

  /** See `Callback.beforeBatch`. */
  override beforeBatch(): void {
    const { learn } = this;
    const n = learn.xb[0].shape[0];
    const order = stepInput(this.source.permutation(n));
    this.mix(order, n);
    this.#other = learn.yb.map((y) => y.indexSelect(order));
    if (!learn.yb.some(isClass)) learn.yb = learn.yb.map((y, i) => lerp(this.#other[i], y, this.lambda!));
  }

  /** What stands for a loss while batches are mixed: it can do what that can. */
  #mixed(original: LossFunc): LossFunc {
    const { unitPower } = original, object: Partial<LossObject> = typeof original === "function" ? {} : original;
    return {
      forward: (pred, ...yb) => this.#loss(original, pred, yb),
      ...(tellsItems(original) ? { items: (pred, ...yb) => this.#items(original, pred, yb) } : {}),
      ...(object.activation === undefined ? {} : { activation: (pred) => object.activation!(pred) }),
      ...(object.decodes === undefined ? {} : { decodes: (pred) => object.decodes!(pred) }),
      ...(unitPower === undefined ? {} : { unitPower }),
    };
  }

  #items(original: LossFunc, pred: Tensor, yb: readonly Tensor[]): Tensor {
    const each = (targs: readonly Tensor[]) => itemLosses(original, pred, targs, "mix items with classes");
    return this.learn.training && yb.some(isClass) ? lerp(each(this.#other), each(yb), this.lambda!) : each(yb);
  }

  #loss(original: LossFunc, pred: Tensor, yb: readonly Tensor[]): Tensor {
    if (!this.learn.training || !yb.some(isClass)) return computeLoss(original, pred, yb);
    const mixed = this.#items(original, pred, yb);
    const { reduction = "mean" } = original as LossObject;
    return reduction === "sum" ? mixed.sum() : reduction === "none" ? mixed : mixed.mean();
  }

  /** See `Callback.afterTrain`. */
  override afterTrain(): void {
    this.#restore();
  }

  /** See `Callback.afterCancelTrain`. */
  override afterCancelTrain(): void {
    this.#restore();
  }

  #restore(): void {
    if (this.#original !== null) this.learn.lossFunc = this.#original;
    this.#original = null;
  }
}

/** `a + (b - a) w`, `w` given for each item. */
export function lerp(a: Tensor, b: Tensor, w: Tensor): Tensor {
  const weight = w.rank === 0 ? w : w.reshape([w.size, ...b.shape.slice(1).map(() => 1)]);
  return a.add(b.sub(a).mul(weight));
}

function isClass(y: Tensor): boolean {
  return y.dtype !== "f32";
}
