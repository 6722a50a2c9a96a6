/**
 * One process of the scaling benchmark: trains an MLP (784-512-256-10, Adam) or ResNet-18 (pictures of 64 x 64, SGD) and adds
 * up arrays with the others; rank 0 prints one line of JSON.
 *
 * Argument: what to do, as JSON.
 *
 * @module
 */
import { Adam, Callback, DataLoaders, init, Learner, nn, resnet18, SGD, silentLogger } from "../mod.ts";
import { openWorld } from "../src/distrib/launched.ts";
import type { World } from "../src/distrib/world.ts";
import { uniform } from "./workloads.ts";

/** What a process is told. */
export interface RankTask {
  readonly net: "mlp" | "resnet18";
  /** Items of a batch in each process. */
  readonly bs: number;
  /** Threads of each process. */
  readonly threads: number;
  /** Batches of a block. */
  readonly steps: number;
  /** Blocks, the first of which does not count. */
  readonly blocks: number;
  /** Whether there is a DistributedTrainer; both, block by block, with "both". */
  readonly distributed: boolean | "both";
  /** Whether gradients are added up while others are computed; as it comes where it is absent. */
  readonly overlap?: boolean;
  /** Sizes of arrays to add up, in elements. */
  readonly sums: readonly number[];
}

/** What rank 0 prints. */
export interface RankReport {
  readonly ranks: number;
  /** Milliseconds of a step, block by block; without the trainer in `alone`. */
  readonly step: readonly number[];
  readonly alone: readonly number[];
  /** Elements that are added up in a step, gaps between parameters included. */
  readonly elements: number;
  /** Milliseconds that adding up takes, by number of elements: medians. */
  readonly sums: Readonly<Record<string, number>>;
}

/** Times the training part of each epoch. */
class Times extends Callback {
  override readonly order: number = -20;
  readonly ms: number[] = [];
  #start = 0;
  override beforeTrain(): void {
    this.#start = performance.now();
  }
  override async afterTrain(): Promise<void> {
    await this.learn.recorder.sync();
    this.ms.push((performance.now() - this.#start) / this.learn.nIter);
  }
}

const SIDE = 64;

function learner(task: RankTask, ranks: number, distributed: boolean): { learn: Learner; times: Times } {
  const { net, bs, steps, overlap } = task;
  const mlp = net === "mlp";
  const n = bs * steps * (distributed ? ranks : 1);
  const shape = mlp ? [n, 784] : [n, 3, SIDE, SIDE];
  const x = { data: uniform(shape.reduce((a, b) => a * b), 1, 1), shape };
  const y = { data: Int32Array.from({ length: n }, (_, i) => i * 7 % 10), shape: [n] };
  const dls = DataLoaders.fromArrays({ x, y }, { bs, seed: 1 });
  const model = mlp
    ? new nn.Sequential(
      ...[new nn.Linear(784, 512), new nn.ReLU(), new nn.Linear(512, 256), new nn.ReLU(), new nn.Linear(256, 10)],
    )
    : resnet18({ nOut: 10 });
  const times = new Times();
  const optFunc = mlp ? Adam : SGD.with({ mom: 0.9 });
  const learn = new Learner(dls, model, {
    lossFunc: new nn.CrossEntropyLoss(),
    optFunc,
    logger: silentLogger,
    cbs: times,
  });
  // statistics of their own, as is usual between hosts
  return {
    learn: distributed ? learn.distributed({ syncBn: false, ...(overlap === undefined ? {} : { overlap }) }) : learn,
    times,
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** Sums between two looks at the clock. */
const SUMS = 5;

async function addUp(world: World, elements: number): Promise<number> {
  const array = new Float32Array(new SharedArrayBuffer(elements * 4));
  const ms: number[] = [];
  for (let block = 0; block < 6; block++) {
    array.fill(1e-3);
    await world.barrier();
    // several on end: who comes last to the first one finds the others' part of it there already
    const start = performance.now();
    for (let i = 0; i < SUMS; i++) await world.sumInPlace([array], "measure");
    ms.push((performance.now() - start) / SUMS);
  }
  return median(ms.slice(1));
}

if (import.meta.main) {
  const task: RankTask = JSON.parse(Deno.args[0]);
  const world = openWorld()!;
  await init({ device: "cpu", threads: task.threads });
  const step: number[] = [], alone: number[] = [];
  let elements = 0;
  if (task.distributed === "both") {
    const a = learner(task, world.size, true), b = learner(task, world.size, false);
    for (let i = 0; i < task.blocks; i++) {
      for (const { learn } of i % 2 === 0 ? [a, b] : [b, a]) await learn.fit(1); // going first is no advantage
    }
    step.push(...a.times.ms.slice(1));
    alone.push(...b.times.ms.slice(1));
  } else if (task.blocks > 0) {
    const { learn, times } = learner(task, world.size, task.distributed);
    await learn.fit(task.blocks);
    step.push(...times.ms.slice(1));
    elements = learn.model.parameters().reduce((n, p) => n + Math.ceil(p.size / 16) * 16, 0);
  }
  const sums: Record<string, number> = {};
  for (const n of task.sums) sums[n] = await addUp(world, n);
  const report: RankReport = { ranks: world.size, step, alone, elements, sums };
  if (world.rank === 0) console.log(JSON.stringify(report));
}
