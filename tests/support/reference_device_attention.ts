/**
 * Attention and its gradient as plain loops over the matrix of weights, in float64.
 *
 * @module
 */
import {
  type AttentionGradKernel,
  type AttentionKernel,
  attentionLoads,
  attentionSize,
  LOWEST,
} from "../../src/device/attention_kernel.ts";
import { sizeOf } from "../../src/base/shape.ts";
import type { View } from "../../src/device/contract.ts";
import { philox, uniformOf } from "./math.ts";
import { Body, type RunState } from "./reference_device_body.ts";
import { columnOf } from "./reference_device_ops.ts";

/** Compiles an attention kernel; calling the result runs it on what `state` is bound to. */
export function compileAttention(
  kernel: AttentionKernel | AttentionGradKernel,
  where: string,
  state: RunState,
): () => void {
  const body = new Body(kernel, where, state, 4096);
  const size = attentionSize(kernel);
  return () => {
    const read = new Map<View, Float32Array | Int32Array | Uint32Array>();
    for (const { view, shape, what } of attentionLoads(kernel)) {
      const into = columnOf(view.dtype === "bool" ? "u32" : "f32", sizeOf(shape));
      body.gather(view, shape, 0, into.length, into, what);
      read.set(view, into);
    }
    const result = kernel.op === "attention" ? forward(kernel, read, state) : backward(kernel, read, state);
    const addresses = new Float64Array(size), { offset } = body.resolve(kernel.out);
    for (let i = 0; i < size; i++) addresses[i] = offset + i;
    body.storeAt(kernel.out, addresses, size, Float32Array.from(result), "out", (i) => i);
  };
}

type Operands = ReadonlyMap<View, ArrayLike<number>>;

/** For row `i` of a head: the weights of all keys, what each is multiplied by, and the logarithm of their sum. */
function weights(
  kernel: AttentionKernel | AttentionGradKernel,
  read: Operands,
  { params }: RunState,
  batch: number,
  head: number,
  i: number,
) {
  const { heads, kvHeads, n, m, d, scale, causal, mask, dropout } = kernel;
  const q = read.get(kernel.q)!, k = read.get(kernel.k)!, seen = mask && read.get(mask)!;
  const row = (batch * heads + head) * n + i, keys = (batch * kvHeads + Math.floor(head * kvHeads / heads)) * m;
  const scores = Array.from({ length: m }, (_, j) => {
    let sum = 0;
    for (let c = 0; c < d; c++) sum += q[row * d + c] * k[(keys + j) * d + c];
    sum *= scale;
    if (causal && j > i) return -Infinity;
    if (seen === undefined) return sum;
    const at = seen[row * m + j];
    return mask!.dtype === "bool" ? (at === 0 ? -Infinity : sum) : at > LOWEST ? sum + at : -Infinity;
  });
  const top = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = scores.map((s) => top === -Infinity ? 0 : Math.exp(s - top));
  const total = powers.reduce((a, b) => a + b, 0);
  const kept = powers.map((_, j) => {
    if (dropout === undefined) return 1;
    const p = new Float32Array(params.buffer, params.byteOffset)[dropout.p];
    const [x] = philox([row * m + j, params[dropout.stream], 0, 0], [params[dropout.seed], params[dropout.seed + 1]]);
    return uniformOf(x) < p ? 0 : 1 / (1 - p);
  });
  return {
    p: powers.map((x) => total === 0 ? 0 : x / total),
    kept,
    log: total === 0 ? 0 : top + Math.log(total),
    keys,
  };
}

function forward(kernel: AttentionKernel, read: Operands, state: RunState): Float64Array {
  const { batch, heads, n, m, dv } = kernel;
  const v = read.get(kernel.v)!, out = new Float64Array(attentionSize(kernel));
  forRows(kernel, (b, h, i) => {
    const { p, kept, log, keys } = weights(kernel, read, state, b, h, i);
    for (let j = 0; j < m; j++) {
      if (p[j] === 0) continue;
      for (let c = 0; c < dv; c++) out[((b * n + i) * heads + h) * dv + c] += p[j] * kept[j] * v[(keys + j) * dv + c];
    }
    out[batch * n * heads * dv + (b * heads + h) * n + i] = log;
  });
  return out;
}

function backward(kernel: AttentionGradKernel, read: Operands, state: RunState): Float64Array {
  const { batch, heads, kvHeads, n, m, d, dv, scale } = kernel;
  const [q, k, v, dy] = [kernel.q, kernel.k, kernel.v, kernel.dy].map((view) => read.get(view)!);
  const out = new Float64Array(attentionSize(kernel));
  const toK = batch * n * heads * d, toV = toK + batch * m * kvHeads * d;
  forRows(kernel, (b, h, i) => {
    const { p, kept, keys } = weights(kernel, read, state, b, h, i);
    const row = (b * heads + h) * n + i, kv = Math.floor(h * kvHeads / heads);
    // dP = dO V^T, dropped as the weights are; dS = P (dP - sum(P dP))
    const dp = p.map((x, j) => {
      let sum = 0;
      for (let c = 0; c < dv; c++) sum += dy[row * dv + c] * v[(keys + j) * dv + c];
      return x === 0 ? 0 : sum * kept[j];
    });
    const delta = p.reduce((sum, x, j) => sum + x * dp[j], 0);
    for (let j = 0; j < m; j++) {
      const key = (b * m + j) * kvHeads + kv, ds = p[j] === 0 ? 0 : p[j] * (dp[j] - delta) * scale;
      for (let c = 0; c < d; c++) {
        out[((b * n + i) * heads + h) * d + c] += ds * k[(keys + j) * d + c];
        out[toK + key * d + c] += ds * q[row * d + c];
      }
      for (let c = 0; c < dv; c++) out[toV + key * dv + c] += p[j] * kept[j] * dy[row * dv + c];
    }
  });
  return out;
}

function forRows(
  { batch, heads, n }: AttentionKernel | AttentionGradKernel,
  visit: (b: number, h: number, i: number) => void,
): void {
  for (let b = 0; b < batch; b++) for (let h = 0; h < heads; h++) for (let i = 0; i < n; i++) visit(b, h, i);
}
