/**
 * Training in several processes, measured: what the callback costs, what two processes gain, what goes over the network,
 * and how far a simple model of a step's time is from what is measured between network namespaces. Prints Markdown.
 *
 * `deno run -A bench/scaling.ts`; needs MPICH, and root for the namespaces. Only ratios mean something on a busy machine.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { type Hosts, hostsPossible, openHosts } from "../tests/distrib/hosts.ts";
import type { RankReport, RankTask } from "./scaling_rank.ts";

const MLP = 535_824, RESNET18 = 11_689_512;
const TASK: RankTask = { bs: 64, threads: 1, steps: 100, blocks: 6, distributed: true, sums: [] };

async function run(n: number, task: Partial<RankTask>, hosts?: Hosts): Promise<RankReport> {
  const script = fromFileUrl(new URL("scaling_rank.ts", import.meta.url));
  const { success, stdout, stderr } = await new Deno.Command("mpiexec.hydra", {
    args: [
      ...hosts?.launcherArgs ?? [],
      ...["-n", String(n), Deno.execPath(), "run", "-A", "-q", script, JSON.stringify({ ...TASK, ...task })],
    ],
    env: { ...hosts?.env, NO_COLOR: "1" },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** Latency of a message and bandwidth of a link, in milliseconds and bytes a millisecond. */
interface Link {
  readonly latency: number;
  readonly rate: number;
}

/**
 * Milliseconds that adding up `bytes` takes on `n` hosts: reduce-scatter and all-gather by halving and doubling, which
 * MPICH does with long arrays (Thakur, Rabenseifner and Gropp 2005): 2 log2 n messages, 2 (n - 1) / n of the bytes.
 */
function allReduce(n: number, bytes: number, { latency, rate }: Link): number {
  return 2 * Math.log2(n) * latency + 2 * (n - 1) / n * bytes / rate;
}

function line(...cells: readonly (string | number)[]): void {
  console.log(`| ${cells.map((c) => typeof c === "number" ? c.toPrecision(3) : c).join(" | ")} |`);
}

function head(...cells: readonly string[]): void {
  console.log();
  line(...cells);
  line(...cells.map(() => "---"));
}

async function local(): Promise<number> {
  const one = await run(1, { distributed: "both", blocks: 12, bs: 64 });
  const two = await run(1, { threads: 2, bs: 64, distributed: false });
  const ranks = await run(2, { bs: 32 });
  const single = await run(1, { bs: 64, distributed: false });
  head("one machine, MLP 784-512-256-10, Adam, 64 items a step in all", "ms a step", "ratio");
  line("1 rank, 1 thread, no callback", median(one.alone), "");
  line("1 rank, 1 thread, `DistributedTrainer`", median(one.step), median(one.step) / median(one.alone));
  line("1 rank, 2 threads", median(two.step), "");
  line(
    "2 ranks of 1 thread, 32 items each: speed over 2 threads",
    median(ranks.step),
    median(two.step) / median(ranks.step),
  );
  const shared = await run(2, { blocks: 0, sums: [16, MLP, RESNET18] });
  head("adding up in place, 2 ranks, shared memory", "ms");
  line("16 floats", shared.sums[16]);
  line(`${MLP} floats (the MLP)`, shared.sums[MLP]);
  line(`${RESNET18} floats (ResNet-18)`, shared.sums[RESNET18]);
  return median(single.step);
}

async function network(compute: number): Promise<void> {
  const why = await hostsPossible();
  if (why !== null) return console.log(`\nNo network namespaces here: ${why}`);
  head(
    "hosts",
    "Mbit/s",
    "adding up 535,824 floats, ms",
    "model, ms",
    "step, ms",
    "model, ms",
    "bytes a host and step",
    "model",
  );
  for (const n of [2, 4]) {
    const hosts = await openHosts(n);
    try {
      for (const mbit of [1000, 100]) {
        await hosts.narrow(mbit);
        const { sums } = await run(n, { blocks: 0, sums: [16, MLP] }, hosts);
        const link = { latency: sums[16] / (2 * Math.log2(n)), rate: mbit * 125 * 0.955 }; // headers of TCP, IP, Ethernet
        const before = await hosts.sent(0);
        const steps = mbit === 100 ? 10 : 30;
        const { step } = await run(n, { bs: 64, steps, blocks: 3 }, hosts);
        const sent = (await hosts.sent(0) - before) / (steps * 3);
        const model = allReduce(n, MLP * 4, link);
        // hosts here share the processors of one machine
        const share = Math.max(1, n / navigator.hardwareConcurrency);
        line(n, mbit, sums[MLP], model, median(step), compute * share + model, sent, 2 * (n - 1) / n * MLP * 4);
      }
    } finally {
      await hosts.close();
    }
  }
}

/** Step times that the model gives; compute as measured for the MLP, and as assumed for ResNet-18. */
function forecast(compute: number): void {
  const nets = [["MLP, 64 items a host", MLP, compute], [
    "ResNet-18, 100 ms of compute a step",
    RESNET18,
    100,
  ]] as const;
  for (const [name, size, ms] of nets) {
    head(`model: ${name}`, "10 Gbit/s, ms a step", "efficiency", "100 Gbit/s, ms a step", "efficiency");
    for (const n of [2, 8, 64, 256, 1024]) {
      const slow = ms + allReduce(n, size * 4, { latency: 0.03, rate: 1.25e6 * 0.9 });
      const fast = ms + allReduce(n, size * 4, { latency: 0.01, rate: 1.25e7 * 0.9 });
      line(`${n} hosts`, slow, ms / slow, fast, ms / fast);
    }
  }
}

const compute = await local();
await network(compute);
forecast(compute);
