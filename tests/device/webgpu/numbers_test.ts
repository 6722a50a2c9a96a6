import { assert, assertEquals } from "@std/assert";
import type { BinaryOp, Device, Program, UnaryOp } from "../../../src/device/contract.ts";
import { fillF32 } from "../../support/fill.ts";
import { powC } from "../../support/math.ts";
import { UNARY_RULES } from "../../support/operations.ts";
import { webgpuTest } from "../../support/webgpu.ts";

/** Runs `op` on each element; a second operand makes it a two-operand instruction. */
async function apply(device: Device, op: UnaryOp | BinaryOp, a: Float32Array, b?: Float32Array): Promise<Float32Array> {
  const load = (slot: number) => ({ k: "load", view: { slot, dtype: "f32", offset: 0, strides: [1] } } as const);
  const bytes = a.byteLength;
  const program: Program = {
    label: op,
    slots: [
      { bytes: 16, kind: "params", written: false },
      { bytes, kind: "bound", written: false },
      { bytes, kind: "bound", written: false },
      { bytes, kind: "bound", written: true },
    ],
    kernels: [{
      op: "map",
      shape: [a.length],
      body: b === undefined
        ? [load(1), { k: "unary", op: op as UnaryOp, a: 0 }]
        : [load(1), load(2), { k: "binary", op: op as BinaryOp, a: 0, b: 1 }],
      outs: [{ view: { slot: 3, dtype: "f32", offset: 0, strides: [1] }, value: b === undefined ? 1 : 2 }],
    }],
  };
  const buffers = [a, b ?? a, a].map((data) => {
    const buffer = device.alloc(data.byteLength);
    device.write(buffer, 0, data);
    return buffer;
  });
  const executable = device.compile(program);
  device.run(executable, buffers, new Uint8Array(16));
  const [out] = await device.read([{ buffer: buffers[2], offset: 0, bytes }]);
  executable.dispose();
  buffers.forEach((buffer) => device.free(buffer));
  return new Float32Array(out.slice().buffer);
}

const EDGES = [0, 1, -1, 0.5, -0.5, 1e-6, -1e-6, 20, -20, 100, -100, 1e30, -1e30, Infinity, -Infinity, NaN];

for (const [op, { ref: want, gpu }] of UNARY_RULES) {
  if (gpu === undefined) continue;
  const { rel, abs, scale, angle = false } = gpu;
  webgpuTest(`${op} is accurate, and right at the edges`, async (device) => {
    const edges = angle ? EDGES.filter((x) => !(Math.abs(x) === 1e30)) : EDGES;
    const x = new Float32Array([...edges, ...fillF32(5, 4001, scale)]);
    const y = await apply(device, op, x);
    x.forEach((v, i) => {
      const w = Math.fround(want(v));
      const same = Object.is(y[i], w) || y[i] === w || (Number.isNaN(y[i]) && Number.isNaN(w));
      assert(same || Math.abs(y[i] - w) <= rel * Math.abs(w) + abs, `${op}(${v}): got ${y[i]}, want ${w}`);
    });
  });
}

webgpuTest("pow follows C, at the edges too", async (device) => {
  const pairs: [number, number][] = EDGES.flatMap((a) => EDGES.map((b): [number, number] => [a, b]));
  for (const v of fillF32(3, 500, 5)) pairs.push([Math.abs(v) + 0.1, v], [v, 3], [v, -2], [v, 0.5]);
  const a = Float32Array.from(pairs, (p) => p[0]);
  const b = Float32Array.from(pairs, (p) => p[1]);
  const y = await apply(device, "pow", a, b);
  a.forEach((v, i) => {
    const w = Math.fround(powC(v, b[i]));
    const near = y[i] === w || (Number.isNaN(y[i]) && Number.isNaN(w)) || Math.abs(y[i] - w) <= 2e-6 * Math.abs(w);
    // results below the smallest normal number may be flushed to 0
    assert(near || Math.abs(w) < 1.2e-38, `pow(${v}, ${b[i]}): got ${y[i]}, want ${w}`);
  });
});

webgpuTest("max and min give NaN wherever an operand is NaN", async (device) => {
  const a = new Float32Array([1, NaN, 2, NaN, -Infinity]);
  const b = new Float32Array([2, 1, NaN, NaN, Infinity]);
  assertEquals([...await apply(device, "max", a, b)], [2, NaN, NaN, NaN, Infinity]);
  assertEquals([...await apply(device, "min", a, b)], [1, NaN, NaN, NaN, -Infinity]);
});

webgpuTest("mod is exact where the quotient rounds up", async (device) => {
  const a = new Float32Array([5.5, -5.5, 0.3, 1e6, 6, -0, 7]);
  const b = new Float32Array([2, 2, 0.1, 0.1, 3, 5, Infinity]);
  const y = await apply(device, "mod", a, b);
  a.forEach((v, i) => assert(Math.abs(y[i] - v % b[i]) < 1e-6, `${v} % ${b[i]}: got ${y[i]}, want ${v % b[i]}`));
});
