/**
 * The parts of `deno task gpu:check`, each a process of its own: `parts.ts <part> [--quick]` prints one line of JSON.
 *
 * @module
 */
import type { Device, Program, View } from "../../src/device/contract.ts";
import { WebgpuDevice } from "../../src/device/webgpu/device.ts";
import { STRATEGIES } from "../../src/device/webgpu/kernels/plan.ts";
import { type TilingName, TILINGS } from "../../src/device/webgpu/kernels/tiles.ts";
import { openWebgpu, type OpenWebgpuOptions } from "../../src/device/webgpu/mod.ts";
import { requestAdapter } from "../../src/device/webgpu/request.ts";
import { fitsLimits, timeOfRuns } from "../../src/device/webgpu/tuning.ts";
import { session } from "../../src/graph/session.ts";
import { checkCase } from "../../tests/support/conformance.ts";
import { programs } from "../../tests/support/programs.ts";
import { failures, recordedCases } from "../../tests/support/recorded.ts";
import { peakGflops } from "./peak.ts";

/** A table, and what went wrong. */
export interface PartResult {
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  readonly wrong: readonly string[];
}

const quick = Deno.args.includes("--quick");

/** Every family of kernels for products: the strategies, and each tiling. */
export const FAMILIES: readonly string[] = [...STRATEGIES, ...Object.keys(TILINGS).map((name) => `tiled ${name}`)];

function optionsOf(family: string): OpenWebgpuOptions {
  const tiling = (Object.keys(TILINGS) as TilingName[]).find((name) => family === `tiled ${name}`);
  if (tiling !== undefined) return { strategy: "tiled", tiling };
  return { strategy: STRATEGIES.find((name) => name === family) ?? "auto" };
}

async function adapter(): Promise<PartResult> {
  const found = await requestAdapter();
  if (found === null) throw new Error("there is no adapter");
  const start = performance.now();
  const device = await openWebgpu();
  const opened = performance.now() - start;
  if (!(device instanceof WebgpuDevice)) throw new Error("not a WebGPU device");
  const { info, limits } = found;
  const tiling = (m: number, n: number) => device.tiling({ kind: "matmul", batches: 1, m, n, k: 1024 });
  const rows: [string, string | number][] = [
    ["name", device.name],
    ["vendor, architecture, device", [info.vendor, info.architecture, info.device].join(", ")],
    ["products", device.strategy ?? "unknown"],
    [
      "tiles of 32 x 4096, 512 x 512, 64 x 16384, 2048 x 2048",
      [
        tiling(32, 4096),
        tiling(512, 512),
        tiling(64, 16384),
        tiling(2048, 2048),
      ].join(", "),
    ],
    ["threads of a subgroup that are used", device.lanes],
    ["opened in ms, trials included", Math.round(opened)],
    ["features", [...found.features].sort().join(", ")],
  ];
  for (const name in limits) {
    const value: unknown = Reflect.get(limits, name);
    if (/Buffer|Compute|Storage/.test(name) && typeof value === "number") rows.push([name, value]);
  }
  return { head: ["of the adapter", "value"], rows, wrong: [] };
}

async function conformance(family: string): Promise<PartResult> {
  const found = await requestAdapter();
  const name = family.replace("tiled ", "");
  if (found !== null && family.startsWith("tiled") && !fitsLimits(TILINGS[name as TilingName], found.limits)) {
    return { head: ["family", "programs"], rows: [[family, "does not fit the adapter's limits"]], wrong: [] };
  }
  const device = await openWebgpu(optionsOf(family));
  const products = /matmul|conv/;
  const cases = programs.filter(({ name }) => !family.startsWith("tiled") || products.test(name))
    .filter((_, i) => !quick || i % 12 === 0);
  const wrong: string[] = [];
  for (const testCase of cases) {
    const message = await checkCase(device, testCase);
    if (message !== null) wrong.push(`${family}: ${testCase.name}: ${message.split("\n")[0]}`);
  }
  return { head: ["family", "programs", "wrong"], rows: [[family, cases.length, wrong.length]], wrong };
}

async function recorded(): Promise<PartResult> {
  session.useDevice(await openWebgpu());
  const rows: [string, number, number][] = [], wrong: string[] = [];
  for (const file of ["random.json", "special.json"]) {
    const cases = recordedCases(file).filter((_, i) => !quick || i % 40 === 0);
    const before = wrong.length;
    for (let at = 0; at < cases.length; at += 50) {
      wrong.push(...await failures(cases.slice(at, at + 50), { rel: 1e-5, whole: true }));
    }
    rows.push([file, cases.length, wrong.length - before]);
  }
  return { head: ["recording", "cases", "wrong"], rows, wrong: wrong.map((line) => line.slice(0, 300)) };
}

function productOf(n: number): Program {
  const view = (slot: number): View => ({ slot, dtype: "f32", offset: 0, strides: [n, 1] });
  return {
    label: "product",
    slots: [
      { bytes: 0, kind: "params", written: false },
      ...[1, 2, 3].map((slot) => ({ bytes: n * n * 4, kind: "bound" as const, written: slot === 3 })),
    ],
    kernels: [{
      op: "matmul",
      ...{ batch: [], m: n, n, k: n, a: view(1), b: view(2) },
      body: [{ k: "acc" }],
      outs: [{ view: view(3), value: 0 }],
    }],
  };
}

/** Milliseconds of a product, and whether it is right: matrices of ones give `n`. */
async function timeOf(device: Device, n: number): Promise<{ ms: number; right: boolean }> {
  const executable = device.compile(productOf(n));
  const buffers = [0, 1, 2].map(() => device.alloc(n * n * 4));
  const ones = new Float32Array(n * n).fill(1);
  device.write(buffers[0], 0, ones);
  device.write(buffers[1], 0, ones);
  const ms = await timeOfRuns(device, executable, buffers);
  const [bytes] = await device.read([{ buffer: buffers[2], offset: (n * n - n) * 4, bytes: n * 4 }]);
  const row = new Float32Array(bytes.slice().buffer);
  executable.dispose();
  buffers.forEach((buffer) => device.free(buffer));
  return { ms, right: row.every((value) => value === n) };
}

async function products(family: string): Promise<PartResult> {
  const device = await openWebgpu(optionsOf(family));
  const rows: (string | number)[][] = [], wrong: string[] = [];
  for (const n of quick ? [128, 256] : [1024, 2048, 4096, 8192]) {
    try {
      const { ms, right } = await timeOf(device, n);
      rows.push([family, n, Number(ms.toFixed(3)), Number((2 * n ** 3 / ms / 1e6).toPrecision(3))]);
      if (!right) wrong.push(`${family}: the product of ${n} is wrong`);
      if (ms > 5000) break; // a larger one takes eight times as long
    } catch (error) {
      wrong.push(`${family}: the product of ${n} failed: ${String(error).split("\n")[0]}`);
    }
  }
  return { head: ["family", "n", "ms", "GFLOP/s"], rows, wrong };
}

async function peak(): Promise<PartResult> {
  const found = await requestAdapter();
  if (found === null) throw new Error("there is no adapter");
  const gflops = await peakGflops(await found.requestDevice(), quick ? 20 : 200);
  return {
    head: ["multiplications and additions in registers", "GFLOP/s"],
    rows: [["f32", Number(gflops.toPrecision(3))]],
    wrong: [],
  };
}

if (import.meta.main) {
  const [part] = Deno.args, [kind, family = "auto"] = part.split(":");
  const run: Record<string, () => Promise<PartResult>> = {
    adapter,
    recorded,
    peak,
    conformance: () => conformance(family),
    products: () => products(family),
  };
  console.log(JSON.stringify(await run[kind]()));
  Deno.exit(0); // Dawn keeps a process alive
}
