/**
 * Remembering a learner, and going back to it.
 *
 * @module
 */
import { endStep, type Parameter, snapshots, type Tensor } from "../tensor/mod.ts";
import type { TrainLoop } from "../train/mod.ts";
import { rememberStates } from "./states.ts";

/** Everything that a probe changes, as it was. */
export interface Snapshot {
  /** Puts everything back, bit for bit. */
  restore(): Promise<void>;
}

/**
 * Copies what training changes, in device memory: parameters, their gradients, buffers, the optimizer's state and
 * hyper-parameters, random numbers, callbacks' states, the loaders' order, the model's mode, the learner's counters.
 */
export async function takeSnapshot(learn: TrainLoop): Promise<Snapshot> {
  const { model, dls, opt } = learn;
  const weights = model.stateDict();
  const parameters = model.parameters();
  const grads = parameters.map((p) => heldGrad(p));
  const optimizer = opt.stateDict();
  const loaders = [dls.train, dls.valid].map((dl) => ({ dl, state: dl.state }));
  const { epoch, nEpoch, iter, nIter, trainIter, pctTrain, training } = learn;
  const states = await rememberStates(learn);
  return {
    async restore() {
      model.loadStateDict(weights, { strict: true });
      parameters.forEach((p, i) => p.grad = grads[i]);
      opt.loadStateDict(optimizer);
      for (const { dl, state } of loaders) dl.restore(state);
      endStep(); // what goes back is a program of its own, not part of the next batch's
      Object.assign(learn, { epoch, nEpoch, iter, nIter, trainIter, pctTrain, training });
      await states();
    },
  };
}

/** A gradient that outlives changes of what it was computed from. */
function heldGrad({ grad }: Parameter): Tensor | null {
  return grad === null ? null : snapshots([grad])[0];
}
