/**
 * Loss functions as learners take them.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { fmtShape } from "../base/shape.ts";
import { unreduced } from "../nn/loss.ts";
import { Tensor } from "../tensor/mod.ts";

/** A loss that is an object: the losses of `nn`, or anything with `forward`. */
export interface LossObject {
  /** The loss of `pred` against its targets. */
  forward(pred: Tensor, ...yb: Tensor[]): Tensor;
  /** What makes probabilities, or the like, of the model's output; the identity where absent. */
  activation?(pred: Tensor): Tensor;
  /** What makes decisions of activated predictions, such as the class with the largest probability. */
  decodes?(pred: Tensor): Tensor;
  /**
   * The loss of each item, `[n]`. Where it is absent, a loss with a `reduction` is asked for its elements with "none", and
   * an item's loss is their mean.
   */
  items?(pred: Tensor, ...yb: Tensor[]): Tensor;
  /** How the items' losses are brought together; "none" keeps them apart. */
  reduction?: "mean" | "sum" | "none";
  /**
   * The power by which the loss grows with the unit of predictions and targets: 2 for squared differences. Losses of scaled
   * targets are shown in the unit of the data by it; where absent, or 0, they are shown as they are.
   */
  readonly unitPower?: number;
}

/** A loss object, or a plain function of the prediction and the targets. */
export type LossFunc =
  | LossObject
  | (((pred: Tensor, ...yb: Tensor[]) => Tensor) & Pick<LossObject, "unitPower">);

/** The loss of `pred`. */
export function computeLoss(loss: LossFunc, pred: Tensor, yb: readonly Tensor[]): Tensor {
  const value: unknown = typeof loss === "function" ? loss(pred, ...yb) : loss.forward(pred, ...yb);
  if (value instanceof Tensor) return value;
  const name = typeof loss === "function" ? loss.name : loss.constructor.name;
  throw new ConfigError(
    `Cannot train with the loss${name === "" ? "" : ` ${name}`}: it gives a tensor, ${gotNoTensor(value)}`,
  );
}

/** Whether {@link itemLosses} can tell the loss of one item from another's. */
export function tellsItems(loss: LossFunc): loss is LossObject {
  return typeof loss === "object" && (loss.items !== undefined || loss.reduction !== undefined);
}

/**
 * The loss of each item of a batch, `[n]`; the mean over whatever axes an item has.
 *
 * @param what What it is for, as errors name it.
 * @throws ConfigError for a loss that gives one number only.
 */
export function itemLosses(loss: LossFunc, pred: Tensor, yb: readonly Tensor[], what: string): Tensor {
  if (!tellsItems(loss)) {
    throw new ConfigError(
      `Cannot ${what}: the loss must be an object with a \`reduction\` or \`items\`, got ${
        typeof loss === "function" ? "a function" : "one without"
      }`,
    );
  }
  const n = pred.shape[0];
  if (loss.items === undefined) return unreduced(loss, n, () => computeLoss(loss, pred, yb));
  const items = loss.items(pred, ...yb);
  if (items instanceof Tensor && items.size === n) return items.reshape([n]);
  throw new ConfigError(
    `Cannot ${what}: items() of the loss gives one number for each of ${n} items, ${
      items instanceof Tensor ? `got shape ${fmtShape(items.shape)}` : gotNoTensor(items)
    }`,
  );
}

/** The model's prediction, which is one tensor. */
export function onePred(value: unknown, model: object): Tensor {
  if (value instanceof Tensor) return value;
  throw new ConfigError(
    `Cannot use what ${model.constructor.name}.forward gives: a model gives one tensor, ${gotNoTensor(value)}`,
  );
}

/** What came instead of a tensor. */
function gotNoTensor(value: unknown): string {
  if (value instanceof Promise) {
    value.catch(() => {}); // what it says comes too late
    return "got a promise: leave out async and await, tensors are computed when they are read";
  }
  if (value === undefined) return "got undefined: is a return missing?";
  if (Array.isArray(value)) return `got an array of ${value.length}`;
  return `got ${typeof value === "object" && value !== null ? value.constructor?.name ?? "an object" : String(value)}`;
}

/** The given loss, or the data's; a {@link ConfigError} where neither is there. */
export function lossFuncOf(given: LossFunc | undefined, dls: object): LossFunc {
  if (given !== undefined) {
    const name = typeof given === "function" && isClass(given) ? given.name : null;
    if (name !== null) {
      throw new ConfigError(`Cannot make a learner with the class ${name} as loss: make one, new ${name}()`);
    }
    if (!isLoss(given)) {
      throw new ConfigError(
        "Cannot make a learner with this lossFunc: it is an object with forward(pred, target), or a function of " +
          `(pred, target), got ${given === null ? "null" : typeof given}`,
      );
    }
    return given;
  }
  if ("lossFunc" in dls && isLoss(dls.lossFunc)) return dls.lossFunc;
  throw new ConfigError("Cannot make a learner: the data suggests no loss function, pass one as { lossFunc }");
}

/** Whether a function has to be called with `new`. */
function isClass(f: (...args: never[]) => unknown): boolean {
  return Function.prototype.toString.call(f).startsWith("class");
}

function isLoss(value: unknown): value is LossFunc {
  if (typeof value === "function") return true;
  return typeof value === "object" && value !== null && "forward" in value && typeof value.forward === "function";
}
