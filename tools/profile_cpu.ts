/**
 * Where the time of a training step goes on the CPU: every kernel of the program that does most work, timed by itself.
 *
 *     deno run -A tools/profile_cpu.ts [workload] [--wasm] [--top N]
 *
 * Workloads are those of the benchmark (`bench/workloads.ts`): `mlp64` by default, `cnn`, `resnet18`, ... Each figure is processor
 * time on one thread, the least of 7 blocks of runs, which other work on the machine disturbs little; with machine code, or with
 * `--wasm` without. The kernels' operands are those of the last step.
 *
 * @module
 */
import { parseArgs } from "node:util";
import process from "node:process";
import { subjectOf } from "../bench/anneal.ts";
import { isWorkload } from "../bench/workloads.ts";
import type { Device, DeviceBuffer, Executable, Kernel } from "../src/device/contract.ts";
import { openCpu } from "../src/device/cpu/mod.ts";
import { session } from "../src/graph/session.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { wasm: { type: "boolean", default: false }, top: { type: "string", default: "1000" } },
});
const workload = positionals[0] ?? "mlp64";
if (!isWorkload(workload)) throw new Error(`Cannot profile "${workload}": it is no workload of bench/workloads.ts`);
const device = openCpu({ threads: 1, ...(values.wasm ? { native: false } : {}) });

/** The last run of each program. */
const runs = new Map<Executable, { bound: readonly DeviceBuffer[]; params: Uint8Array; count: number }>();
const run: Device["run"] = device.run.bind(device);
device.run = (executable, bound, params) => {
  runs.set(executable, { bound: [...bound], params: params.slice(), count: (runs.get(executable)?.count ?? 0) + 1 });
  run(executable, bound, params);
};
session.useDevice(device);
await (await subjectOf(workload)).run(3);

const product = (numbers: readonly number[]) => numbers.reduce((a, b) => a * b, 1);

/** Sizes of a kernel, and what it multiplies and adds. */
function sizes(kernel: Kernel): { text: string; flops: number } {
  switch (kernel.op) {
    case "matmul": {
      const { batch, m, n, k, a, b, body } = kernel;
      const layout = `${a.strides.at(-1) === 1 ? "N" : "T"}${b.strides.at(-1) === 1 ? "N" : "T"}`;
      const text = `${layout} ${[...batch, ""].join(" ")}${m}x${n}, ${k} terms, ${body.length} instructions`;
      return { text, flops: 2 * m * n * k * product(batch) };
    }
    case "conv": {
      const { groups, m, n, k, body } = kernel;
      const text = `${groups === 1 ? "" : `${groups} groups `}${m}x(${n}), (${k}) terms, ${body.length} instructions`;
      return { text, flops: 2 * groups * m * product(n) * product(k) };
    }
    case "reduce":
      return { text: `[${kernel.outer}] of [${kernel.inner}], ${kernel.body.length} instructions`, flops: 0 };
    case "map":
      return { text: `[${kernel.shape}] ${kernel.outs.length} outs, ${kernel.body.length} instructions`, flops: 0 };
    default:
      return { text: "", flops: 0 };
  }
}

/** Microseconds of processor time. */
const used = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** Microseconds of a run, the least of some blocks. */
function time(executable: Executable, bound: readonly DeviceBuffer[], params: Uint8Array): number {
  let count = 1, least = Infinity;
  for (let block = 0; block < 7;) {
    const start = used();
    for (let i = 0; i < count; i++) run(executable, bound, params);
    const each = (used() - start) / count;
    if (each * count < 20_000 && count < 4096) {
      count *= 2;
      continue;
    }
    least = Math.min(least, each);
    block++;
  }
  return least;
}

const [executable, { bound, params }] = [...runs].reduce((most, entry) =>
  entry[1].count * entry[0].program.kernels.length > most[1].count * most[0].program.kernels.length ? entry : most
);
const { program } = executable;
const rows = program.kernels.map((kernel) => {
  const part = device.compile({ ...program, kernels: [kernel] });
  const timeUs = time(part, bound, params);
  part.dispose();
  return { timeUs, op: kernel.op, ...sizes(kernel) };
});
const all = rows.reduce((sum, { timeUs }) => sum + timeUs, 0);
console.log(
  `${device.name}: ${workload}, ${(time(executable, bound, params) / 1000).toFixed(2)} ms of processor time a run`,
);
const shown = new Set([...rows].sort((a, b) => b.timeUs - a.timeUs).slice(0, Number(values.top)));
for (const { timeUs, op, text, flops } of rows.filter((row) => shown.has(row))) {
  const speed = flops === 0 ? "" : `${(flops / timeUs / 1e3).toFixed(1)} GFLOP/s`;
  const share = `${(100 * timeUs / all).toFixed(1)} %`;
  console.log(
    `${timeUs.toFixed(1).padStart(9)} us ${share.padStart(7)}  ${op.padEnd(10)} ${speed.padStart(14)}  ${text}`,
  );
}
for (const op of new Set(rows.map((row) => row.op))) {
  const sum = rows.filter((row) => row.op === op).reduce((total, { timeUs }) => total + timeUs, 0);
  console.log(`${sum.toFixed(1).padStart(9)} us ${(100 * sum / all).toFixed(1).padStart(5)} %  all ${op}`);
}
device.close();
