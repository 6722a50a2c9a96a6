import { assert, assertEquals } from "@std/assert";
import { openCpu } from "../../../src/device/cpu/mod.ts";
import type { Device, UnaryOp } from "../../../src/device/contract.ts";
import { erf } from "../../support/math.ts";

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

interface Sweep {
  readonly op: UnaryOp;
  readonly want: (x: number) => number;
  /** Bound in ulp of the result. */
  readonly ulps: number;
  readonly points: readonly Float32Array[];
}

// the bounds are those that src/device/cpu/encoder/math.ts states
const sweeps: readonly Sweep[] = [
  { op: "exp", want: Math.exp, ulps: 2, points: [linear(-87.3, 88.72), linear(-1, 1), exponents(-126, 6)] },
  {
    op: "log",
    want: Math.log,
    ulps: 3,
    points: [exponents(-149, 127).map(Math.abs), linear(0.5, 2), linear(0.99, 1.01), linear(1e-3, 1000)],
  },
  {
    op: "log1p",
    want: Math.log1p,
    ulps: 3,
    points: [linear(-0.9999, 2), linear(-0.01, 0.01), exponents(-126, -1), exponents(-126, 127).map(Math.abs)],
  },
  { op: "tanh", want: Math.tanh, ulps: 3, points: [linear(-10, 10), linear(-1, 1), exponents(-126, 127)] },
  { op: "erf", want: erf, ulps: 4, points: [linear(-5, 5), linear(-1.2, 1.2), exponents(-125, 127)] },
];

for (const simd of ["relaxed", "plain"] as const) {
  for (const { op, want, ulps, points } of sweeps) {
    Deno.test(`cpu: ${op} is within ${ulps} ulp (${simd})`, async () => {
      const device = openCpu({ simd, threads: 1 });
      let worst = 0, at = 0;
      for (const x of points) {
        const got = await apply(device, op, x);
        for (let i = 0; i < x.length; i++) {
          const exact = want(x[i]);
          const error = Math.fround(exact) === got[i] ? 0 : Math.abs(got[i] - exact) / ulp(exact);
          if (!(error <= worst)) [worst, at] = [error, x[i]];
        }
      }
      device.close();
      assert(worst <= ulps, `${op}(${at}) is ${worst} ulp off`);
    });
  }

  for (const [op, want] of [["sin", Math.sin], ["cos", Math.cos]] as const) {
    Deno.test(`cpu: ${op} is within 1.5e-7 up to 1e4 (${simd})`, async () => {
      const device = openCpu({ simd, threads: 1 });
      let worst = 0, at = 0;
      for (const x of [linear(-1e4, 1e4), linear(-7, 7), linear(9990, 10000)]) {
        const got = await apply(device, op, x);
        for (let i = 0; i < x.length; i++) {
          const error = Math.abs(got[i] - want(x[i]));
          if (!(error <= worst)) [worst, at] = [error, x[i]];
        }
      }
      device.close();
      assert(worst <= 1.5e-7, `${op}(${at}) is ${worst} off`);
    });
  }

  Deno.test(`cpu: functions at the edges of their domains (${simd})`, async () => {
    const device = openCpu({ simd, threads: 1 });
    const edges: readonly [UnaryOp, readonly number[], readonly number[]][] = [
      ["exp", [-Infinity, -200, 0, -0, 89, Infinity, NaN], [0, 0, 1, 1, Infinity, Infinity, NaN]],
      ["log", [0, -0, -1, -Infinity, Infinity, NaN, 1], [-Infinity, -Infinity, NaN, NaN, Infinity, NaN, 0]],
      ["log1p", [-1, -2, 0, -0, Infinity, NaN, -Infinity], [-Infinity, NaN, 0, -0, Infinity, NaN, NaN]],
      ["tanh", [-Infinity, Infinity, 0, -0, NaN, 100, -100], [-1, 1, 0, -0, NaN, 1, -1]],
      ["erf", [-Infinity, Infinity, 0, -0, NaN, 100, -100], [-1, 1, 0, -0, NaN, 1, -1]],
      ["sin", [Infinity, -Infinity, NaN, 0, -0], [NaN, NaN, NaN, 0, -0]],
      ["cos", [Infinity, -Infinity, NaN, 0, -0], [NaN, NaN, NaN, 1, 1]],
    ];
    const wrong: string[] = [];
    for (const [op, x, want] of edges) {
      const got = await apply(device, op, Float32Array.from(x));
      want.forEach((value, i) => {
        if (!Object.is(got[i], value)) {
          wrong.push(`${op}(${Object.is(x[i], -0) ? "-0" : x[i]}) = ${got[i]}, not ${value}`);
        }
      });
    }
    device.close();
    assertEquals(wrong, []);
  });
}
