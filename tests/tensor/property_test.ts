/**
 * Operations on tensors of random shapes, contiguous or not, against float64 models. A failure names its seed.
 */
import { assertEquals } from "@std/assert";
import { cat, readAll, Rng, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { at, type Model, model, someShape, someTensor } from "./model.ts";

const SEEDS = 12;

/**
 * What was computed and what it should be, with the tolerance as a fraction of the largest magnitude: of the result, or of
 * the terms that it is the sum of, which may cancel.
 */
type Claim = readonly [what: string, got: Tensor, want: Model, tolerance?: number, terms?: number];

/** Runs `claims` for a dozen seeds; all tensors of a seed are read in one go. */
function property(name: string, claims: (rng: Rng) => Claim[]): void {
  onDevices(`${name}, random shapes`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const list = claims(new Rng(seed));
      const values = await readAll(list.map(([, got]) => got));
      list.forEach(([what, got, want, tolerance = 2e-6, terms = 0], i) => {
        const where = `seed ${seed}: ${what} to [${want.shape}]`;
        assertEquals([...got.shape], [...want.shape], where);
        let largest = Math.max(terms, 1e-9); // where the result is exactly 0 the model still rounds
        for (const v of want.data) if (Number.isFinite(v)) largest = Math.max(largest, Math.abs(v));
        want.data.forEach((v, k) => {
          const g = values[i][k];
          if (!(Object.is(g, v) || g === v || Math.abs(g - v) <= tolerance * largest)) {
            throw new Error(`${where}: element ${k} is ${g}, should be ${v}`);
          }
        });
      });
    }
  });
}

property("broadcasting", (rng) => {
  const full = someShape(rng, rng.integer(5));
  const thin = (shape: number[]) => shape.slice(rng.integer(shape.length + 1)).map((n) => rng.integer(3) === 0 ? 1 : n);
  const [a, ma] = someTensor(rng, full), [b, mb] = someTensor(rng, thin(full)), [c, mc] = someTensor(rng, thin(full));
  return [
    ["a + b", a.add(b), model(full, (i) => at(ma, i) + at(mb, i))],
    ["b - a", b.sub(a), model(full, (i) => at(mb, i) - at(ma, i))],
    ["(a * b) max c", a.mul(b).maximum(c), model(full, (i) => Math.max(at(ma, i) * at(mb, i), at(mc, i)))],
    ["a < c", a.lt(c), model(full, (i) => at(ma, i) < at(mc, i) ? 1 : 0)],
  ];
});

/** The coordinates of a reduced element, and all those that fold into it. */
function folded(m: Model, axes: readonly number[], keepdim: boolean, f: (values: number[]) => number): Model {
  const groups = new Map<string, number[]>();
  model(m.shape, (c) => {
    const key = c.filter((_, i) => !axes.includes(i)).join();
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key)!.push(at(m, c));
    return 0;
  });
  const shape = m.shape.map((n, i) => axes.includes(i) ? 1 : n);
  const kept = model(shape, (c) => f(groups.get(c.filter((_, i) => !axes.includes(i)).join()) ?? []));
  return { shape: keepdim ? kept.shape : kept.shape.filter((_, i) => !axes.includes(i)), data: kept.data };
}

const total = (v: number[]) => v.reduce((a, b) => a + b, 0);
const mean = (v: number[]) => total(v) / v.length;

property("reductions", (rng) => {
  const shape = someShape(rng, 1 + rng.integer(4), 1);
  const [x, m] = someTensor(rng, shape);
  const axis = shape.map((_, i) => i).filter(() => rng.integer(2) === 0);
  if (axis.length === 0) axis.push(rng.integer(shape.length));
  const keepdim = rng.integer(2) === 0;
  const options = { axis, keepdim };
  const fold = (f: (v: number[]) => number) => folded(m, axis, keepdim, f);
  const one = axis[0], single = { axis: one, keepdim };
  return [
    ["sum", x.sum(options), fold(total), 1e-6, fold((v) => total(v.map(Math.abs))).data[0]],
    ["mean", x.mean(options), fold(mean), 1e-6, fold((v) => mean(v.map(Math.abs))).data[0]],
    ["max", x.max(options), fold((v) => Math.max(...v)), 0],
    ["min", x.min(options), fold((v) => Math.min(...v)), 0],
    ["max of one axis", x.max(single), folded(m, [one], keepdim, (v) => Math.max(...v)), 0],
    ["argmax", x.argmax(single), folded(m, [one], keepdim, (v) => v.indexOf(Math.max(...v))), 0],
    ["argmin", x.argmin(single), folded(m, [one], keepdim, (v) => v.indexOf(Math.min(...v))), 0],
    ["var", x.var({ ...options, correction: 0 }), fold((v) => mean(v.map((a) => (a - mean(v)) ** 2))), 1e-5],
    ["logsumexp", x.logsumexp(options), fold((v) => Math.log(total(v.map(Math.exp)))), 1e-5],
    ["any > 1.9", x.gt(1.9).any(options), fold((v) => v.some((a) => a > Math.fround(1.9)) ? 1 : 0), 0],
    ["all < 1.9", x.lt(1.9).all(options), fold((v) => v.every((a) => a < Math.fround(1.9)) ? 1 : 0), 0],
  ];
});

property("rows: softmax, running sums, largest", (rng) => {
  const shape = someShape(rng, 1 + rng.integer(3), 1);
  const axis = rng.integer(shape.length);
  const [x, m] = someTensor(rng, shape);
  const row = (c: number[]) =>
    Array.from({ length: shape[axis] }, (_, k) => at(m, c.map((v, i) => i === axis ? k : v)));
  const k = 1 + rng.integer(Math.min(4, shape[axis]));
  const sorted = (c: number[]) => row(c).map((v, i) => [v, i]).sort((a, b) => b[0] - a[0] || a[1] - b[1])[c[axis]];
  const kept = shape.map((n, i) => i === axis ? k : n);
  const { values, indices } = x.topk(k, { axis });
  return [
    ["softmax", x.softmax({ axis }), model(shape, (c) => Math.exp(at(m, c)) / total(row(c).map(Math.exp))), 1e-5],
    ["logSoftmax", x.logSoftmax({ axis }), model(shape, (c) => at(m, c) - Math.log(total(row(c).map(Math.exp)))), 1e-5],
    ["cumsum", x.cumsum({ axis }), model(shape, (c) => total(row(c).slice(0, c[axis] + 1))), 1e-6, 2 * shape[axis]],
    ["topk values", values, model(kept, (c) => sorted(c)[0]), 0],
    ["topk indices", indices, model(kept, (c) => sorted(c)[1]), 0],
  ];
});

property("products of matrices", (rng) => {
  const [m, n, k] = someShape(rng, 3), batch = someShape(rng, rng.integer(3));
  const [a, ma] = someTensor(rng, [...batch, m, k]);
  const [b, mb] = someTensor(rng, rng.integer(2) === 0 ? [k, n] : [...batch, k, n]);
  const [v, mv] = someTensor(rng, [k]);
  const dot = (x: Model, y: Model, c: number[], row: number, column: number[]) => {
    let s = 0;
    for (let i = 0; i < k; i++) s += at(x, [...c, row, i]) * at(y, column.length > 0 ? [...c, i, ...column] : [i]);
    return s;
  };
  const r = batch.length;
  return [
    ["a b", a.matmul(b), model([...batch, m, n], (c) => dot(ma, mb, c.slice(0, r), c[r], [c[r + 1]])), 1e-6, k],
    ["a v", a.matmul(v), model([...batch, m], (c) => dot(ma, mv, c.slice(0, r), c[r], [])), 1e-6, k],
    [
      "a b^T^T relu",
      a.matmul(b.transpose().transpose()).relu(),
      {
        shape: [...batch, m, n],
        data: model([...batch, m, n], (c) => Math.max(0, dot(ma, mb, c.slice(0, r), c[r], [c[r + 1]]))).data,
      },
      1e-6,
      k,
    ],
  ];
});

property("looking up and adding up", (rng) => {
  const shape = someShape(rng, 1 + rng.integer(3), 1);
  const axis = rng.integer(shape.length);
  const [x, m] = someTensor(rng, shape);
  const n = 1 + rng.integer(300);
  const rows = Int32Array.from({ length: n }, () => rng.integer(shape[axis]));
  const picked = shape.map((v, i) => i === axis ? n : v);
  const own = model(picked, () => rng.integer(shape[axis]));
  const index = tensor(Int32Array.from(own.data), { shape: picked });
  const [src, ms] = someTensor(rng, picked);
  const put = (c: number[], i: number, v: number) => c.map((old, a) => a === i ? v : old);
  const sums = new Map<string, number>();
  model(picked, (c) => {
    const key = put(c, axis, at(own, c)).join();
    sums.set(key, (sums.get(key) ?? 0) + at(ms, c));
    return 0;
  });
  return [
    ["indexSelect", x.indexSelect(tensor(rows), { axis }), model(picked, (c) => at(m, put(c, axis, rows[c[axis]]))), 0],
    ["gather", x.gather(index, { axis }), model(picked, (c) => at(m, put(c, axis, at(own, c)))), 0],
    [
      "scatterAdd",
      x.scatterAdd(index, src, { axis }),
      model(shape, (c) => at(m, c) + (sums.get(c.join()) ?? 0)),
      1e-6,
      10,
    ],
  ];
});

property("moving elements", (rng) => {
  const shape = someShape(rng, 1 + rng.integer(3));
  const [x, m] = someTensor(rng, shape);
  const a = rng.integer(shape.length), n = shape[a];
  const put = (c: number[], f: (v: number) => number) => c.map((v, i) => i === a ? f(v) : v);
  const widths = shape.map((): [number, number] => [rng.integer(3), rng.integer(3)]);
  const padded = shape.map((v, i) => v + widths[i][0] + widths[i][1]);
  const inside = (c: number[]) => c.map((v, i) => v - widths[i][0]);
  const shift = rng.integer(9) - 4;
  const [y, my] = someTensor(rng, shape.map((v, i) => i === a ? 1 + rng.integer(4) : v));
  const joined = shape.map((v, i) => i === a ? n + my.shape[a] : v);
  const step = 1 + rng.integer(3), from = rng.integer(n + 1);
  const cut = shape.map((_, i): [number, null, number] | null => i === a ? [from, null, step] : null);
  const some = shape.map((v, i) => i === a ? Math.max(0, Math.ceil((n - from) / step)) : v);
  const claims: Claim[] = [
    [
      "pad",
      x.pad(widths, { value: 3 }),
      model(padded, (c) => {
        const i = inside(c);
        return i.every((v, k) => v >= 0 && v < shape[k]) ? at(m, i) : 3;
      }),
      0,
    ],
    ["roll", x.roll(shift, { axis: a }), model(shape, (c) => at(m, put(c, (v) => (((v - shift) % n) + n) % n))), 0],
    ["cat", cat([x, y], { axis: a }), model(joined, (c) => c[a] < n ? at(m, c) : at(my, put(c, (v) => v - n))), 0],
    ["slice", x.slice(cut), model(some, (c) => at(m, put(c, (v) => from + v * step))), 0],
    ["flip, twice the same", x.flip(a).flip(a), m, 0],
  ];
  if (n > 0) {
    const wide = shape.map((v, i) => i === a ? v + 3 : v);
    const one = shape.map((_, i): [number, number] => i === a ? [1, 2] : [0, 0]);
    const clamp = (v: number) => Math.min(n - 1, Math.max(0, v - 1));
    claims.push(["replicate", x.pad(one, { mode: "replicate" }), model(wide, (c) => at(m, put(c, clamp))), 0]);
  }
  return claims;
});
