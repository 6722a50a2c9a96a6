/**
 * A run that is the same wherever it happens: made of numbers, not of files.
 *
 * @module
 */
import {
  Callback,
  Checkpoint,
  DataLoaders,
  type DeviceInfo,
  init,
  type InitOptions,
  Learner,
  type LrFindResult,
  nn,
  setSeed,
  silentLogger,
  slide,
  valley,
} from "../../mod.ts";

/** What {@link train} is told. */
export interface Task {
  readonly device: InitOptions;
  /** Folder of checkpoints; none without it. */
  readonly dir?: string;
  readonly resume?: boolean;
  /** Training batches after which the run stops. */
  readonly stopAfter?: number;
  /** Epochs; 2 by default. */
  readonly epochs?: number;
  /** Whether the learner says what it does. */
  readonly told?: boolean;
}

/** What it gives. */
export interface Told {
  readonly info: DeviceInfo;
  readonly found: LrFindResult;
  /** All losses as the bits of f32. */
  readonly bits: number[];
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** Numbers in [0, 1), 24 bits each: a linear congruential generator, the same everywhere. */
function numbers(n: number, seed: number): Float32Array {
  const out = new Float32Array(n);
  for (let i = 0, s = seed; i < n; i++) out[i] = ((s = Math.imul(s, 1664525) + 1013904223 | 0) >>> 8) / 2 ** 24;
  return out;
}

/** Pictures of 8 x 8, of four kinds: one of the quarters is brighter. */
function pictures(n: number, seed: number) {
  const x = numbers(n * 64, seed), y = Int32Array.from({ length: n }, (_, i) => (i * 7 + seed) % 4);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < 16; k++) x[i * 64 + (y[i] >> 1) * 32 + (y[i] & 1) * 4 + (k >> 2) * 8 + (k & 3)] += 0.35;
  }
  return { x: { data: x, shape: [n, 1, 8, 8] }, y: { data: y, shape: [n] } };
}

/** A small model on WebGPU, which tells `step` how many batches it has trained on; 4 epochs of 12. */
export async function trainSmall(
  { dir, resume = false, slow = false }: { readonly dir: string; readonly resume?: boolean; readonly slow?: boolean },
  step: (n: number) => void,
): Promise<Told["bits"]> {
  await init({ device: "webgpu" });
  setSeed(7);
  const own = pictures(192, 1), other = pictures(32, 2);
  const dls = DataLoaders.fromArrays({ ...own, xValid: other.x, yValid: other.y }, { bs: 16, seed: 3, shuffle: true });
  const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(64, 32), new nn.ReLU(), new nn.Linear(32, 4));
  const learn = new Learner(dls, model, { lossFunc: new nn.CrossEntropyLoss(), logger: silentLogger });
  learn.addCb(
    new (class Steps extends Callback {
      override async afterBatch(): Promise<void> {
        if (!this.learn.training) return;
        step(this.learn.trainIter);
        if (slow && this.learn.trainIter > 20) await new Promise((go) => setTimeout(go, 100));
      }
    })(),
  );
  await learn.fit(4, { lr: 0.01, cbs: [new Checkpoint({ dir, everySteps: 10, onSignal: "ignore" })], resume });
  await learn.recorder.sync();
  return [...new Uint32Array(new Float32Array(learn.recorder.rawLosses).buffer)];
}

/** Finds a learning rate and trains: convolution, norm, products; two epochs of 24 batches. */
export async function train(
  { device, dir, resume, stopAfter, epochs = 2, told = false }: Task,
  signal?: AbortSignal,
): Promise<Told> {
  const info = await init(device);
  setSeed(7);
  const own = pictures(384, 1), other = pictures(96, 2);
  const dls = DataLoaders.fromArrays({ ...own, xValid: other.x, yValid: other.y }, { bs: 16, seed: 3, shuffle: true });
  const model = new nn.Sequential(
    new nn.Conv2d(1, 8, 3, { padding: 1 }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(128, 256),
    new nn.ReLU(),
    new nn.Linear(256, 4),
  );
  const learn = new Learner(dls, model, {
    lossFunc: new nn.CrossEntropyLoss(),
    ...(told ? {} : { logger: silentLogger }),
  });
  const found = await learn.lrFind({ numIt: 24, suggestFuncs: [valley, slide] });
  const abort = new AbortController();
  signal?.addEventListener("abort", () => abort.abort(signal.reason));
  const stop = { batches: 0 };
  const cbs = dir === undefined ? [] : [new Checkpoint({ dir, everySteps: 20, onSignal: "ignore" })];
  if (stopAfter !== undefined) {
    learn.addCb(
      new (class extends Callback {
        override afterBatch(): void {
          if (this.learn.training && ++stop.batches === stopAfter) abort.abort("enough");
        }
      })(),
    );
  }
  await learn.fitOneCycle(epochs, { lrMax: 0.01, cbs, resume: resume ?? false, signal: abort.signal });
  await learn.recorder.sync();
  const losses = new Float32Array(learn.recorder.rawLosses);
  return {
    info,
    found,
    bits: [...new Uint32Array(losses.buffer)],
    rows: learn.recorder.rows.map(({ time: _, ...row }) => row),
  };
}

/** A learner of a small model. */
export function synthetic(): Learner {
  const { x, y } = pictures(16, 1);
  const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 8, seed: 1 });
  const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(64, 4));
  return new Learner(dls, model, { lossFunc: new nn.CrossEntropyLoss(), logger: silentLogger });
}
