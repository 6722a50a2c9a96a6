import { assert, assertEquals } from "@std/assert";
import { openCpu } from "../../../src/device/cpu/mod.ts";
import type { Device, UnaryOp } from "../../../src/device/contract.ts";
import { UNARY_RULES } from "../../support/operations.ts";

const COUNT = 1 << 16;

/** `op` of every element of `x`, by the device. */
async function apply(device: Device, op: UnaryOp, x: Float32Array): Promise<Float32Array> {
  const view = (slot: number) => ({ slot, dtype: "f32", offset: 0, strides: [1] } as const);
  const slot = (written: boolean) => ({ kind: "bound", bytes: x.byteLength, written } as const);
  const executable = device.compile({
    label: op,
    slots: [{ kind: "params", bytes: 0, written: false }, slot(false), slot(true)],
    kernels: [{
      op: "map",
      shape: [x.length],
      body: [{ k: "load", view: view(1) }, { k: "unary", op, a: 0 }],
      outs: [{ view: view(2), value: 1 }],
    }],
  });
  const buffers = [device.alloc(x.byteLength), device.alloc(x.byteLength)];
  device.write(buffers[0], 0, x);
  device.run(executable, buffers, new Uint8Array(0));
  const [bytes] = await device.read([{ buffer: buffers[1], offset: 0, bytes: x.byteLength }]);
  executable.dispose();
  buffers.forEach((buffer) => device.free(buffer));
  return new Float32Array(bytes.buffer, bytes.byteOffset, x.length);
}

/** The distance between neighbouring f32 around `value`; that of the smallest normal numbers below them. */
function ulp(value: number): number {
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(value))));
  return 2 ** (Math.min(127, exponent) - 23);
}

function linear(from: number, to: number): Float32Array {
  return Float32Array.from({ length: COUNT }, (_, i) => from + (to - from) * i / (COUNT - 1));
}

/** Numbers of both signs whose exponents are spread evenly from 2^low to 2^high. */
function exponents(low: number, high: number): Float32Array {
  return Float32Array.from({ length: COUNT }, (_, i) => {
    const size = 2 ** (low + (high - low) * (i >> 1) / (COUNT / 2));
    return i & 1 ? -size : size;
  });
}

// the bounds are those that src/device/cpu/encoder/math.ts states
for (const simd of ["relaxed", "plain"] as const) {
  for (const [op, { ref, cpu }] of UNARY_RULES) {
    if (cpu === undefined) continue;
    const { most } = cpu, bound = "ulps" in most ? most.ulps : most.abs, unit = "ulps" in most ? " ulp" : "";
    Deno.test(`cpu: ${op} is within ${bound}${unit} (${simd})`, async () => {
      const device = openCpu({ simd, threads: 1 });
      const sizes = (cpu.exponents ?? []).map(([low, high, positive]) => {
        const both = exponents(low, high);
        return positive === true ? both.map(Math.abs) : both;
      });
      let worst = 0, at = 0;
      for (const x of [...cpu.sweep.map(([from, to]) => linear(from, to)), ...sizes]) {
        const got = await apply(device, op, x);
        for (let i = 0; i < x.length; i++) {
          const want = ref(x[i]), off = Math.abs(got[i] - want);
          const error = Math.fround(want) === got[i] ? 0 : "ulps" in most ? off / ulp(want) : off;
          if (!(error <= worst)) [worst, at] = [error, x[i]];
        }
      }
      device.close();
      assert(worst <= bound, `${op}(${at}) is ${worst}${unit} off`);
    });
  }

  Deno.test(`cpu: functions at the edges of their domains (${simd})`, async () => {
    const device = openCpu({ simd, threads: 1 });
    const wrong: string[] = [];
    for (const [op, { ref, edges, cpu }] of UNARY_RULES) {
      if (cpu === undefined) continue;
      const points = [0, -0, NaN, Infinity, -Infinity, ...edges];
      const got = await apply(device, op, Float32Array.from(points));
      points.forEach((x, i) => {
        const want = Math.fround(ref(x));
        // elsewhere it is off by as much as is stated
        const exact = !Number.isFinite(x) || !Number.isFinite(want) || want === 0 || Math.abs(want) === 1;
        if (exact && !Object.is(got[i], want)) {
          wrong.push(`${op}(${Object.is(x, -0) ? "-0" : x}) = ${got[i]}, not ${want}`);
        }
      });
    }
    device.close();
    assertEquals(wrong, []);
  });
}
