/**
 * How predictions for a whole set are gathered.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { type Tensor, zeros } from "../tensor/mod.ts";
import {
  Callback,
  gatherRows,
  inDataUnit,
  itemLosses,
  joinRows,
  lossInDataUnit,
  ORDER,
  type TrainLoop,
} from "../train/mod.ts";
import { inPhase } from "./fine_tune.ts";
import { activate, decode, tellNews } from "./predict_item.ts";
import type { GetPredsOptions, Preds } from "./get_preds.ts";
import { looking } from "./states.ts";
import { loaderOf } from "./validate.ts";

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

/** See `getPreds`, which has the learner to itself. */
export async function gatherPreds(learn: TrainLoop, options: GetPredsOptions): Promise<Preds> {
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
