/**
 * The kernels of the contract, as loops over blocks of their domains. Each function compiles one kernel and gives what
 * runs it.
 *
 * @module
 */
import { sizeOf } from "../../src/base/shape.ts";
import type {
  ConvKernel,
  Kernel,
  MapKernel,
  MatmulKernel,
  ReduceKernel,
  ScatterAddKernel,
  SegmentSumKernel,
  View,
} from "../../src/device/contract.ts";
import { compileAttention } from "./reference_device_attention.ts";
import { Body, type RunState } from "./reference_device_body.ts";
import { fillAffine } from "./reference_device_memory.ts";
import { columnOf } from "./reference_device_ops.ts";

const BLOCK = 4096; // elements of a domain that are evaluated together

/** Compiles `kernel`; calling the result runs it on what `state` is bound to. */
export function compileKernel(kernel: Kernel, where: string, state: RunState): () => void {
  switch (kernel.op) {
    case "map":
      return compileMap(kernel, where, state);
    case "reduce":
      return compileReduce(kernel, where, state);
    case "matmul":
      return compileMatmul(kernel, where, state);
    case "conv":
      return compileConv(kernel, where, state);
    case "scatterAdd":
      return compileScatterAdd(kernel, where, state);
    case "segmentSum":
      return compileSegmentSum(kernel, where, state);
    case "attention":
    case "attentionGrad":
      return compileAttention(kernel, where, state);
  }
}

function forBlocks(size: number, block: number, visit: (start: number, count: number) => void): void {
  for (let start = 0; start < size; start += block) visit(start, Math.min(block, size - start));
}

function compileMap(kernel: MapKernel, where: string, state: RunState): () => void {
  const size = sizeOf(kernel.shape);
  const block = Math.min(BLOCK, size);
  const body = new Body(kernel, where, state, block);
  return () =>
    forBlocks(size, block, (start, count) => {
      body.run(start, count);
      kernel.outs.forEach((out, i) => body.store(out, start, count, `out ${i}`));
    });
}

function compileReduce(kernel: ReduceKernel, where: string, state: RunState): () => void {
  const [rows, rowSize] = [sizeOf(kernel.outer), sizeOf(kernel.inner)];
  const block = Math.min(rows, Math.max(1, Math.floor(BLOCK / rowSize))) * rowSize;
  const body = new Body(kernel, where, state, block, rowSize);
  const addresses = new Float64Array(block / rowSize);
  const values = body.types.map((type) => columnOf(type, block / rowSize));
  return () =>
    forBlocks(rows * rowSize, block, (start, count) => {
      body.run(start, count);
      const firstRow = start / rowSize;
      kernel.outs.forEach(({ view, value, perRow }, i) => {
        if (!perRow) return body.store({ view, value }, start, count, `out ${i}`);
        const { offset, strides } = body.resolve(view);
        fillAffine(
          { offset, strides: strides.slice(0, kernel.outer.length) },
          kernel.outer,
          firstRow,
          count / rowSize,
          addresses,
        );
        for (let r = 0; r < count / rowSize; r++) values[value][r] = body.columns[value][r * rowSize];
        body.storeAt(view, addresses, count / rowSize, values[value], `out ${i}`, (r) => firstRow + r);
      });
    });
}

function compileMatmul(kernel: MatmulKernel, where: string, state: RunState): () => void {
  const { batch, m, n, k } = kernel;
  const rows = Math.min(m, Math.max(1, Math.floor(BLOCK / n)));
  const body = new Body(kernel, where, state, Math.max(rows * n, BLOCK));
  const a = new Float32Array(rows * k);
  const b = new Float32Array(k * n);
  const sums = new Float64Array(rows * n);
  const accs = kernel.body.flatMap((inst, i) => inst.k === "acc" ? [body.columns[i]] : []);
  const product = (rowsNow: number): void => {
    sums.fill(0);
    for (let r = 0; r < rowsNow; r++) {
      for (let l = 0; l < k; l++) {
        const x = a[r * k + l];
        for (let c = 0, at = r * n, from = l * n; c < n; c++) sums[at++] += x * b[from++];
      }
    }
    for (const acc of accs) acc.set(sums.subarray(0, rowsNow * n));
  };
  return () => {
    for (let batchIndex = 0; batchIndex < sizeOf(batch); batchIndex++) {
      body.gather(kernel.b, [...batch, k, n], batchIndex * k * n, k * n, b, "operand b");
      forBlocks(m, rows, (row, rowsNow) => {
        const firstRow = batchIndex * m + row;
        body.gather(kernel.a, [...batch, m, k], firstRow * k, rowsNow * k, a, "operand a");
        product(rowsNow);
        body.run(firstRow * n, rowsNow * n);
        kernel.outs.forEach((out, i) => body.store(out, firstRow * n, rowsNow * n, `out ${i}`));
      });
    }
  };
}

function compileConv(kernel: ConvKernel, where: string, state: RunState): () => void {
  const { groups, m, guards } = kernel;
  const [k, n] = [sizeOf(kernel.k), sizeOf(kernel.n)];
  const body = new Body(kernel, where, state, BLOCK);
  const a = new Float32Array(m * k);
  const b = new Float32Array(k * n);
  const products = new Float64Array(groups * m * n);
  const accs = kernel.body.flatMap((inst, i) => inst.k === "acc" ? [body.columns[i]] : []);
  return () => {
    products.fill(0);
    for (let g = 0; g < groups; g++) {
      body.gather(kernel.a, [groups, m, ...kernel.k], g * m * k, m * k, a, "operand a");
      body.gather(kernel.b, [groups, ...kernel.k, ...kernel.n], g * k * n, k * n, b, "operand b", guards);
      for (let r = 0; r < m; r++) {
        for (let l = 0; l < k; l++) {
          const x = a[r * k + l];
          for (let c = 0, at = (g * m + r) * n, from = l * n; c < n; c++) products[at++] += x * b[from++];
        }
      }
    }
    forBlocks(products.length, BLOCK, (start, count) => {
      for (const acc of accs) acc.set(products.subarray(start, start + count));
      body.run(start, count);
      kernel.outs.forEach((out, i) => body.store(out, start, count, `out ${i}`));
    });
  };
}

function compileScatterAdd(kernel: ScatterAddKernel, where: string, state: RunState): () => void {
  const { outer, n, inner, size } = kernel;
  const body = new Body(kernel, where, state, BLOCK);
  const [source, target] = [[outer, n, inner], [outer, size, inner]];
  const src = new Float32Array(n * inner);
  const index = columnOf(kernel.index.dtype === "u32" ? "u32" : "i32", n * inner);
  const out = new Float32Array(size * inner);
  const sums = new Float64Array(size * inner);
  const addresses = new Float64Array(size * inner);
  const load = (view: View, shape: readonly number[], o: number, into: typeof index | typeof src, what: string): void =>
    body.gather(view, shape, o * into.length, into.length, into, what);
  return () => {
    for (let o = 0; o < outer; o++) {
      load(kernel.src, source, o, src, "src");
      load(kernel.index, source, o, index, "index");
      if (kernel.init) load(kernel.init, target, o, out, "init");
      sums.fill(0);
      if (kernel.init) sums.set(out);
      for (let j = 0; j < n * inner; j++) {
        if (index[j] >= 0 && index[j] < size) sums[index[j] * inner + j % inner] += src[j];
      }
      out.set(sums);
      fillAffine(body.resolve(kernel.out), target, o * out.length, out.length, addresses);
      body.storeAt(kernel.out, addresses, out.length, out, "out", (i) => o * out.length + i);
    }
  };
}

function compileSegmentSum(kernel: SegmentSumKernel, where: string, state: RunState): () => void {
  const { n, starts } = kernel;
  const block = Math.min(BLOCK, n);
  const body = new Body(kernel, where, state, block);
  const addresses = new Float64Array(starts.length);
  return () => {
    const sums = kernel.outs.map(() => new Float64Array(starts.length));
    let segment = 0;
    forBlocks(n, block, (start, count) => {
      body.run(start, count);
      for (let j = 0; j < count; j++) {
        while (segment + 1 < starts.length && starts[segment + 1] <= start + j) segment++;
        kernel.outs.forEach(({ value }, t) => sums[t][segment] += body.columns[value][j]);
      }
    });
    kernel.outs.forEach(({ view }, t) => {
      fillAffine(body.resolve(view), [starts.length], 0, starts.length, addresses);
      // a load of an element that a segment's sum replaces is an error whichever element loads it: no element number fits
      body.storeAt(view, addresses, starts.length, Float32Array.from(sums[t]), `out ${t}`, () => -2);
    });
  };
}
