/**
 * Chapter 17, "A neural net from the foundations": a matrix product of three loops, the forward and the backward pass of a
 * small net written by hand, and the same by operations that differentiate themselves.
 *
 *     deno run -A examples/book/17_foundations.ts
 */
import { join } from "@std/path";
import { grad, plotLines, readAll, Rng, type Tensor, tensor } from "../../mod.ts";
import { type ChapterOptions, runChapter } from "./support/chapter.ts";

/** Largest differences between what is computed by hand and by the library, relative to the largest value. */
export interface Result {
  /** Of the matrix product. */
  readonly matmul: number;
  /** Of the gradients of both weights and both biases. */
  readonly gradients: number;
  /** Mean loss at the start, and after some steps that follow the gradients by hand. */
  readonly losses: readonly number[];
}

/** Rows of numbers, one after the other. */
interface Matrix {
  readonly data: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

function matrix(rows: number, columns: number, of: (r: number, c: number) => number): Matrix {
  const data = Float64Array.from({ length: rows * columns }, (_, i) => of(Math.floor(i / columns), i % columns));
  return { data, rows, columns };
}

const at = (m: Matrix, r: number, c: number) => m.data[r * m.columns + c];
const transposed = (m: Matrix) => matrix(m.columns, m.rows, (r, c) => at(m, c, r));

/** Three loops: each entry is the sum of products of a row and a column. */
function matmul(a: Matrix, b: Matrix): Matrix {
  return matrix(a.rows, b.columns, (r, c) => {
    let sum = 0;
    for (let k = 0; k < a.columns; k++) sum += at(a, r, k) * at(b, k, c);
    return sum;
  });
}

/** `x w + b`; backward, with `g` the gradient of the output: `g w^T` for x, `x^T g` for w, the sum of the rows for b. */
const lin = (x: Matrix, w: Matrix, b: Matrix) => {
  const y = matmul(x, w);
  return matrix(y.rows, y.columns, (r, c) => at(y, r, c) + b.data[c]);
};
const linBack = (x: Matrix, w: Matrix, g: Matrix) => ({
  x: matmul(g, transposed(w)),
  w: matmul(transposed(x), g),
  b: matrix(1, g.columns, (_, c) => {
    let sum = 0;
    for (let r = 0; r < g.rows; r++) sum += at(g, r, c);
    return sum;
  }),
});

/** `max(x, 0)`; backward, the gradient passes where x is positive. */
const relu = (x: Matrix) => matrix(x.rows, x.columns, (r, c) => Math.max(0, at(x, r, c)));
const reluBack = (x: Matrix, g: Matrix) => matrix(x.rows, x.columns, (r, c) => at(x, r, c) > 0 ? at(g, r, c) : 0);

/** Mean of squared differences; backward, twice the difference over the number. */
const mse = (p: Matrix, y: Matrix) => p.data.reduce((sum, v, i) => sum + (v - y.data[i]) ** 2, 0) / p.data.length;
const mseBack = (p: Matrix, y: Matrix) =>
  matrix(p.rows, p.columns, (r, c) => 2 * (at(p, r, c) - at(y, r, c)) / p.data.length);

/** Numbers of a matrix as a tensor. */
const toTensor = (m: Matrix): Tensor => tensor(Float32Array.from(m.data), { shape: [m.rows, m.columns] });

function difference(wanted: ArrayLike<number>, got: ArrayLike<number>): number {
  let most = 0, size = 0;
  for (let i = 0; i < wanted.length; i++) {
    most = Math.max(most, Math.abs(wanted[i] - got[i]));
    size = Math.max(size, Math.abs(wanted[i]));
  }
  return most / size;
}

/** Runs the chapter. */
export async function main({ quick, seed, out }: ChapterOptions): Promise<Result> {
  const rng = new Rng(seed), n = quick ? 50 : 200, size = quick ? 20 : 100, hidden = quick ? 10 : 50;
  // weights are drawn so that activations neither die nor explode: deviation sqrt(2 / inputs) before a ReLU (Kaiming)
  const drawn = (rows: number, columns: number, std: number) => matrix(rows, columns, () => std * rng.normal());
  const x = drawn(n, size, 1), y = matrix(n, 1, (r) => at(x, r, 0) - Math.abs(at(x, r, 1)));
  const w1 = drawn(size, hidden, Math.sqrt(2 / size)), b1 = drawn(1, hidden, 0);
  const w2 = drawn(hidden, 1, Math.sqrt(1 / hidden)), b2 = drawn(1, 1, 0);

  // the three loops against the library, which is some thousand times faster
  const start = performance.now(), loops = matmul(x, w1), between = performance.now();
  const product = await toTensor(x).matmul(toTensor(w1)).data(), end = performance.now();
  const told = difference(loops.data, product);
  console.log(
    `Matrix product: loops ${(between - start).toFixed(1)} ms, library ${(end - between).toFixed(1)} ms with ` +
      `compilation; relative difference ${told.toExponential(1)}`,
  );

  // forward, and backward in the opposite order: the chain rule
  const pass = () => {
    const l1 = lin(x, w1, b1), a1 = relu(l1), pred = lin(a1, w2, b2);
    const second = linBack(a1, w2, mseBack(pred, y)), first = linBack(x, w1, reluBack(l1, second.x));
    return { loss: mse(pred, y), w1: first.w, b1: first.b, w2: second.w, b2: second.b };
  };
  const hand = pass();

  // the same by operations that know their own derivatives: only the forward pass is written
  const parts = [w1, b1, w2, b2].map(toTensor);
  const [t1, c1, t2, c2] = parts;
  const loss = toTensor(x).matmul(t1).add(c1).relu().matmul(t2).add(c2).sub(toTensor(y)).square().mean();
  const [value, ...found] = await readAll([loss, ...grad(loss, parts)]);
  const gradients = Math.max(
    ...[hand.w1, hand.b1, hand.w2, hand.b2].map((m, i) => difference(m.data, Float64Array.from(found[i]))),
  );
  console.log(`Loss by hand ${hand.loss.toFixed(6)}, by the library ${Number(value[0]).toFixed(6)}`);
  console.log(`Gradients differ by ${gradients.toExponential(1)} of the largest`);

  // the gradients by hand train the net
  const losses: number[] = [];
  for (let step = 0; step < (quick ? 40 : 100); step++) {
    const g = pass();
    const params = [[w1, g.w1], [b1, g.b1], [w2, g.w2], [b2, g.b2]] as const;
    for (const [p, d] of params) p.data.forEach((v, i) => p.data[i] = v - 0.02 * d.data[i]);
    losses.push(g.loss);
  }
  losses.push(pass().loss);
  console.log(`Loss after ${losses.length - 1} steps by hand: ${losses.at(-1)!.toFixed(4)}`);
  await plotLines({ loss: losses }, { title: "Gradients by hand", xLabel: "step", yLabel: "loss" })
    .save(join(out, "17_loss.png"));
  return { matmul: told, gradients, losses };
}

if (import.meta.main) await runChapter("Chapter 17: a net from three loops.", main);
