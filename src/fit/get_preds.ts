/**
 * Predictions for a whole set.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, flag, func, type OptionTable } from "../base/options.ts";
import { type Tensor, zeros } from "../tensor/mod.ts";
import {
  Callback,
  gatherRows,
  inDataUnit,
  itemLosses,
  joinRows,
  lossInDataUnit,
  ORDER,
  throwIfAborted,
  type TrainLoop,
} from "../train/mod.ts";
import { inPhase } from "./fine_tune.ts";
import { activate, decode, tellNews } from "./predict.ts";
import { looking } from "./states.ts";
import { loaderOf, VALIDATE, type ValidateOptions } from "./validate.ts";

/** Options of {@link getPreds}. */
export interface GetPredsOptions extends ValidateOptions {
  /** Whether to give the inputs too; false by default. */
  readonly withInput?: boolean;
  /** Whether to give decisions too; false by default. */
  readonly withDecoded?: boolean;
  /** Whether to give each item's loss too; false by default. The loss must have `items` or a `reduction`. */
  readonly withLoss?: boolean;
  /** What is applied to predictions; by default the loss's activation. */
  readonly act?: (pred: Tensor) => Tensor;
}

/** What the options of {@link getPreds} may be. */
export const GET_PREDS: OptionTable<GetPredsOptions> = {
  ...VALIDATE,
  withInput: flag,
  withDecoded: flag,
  withLoss: flag,
  act: func(),
};

/** What {@link getPreds} gives, items in the order of the set. */
export interface Preds {
  /** Activated predictions, `[n, ...]`, in the unit of the data. */
  readonly preds: Tensor;
  /** Targets, `[n, ...]`, in the unit of the data. */
  readonly targs: Tensor;
  /** Inputs; with `withInput`. */
  readonly inputs?: Tensor;
  /** Decisions; with `withDecoded`. */
  readonly decoded?: Tensor;
  /** Each item's loss, `[n]`, in the unit of the data; with `withLoss`. */
  readonly losses?: Tensor;
}

/** Keeps what a pass over a set gives, batch by batch, on the device. */
class Gather extends Callback {
  override readonly order: number = ORDER.last;
  override runTrain: boolean = false;
  readonly preds: Tensor[] = [];
  readonly targs: Tensor[] = [];
  readonly inputs: Tensor[] = [];
  readonly losses: Tensor[] = [];

  constructor(readonly options: GetPredsOptions) {
    super();
  }

  override afterBatch(): void {
    const { learn } = this;
    const { act, withInput = false, withLoss = false } = this.options;
    const pred = act === undefined ? activate(learn, learn.pred) : act(inDataUnit(learn, learn.pred));
    // copies: what the batch leaves behind is the learner's
    this.preds.push(pred.detach().keep());
    if (learn.yb.length > 0) this.targs.push(inDataUnit(learn, learn.yb[0]).detach().keep());
    if (withInput) this.inputs.push(learn.xb[0].detach().keep());
    if (withLoss) {
      const losses = lossInDataUnit(learn, itemLosses(learn.lossFunc, learn.pred, learn.yb, "give each item's loss"));
      this.losses.push(losses.detach().keep());
    }
  }
}

/**
 * Predictions for the validation set, or another one, with dropout and the like off. The callbacks see the events of
 * validation; what the recorder has of fits stays.
 */
export async function getPreds(learn: TrainLoop, options: GetPredsOptions = {}): Promise<Preds> {
  checkOptions("getPreds", options, GET_PREDS);
  throwIfAborted(options.signal, "getPreds");
  return await learn.runs.take("getPreds", () => gatherPreds(learn, options));
}

async function gatherPreds(learn: TrainLoop, options: GetPredsOptions): Promise<Preds> {
  const { withDecoded = false, cbs = [], signal } = options;
  if (learn.phase === "predict") {
    throw new ConfigError(
      "Cannot predict while predicting: a callback that calls getPreds() in validation events must leave out " +
        'those with learn.phase "predict"',
    );
  }
  const dl = loaderOf(learn, options);
  tellNews(learn);
  const gather = new Gather(options);
  const pass = () => learn.addedCbs([gather, ...[cbs].flat()], () => learn.runValidate(dl, { signal }));
  await looking(learn, () => inPhase(learn, "predict", pass));
  const { peers } = learn;
  const order = dl.itemOrder ?? undefined; // loaders of texts give the long ones first
  const join = async (parts: readonly Tensor[]) => {
    if (peers === null) return await joinRows(parts, order);
    const rows = await gatherRows(peers, parts);
    return order === undefined ? rows : await joinRows([rows], order);
  };
  const preds = await join(gather.preds);
  const targs = gather.targs.length > 0 ? await join(gather.targs) : zeros([0]);
  return {
    preds,
    targs,
    ...(gather.inputs.length > 0 ? { inputs: await join(gather.inputs) } : {}),
    ...(withDecoded ? { decoded: decode(learn, preds) } : {}),
    ...(gather.losses.length > 0 ? { losses: await join(gather.losses) } : {}),
  };
}
