/**
 * The part of `deno task gpu:check` that times products of square matrices by one family of kernels:
 * `products.ts products:<family> [--quick] [--peak GFLOPS] --seconds N`.
 *
 * @module
 */
import type { Device, Program, View } from "../../src/device/contract.ts";
import type { WebgpuDevice } from "../../src/device/webgpu/device.ts";
import { timeOfRuns } from "../../src/device/webgpu/tuning.ts";
import { absentFamily, openFamily } from "./families.ts";
import { type PartArgs, partArgs, type PartResult, report, resultOf } from "./result.ts";

type Operand = "f32" | "f16";

const SIZES = [1024, 2048, 4096, 8192];

function productOf(n: number, operand: Operand): Program {
  const view = (slot: number, dtype: Operand): View => ({ slot, dtype, offset: 0, strides: [n, 1] });
  const bytes = n * n * bytesOf(operand);
  return {
    label: "product",
    slots: [
      { bytes: 0, kind: "params", written: false },
      { bytes, kind: "bound", written: false },
      { bytes, kind: "bound", written: false },
      { bytes: n * n * 4, kind: "bound", written: true },
    ],
    kernels: [{
      op: "matmul",
      ...{ batch: [], m: n, n, k: n, a: view(1, operand), b: view(2, operand) },
      body: [{ k: "acc" }],
      outs: [{ view: view(3, "f32"), value: 0 }],
    }],
  };
}

const bytesOf = (operand: Operand): number => operand === "f16" ? 2 : 4;

/** A whole number from -3 to 3 for each place: sums of their products are exact, in f32 and of f16. */
export function wholeAt(i: number, seed: number): number {
  const h = Math.imul(i + seed, 0x9e3779b1) >>> 0;
  return ((h ^ (h >>> 15)) >>> 8) % 7 - 3;
}

/** The bits of f16 of -3 to 3. */
const HALVES = [0xc200, 0xc000, 0xbc00, 0, 0x3c00, 0x4000, 0x4200];

function matrix(n: number, seed: number, operand: Operand): Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> {
  const values = operand === "f16" ? new Uint16Array(n * n) : new Float32Array(n * n);
  for (let i = 0; i < values.length; i++) {
    const value = wholeAt(i, seed);
    values[i] = operand === "f16" ? HALVES[value + 3] : value;
  }
  return values;
}

/** Row `m` of the product of the matrices of seeds 1 and 2. */
export function rowOf(n: number, m: number): Float64Array {
  const row = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    const a = wholeAt(m * n + k, 1);
    for (let j = 0; j < n; j++) row[j] += a * wholeAt(k * n + j, 2);
  }
  return row;
}

/** Milliseconds of a product, and whether it is right: in a row of the middle and the last one. */
async function timeOf(device: Device, n: number, operand: Operand): Promise<{ ms: number; right: boolean }> {
  const executable = device.compile(productOf(n, operand));
  const buffers = [bytesOf(operand), bytesOf(operand), 4].map((bytes) => device.alloc(n * n * bytes));
  try {
    device.write(buffers[0], 0, matrix(n, 1, operand));
    device.write(buffers[1], 0, matrix(n, 2, operand));
    const ms = await timeOfRuns(device, executable, buffers);
    const rows = [n / 2, n - 1];
    const read = await device.read(rows.map((m) => ({ buffer: buffers[2], offset: m * n * 4, bytes: n * 4 })));
    const right = rows.every((m, i) => {
      const got = new Float32Array(read[i].slice().buffer), want = rowOf(n, m);
      return got.every((value, j) => value === want[j]);
    });
    return { ms, right };
  } finally {
    executable.dispose();
    buffers.forEach((buffer) => device.free(buffer));
  }
}

/** Seconds that a product of `n` takes the part: runs to warm up and to time, data, the check. */
export function secondsOf(n: number, ms: number): number {
  return 6 * ms / 1000 + 3 * n * n * 2e-8;
}

/** Where no product has been timed: a tenth of the peak, in ms. */
export function guessMs(n: number, peak: number): number {
  return peak > 0 ? 2 * n ** 3 / (0.1 * peak) / 1e6 : 0;
}

/** The sizes that are tried: a smaller one first, where the smallest is too much for the time. */
export function sizesFor(peak: number, seconds: number): number[] {
  const first = [1024, 512, 256].find((n) => secondsOf(n, guessMs(n, peak)) < seconds / 2) ?? 128;
  return first < 1024 ? [first, ...SIZES] : SIZES;
}

async function products(family: string, { quick, peak, left }: PartArgs): Promise<PartResult> {
  const head = ["family", "n", "ms", "GFLOP/s", "of the peak"];
  const rows: (string | number)[][] = [], wrong: string[] = [], faults: string[] = [];
  const operand: Operand = family === "f16" ? "f16" : "f32";
  const device: WebgpuDevice = await openFamily(family), absent = await absentFamily(family, device);
  if (absent !== "") return resultOf({ head, absent });
  if (operand === "f16" && !device.halves) {
    return resultOf({ head, absent: "no f16 of the adapter's own is used" });
  }
  let at = "", before: { readonly n: number; readonly ms: number } | null = null;
  for (const n of quick ? [128, 256] : sizesFor(peak, left())) {
    // small products wait for the adapter more than they compute: as much time a term as before is the most
    const ms: number = before === null ? guessMs(n, peak) : before.ms * (n / before.n) ** 3;
    if (secondsOf(n, ms) > left()) {
      const seconds = `about ${Math.ceil(secondsOf(n, ms))} s`;
      if (at === "") at = `${n} would take ${seconds}`;
      rows.push([family, n, "not tried", "", seconds]);
      continue;
    }
    report(resultOf({ head, rows, wrong, faults, whole: false, at: `the product of ${n}` }));
    try {
      const { ms, right } = await timeOf(device, n, operand), gflops = 2 * n ** 3 / ms / 1e6;
      before = { n, ms };
      const share = peak > 0 ? `${Number((100 * gflops / peak).toPrecision(2))} %` : "";
      rows.push([family, n, Number(ms.toPrecision(4)), Number(gflops.toPrecision(3)), share]);
      if (!right) wrong.push(`${family}: the product of ${n} is wrong`);
    } catch (error) {
      faults.push(`${family}: the product of ${n}: ${String(error).split("\n")[0]}`);
    }
  }
  return resultOf({ head, rows, wrong, faults, whole: at === "", at });
}

if (import.meta.main) {
  const args = partArgs(Deno.args), [, family] = args.name.split(":");
  report(await products(family, args));
  Deno.exit(0); // Dawn keeps a process alive
}
