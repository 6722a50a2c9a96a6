/**
 * This module's side of the benchmark: `deno run -A bench/anneal.ts <workload> <cpu|cpu wasm|webgpu|webgpu f16> <secs>`; `cpu wasm`
 * is the CPU without machine code, `f16` what `Learner.toFp16` does, by hand.
 *
 * @module
 */
import {
  Adam,
  autocast,
  backward,
  DataLoaders,
  init,
  Learner,
  nn,
  type Optimizer,
  Parameter,
  ParamScheduler,
  SchedLin,
  SchedNo,
  SGD,
  silentLogger,
  type Tensor,
  tensor,
} from "../mod.ts";
import { session } from "../src/graph/session.ts";
import { GradScaler } from "../src/optim/mod.ts";
import { CharGpt, CharLstm, MiniLm, setWeights } from "./sequence_models.ts";
import { CHARS, classes, lengthsOf, RATES, shifted, SIZES, tokens } from "./sequences.ts";
import { measureMain, type Subject, type Training, training } from "./measure.ts";
import {
  ADAM,
  CNN,
  headOf,
  images,
  kernelOf,
  labelsOf,
  matrices,
  mlpBatch,
  mlpLayers,
  RESNET,
  RESNET_SGD,
  sizeOf,
  TINY,
  TINY_BATCHES,
  tinyData,
  type Workload,
} from "./workloads.ts";

export class Line extends nn.Module {
  readonly a: Parameter;
  readonly b: Parameter;

  constructor(a: number, b: number) {
    super();
    this.a = new Parameter(tensor(a));
    this.b = new Parameter(tensor(b));
  }

  override forward(x: Tensor): Tensor {
    return x.mul(this.a).add(this.b);
  }
}

/** A loop by hand: forward, backward, step. */
function byHand(opt: Optimizer, loss: () => Tensor): Training<Tensor> {
  const step = (): Tensor => {
    const value = loss();
    backward(value);
    opt.step();
    opt.zeroGrad();
    return value;
  };
  return { step, read: (value) => value.item() };
}

/** What losses are multiplied by where operands are of f16. */
const LOSS_SCALE = 1024;

/** A loop by hand over one batch: the loss of what `forward` gives; where `half`, with products of f16 and a loss that is scaled. */
function overBatch(
  opt: Optimizer,
  half: boolean,
  forward: () => Tensor,
  lossOf: (pred: Tensor) => Tensor,
): Training<Tensor> {
  if (!half) return byHand(opt, () => lossOf(forward()));
  const scaler = opt.scaler = new GradScaler({
    initScale: LOSS_SCALE,
    growthFactor: 1,
    backoffFactor: 1,
    growthInterval: 2000,
  });
  const scaled = byHand(opt, () => lossOf(autocast(forward).float()).mul(scaler.scale));
  return { ...scaled, read: async (value) => await scaled.read(value) / LOSS_SCALE };
}

function tiny(): Promise<Subject> {
  const { x, y, a, b } = tinyData();
  const model = new Line(a, b), mse = new nn.MSELoss();
  const [xb, yb] = [tensor(x), tensor(y)];
  return training(byHand(SGD(model.parameters(), { ...TINY, wd: 0 }), () => mse.forward(model.forward(xb), yb)));
}

async function tinyLearner(): Promise<Subject> {
  const { x, y, a, b } = tinyData();
  const repeat = (values: Float32Array) => ({
    data: Float32Array.from({ length: 16 * TINY_BATCHES }, (_, i) => values[i % 16]),
    shape: [16 * TINY_BATCHES],
  });
  const dls = DataLoaders.fromArrays({ x: repeat(x), y: repeat(y) }, { bs: 16, shuffle: false });
  const learn = new Learner(dls, new Line(a, b), {
    lossFunc: new nn.MSELoss(),
    optFunc: SGD.with({ ...TINY, wd: 0 }),
    logger: silentLogger,
  });
  const fit = async (epochs: number): Promise<number> => {
    const lr = SchedLin(TINY.lr, TINY.lr / 10), mom = SchedNo(TINY.mom, TINY.mom);
    await learn.fit(epochs, { cbs: [new ParamScheduler({ lr, mom })] });
    return epochs * TINY_BATCHES;
  };
  await fit(1);
  return {
    check: [learn.recorder.losses[0]],
    run: (count) => fit(Math.ceil(count / TINY_BATCHES)),
    note: `Learner.fit with Recorder and ParamScheduler, ${TINY_BATCHES} batches an epoch`,
  };
}

function mlpModel(): nn.Sequential {
  const layers = mlpLayers().flatMap(({ inputs, outputs, weight }, i) => {
    const linear = new nn.Linear(inputs, outputs);
    linear.weight.assign(tensor(weight, { shape: [inputs, outputs] }).transpose(0, 1));
    linear.bias?.assign(tensor(new Float32Array(outputs)));
    return i < 2 ? [linear, new nn.ReLU()] : [linear];
  });
  return new nn.Sequential(...layers);
}

/** Batches of an epoch of `mlp64-learner`; each holds the rows of `mlp64`. */
const MLP_BATCHES = 50;

async function mlpLearner(): Promise<Subject> {
  const rows = 64, { x, labels } = mlpBatch(rows);
  const many = rows * MLP_BATCHES;
  const dls = DataLoaders.fromArrays({
    x: { data: Float32Array.from({ length: many * 784 }, (_, i) => x[i % x.length]), shape: [many, 784] },
    y: { data: Int32Array.from({ length: many }, (_, i) => labels[i % rows]), shape: [many] },
  }, { bs: rows, shuffle: false });
  const learn = new Learner(dls, mlpModel(), {
    lossFunc: new nn.CrossEntropyLoss(),
    optFunc: Adam.with({ ...ADAM, wd: 0 }),
    logger: silentLogger,
  });
  const fit = async (epochs: number): Promise<number> => {
    await learn.fit(epochs, { cbs: [new ParamScheduler({ lr: SchedLin(ADAM.lr, ADAM.lr / 10) })] });
    return epochs * MLP_BATCHES;
  };
  await fit(1);
  return {
    check: [learn.recorder.losses[0]],
    run: (count) => fit(Math.ceil(count / MLP_BATCHES)),
    note: `Learner.fit with Recorder and ParamScheduler, ${MLP_BATCHES} batches an epoch`,
  };
}

function mlp(rows: number): Promise<Subject> {
  const model = mlpModel(), crossEntropy = new nn.CrossEntropyLoss();
  const { x, labels } = mlpBatch(rows);
  const xb = tensor(x, { shape: [rows, 784] }), yb = tensor(labels);
  return training(
    byHand(Adam(model.parameters(), { ...ADAM, wd: 0 }), () => crossEntropy.forward(model.forward(xb), yb)),
  );
}

class Conv extends nn.Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  readonly #options: { stride: number; padding: number };

  constructor(cin: number, cout: number, k: number, stride: number, seed: number, bias: boolean) {
    super();
    this.weight = new Parameter(tensor(kernelOf(cout, cin, k, seed), { shape: [cout, cin, k, k] }));
    this.bias = bias ? new Parameter(tensor(new Float32Array(cout))) : null;
    this.#options = { stride, padding: (k - 1) / 2 };
  }

  override forward(x: Tensor): Tensor {
    return x.conv2d(this.weight, { ...this.#options, bias: this.bias });
  }
}

function head(inputs: number): nn.Linear {
  const linear = new nn.Linear(inputs, 10);
  linear.weight.assign(tensor(headOf(inputs), { shape: [inputs, 10] }).transpose(0, 1));
  linear.bias?.assign(tensor(new Float32Array(10)));
  return linear;
}

/** A batch of pictures, `[n, c, h, w]`, its labels, and the loss of predictions. */
function ofImages(rows: number, channels: number, size: number): { x: Tensor; lossOf: (pred: Tensor) => Tensor } {
  const crossEntropy = new nn.CrossEntropyLoss(), labels = tensor(labelsOf(rows));
  const x = tensor(images(rows, channels, size), { shape: [rows, channels, size, size] });
  return { x, lossOf: (pred) => crossEntropy.forward(pred, labels) };
}

class Cnn extends nn.Module {
  readonly convs: Conv[] = CNN.channels.slice(1).map((cout, i) => new Conv(CNN.channels[i], cout, 3, 2, i + 1, true));
  readonly head: nn.Linear = head(64);

  override forward(x: Tensor): Tensor {
    for (const conv of this.convs) x = conv.forward(x).relu();
    return this.head.forward(x.mean({ axis: [2, 3] }));
  }
}

function cnn(): Promise<Subject> {
  const model = new Cnn(), { x, lossOf } = ofImages(CNN.rows, 1, CNN.size);
  const opt = Adam(model.parameters(), { ...ADAM, wd: 0 });
  return training(byHand(opt, () => lossOf(model.forward(x))));
}

/** A convolution and a batch norm. */
class ConvNorm extends nn.Module {
  readonly conv: Conv;
  readonly norm: nn.BatchNorm2d;

  constructor(cin: number, cout: number, k: number, stride: number, seed: number) {
    super();
    this.conv = new Conv(cin, cout, k, stride, seed, false);
    this.norm = new nn.BatchNorm2d(cout);
  }

  override forward(x: Tensor): Tensor {
    return this.norm.forward(this.conv.forward(x));
  }
}

class Block extends nn.Module {
  readonly first: ConvNorm;
  readonly second: ConvNorm;
  readonly short: ConvNorm | null;

  constructor(cin: number, cout: number, stride: number, seed: () => number) {
    super();
    this.first = new ConvNorm(cin, cout, 3, stride, seed());
    this.second = new ConvNorm(cout, cout, 3, 1, seed());
    this.short = stride !== 1 || cin !== cout ? new ConvNorm(cin, cout, 1, stride, seed()) : null;
  }

  override forward(x: Tensor): Tensor {
    const y = this.second.forward(this.first.forward(x).relu());
    return y.add(this.short === null ? x : this.short.forward(x)).relu();
  }
}

class Resnet18 extends nn.Module {
  readonly stem: ConvNorm;
  readonly blocks: Block[];
  readonly head: nn.Linear = head(512);

  constructor() {
    super();
    let seed = 0, cin = 64;
    const next = () => ++seed;
    this.stem = new ConvNorm(3, cin, 7, 2, next());
    this.blocks = RESNET.blocks.map(([cout, stride]) => {
      const block = new Block(cin, cout, stride, next);
      cin = cout;
      return block;
    });
  }

  override forward(x: Tensor): Tensor {
    x = this.stem.forward(x).relu().maxPool2d(3, { stride: 2, padding: 1 });
    for (const block of this.blocks) x = block.forward(x);
    return this.head.forward(x.mean({ axis: [2, 3] }));
  }
}

async function resnet18(workload: "resnet18" | "resnet18-224", half: boolean): Promise<Subject> {
  const model = new Resnet18(), { rows, size } = RESNET[workload], { x, lossOf } = ofImages(rows, 3, size);
  const opt = SGD(model.parameters(), { ...RESNET_SGD, wd: 0 });
  const subject = await training(overBatch(opt, half, () => model.forward(x), lossOf));
  return {
    ...subject,
    get note() {
      return `at most ${(session.device!.stats().peakBytes / 2 ** 20).toFixed(0)} MiB of the device's memory`;
    },
  };
}

function characters(workload: "chargpt" | "lstm", half: boolean): Promise<Subject> {
  const { rows, n } = SIZES[workload], crossEntropy = new nn.CrossEntropyLoss();
  const model = setWeights(workload === "chargpt" ? new CharGpt() : new CharLstm());
  const shape = [rows, n], ids = tokens(rows * n, CHARS);
  const xb = tensor(ids, { shape }), yb = tensor(shifted(ids)).reshape([rows * n]);
  const opt = Adam(model.parameters(), { ...ADAM, lr: RATES[workload], wd: 0 });
  const lossOf = (pred: Tensor) => crossEntropy.forward(pred, yb);
  return training(overBatch(opt, half, () => model.forward(xb).reshape([rows * n, CHARS]), lossOf));
}

function minilm(): Promise<Subject> {
  const { rows, n, words } = SIZES.minilm, model = setWeights(new MiniLm()), crossEntropy = new nn.CrossEntropyLoss();
  const xb = tensor(tokens(rows * n, words), { shape: [rows, n] }), yb = tensor(classes(rows));
  const lengths = tensor(lengthsOf(rows, n));
  const opt = Adam(model.parameters(), { ...ADAM, lr: RATES.minilm, wd: 0 });
  return training(byHand(opt, () => crossEntropy.forward(model.forward(xb, lengths), yb)));
}

async function product(n: number): Promise<Subject> {
  const [a, b] = matrices(n).map((data) => tensor(data, { shape: [n, n] }));
  const corner = (c: Tensor) => c.slice([[0, 1], [0, 1]]).sum().item();
  const run = async (count: number): Promise<number> => {
    for (let i = 1; i < count; i++) a.matmul(b).realize().dispose();
    return await corner(a.matmul(b).realize());
  };
  return { check: [await run(1)], run: async (count) => (await run(count), count) };
}

/** Makes what is timed; `half` is known to nets of pictures and of characters. */
export const subjectOf = (workload: Workload, half = false): Promise<Subject> => {
  if (workload === "tiny") return tiny();
  if (workload === "tiny-learner") return tinyLearner();
  if (workload === "mlp64-learner") return mlpLearner();
  if (workload === "cnn") return cnn();
  if (workload === "resnet18" || workload === "resnet18-224") return resnet18(workload, half);
  if (workload === "chargpt" || workload === "lstm") return characters(workload, half);
  if (workload === "minilm") return minilm();
  return workload.startsWith("mlp") || workload === "first-mlp64" ? mlp(sizeOf(workload)) : product(sizeOf(workload));
};

/** Opens the device that a workload is measured on. */
export function openFor(workload: Workload, backend: string): ReturnType<typeof init> {
  // a step of the smallest workload is over sooner than a thread is woken
  const threads = workload.startsWith("tiny") ? { threads: 1 } : {};
  if (backend === "webgpu") return init({ device: "webgpu", ...threads });
  return init({ device: "cpu", ...(backend === "cpu wasm" ? { native: false } : {}) });
}

/** What stands for a learner's workload in a loop by hand. */
const BY_HAND: Partial<Record<Workload, Workload>> = { "tiny-learner": "tiny", "mlp64-learner": "mlp64" };

if (import.meta.main) {
  await measureMain(async (workload, wanted) => {
    const half = wanted.endsWith(" f16");
    const [backend, byHand] = wanted.replace(/ f16$/, "").split(" by hand"); // also what the learners are measured against
    const { name } = await openFor(workload, backend);
    return {
      runner: byHand !== undefined ? "Anneal by hand" : backend === "cpu wasm" ? "Anneal on WebAssembly" : "Anneal",
      backend: half ? `${name}, f16` : name,
      subject: await subjectOf(byHand !== undefined ? BY_HAND[workload] ?? workload : workload, half),
    };
  });
}
