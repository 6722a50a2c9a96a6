/**
 * This module's side of the benchmark: `deno run -A bench/anneal.ts <workload> <cpu|webgpu> <secs>`.
 *
 * @module
 */
import {
  Adam,
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
import { measureMain, type Subject, type Training, training } from "./measure.ts";
import {
  ADAM,
  matrices,
  mlpBatch,
  mlpLayers,
  sizeOf,
  TINY,
  TINY_BATCHES,
  tinyData,
  type Workload,
} from "./workloads.ts";

class Line extends nn.Module {
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

function mlp(rows: number): Promise<Subject> {
  const layers = mlpLayers().flatMap(({ inputs, outputs, weight }, i) => {
    const linear = new nn.Linear(inputs, outputs);
    linear.weight.assign(tensor(weight, { shape: [inputs, outputs] }).transpose(0, 1));
    linear.bias?.assign(tensor(new Float32Array(outputs)));
    return i < 2 ? [linear, new nn.ReLU()] : [linear];
  });
  const model = new nn.Sequential(...layers), crossEntropy = new nn.CrossEntropyLoss();
  const { x, labels } = mlpBatch(rows);
  const xb = tensor(x, { shape: [rows, 784] }), yb = tensor(labels);
  return training(
    byHand(Adam(model.parameters(), { ...ADAM, wd: 0 }), () => crossEntropy.forward(model.forward(xb), yb)),
  );
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

const subjectOf = (workload: Workload): Promise<Subject> => {
  if (workload === "tiny") return tiny();
  if (workload === "tiny-learner") return tinyLearner();
  return workload.startsWith("mlp") ? mlp(sizeOf(workload)) : product(sizeOf(workload));
};

if (import.meta.main) {
  await measureMain(async (workload, backend) => {
    const { name } = await init({ device: backend === "webgpu" ? "webgpu" : "cpu" });
    return { runner: "Anneal", backend: name, subject: await subjectOf(workload) };
  });
}
