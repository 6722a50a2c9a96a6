/**
 * The items that a model finds hardest, as pictures.
 *
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { inPhase } from "../fit/fine_tune.ts";
import { activate, decode } from "../fit/predict_item.ts";
import { looking } from "../fit/states.ts";
import { encodePng } from "../plot/encode_png.ts";
import type { PixelImage } from "../plot/mod.ts";
import { cat, readAll, type Tensor } from "../tensor/mod.ts";
import { Callback, itemLosses, ORDER, tellsItems, type TrainLoop } from "../train/mod.ts";
import type { HardItem, TopLossesMessage } from "./messages.ts";

/** Longest side of a picture that is sent. */
const MAX_SIDE = 160;
/** Shortest and longest side of what counts as a picture. */
const SIDES = [4, 4096] as const;

/** What is kept of an item; each `[items, ...]`. */
type Kept = { readonly loss: Tensor; readonly x: Tensor; readonly y: Tensor; readonly pred: Tensor };

/**
 * Keeps the `k` items with the largest losses of a pass: those so far and a batch's are put together, and the largest
 * taken. Everything stays on the device, and no more than `k` inputs of it.
 */
class KeepHardest extends Callback {
  override readonly order: number = ORDER.last;
  kept: Kept | null = null;
  /** What the batch before was made of: still read by the program that is launched when this batch ends. */
  #spent: Kept | null = null;

  constructor(readonly k: number) {
    super();
  }

  override afterBatch(): void {
    const { learn, kept } = this;
    dispose(this.#spent);
    const decoded = decode(learn, activate(learn, learn.pred));
    const batch: Kept = {
      loss: itemLosses(learn.lossFunc, learn.pred, learn.yb, "find the hardest items"),
      x: learn.xb[0],
      y: learn.yb[0],
      pred: decoded,
    };
    const all = kept === null ? batch : each((name) => cat([kept[name], batch[name]]));
    const rows = all.loss.topk(Math.min(this.k, all.loss.shape[0])).indices;
    this.kept = each((name) => all[name].indexSelect(rows, { axis: 0 }).detach().keep());
    this.#spent = kept;
  }
}

const NAMES = ["loss", "x", "y", "pred"] as const satisfies readonly (keyof Kept)[];

function each(make: (name: keyof Kept) => Tensor): Kept {
  return { loss: make("loss"), x: make("x"), y: make("y"), pred: make("pred") };
}

function dispose(kept: Kept | null): void {
  for (const name of NAMES) kept?.[name].dispose();
}

/**
 * The `k` items of the validation set with the largest losses, as pictures; why there are none, where inputs are no
 * pictures or the loss cannot be told item by item. Costs one pass over the set, whose events the callbacks see as those
 * of predictions.
 */
export async function topLosses(learn: TrainLoop, k: number): Promise<TopLossesMessage> {
  const why = await cannot(learn);
  if (why !== null) return { items: [], note: why };
  const keep = new KeepHardest(k), dl = learn.dls.valid.inOrder();
  await learn.runs.take(
    "getPreds",
    () => looking(learn, () => inPhase(learn, "predict", () => learn.addedCbs(keep, () => learn.runValidate(dl)))),
  );
  const { kept } = keep;
  if (kept === null) return { items: [], note: "The validation set has no items." };
  const [loss, x, y, pred] = await readAll([kept.loss, kept.x, kept.y, kept.pred]);
  const n = kept.loss.shape[0];
  const items: HardItem[] = [];
  for (let i = 0; i < n; i++) {
    const title = oneEach(kept) ? `${nameOf(learn, pred[i])}, truly ${nameOf(learn, y[i])}` : "";
    const pixels = pixelsOf(x.slice(i * x.length / n, (i + 1) * x.length / n), kept.x.shape.slice(1));
    items.push({ src: await dataUrl(shrink(pixels)), title, loss: loss[i] });
  }
  dispose(kept);
  return { items, note: "" };
}

/** Whether the first input of a learner's data is pictures: `[n, h, w]`, or `[n, c, h, w]` with 1 or 3 channels. */
export async function hasPictures(learn: TrainLoop): Promise<boolean> {
  const batch = await learn.dls.valid.peek() ?? await learn.dls.train.peek();
  const shape = batch?.[0]?.shape ?? [];
  const [c, h, w] = shape.length === 4 ? shape.slice(1) : [1, ...shape.slice(1)];
  const side = (n: number) => n >= SIDES[0] && n <= SIDES[1];
  return (shape.length === 3 || shape.length === 4) && (c === 1 || c === 3) && side(h) && side(w);
}

async function cannot(learn: TrainLoop): Promise<string | null> {
  const { lossFunc } = learn;
  if (learn.dls.valid.length === 0) return "There is no validation set.";
  if (!tellsItems(lossFunc)) {
    const what = typeof lossFunc === "function" ? "is a plain function" : "has neither items() nor a reduction";
    return `The loss ${what}: it does not tell one item's loss from another's.`;
  }
  return await hasPictures(learn) ? null : "The inputs are no pictures.";
}

/** Whether predictions and targets are one number an item. */
function oneEach({ loss, y, pred }: Kept): boolean {
  return y.size === loss.size && pred.size === loss.size;
}

/** A class's name, where the data has a `vocab`; else the number. */
function nameOf({ dls }: TrainLoop, value: number): string {
  const vocab = "vocab" in dls && Array.isArray(dls.vocab) ? dls.vocab : [];
  if (Number.isInteger(value) && value in vocab) return String(vocab[value]);
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}

/** Numbers `[h, w]` or `[c, h, w]` as bytes; the smallest is 0, the largest 255, whatever the data was scaled by. */
function pixelsOf(data: ArrayLike<number>, shape: readonly number[]): PixelImage {
  const [channels, height, width] = shape.length === 3 ? shape : [1, ...shape];
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < data.length; i++) {
    if (data[i] < low) low = data[i];
    if (data[i] > high) high = data[i];
  }
  const scale = high > low ? 255 / (high - low) : 0;
  const plane = height * width;
  const bytes = Uint8Array.from(
    { length: data.length },
    (_, i) => Math.round((data[(i % channels) * plane + Math.floor(i / channels)] - low) * scale),
  );
  return { data: bytes, width, height, channels };
}

/** Means of blocks, so that no side is above {@link MAX_SIDE}. */
function shrink(image: PixelImage): PixelImage {
  const { data, width, height, channels } = image;
  const by = Math.ceil(Math.max(width, height) / MAX_SIDE);
  if (by <= 1) return image;
  const w = Math.max(1, Math.floor(width / by)), h = Math.max(1, Math.floor(height / by));
  const out = new Uint8Array(w * h * channels);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0, count = 0;
        for (let j = y * by; j < Math.min(height, (y + 1) * by); j++) {
          for (let i = x * by; i < Math.min(width, (x + 1) * by); i++, count++) {
            sum += data[(j * width + i) * channels + c];
          }
        }
        out[(y * w + x) * channels + c] = Math.round(sum / count);
      }
    }
  }
  return { data: out, width: w, height: h, channels };
}

async function dataUrl(image: PixelImage): Promise<string> {
  const png = await encodePng(image);
  return `data:image/png;base64,${btoa(Array.from(png, (byte) => String.fromCharCode(byte)).join(""))}`;
}
