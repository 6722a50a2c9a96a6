/**
 * What a fit tells of faults that it does not stop at: indices and labels out of range that only the device knew, which make
 * a loss NaN, and parameters that nobody trains.
 *
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { fmtShape } from "../base/shape.ts";
import type { AnyModule } from "../nn/mod.ts";
import { evaluating } from "../nn/modes.ts";
import type { Batch, DataLoader } from "../data/mod.ts";
import {
  defaultRng,
  type Parameter,
  readAll,
  type Tensor,
  type UncheckedIndex,
  uncheckedIndices,
} from "../tensor/mod.ts";
import { computeLoss } from "./loss_func.ts";
import type { Model } from "./options.ts";
import { tell } from "./reporting.ts";
import type { TrainLoop } from "./train_loop.ts";

/** Batches, and items of data that do not lie in memory, that are looked at. */
const MOST_BATCHES = 1000, MOST_ITEMS = 1000;

/** Indices, and who was given them. */
interface Given extends UncheckedIndex {
  /** The path of the innermost layer; null for the loss, and what it calls. */
  readonly path: string | null;
  readonly layer: AnyModule | null;
}

/** Says `what` of a loss that is no number, and what in a loader's data is the cause. */
export async function tellOddLoss(learn: TrainLoop, what: string, dl: DataLoader<Batch>): Promise<void> {
  const inData = await nanCauseText(learn, dl);
  const clean = dl.resident ? "its inputs and targets are numbers" : "its first 1,000 items are numbers";
  tell(
    learn.logger,
    `${what}: ${inData ?? `${clean}, so the weights or the loss have left them; try a lower learning rate`}`,
  );
}

/** What in a loader's data makes a loss NaN, in words: odd numbers, or indices out of range; null where nothing does. */
export async function nanCauseText(learn: TrainLoop, dl: DataLoader<Batch>): Promise<string | null> {
  const numbers = await oddNumbersText(dl, learn.dls.nInp);
  if (numbers !== null) return numbers;
  return await oddIndicesText(learn, dl);
}

/** Where a loader's data has NaN or infinite numbers, in words; null where it has none. */
async function oddNumbersText(dl: DataLoader<Batch>, nInp: number | undefined): Promise<string | null> {
  const { odd, parts } = await dl.oddNumbers();
  if (odd.length === 0) return null;
  const inputs = nInp ?? Math.max(1, parts - 1);
  const name = (part: number): string => {
    const input = part < inputs, of = input ? inputs : parts - inputs, nth = input ? part : part - inputs;
    return `${input ? "input" : "target"}${of > 1 ? ` ${nth}` : ""}`;
  };
  return odd.map(({ part, item, value }) => `the ${name(part)} of item ${item} has ${value}`).join(", ");
}

/**
 * Which index or label of a loader's data is out of range, and which layer takes it, in words; null where none is, and where the
 * host had refused it. The batches go through the model once more, in their own order, of which no more is computed than
 * indices. What the model keeps and draws stays as it was.
 */
export async function oddIndicesText(learn: TrainLoop, dl: DataLoader<Batch>): Promise<string | null> {
  let item = 0, batches = 0;
  for await (const batch of dl.inOrder({ bs: dl.bs })) {
    const n = batch[0]?.shape[0] ?? 0, given = givenIn(learn, batch);
    if (given.length === 0) return null; // the host knows them all: it would have refused them
    const values = await readAll(given.map(({ index }) => index.dtype === "u8" ? index.cast("i32") : index));
    for (const [i, own] of given.entries()) {
      const at = values[i].findIndex((v) => !(v >= 0 && v < own.size) && v !== own.except);
      if (at >= 0) return said(own, values[i][at], place(own.index, at, { first: item, n }));
    }
    item += n;
    if (++batches >= MOST_BATCHES || (!dl.resident && item >= MOST_ITEMS)) return null;
  }
  return null;
}

/** A layer, and the names that lead to it. */
type Layer = readonly [path: string, layer: AnyModule];

function givenIn({ model, lossFunc, dls }: TrainLoop, batch: Batch): Given[] {
  const inputs = dls.nInp ?? Math.max(1, batch.length - 1), xb = batch.slice(0, inputs), yb = batch.slice(inputs);
  const rng = defaultRng(), { state } = rng, modes = evaluating(model);
  const takers: (Layer | null)[] = [];
  try {
    const found = uncheckedIndices((count) => {
      const end = watch(model, (layer) => {
        while (takers.length < count()) takers.push(layer);
      });
      try {
        const pred = model.forward(...xb);
        if (yb.length > 0) computeLoss(lossFunc, pred, yb);
      } catch {
        // such as a loss for what callbacks make of the batch: what was found by then is looked at
      } finally {
        end();
      }
    });
    return found.map((own, i) => {
      const [path, layer] = takers[i] ?? [null, null];
      return { ...own, path, layer };
    });
  } finally {
    modes();
    rng.restore(state);
  }
}

/** Calls `did` with the layer, or null, that was at work until now, whenever another goes on. Gives what ends that. */
function watch(model: Model, did: (layer: Layer | null) => void): () => void {
  const undo: (() => void)[] = [], inside: Layer[] = [];
  for (const entry of model.namedModules()) {
    const [, layer] = entry, own = Object.getOwnPropertyDescriptor(layer, "forward"); // of hooks
    const forward = layer.forward as (...inputs: unknown[]) => unknown;
    const value = (...inputs: unknown[]): unknown => {
      did(inside.at(-1) ?? null);
      inside.push(entry);
      try {
        return forward.apply(layer, inputs);
      } finally {
        did(entry);
        inside.pop();
      }
    };
    Object.defineProperty(layer, "forward", { value, configurable: true, enumerable: false });
    undo.push(() => {
      if (own === undefined) delete (layer as { forward?: unknown }).forward;
      else Object.defineProperty(layer, "forward", own);
    });
  }
  return () => undo.forEach((f) => f());
}

/** Where an element stands: in which item, and at which of its positions. */
function place(index: Tensor, at: number, { first, n }: { readonly first: number; readonly n: number }): string {
  const each = n > 0 ? index.size / n : 0;
  if (!Number.isInteger(each) || each === 0) return "";
  const item = `item ${first + Math.floor(at / each)}`;
  return each === 1 ? ` for ${item}` : ` at position ${at % each} of ${item}`;
}

function said({ path, layer, size, except }: Given, value: number, where: string): string {
  const who = layer === null
    ? "the loss is given the label"
    : `${layer.constructor.name}${path === "" ? "" : ` "${path}"`} looks up row`;
  const range = `0 to ${size - 1}${except === null ? "" : `, or ${except}`}`;
  const fix = layer === null ? "labels must be classes" : "ids must be in the vocabulary";
  return `${who} ${value}${where}, out of ${range}: ${fix}`;
}

/** Says which parameters the loss depends on that nobody trains: in `#private` fields, in closures, or made in `forward`. */
export function tellOfStrangers(learn: TrainLoop, strangers: readonly Parameter[]): void {
  const shapes = strangers.slice(0, 3).map((p) => fmtShape(p.shape)).join(", ") + (strangers.length > 3 ? ", …" : "");
  const [are, them] = strangers.length === 1 ? ["parameter is", "it"] : ["parameters are", "them"];
  tell(
    learn.logger,
    `${strangers.length} ${are} not trained (of shape ${shapes}): the loss depends on ${them}, and no field of ` +
      `${learn.model.constructor.name} has ${them}; fields that are #private, closures and layers made in forward are not ` +
      "looked into. What is to stay as it is belongs in noGrad()",
  );
}
