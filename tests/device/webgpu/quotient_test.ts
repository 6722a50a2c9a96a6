import { assertEquals } from "@std/assert";
import type { Kernel, View } from "../../../src/device/contract.ts";
import { webgpuTest } from "../../support/webgpu.ts";

// a kernel's coordinates are quotients of its index: elements near multiples of the divisor are where rounding goes wrong
webgpuTest("indices are taken apart exactly", async (device) => {
  const faults: string[] = [];
  for (const last of [2, 3, 7, 10, 49, 127, 641, 4097, 65537, 1048573]) {
    const rows = Math.ceil(2 ** 20 / last), shape = [rows, last];
    const view = (slot: number, strides: number[]): View => ({ slot, dtype: "i32", offset: 0, strides });
    const kernel: Kernel = {
      op: "map",
      shape,
      body: [{ k: "coord", offset: 0, strides: [1, 0] }, { k: "coord", offset: 0, strides: [0, 1] }],
      outs: [{ view: view(1, [last, 1]), value: 0 }, { view: view(2, [last, 1]), value: 1 }],
    };
    const count = rows * last;
    const executable = device.compile({
      label: `quotients by ${last}`,
      slots: [
        { bytes: 0, kind: "params", written: false },
        { bytes: count * 4, kind: "bound", written: true },
        { bytes: count * 4, kind: "bound", written: true },
      ],
      kernels: [kernel],
    });
    const buffers = [device.alloc(count * 4), device.alloc(count * 4)];
    device.run(executable, buffers, new Uint8Array(0));
    const bytes = count * 4;
    const parts = await device.read(buffers.map((buffer) => ({ buffer, offset: 0, bytes })));
    const [first, second] = parts.map((part) => new Int32Array(part.slice().buffer));
    for (let i = 0; i < count; i++) {
      if (first[i] !== Math.floor(i / last) || second[i] !== i % last) {
        faults.push(`${i} / ${last}: got ${first[i]} rest ${second[i]}`);
        break;
      }
    }
    executable.dispose();
    buffers.forEach((buffer) => device.free(buffer));
  }
  assertEquals(faults, []);
});

/** `quotient` of quotient.wgsl in JavaScript's f32, which rounds as the shader's does. */
function quotient(n: number, d: number): number {
  const inverse = Math.fround(1 / Math.fround(d));
  let q = Math.trunc(Math.fround(Math.fround(n) * inverse)) >>> 0;
  q = (q + Math.trunc(Math.fround(Math.fround((n - Math.imul(q, d)) | 0) * inverse))) >>> 0;
  const rest = (n - Math.imul(q, d)) | 0;
  return (q + (rest < 0 ? -1 : rest >= d ? 1 : 0)) >>> 0;
}

Deno.test("the method of quotient.wgsl is exact up to 2^31, where rounding is worst", () => {
  const faults: string[] = [];
  const check = (n: number, d: number) => {
    if (n >= 0 && n < 2 ** 31 && quotient(n, d) !== Math.floor(n / d)) faults.push(`${n} / ${d}: ${quotient(n, d)}`);
  };
  let seed = 1;
  const next = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  for (let i = 0; i < 400_000; i++) {
    const d = i < 200_000 ? 1 + i % 4096 : 1 + Math.floor(2 ** (31 * next()) - 1);
    const times = Math.floor(next() * (2 ** 31 / d));
    for (const off of [-1, 0, 1]) check(times * d + off, d);
    check(2 ** 31 - 1 - (i % 64), d);
  }
  assertEquals(faults.slice(0, 5), []);
});
