/**
 * Products of rows of a table: of the table where it has few rows, with the numbers and gradients of the plain product.
 */
import { assert, assertEquals } from "@std/assert";
import type { Kernel } from "../../src/device/contract.ts";
import * as nn from "../../src/nn/mod.ts";
import { grad, noGrad, Parameter, Rng, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

const VOCAB = 5, K = 12, N = 20, B = 3, M = 9; // 27 rows are looked up; row 3 is not

const words = Int32Array.from({ length: B * M }, (_, i) => [0, 4, 2, 1, 4][(i * i) % 5]);
const random = (seed: number, shape: number[]): Tensor =>
  tensor(new Rng(seed).normalArray(shape.reduce((a, b) => a * b)), { shape });

/** Products and gradients of `sum(c (x b))`, `x` the rows of `table`, in f64. */
async function expected(table: Tensor, b: Tensor, c: Tensor) {
  const [t, w, g] = await Promise.all([table.data(), b.data(), c.data()]);
  const y = new Float64Array(B * M * N), dw = new Float64Array(K * N);
  const dx = new Float64Array(B * M * K), dt = new Float64Array(VOCAB * K);
  words.forEach((word, i) => {
    for (let j = 0; j < N; j++) {
      for (let k = 0; k < K; k++) {
        y[i * N + j] += t[word * K + k] * w[k * N + j];
        dw[k * N + j] += t[word * K + k] * g[i * N + j];
        dx[i * K + k] += g[i * N + j] * w[k * N + j];
      }
    }
    for (let k = 0; k < K; k++) dt[word * K + k] += dx[i * K + k];
  });
  return { y, dw, dx, dt };
}

async function assertNear(got: Tensor, want: Float64Array, what: string): Promise<void> {
  const data = await got.data(), scale = Math.max(...want.map(Math.abs));
  assertEquals(data.length, want.length, what);
  want.forEach((v, i) => assert(Math.abs(data[i] - v) <= 2e-6 * scale, `${what} ${i}: ${data[i]}, ${v}`));
}

const given = () => ({
  table: random(1, [VOCAB, K]),
  b: random(2, [K, N]),
  c: random(3, [B, M, N]),
  index: tensor(words, { shape: [B * M] }),
});

onDevices("the product and its gradients, of the rows as well, in one program and apart", async () => {
  const { table, b, c, index } = given(), want = await expected(table, b, c);
  const build = () => {
    const x = table.indexSelect(index, { axis: 0 }).reshape([B, M, K]), y = x.matmul(b);
    return { x, y, loss: y.mul(c).sum() };
  };
  const all = build(), [dt, dx, dw] = grad(all.loss, [table, all.x, b]);
  await assertNear(all.y, want.y, "product");
  await assertNear(dx, want.dx, "rows");
  await assertNear(dt, want.dt, "table");
  await assertNear(dw, want.dw, "matrix");
  const read = build();
  await read.x.data(); // in memory before the gradient is asked for
  await assertNear(grad(read.loss, [b])[0], want.dw, "matrix, of rows that were read");
  await assertNear(grad(read.x.matmul(b).mul(c).sum(), [b])[0], want.dw, "matrix, of rows in memory");
  await assertNear(noGrad(() => build().y), want.y, "without gradients");
});

onDevices("gradients of parameters, of rows that were read before", async () => {
  const { table, b, c, index } = given(), want = await expected(table, b, c);
  const [t, w] = [new Parameter(table), new Parameter(b)];
  const x = t.indexSelect(index, { axis: 0 }), loss = x.matmul(w).mul(c.reshape([B * M, N])).sum();
  await x.data();
  const [dt, dw] = grad(loss, [t, w]);
  await assertNear(dt, want.dt, "table");
  await assertNear(dw, want.dw, "matrix");
});

onDevices("rows that nobody looks up may be infinite", async () => {
  const { table, b, c, index } = given(), spoiled = await table.array() as number[][];
  spoiled[3].fill(Infinity).fill(NaN, 1);
  const t = tensor(spoiled), y = t.indexSelect(index, { axis: 0 }).matmul(b);
  const [dt, db] = grad(y.mul(c.reshape([B * M, N])).sum(), [t, b]), want = await expected(table, b, c);
  await assertNear(y, want.y, "product");
  await assertNear(db, want.dw, "matrix");
  await assertNear(dt, want.dt, "table");
});

onDevices("the gradient of a gradient", async () => {
  const { table, b, c, index } = given(), rows = c.reshape([B * M, N]);
  const second = (x: (t: Tensor) => Tensor) => {
    const [g] = grad(x(table).matmul(b).mul(rows).square().sum(), [table]);
    return grad(g.square().sum(), [b])[0];
  };
  const want = await second((t) => t.indexSelect(index, { axis: 0 }).mul(1)).data(); // the plain product
  await assertNear(second((t) => t.indexSelect(index, { axis: 0 })), Float64Array.from(want), "matrix");
});

onDevices(
  "an embedding under layers multiplies its table, whoever reads its rows; a large table is left alone",
  async (device) => {
    const kernels: Kernel[] = [], compile = device.compile.bind(device);
    device.compile = (program) => {
      kernels.push(...program.kernels);
      return compile(program);
    };
    const terms = () =>
      kernels.splice(0).flatMap((k) => k.op === "matmul" ? [[k.m, k.n, k.k]] : []).map((s) => Math.max(...s));
    const rng = new Rng(5), ids = tensor(words, { shape: [B, M] });
    try {
      for (const [count, most] of [[VOCAB, N], [VOCAB * 4, B * M]]) {
        const embedding = new nn.Embedding(count, K, { rng }), ways = [0, 1].map(() => new nn.Linear(K, N, { rng }));
        const x = embedding.forward(ids), loss = ways.map((l) => l.forward(x).tanh().sum()).reduce((a, y) => a.add(y));
        kernels.length = 0;
        for (const g of grad(loss, [embedding.weight, ...ways.map((l) => l.weight)])) await g.data();
        const sizes = terms();
        assert(sizes.length > 0);
        assertEquals(Math.max(...sizes), most);
      }
    } finally {
      device.compile = compile;
    }
  },
  { kinds: ["cpu"] },
);

onDevices("a padding row has no gradient", async () => {
  const { c, b, index } = given(), embedding = new nn.Embedding(VOCAB, K, { paddingIdx: 4, rng: new Rng(7) });
  const w = new Parameter(b);
  const [dt] = grad(embedding.forward(index).matmul(w).mul(c.reshape([B * M, N])).sum(), [embedding.weight]);
  const want = await expected(embedding.weight, b, c);
  want.dt.fill(0, 4 * K);
  await assertNear(dt, want.dt, "table");
});
