/**
 * TensorFlow.js: `optimizer.minimize`, and for `tiny-learner` `model.fit`.
 *
 *     deno run -A --config bench/peers/deno.json bench/peers/tfjs.ts <workload> <cpu|wasm|webgpu> <secs>
 *
 * @module
 */
// @ts-ignore: the deno.json of this folder, not the module's, knows this package
import * as tf from "@tensorflow/tfjs"; // not tfjs-core, which has no gradients
import { measureMain, type Subject, training } from "../measure.ts";
import {
  ADAM,
  CNN,
  headOf,
  images,
  kernelOf,
  matrices,
  mlpBatch,
  mlpLayers,
  oneHotOf,
  sizeOf,
  TINY,
  TINY_BATCHES,
  tinyData,
  type Workload,
} from "../workloads.ts";

/** Where a WebAssembly file of the package is: a path, not a URL. */
function packageFile(name: string): string {
  return new URL(import.meta.resolve(`@tensorflow/tfjs-backend-wasm/dist/${name}`)).pathname;
}

/** Makes `name` the backend, and says what it computes on. */
export async function open(name: string, wasmFile: (name: string) => string = packageFile): Promise<string> {
  let threads = "";
  if (name === "wasm") {
    // @ts-ignore: see above
    const wasm = await import("@tensorflow/tfjs-backend-wasm");
    const names = ["", "-simd", "-threaded-simd"].map((kind) => `tfjs-backend-wasm${kind}.wasm`);
    wasm.setWasmPaths(Object.fromEntries(names.map((name) => [name, wasmFile(name)])));
    threads = await tf.env().getAsync("WASM_HAS_MULTITHREAD_SUPPORT") ? ", threads" : ", 1 thread";
  }
  // @ts-ignore: see above
  if (name === "webgpu") await import("@tensorflow/tfjs-backend-webgpu");
  if (!await tf.setBackend(name)) throw new Error(`TensorFlow.js has no ${name} here`);
  await tf.ready();
  return name + threads;
}

/** Reads and gives up a scalar. */
async function read(value: tf.Scalar): Promise<number> {
  const [number] = await value.data();
  value.dispose();
  return number;
}

function minimizing(opt: tf.Optimizer, loss: () => tf.Scalar, variables: tf.Variable[]): Promise<Subject> {
  const step = (): tf.Scalar => {
    const value = opt.minimize(loss, true, variables);
    if (value === null) throw new Error("minimize() gave no loss");
    return value;
  };
  return training({ step, read, drop: (value) => value.dispose() });
}

function tiny(): Promise<Subject> {
  const data = tinyData();
  const a = tf.variable(tf.scalar(data.a)), b = tf.variable(tf.scalar(data.b));
  const x = tf.tensor1d(data.x), y = tf.tensor1d(data.y);
  const loss = (): tf.Scalar => tf.tidy(() => tf.mean(tf.square(tf.sub(tf.add(tf.mul(a, x), b), y))));
  return minimizing(tf.train.momentum(TINY.lr, TINY.mom), loss, [a, b]);
}

/** `model.fit` with a history of the loss. */
async function tinyLearner(): Promise<Subject> {
  const { x, y, a, b } = tinyData();
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] });
  model.setWeights([tf.tensor2d([a], [1, 1]), tf.tensor1d([b])]);
  model.compile({ optimizer: tf.train.momentum(TINY.lr, TINY.mom), loss: "meanSquaredError" });
  const repeat = (values: Float32Array) =>
    tf.tensor2d(Float32Array.from({ length: 16 * TINY_BATCHES }, (_, i) => values[i % 16]), [16 * TINY_BATCHES, 1]);
  const xs = repeat(x), ys = repeat(y);
  const first = model.evaluate(tf.tensor2d(x, [16, 1]), tf.tensor2d(y, [16, 1]));
  const check = [await read(Array.isArray(first) ? first[0] : first)];
  const run = async (count: number): Promise<number> => {
    const epochs = Math.ceil(count / TINY_BATCHES);
    await model.fit(xs, ys, { batchSize: 16, epochs, shuffle: false, verbose: 0, yieldEvery: "never" });
    return epochs * TINY_BATCHES;
  };
  return { check, run, note: `model.fit, no schedules, ${TINY_BATCHES} batches an epoch` };
}

function mlp(rows: number): Promise<Subject> {
  const layers = mlpLayers().map(({ inputs, outputs, weight }) => ({
    weight: tf.variable(tf.tensor2d(weight, [inputs, outputs])),
    bias: tf.variable(tf.zeros([outputs])),
  }));
  const batch = mlpBatch(rows);
  const x = tf.tensor2d(batch.x, [rows, 784]), y = tf.tensor2d(batch.oneHot, [rows, 10]);
  const loss = (): tf.Scalar =>
    tf.tidy(() => {
      let h: tf.Tensor = x;
      layers.forEach(({ weight, bias }, i) => {
        h = tf.add(tf.matMul(h, weight), bias);
        if (i < 2) h = tf.relu(h);
      });
      return tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(h), y), -1)));
    });
  const opt = tf.train.adam(ADAM.lr, ADAM.mom, ADAM.sqrMom, ADAM.eps);
  return minimizing(opt, loss, layers.flatMap(({ weight, bias }) => [weight, bias]));
}

async function product(n: number): Promise<Subject> {
  const [a, b] = matrices(n).map((data) => tf.tensor2d(data, [n, n]));
  const run = async (count: number): Promise<number> => {
    for (let i = 1; i < count; i++) tf.matMul(a, b).dispose();
    return await read(tf.tidy(() => tf.reshape(tf.slice(tf.matMul(a, b), [0, 0], [1, 1]), []) as tf.Scalar));
  };
  return { check: [await run(1)], run: async (count) => (await run(count), count) };
}

/** Pictures and kernels have their channels last here. */
function cnn(): Promise<Subject> {
  const { rows, size, channels } = CNN;
  const layers = channels.slice(1).map((cout, i) => ({
    kernel: tf.variable(
      tf.transpose(tf.tensor4d(kernelOf(cout, channels[i], 3, i + 1), [cout, channels[i], 3, 3]), [2, 3, 1, 0]),
    ),
    bias: tf.variable(tf.zeros([cout])),
  }));
  const weight = tf.variable(tf.tensor2d(headOf(64), [64, 10])), bias = tf.variable(tf.zeros([10]));
  const x = tf.tensor4d(images(rows, 1, size), [rows, size, size, 1]), y = tf.tensor2d(oneHotOf(rows), [rows, 10]);
  const loss = (): tf.Scalar =>
    tf.tidy(() => {
      let h: tf.Tensor = x;
      for (const { kernel, bias } of layers) {
        h = tf.relu(tf.add(tf.conv2d(h, kernel, 2, 1, "NHWC", [1, 1], "floor"), bias));
      }
      const logits = tf.add(tf.matMul(tf.mean(h, [1, 2]), weight), bias);
      return tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), y), -1)));
    });
  const opt = tf.train.adam(ADAM.lr, ADAM.mom, ADAM.sqrMom, ADAM.eps);
  return minimizing(opt, loss, [...layers.flatMap(({ kernel, bias }) => [kernel, bias]), weight, bias]);
}

/** Makes what is timed. */
export function subjectOf(workload: Workload): Promise<Subject> {
  if (workload === "cnn") return cnn();
  if (workload === "tiny") return tiny();
  if (workload === "tiny-learner") return tinyLearner();
  return workload.startsWith("mlp") || workload === "first-mlp64" ? mlp(sizeOf(workload)) : product(sizeOf(workload));
}

if (import.meta.main) {
  await measureMain(async (workload, wanted) => {
    const backend = await open(wanted);
    return { runner: `TensorFlow.js ${tf.version.tfjs}`, backend, subject: await subjectOf(workload) };
  });
}
