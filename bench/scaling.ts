/**
 * Training in several processes, measured: what the callback costs, what two processes gain, what goes over the network,
 * and how far a simple model of a step's time is from what is measured between network namespaces. Prints Markdown.
 *
 * `deno run -A bench/scaling.ts [local] [network] [overlap] [forecast]`: all four by default. Needs MPICH, and root for the
 * namespaces. Only ratios mean something on a busy machine.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { init } from "../mod.ts";
import { subjectOf } from "./anneal.ts";
import { type Hosts, hostsPossible, openHosts } from "../tests/distrib/hosts.ts";
import type { RankReport, RankTask } from "./scaling_rank.ts";

const MLP = 535_824, RESNET18 = 11_689_512;
/** How often the processes that are compared run, in turn. */
const ROUNDS = 5;
const TASK: RankTask = { net: "mlp", bs: 64, threads: 1, steps: 100, blocks: 6, distributed: true, sums: [] };

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
 * Milliseconds that adding up `bytes` takes on `n` hosts. Part by part (reduce-scatter by pairs and all-gather in a ring,
 * while parts are long): `2 (n - 1)` messages, `2 (n - 1) / n` of the bytes. Else by halving and doubling (Thakur,
 * Rabenseifner and Gropp 2005): `2 log2 n` messages, as many bytes, and links that idle for part of the time.
 */
function allReduce(n: number, bytes: number, { latency, rate }: Link): number {
  const moving = 2 * (n - 1) / n * bytes / rate;
  return bytes / n >= 2 ** 16 ? 2 * (n - 1) * latency + moving : 2 * Math.log2(n) * latency + HALVING_IDLE * moving;
}

/** Time of MPICH's own sum over that of its bytes: 1.7 on 4 and on 8 hosts, 100 Mbit/s. */
const HALVING_IDLE = 1.7;

/** Three digits of a number, all of them where it is a large one or whole. */
function digits(v: number): string {
  return Number.isInteger(v) || v >= 1000 ? v.toFixed(0) : v.toPrecision(3);
}

function line(...cells: readonly (string | number)[]): void {
  console.log(`| ${cells.map((c) => typeof c === "number" ? digits(c) : c).join(" | ")} |`);
}

function head(...cells: readonly string[]): void {
  console.log();
  line(...cells);
  line(...cells.map(() => "---"));
}

/** One figure of each round, as text: the median, and from where to where they went. */
function spread(values: readonly number[]): string {
  return `${digits(median(values))} (${digits(Math.min(...values))} to ${digits(Math.max(...values))})`;
}

async function local(): Promise<void> {
  const callback: number[] = [], threads: number[] = [], ranks: number[] = [], silent: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const one = await run(1, { distributed: "both", blocks: 11 });
    one.step.forEach((ms, i) => callback.push(ms / one.alone[i]));
    threads.push(median((await run(1, { threads: 2, distributed: false })).step));
    ranks.push(median((await run(2, { bs: 32 })).step));
    silent.push(median((await run(2, { bs: 32, distributed: false })).step));
  }
  head("one machine, MLP 784-512-256-10, Adam, 64 items a step in all", `median (and range) of ${ROUNDS} rounds`);
  line("1 rank: a step with `DistributedTrainer` over one without, pairs of epochs in turn", median(callback));
  line("1 rank, 2 threads, ms", spread(threads));
  line("2 ranks of 1 thread, 32 items each, ms", spread(ranks));
  line("the same without talking to each other, ms", spread(silent));
  line("2 ranks over 2 threads: speed", spread(threads.map((ms, i) => ms / ranks[i])));
  line("... if talking took no time", spread(threads.map((ms, i) => ms / silent[i])));
  const { sums } = await run(2, { blocks: 0, sums: [16, MLP, RESNET18] });
  head("adding up in place, 2 ranks, shared memory", "ms");
  line("16 floats", sums[16]);
  line(`${MLP} floats (the MLP)`, sums[MLP]);
  line(`${RESNET18} floats (ResNet-18)`, sums[RESNET18]);
}

/** Milliseconds of a step of the MLP on one thread. */
async function computeOf(bs: number): Promise<number> {
  return median((await run(1, { bs, distributed: false })).step);
}

async function network(): Promise<void> {
  const compute = await computeOf(64);
  const bytes = MLP * 4;
  head("hosts", "Mbit/s", "delay, ms", "sum, ms", "model", "step, ms", "model", "bytes a host and step", "model");
  // the switch that delays is a program, too slow for wider links
  for (const [mbit, delayMs] of [[1000, 0], [100, 0], [100, 1], [100, 5]]) {
    let latency = 0;
    for (const n of [2, 4]) {
      const hosts = await openHosts(n, { delayMs });
      try {
        await hosts.narrow(mbit);
        const { sums } = await run(n, { blocks: 0, sums: [16, MLP] }, hosts);
        if (n === 2) latency = sums[16]; // one message each way, at once
        const before = await hosts.sent(0);
        const steps = mbit === 100 ? 10 : 30;
        const { step } = await run(n, { bs: 64, steps, blocks: 3 }, hosts);
        const sent = (await hosts.sent(0) - before) / (steps * 3);
        const model = allReduce(n, bytes, { latency, rate: mbit * 125 * 0.955 }); // headers of TCP, IP, Ethernet
        // hosts here share the processors of one machine
        const share = Math.max(1, n / navigator.hardwareConcurrency);
        const meeting = Math.log2(n) * latency;
        const expected = compute * share + meeting + model;
        line(n, mbit, delayMs, sums[MLP], model, median(step), expected, sent, 2 * (n - 1) / n * bytes);
      } finally {
        await hosts.close();
      }
    }
  }
}

/** What it brings to add up gradients while others are computed: where most are computed early, and where they are not. */
async function overlap(): Promise<void> {
  head("net", "hosts", "Mbit/s", "not talking, ms", "sum after, ms", "sum beside, ms", "speed, pairs in turn");
  const mlp: Partial<RankTask> = { net: "mlp", bs: 64, steps: 20, blocks: 4 };
  const resnet: Partial<RankTask> = { net: "resnet18", bs: 16, steps: 4, blocks: 4 };
  for (const [task, n, mbit] of [[resnet, 2, 1000], [resnet, 4, 1000], [mlp, 2, 1000]] as const) {
    const hosts = await openHosts(n);
    try {
      await hosts.narrow(mbit);
      const silent: number[] = [], after: number[] = [], beside: number[] = [];
      for (let round = 0; round < 3; round++) {
        silent.push(median((await run(n, { ...task, distributed: false }, hosts)).step));
        after.push(median((await run(n, { ...task, overlap: false }, hosts)).step));
        beside.push(median((await run(n, { ...task, overlap: true }, hosts)).step));
      }
      const speed = spread(after.map((ms, i) => ms / beside[i]));
      line(task.net!, n, mbit, spread(silent), spread(after), spread(beside), speed);
    } finally {
      await hosts.close();
    }
  }
}

/** Step times that the model gives, with compute as measured here on one thread. */
async function forecast(): Promise<void> {
  await init({ device: "cpu", threads: 1 });
  const resnet = await subjectOf("resnet18");
  await resnet.run(3);
  const start = performance.now();
  const steps = await resnet.run(5);
  const ms = (performance.now() - start) / steps;
  const nets = [
    ["MLP, 64 items a host", MLP, await computeOf(64)],
    ["ResNet-18, 16 pictures of 64 x 64 a host", RESNET18, ms],
  ] as const;
  for (const [name, size, ms] of nets) {
    head(
      `model: ${name}, ${ms.toPrecision(3)} ms of compute`,
      "10 Gbit/s, ms a step",
      "efficiency",
      "100 Gbit/s, ms a step",
      "efficiency",
    );
    for (const n of [2, 8, 64, 256, 1024]) {
      const slow = ms + allReduce(n, size * 4, { latency: 0.03, rate: 1.25e6 * 0.9 });
      const fast = ms + allReduce(n, size * 4, { latency: 0.01, rate: 1.25e7 * 0.9 });
      line(`${n} hosts`, slow, ms / slow, fast, ms / fast);
    }
  }
}

/** A part that is measured between network namespaces. */
function betweenHosts(part: () => Promise<void>): () => Promise<void> {
  return async () => {
    const why = await hostsPossible();
    if (why === null) await part();
    else console.log(`\nNo network namespaces here: ${why}`);
  };
}

const PARTS = { local, network: betweenHosts(network), overlap: betweenHosts(overlap), forecast };
for (const [name, part] of Object.entries(PARTS)) if (Deno.args.length === 0 || Deno.args.includes(name)) await part();
