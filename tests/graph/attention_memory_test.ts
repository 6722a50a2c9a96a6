import { assert } from "@std/assert";
import type { AttentionGradKernel, AttentionKernel } from "../../src/device/attention_kernel.ts";
import { contiguousStrides } from "../../src/base/shape.ts";
import { openCpu } from "../../src/device/cpu/mod.ts";
import { expandAttention } from "../../src/device/webgpu/attention.ts";
import { session } from "../../src/graph/session.ts";
import { backward, ops, Parameter, randn, Rng, type Tensor } from "../../src/tensor/mod.ts";

// helper threads belong to the device, which lives as long as the process
const options = { sanitizeOps: false, sanitizeResources: false };

const N = 2048, D = 64;

/** The most memory of a training step on attention over 2,048 positions, beside what is there before. */
async function peakOf(attend: (q: Tensor, k: Tensor, v: Tensor) => Tensor): Promise<number> {
  const device = openCpu({ threads: 2 });
  session.useDevice(device);
  try {
    const [q, k, v] = [1, 2, 3].map((seed) => new Parameter(randn([1, 1, N, D], { rng: new Rng(seed) })));
    await Promise.all([q, k, v].map((p) => p.data()));
    const before = device.stats().liveBytes;
    backward(attend(q, k, v).square().sum());
    await Promise.all([q, k, v].map((p) => p.grad!.data()));
    return device.stats().peakBytes - before;
  } finally {
    device.close();
  }
}

Deno.test({
  ...options,
  name: "attention over 2,048 positions trains in less than a quarter of the memory that plain products take",
  fn: async () => {
    const fused = await peakOf((q, k, v) => ops.scaledDotProductAttention(q, k, v));
    const plain = await peakOf((q, k, v) => ops.softmax(q.matmul(k.transpose()).mul(1 / Math.sqrt(D))).matmul(v));
    assert(plain > 2 * N * N * 4, `plain products store weights and their gradients: ${plain}`);
    assert(fused < plain / 4, `${fused} of ${plain} bytes`);
    assert(fused < N * N * 4, `not one matrix of scores is stored: ${fused} bytes`);
  },
});

Deno.test("on WebGPU the blocks of scores of 8 heads, 2,048 positions and a batch of 4 take less than a tenth of one matrix of them", () => {
  const [batch, heads] = [4, 8];
  const strides = contiguousStrides([batch, heads, N, D]);
  const view = (slot: number) => ({ slot, dtype: "f32" as const, offset: 0, strides });
  const row = (slot: number) => ({ ...view(slot), strides: [1] });
  const sizes = { batch, heads, kvHeads: heads, n: N, m: N, d: D, dv: D, scale: 0.125, causal: true };
  const operands = { ...sizes, q: view(1), k: view(2), v: view(3) };
  const both: (AttentionKernel | AttentionGradKernel)[] = [
    { op: "attention", ...operands, out: row(5) },
    { op: "attentionGrad", ...operands, dy: view(4), y: row(5), out: row(6) },
  ];
  for (const kernel of both) {
    let taken = 0;
    expandAttention(kernel, (bytes) => {
      taken += bytes;
      return 7;
    });
    assert(taken > 0 && taken < batch * heads * N * N * 4 / 10, `${taken} bytes for ${kernel.op}`);
  }
});
