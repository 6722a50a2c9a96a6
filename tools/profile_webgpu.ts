/**
 * Where the time of a training step goes on WebGPU: every dispatch of the program that does most work, timed by the adapter.
 *
 *     deno task profile [workload] [--strategy register|texel|shared] [--top N]
 *
 * Workloads are those of the benchmark (`bench/workloads.ts`): `mlp64` by default, `cnn`, `resnet18`, ... Each figure is the
 * median of 9 runs with a pass per dispatch; other work on the machine's cores raises them.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { subjectOf } from "../bench/anneal.ts";
import { isWorkload } from "../bench/workloads.ts";
import type { Device, DeviceBuffer, Executable, Kernel } from "../src/device/contract.ts";
import { WebgpuDevice } from "../src/device/webgpu/device.ts";
import { STRATEGIES } from "../src/device/webgpu/kernels/plan.ts";
import type { DispatchTime } from "../src/device/webgpu/profile.ts";
import { openWebgpu } from "../src/device/webgpu/mod.ts";
import { session } from "../src/graph/session.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { strategy: { type: "string" }, top: { type: "string", default: "1000" } },
});
const workload = positionals[0] ?? "mlp64";
if (!isWorkload(workload)) throw new Error(`Cannot profile "${workload}": it is no workload of bench/workloads.ts`);
const device = await openWebgpu({ strategy: STRATEGIES.find((name) => name === values.strategy) ?? "auto" });
if (!(device instanceof WebgpuDevice)) throw new Error("openWebgpu gave another device");

/** The last run of each program. */
const runs = new Map<Executable, { bound: readonly DeviceBuffer[]; params: Uint8Array; count: number }>();
const run: Device["run"] = device.run.bind(device);
device.run = (executable, bound, params) => {
  runs.set(executable, { bound: [...bound], params: params.slice(), count: (runs.get(executable)?.count ?? 0) + 1 });
  run(executable, bound, params);
};

session.useDevice(device);
const subject = await subjectOf(workload);
await subject.run(2);
const before = device.stats();
const start = performance.now();
const steps = await subject.run(10);
await device.sync();
const after = device.stats();
const each = (name: "submits" | "dispatches") => ((after[name] - before[name]) / steps).toFixed(1);
console.log(
  `${device.name}: ${workload}, ${((performance.now() - start) / steps).toFixed(2)} ms a step; per step ` +
    `${each("submits")} submits, ${each("dispatches")} dispatches; made meanwhile: ` +
    `${after.pipelines - before.pipelines} pipelines, ${after.bindings - before.bindings} bindings, ` +
    `${after.buffers - before.buffers} buffers; peak ${(after.peakBytes / 2 ** 20).toFixed(1)} MiB`,
);

/** Sizes of a kernel, and what it multiplies and adds. */
function sizes(kernel: Kernel | undefined): { text: string; flops: number } {
  switch (kernel?.op) {
    case "matmul": {
      const { batch, m, n, k } = kernel;
      return { text: `${[...batch, ""].join(" ")}${m}x${n}, ${k} terms`, flops: 2 * m * n * k * product(batch) };
    }
    case "conv": {
      const { groups, m, n, k } = kernel;
      const text = `${groups === 1 ? "" : `${groups} groups `}${m}x(${n}), (${k}) terms`;
      return { text, flops: 2 * groups * m * product(n) * product(k) };
    }
    case "reduce":
      return { text: `[${kernel.outer}] of [${kernel.inner}]`, flops: 0 };
    case "map":
      return { text: `[${kernel.shape}] ${kernel.outs.length} outs`, flops: 0 };
    default:
      return { text: "", flops: 0 };
  }
}

function product(values: readonly number[]): number {
  return values.reduce((a, b) => a * b, 1);
}

const [executable, { bound, params }] = [...runs].reduce((most, entry) =>
  entry[1].count * entry[0].program.kernels.length > most[1].count * most[0].program.kernels.length ? entry : most
);
const tries: DispatchTime[][] = [];
for (let i = 0; i < 9; i++) tries.push(await device.timeDispatches(executable, bound, params));
const rows = tries[0].map(({ label }, i) => {
  const timeMs = tries.map((t) => t[i].timeMs).sort((a, b) => a - b)[4];
  // labels are "<program> <number of the kernel> <what it is>"
  const rest = label.slice(executable.program.label.length).trim();
  return { rest, timeMs, ...sizes(executable.program.kernels[Number(rest.split(" ")[0])]) };
});
const all = rows.reduce((sum, { timeMs }) => sum + timeMs, 0);
const shown = new Set([...rows].sort((a, b) => b.timeMs - a.timeMs).slice(0, Number(values.top)));
for (const row of rows.filter((row) => shown.has(row))) {
  const { rest, timeMs, text, flops } = row;
  const speed = flops === 0 ? "" : `${(flops / timeMs / 1e6).toFixed(1)} GFLOP/s`;
  const share = `${(100 * timeMs / all).toFixed(1)} %`;
  console.log(
    `${timeMs.toFixed(3).padStart(9)} ms ${share.padStart(7)}  ${rest.padEnd(18)} ${speed.padStart(14)}  ${text}`,
  );
}
console.log(`${all.toFixed(3).padStart(9)} ms all dispatches`);
device.close();
