import { assert, assertEquals } from "@std/assert";
import type { Device, MatmulKernel, View } from "../../../src/device/contract.ts";
import { STRATEGIES } from "../../../src/device/webgpu/kernels/plan.ts";
import { fillF32 } from "../../support/fill.ts";
import { sharedWebgpu, webgpuTest } from "../../support/webgpu.ts";

type Op = "NN" | "NT" | "TN" | "TT";

function kernelOf(op: Op, m: number, n: number, k: number): MatmulKernel {
  const view = (slot: number, strides: number[]): View => ({ slot, dtype: "f32", offset: 0, strides });
  return {
    op: "matmul",
    batch: [],
    m,
    n,
    k,
    a: view(1, op[0] === "N" ? [k, 1] : [1, m]),
    b: view(2, op[1] === "N" ? [n, 1] : [1, k]),
    body: [{ k: "acc" }],
    outs: [{ view: view(3, [n, 1]), value: 0 }],
  };
}

async function product(device: Device, kernel: MatmulKernel, a: Float32Array, b: Float32Array): Promise<Float32Array> {
  const bytes = [a.byteLength, b.byteLength, kernel.m * kernel.n * 4];
  const executable = device.compile({
    label: "product",
    slots: [
      { bytes: 0, kind: "params", written: false },
      ...bytes.map((n, i) => ({ bytes: n, kind: "bound" as const, written: i === 2 })),
    ],
    kernels: [kernel],
  });
  const buffers = bytes.map((n) => device.alloc(n));
  device.write(buffers[0], 0, a);
  device.write(buffers[1], 0, b);
  device.run(executable, buffers, new Uint8Array(0));
  const [out] = await device.read([{ buffer: buffers[2], offset: 0, bytes: bytes[2] }]);
  executable.dispose();
  buffers.forEach((buffer) => device.free(buffer));
  return new Float32Array(out.slice().buffer);
}

const SHAPES: [Op, number, number, number][] = [
  ["NN", 64, 512, 784],
  ["TN", 784, 512, 50], // a batch that is no multiple of 4
  ["NT", 33, 516, 256],
  ["TT", 129, 67, 99],
];

for (const [op, m, n, k] of SHAPES) {
  webgpuTest(`all strategies give the same bits, and the right ones: ${op} ${m}x${n}, ${k} terms`, async () => {
    const [a, b] = [fillF32(1, m * k), fillF32(2, k * n)];
    const [register, ...others] = await Promise.all(
      STRATEGIES.map(async (strategy) => product(await sharedWebgpu(strategy), kernelOf(op, m, n, k), a, b)),
    );
    const bits = new Uint32Array(register.buffer);
    for (const other of others) {
      const theirs = new Uint32Array(other.buffer);
      assertEquals(bits.findIndex((word, i) => word !== theirs[i]), -1); // arrays this long are no use in a message
    }
    for (const [row, column] of [[0, 0], [m - 1, n - 1], [m >> 1, n >> 1], [m - 1, 0], [3, n - 2]]) {
      let want = 0;
      for (let i = 0; i < k; i++) {
        want += a[op[0] === "N" ? row * k + i : i * m + row] * b[op[1] === "N" ? i * n + column : column * k + i];
      }
      const got = register[row * n + column];
      assert(Math.abs(got - want) < 2e-7 * k, `[${row}, ${column}]: got ${got}, want ${want}`);
    }
  });
}

webgpuTest("an infinite last term stays infinite, and zeros beyond the end hide no NaN", async (device) => {
  const [m, n, k] = [70, 70, 70];
  const a = new Float32Array(m * k).fill(1);
  const b = new Float32Array(k * n).fill(1);
  b[(k - 1) * n + 5] = Infinity;
  b[(k - 1) * n + 6] = NaN;
  const y = await product(device, kernelOf("NN", m, n, k), a, b);
  assertEquals([...y.subarray(69 * n + 4, 69 * n + 8)], [70, Infinity, NaN, 70]);
});
