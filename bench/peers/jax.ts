/**
 * jax-js: the whole step, forward, backward and optimizer, in one `jit`.
 *
 *     deno run -A --config bench/peers/deno.json bench/peers/jax.ts <workload> <wasm|webgpu> <secs>
 *
 * @module
 */
// @ts-ignore: the deno.json of this folder, not the module's, knows this package
import { blockUntilReady, defaultDevice, init, jit, lax, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import { measureMain, type Subject, training } from "../measure.ts";
import { CHARS, shifted, SIZES, tokens, weightOf } from "../sequences.ts";
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
  RESNET,
  RESNET_SGD,
  sizeOf,
  TINY,
  tinyData,
  type Workload,
} from "../workloads.ts";

const VERSION = "0.1.25";

type Arrays = np.Array[];
type Loss = (params: Arrays, x: np.Array, y: np.Array) => np.Array;

const array = (data: Float32Array<ArrayBuffer>, shape: number[]): np.Array => np.array(data).reshape(shape);
const scalar = (value: number): np.Array => array(Float32Array.of(value), []);
const zerosLike = (list: Arrays): Arrays => list.map((p) => array(new Float32Array(p.size), p.shape));

/** The loss and its gradients; leaves `params` to the caller. */
function gradients(loss: Loss, params: Arrays, x: np.Array, y: np.Array): [np.Array, Arrays] {
  return valueAndGrad(loss)(params.map((p) => p.ref), x, y) as [np.Array, Arrays];
}

/** `m <- mom m + g; p <- p - lr m` */
function sgd(
  loss: Loss,
  params: Arrays,
  x: np.Array,
  y: np.Array,
  { lr, mom }: { lr: number; mom: number },
  note?: string,
): Promise<Subject> {
  const step = jit((params: Arrays, means: Arrays, x: np.Array, y: np.Array): [np.Array, Arrays, Arrays] => {
    const [value, grads] = gradients(loss, params, x, y);
    const next = means.map((m, i) => m.mul(mom).add(grads[i]));
    return [value, params.map((p, i) => p.sub(next[i].ref.mul(lr))), next];
  });
  let means = zerosLike(params), value: np.Array;
  return training({
    step: () => {
      [value, params, means] = step(params, means, x.ref, y.ref);
      return value;
    },
    read,
    drop: (v) => v.dispose(),
  }, note);
}

/** Adam; the number of steps, and with it the debiasing, is part of the program. */
function adam(loss: Loss, params: Arrays, x: np.Array, y: np.Array): Promise<Subject> {
  const { lr, mom, sqrMom, eps } = ADAM;
  type State = [np.Array, Arrays, Arrays, Arrays, np.Array];
  const step = jit((params: Arrays, means: Arrays, squares: Arrays, n: np.Array, x: np.Array, y: np.Array): State => {
    const [value, grads] = gradients(loss, params, x, y);
    n = n.add(1);
    const debias = (beta: number) => np.subtract(1, np.exp(n.ref.mul(Math.log(beta))));
    const debias1 = debias(mom), debias2 = debias(sqrMom);
    const state: State = [value, [], [], [], n];
    params.forEach((p, i) => {
      const m = means[i].mul(mom).add(grads[i].ref.mul(1 - mom));
      const v = squares[i].mul(sqrMom).add(grads[i].ref.mul(grads[i]).mul(1 - sqrMom));
      const down = np.sqrt(v.ref.div(debias2.ref)).add(eps);
      state[1].push(p.sub(m.ref.div(debias1.ref).mul(lr).div(down)));
      state[2].push(m);
      state[3].push(v);
    });
    debias1.dispose();
    debias2.dispose();
    return state;
  });
  let means = zerosLike(params), squares = zerosLike(params), n = scalar(0), value: np.Array;
  return training({
    step: () => {
      [value, params, means, squares, n] = step(params, means, squares, n, x.ref, y.ref);
      return value;
    },
    read,
    drop: (v) => v.dispose(),
  });
}

async function read(value: np.Array): Promise<number> {
  return Number((await value.data())[0]);
}

function tiny(note?: string): Promise<Subject> {
  const { x, y, a, b } = tinyData();
  const loss: Loss = ([a, b], x, y) => {
    const error = a.mul(x).add(b).sub(y);
    return error.ref.mul(error).mean();
  };
  return sgd(loss, [scalar(a), scalar(b)], array(x, [16]), array(y, [16]), TINY, note);
}

function mlp(rows: number): Promise<Subject> {
  const params = mlpLayers().flatMap(({ inputs, outputs, weight }) => [
    array(weight, [inputs, outputs]),
    array(new Float32Array(outputs), [outputs]),
  ]);
  const loss: Loss = ([w1, b1, w2, b2, w3, b3], x, y) => {
    const h1 = nn.relu(np.dot(x, w1).add(b1));
    const h2 = nn.relu(np.dot(h1, w2).add(b2));
    return meanLoss(np.dot(h2, w3).add(b3), y, rows);
  };
  const { x, oneHot } = mlpBatch(rows);
  return adam(loss, params, array(x, [rows, 784]), array(oneHot, [rows, 10]));
}

const meanLoss = (logits: np.Array, y: np.Array, rows: number): np.Array =>
  nn.logSoftmax(logits).mul(y).sum().mul(-1 / rows);

const convolve = (x: np.Array, w: np.Array, stride: number, pad: number): np.Array =>
  lax.convGeneralDilated(x, w, [stride, stride], [[pad, pad], [pad, pad]]);

function cnn(): Promise<Subject> {
  const { rows, size, channels } = CNN;
  const params = channels.slice(1).flatMap((cout, i) => [
    array(kernelOf(cout, channels[i], 3, i + 1), [cout, channels[i], 3, 3]),
    array(new Float32Array(cout), [cout, 1, 1]),
  ]);
  params.push(array(headOf(64), [64, 10]), array(new Float32Array(10), [10]));
  const loss: Loss = (p, x, y) => {
    for (let i = 0; i < 3; i++) x = nn.relu(convolve(x, p[2 * i], 2, 1).add(p[2 * i + 1]));
    return meanLoss(np.dot(x.mean([2, 3]), p[6]).add(p[7]), y, rows);
  };
  return adam(loss, params, array(images(rows, 1, size), [rows, 1, size, size]), array(oneHotOf(rows), [rows, 10]));
}

type Part = (p: Arrays, x: np.Array) => np.Array;

function resnet18(workload: "resnet18" | "resnet18-224"): Promise<Subject> {
  const { rows, size } = RESNET[workload], { blocks } = RESNET;
  const params: Arrays = [];
  let seed = 0;
  const convNorm = (cin: number, cout: number, k: number, stride: number): Part => {
    const at = params.length;
    params.push(
      array(kernelOf(cout, cin, k, ++seed), [cout, cin, k, k]),
      array(new Float32Array(cout).fill(1), [cout, 1, 1]),
      array(new Float32Array(cout), [cout, 1, 1]),
    );
    return (p, x) => {
      const c = convolve(x, p[at], stride, (k - 1) / 2), n = c.size / cout;
      const total = (v: np.Array) => v.sum([0, 2, 3], { keepdims: true }).mul(1 / n);
      const centred = c.ref.sub(total(c));
      const variance = total(centred.ref.mul(centred.ref));
      return centred.div(np.sqrt(variance.add(1e-5))).mul(p[at + 1]).add(p[at + 2]);
    };
  };
  const stem = convNorm(3, 64, 7, 2);
  let cin = 64;
  const parts = blocks.map(([cout, stride]): Part => {
    const first = convNorm(cin, cout, 3, stride), second = convNorm(cout, cout, 3, 1);
    const short = stride !== 1 || cin !== cout ? convNorm(cin, cout, 1, stride) : null;
    cin = cout;
    return (p, x) => nn.relu(second(p, nn.relu(first(p, x.ref))).add(short === null ? x : short(p, x)));
  });
  const last = params.length;
  params.push(array(headOf(512), [512, 10]), array(new Float32Array(10), [10]));
  const loss: Loss = (p, x, y) => {
    // what is below 0 is 0 after relu: zeros around serve as well as minus infinity
    x = lax.reduceWindow(np.pad(nn.relu(stem(p, x)), [[0, 0], [0, 0], [1, 0], [1, 0]]), np.max, [3, 3], [2, 2]);
    for (const part of parts) x = part(p, x);
    return meanLoss(np.dot(x.mean([2, 3]), p[last]).add(p[last + 1]), y, rows);
  };
  const xb = array(images(rows, 3, size), [rows, 3, size, size]);
  return sgd(loss, params, xb, array(oneHotOf(rows), [rows, 10]), RESNET_SGD);
}

/** Words and targets are rows of 0 and 1: a look-up has no gradient here. */
function oneHotOfTokens(ids: Int32Array): np.Array {
  const rows = new Float32Array(ids.length * CHARS);
  ids.forEach((id, i) => rows[i * CHARS + id] = 1);
  return array(rows, [ids.length, CHARS]);
}

function charGpt(): Promise<Subject> {
  const { rows, n, dim, blocks, heads, hidden } = SIZES.chargpt;
  const shapes = new Map<string, number[]>([
    ["words.weight", [CHARS, dim]],
    ["places", [n, dim]],
    ["norm.weight", [dim]],
    ["norm.bias", [dim]],
    ["head.weight", [CHARS, dim]],
  ]);
  const linear = (name: string, outputs: number, inputs: number) => {
    shapes.set(`${name}weight`, [outputs, inputs]);
    shapes.set(`${name}bias`, [outputs]);
  };
  for (let i = 0; i < blocks; i++) {
    const at = `layers.${i}.`;
    for (const norm of ["norm1.", "norm2."]) ["weight", "bias"].forEach((w) => shapes.set(at + norm + w, [dim]));
    linear(`${at}self_attn.in_proj_`, 3 * dim, dim);
    linear(`${at}self_attn.out_proj.`, dim, dim);
    linear(`${at}linear1.`, hidden, dim);
    linear(`${at}linear2.`, dim, hidden);
  }
  const names = [...shapes.keys()].sort(), place = new Map(names.map((name, i) => [name, i]));
  const params = names.map((name, i) => array(weightOf(name, shapes.get(name)!, i), shapes.get(name)!));
  const loss: Loss = (p, x, y) => {
    const w = (name: string) => p[place.get(name)!];
    const layer = (x: np.Array, name: string) => np.matmul(x, w(`${name}weight`).transpose()).add(w(`${name}bias`));
    const norm = (x: np.Array, name: string) =>
      nn.standardize(x, -1, { epsilon: 1e-5 }).mul(w(`${name}weight`)).add(w(`${name}bias`));
    let h = np.matmul(x, w("words.weight")).reshape([rows, n, dim]).add(w("places")).reshape([rows * n, dim]);
    for (let i = 0; i < blocks; i++) {
      const at = `layers.${i}.`;
      const qkv = layer(norm(h.ref, `${at}norm1.`), `${at}self_attn.in_proj_`).reshape([
        rows,
        n,
        3,
        heads,
        dim / heads,
      ]);
      const [q, k, v] = np.split(qkv, 3, 2).map((part: np.Array) => part.reshape([rows, n, heads, dim / heads]));
      const seen = nn.dotProductAttention(q, k, v, { isCausal: true }).reshape([rows * n, dim]);
      h = h.add(layer(seen, `${at}self_attn.out_proj.`));
      const inner = nn.gelu(layer(norm(h.ref, `${at}norm2.`), `${at}linear1.`), { approximate: false });
      h = h.add(layer(inner, `${at}linear2.`));
    }
    return meanLoss(np.matmul(norm(h, "norm."), w("head.weight").transpose()), y, rows * n);
  };
  const ids = tokens(rows * n, CHARS);
  return adam(loss, params, oneHotOfTokens(ids), oneHotOfTokens(shifted(ids)));
}

async function product(n: number): Promise<Subject> {
  const [a, b] = matrices(n).map((data) => array(data, [n, n]));
  const multiply = jit((a: np.Array, b: np.Array) => np.dot(a, b));
  const run = async (count: number): Promise<number> => {
    // results that are disposed of unread are never computed: all are kept until the wait
    const results = Array.from({ length: count }, () => multiply(a.ref, b.ref));
    await blockUntilReady(results);
    results.forEach((c) => c.dispose());
    return count;
  };
  const first = await multiply(a.ref, b.ref).data();
  return { check: [Number(first[0])], run };
}

/** Makes what is timed. */
export function subjectOf(workload: Workload): Promise<Subject> {
  if (workload === "tiny") return tiny();
  if (workload === "tiny-learner") return tiny("a loop by hand: there is no learner");
  if (workload === "cnn") return cnn();
  if (workload === "resnet18" || workload === "resnet18-224") return resnet18(workload);
  if (workload === "chargpt") return charGpt();
  return workload.startsWith("mlp") || workload === "first-mlp64" ? mlp(sizeOf(workload)) : product(sizeOf(workload));
}

/** Makes `backend` the one that computes. */
export async function open(backend: "webgpu" | "wasm"): Promise<string> {
  const found = await init(backend);
  if (!found.includes(backend)) throw new Error(`jax-js has no ${backend} here, only ${found.join(", ")}`);
  defaultDevice(backend);
  return backend;
}

if (import.meta.main) {
  await measureMain(async (workload, wanted) => {
    const backend = await open(wanted === "webgpu" ? "webgpu" : "wasm");
    return { runner: `jax-js ${VERSION}`, backend, subject: await subjectOf(workload) };
  });
}
