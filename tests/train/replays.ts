/**
 * Learners whose fits are compared with and without replayed steps.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { DataLoader, DataLoaders } from "../../src/data/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { Buffer, readAll, setSeed, type Tensor, zeros } from "../../src/tensor/mod.ts";
import { Callback, type CallbackLike, silentLogger, type TrainLoopOptions } from "../../src/train/mod.ts";
import { fillF32 } from "../support/fill.ts";

/** Everything that a model can be made of: sizes are small. */
export class Net extends nn.Module {
  readonly conv = new nn.Conv2d(1, 4, 3, { stride: 2, padding: 1 });
  readonly bn = new nn.BatchNorm2d(4);
  readonly drop = new nn.Dropout(0.2);
  readonly head = new nn.Sequential(new nn.Linear(64, 16), new nn.LayerNorm(16), new nn.GELU(), new nn.Linear(16, 3));
  override forward(x: Tensor): Tensor {
    const h = this.bn.forward(this.conv.forward(x)).relu();
    return this.head.forward(this.drop.forward(h.reshape([h.shape[0], 64])));
  }
}

export type Options = TrainLoopOptions<Net>;

/** 8 batches of 8 and one of 3, on the device or given out one by one. */
export function learnerOf(
  { streamed = false, ...options }: Options & { readonly streamed?: boolean } = {},
): Learner<Net> {
  setSeed(7);
  const n = 67, pixels = fillF32(1, n * 64), labels = Int32Array.from({ length: n }, (_, i) => i * 5 % 3);
  const items = (first: number, count: number) =>
    new DataLoader({
      dataset: {
        length: count,
        get: (i: number) => [
          { data: pixels.slice((first + i) * 64, (first + i) * 64 + 64), shape: [1, 8, 8] },
          labels[first + i],
        ],
      },
      bs: 8,
      seed: 3,
      shuffle: first === 0,
    });
  const dls = streamed ? new DataLoaders(items(0, n), items(1, 10)) : DataLoaders.fromArrays({
    x: { data: pixels, shape: [n, 1, 8, 8] },
    y: { data: labels, shape: [n] },
    xValid: { data: pixels.slice(0, 640), shape: [10, 1, 8, 8] },
    yValid: { data: labels.slice(0, 10), shape: [10] },
  }, { bs: 8, seed: 3 });
  return new Learner(dls, new Net(), {
    lossFunc: new nn.CrossEntropyLoss(),
    splitter: (m) => [[...m.conv.parameters(), ...m.bn.parameters()], m.head.parameters()],
    logger: silentLogger,
    ...options,
  });
}

/** Everything that a fit leaves behind. */
export async function left(learn: Learner<Net>, seen: readonly number[] = []) {
  const { state, hypers } = learn.opt.stateDict();
  const stats = state.flatMap((s) => Object.values(s).filter((v): v is Tensor => typeof v === "object"));
  const tensors = [...learn.model.parameters(), ...learn.model.namedBuffers().values(), ...stats];
  const { rawLosses, losses, rows, lrs, hps } = learn.recorder;
  return {
    values: (await readAll(tensors)).map((v) => [...v]),
    steps: state.map((s) => s.step),
    hypers,
    rawLosses: [...rawLosses],
    losses: [...losses],
    lrs: [...lrs],
    hps: Object.fromEntries(Object.entries(hps).map(([k, v]) => [k, [...v]])),
    rows: rows.map(({ time: _, ...row }) => row),
    seen: [...seen],
  };
}

export type Left = Awaited<ReturnType<typeof left>>;

/** What `run` leaves behind, with and without steps that are taken again; and how many were. */
async function both(run: (enabled: boolean) => Promise<{ result: Left; count: number }>): Promise<number> {
  const built = await run(false), again = await run(true);
  assertEquals(built.count, 0);
  assertEquals(again.result, built.result);
  return again.count;
}

export async function fitBoth(
  options: Options & { readonly streamed?: boolean },
  cbs: (learn: Learner<Net>, seen: number[]) => CallbackLike | CallbackLike[] = () => [],
  go: (learn: Learner<Net>, cbs: CallbackLike[]) => Promise<unknown> = (l, cbs) =>
    l.fitOneCycle(2, { lrMax: 0.01, cbs }),
): Promise<number> {
  return await both(async (enabled) => {
    const learn = learnerOf(options), seen: number[] = [];
    learn.steps.enabled = enabled;
    await go(learn, [cbs(learn, seen)].flat());
    return { result: await left(learn, seen), count: learn.steps.count };
  });
}

/** Sees gradients, or weights before the step. */
export class Inside extends Callback {
  constructor(readonly seen: number[], event: "beforeBackward" | "afterBackward" | "beforeStep" | "afterStep") {
    super();
    this[event] = async () => {
      const { head } = this.learn.model as Net;
      const [first] = head.parameters();
      this.seen.push((await (first.grad ?? first).data())[0], (await first.data())[0]);
    };
  }
}

/** An average of the weights, kept by assignments on top of the step. */
export class Ema extends Callback {
  readonly averages: Buffer[] = [];
  override beforeFit(): void {
    for (const p of this.learn.model.parameters()) this.averages.push(new Buffer(zeros(p.shape)));
  }
  override afterBatch(): void {
    if (!this.learn.training) return;
    this.learn.model.parameters().forEach((p, i) => this.averages[i].assign(this.averages[i].mul(0.9).add(p.mul(0.1))));
  }
}
