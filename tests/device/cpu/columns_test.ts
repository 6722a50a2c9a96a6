import { assertEquals } from "@std/assert";
import type { Device, Program, ReduceKernel } from "../../../src/device/contract.ts";
import { isColumns } from "../../../src/device/cpu/encoder/column_loop.ts";
import { openCpu } from "../../../src/device/cpu/mod.ts";
import { fillF32 } from "../../support/fill.ts";

const WIDTH = 144, PART = 12;

/** Of columns `from` to `from + count` of `[length, 144]`, twice the sum of squares plus the largest number. */
function fold(from: number, count: number, length: number): ReduceKernel {
  const load = { slot: 1, dtype: "f32", offset: from, strides: [1, WIDTH] } as const;
  return {
    op: "reduce",
    outer: [count],
    inner: [length],
    body: [
      { k: "load", view: load },
      { k: "binary", op: "mul", a: 0, b: 0 },
      { k: "reduce", kind: "sum", a: 1 },
      { k: "reduce", kind: "max", a: 0 },
      { k: "binary", op: "add", a: 2, b: 2 },
      { k: "binary", op: "add", a: 4, b: 3 },
    ],
    outs: [{ view: { slot: 2, dtype: "f32", offset: from, strides: [1, 0] }, value: 5, perRow: true }],
  };
}

async function results(device: Device, length: number, kernels: readonly ReduceKernel[]): Promise<Uint8Array> {
  const bound = (size: number, written: boolean) => ({ kind: "bound", bytes: size * 4, written } as const);
  const slots = [
    { kind: "params", bytes: 16, written: false } as const,
    bound(WIDTH * length, false),
    bound(WIDTH, true),
  ];
  const program: Program = { label: "columns", slots, kernels };
  const buffers = [device.alloc(slots[1].bytes), device.alloc(slots[2].bytes)];
  device.write(buffers[0], 0, fillF32(length, WIDTH * length));
  device.run(device.compile(program), buffers, new Uint8Array(16));
  return (await device.read([{ buffer: buffers[1], offset: 0, bytes: WIDTH * 4 }]))[0];
}

Deno.test("cpu: columns are folded in one order, however many at a time, on any number of threads", async () => {
  for (const options of [{ threads: 1, native: false }, { threads: 3 }, { threads: 2, simd: "plain" }] as const) {
    const device = openCpu(options);
    for (const length of [64, 127, 128, 129, 700]) {
      const whole = fold(0, WIDTH, length);
      const parts = Array.from({ length: WIDTH / PART }, (_, i) => fold(i * PART, PART, length));
      assertEquals([isColumns(whole), isColumns(parts[0])], [true, false]);
      const got = await results(device, length, [whole]);
      assertEquals(got, await results(device, length, parts), `${length} rows on ${device.name}`);
      const x = fillF32(length, WIDTH * length).filter((_, i) => i % WIDTH === 5);
      const want = 2 * x.reduce((sum, v) => sum + v * v, 0) + Math.max(...x);
      assertEquals(Math.abs(new Float32Array(got.slice().buffer)[5] / want - 1) < 1e-6, true);
    }
    device.close();
  }
});
