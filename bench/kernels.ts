/**
 * Speed of the devices' kernels: products in GFLOP/s, the others in nanoseconds an element.
 *
 *     deno run -A bench/kernels.ts [threads | strategy ...] [wasm] [names ...]
 *
 * Numbers are threads of the CPU device (1 and 2 by default), which computes products by machine code where it can, with `wasm` by
 * WebAssembly; what one thread can do at most is printed first. `auto`, `register`, `texel` and `shared` are strategies of
 * kernels on WebGPU, which come with the adapter's own ceiling. With names as arguments, only what contains one of them,
 * such as `conv`. Each figure is the median of 9: of blocks of about 60 ms on the CPU, of runs timed by the adapter on
 * WebGPU. Other work on the machine's cores lowers the figures.
 *
 * @module
 */
import { openCpu } from "../src/device/cpu/mod.ts";
import { openAdapter } from "../src/device/webgpu/adapter.ts";
import { WebgpuDevice } from "../src/device/webgpu/device.ts";
import { openWebgpu } from "../src/device/webgpu/mod.ts";
import { ceiling } from "./ceiling.ts";
import { cpuCeilings } from "./ceiling_cpu.ts";
import { type ConvWork, forward, inputGradient, LAYERS, weightGradient } from "./kernels_conv.ts";
import { STRATEGIES } from "../src/device/webgpu/kernels/plan.ts";
import type { Device, Inst, Kernel, Slot, View } from "../src/device/contract.ts";

/** Seconds for one call of `go`: the median of 9 blocks. */
function seconds(go: () => void): number {
  const warm = performance.now();
  let calls = 0;
  for (; performance.now() - warm < 150 || calls < 3; calls++) go();
  const each = (performance.now() - warm) / calls, count = Math.max(1, Math.round(60 / each));
  const blocks = Array.from({ length: 9 }, () => {
    const start = performance.now();
    for (let i = 0; i < count; i++) go();
    return (performance.now() - start) / count;
  });
  return blocks.sort((a, b) => a - b)[4] / 1000;
}

/** Seconds for one run of kernels over bound f32 slots of `lengths` elements, numbered from 1. */
async function timeKernels(device: Device, lengths: readonly number[], kernels: readonly Kernel[]): Promise<number> {
  const slots = lengths.map((n): Slot => ({ kind: "bound", bytes: n * 4, written: true }));
  const program = { label: "bench", slots: [{ kind: "params", bytes: 16, written: false } as Slot, ...slots], kernels };
  const executable = device.compile(program);
  const buffers = lengths.map((n) => {
    const buffer = device.alloc(n * 4);
    device.write(buffer, 0, Float32Array.from({ length: n }, (_, i) => ((i * 7919) % 1000) / 1000 + 0.001));
    return buffer;
  });
  const params = new Uint8Array(16);
  let time: number;
  if (device instanceof WebgpuDevice) {
    const runs: number[] = [];
    for (let i = 0; i < 10; i++) {
      const dispatches = await device.timeDispatches(executable, buffers, params);
      if (i > 0) runs.push(dispatches.reduce((sum, { timeMs }) => sum + timeMs / 1000, 0));
    }
    time = runs.sort((a, b) => a - b)[4];
  } else {
    time = seconds(() => device.run(executable, buffers, params));
  }
  executable.dispose();
  buffers.forEach((buffer) => device.free(buffer));
  return time;
}

const view = (slot: number, strides: readonly number[]): View => ({ slot, dtype: "f32", offset: 0, strides });
const load = (slot: number, strides: readonly number[]): Inst => ({ k: "load", view: view(slot, strides) });
const binary = (op: "add" | "sub" | "mul" | "div" | "max", a: number, b: number): Inst => ({ k: "binary", op, a, b });

type Layout = "NN" | "NT" | "TN";

async function gflops(
  device: Device,
  layout: Layout,
  [m, n, k]: readonly number[],
  relu = false,
): Promise<number> {
  const body: Inst[] = [{ k: "acc" }];
  if (relu) body.push(load(4, [0, 1]), binary("add", 0, 1), { k: "const", value: 0, type: "f32" }, binary("max", 2, 3));
  const kernel: Kernel = {
    op: "matmul",
    batch: [],
    m,
    n,
    k,
    a: view(1, layout[0] === "N" ? [k, 1] : [1, m]),
    b: view(2, layout[1] === "N" ? [n, 1] : [1, k]),
    body,
    outs: [{ view: view(3, [n, 1]), value: body.length - 1 }],
  };
  return 2e-9 * m * n * k / await timeKernels(device, [m * k, k * n, m * n, n], [kernel]);
}

/** p, m, v and g of `n` elements: Adam with its three outputs. */
function adam(n: number): Kernel {
  const body: Inst[] = [load(1, [1]), load(2, [1]), load(3, [1]), load(4, [1])];
  const push = (inst: Inst) => body.push(inst) - 1;
  const constant = (value: number) => push({ k: "const", value, type: "f32" });
  const mean = push(binary("add", push(binary("mul", 1, constant(0.9))), push(binary("mul", 3, constant(0.1)))));
  const square = push(binary("mul", push(binary("mul", 3, 3)), constant(1e-3)));
  const variance = push(binary("add", push(binary("mul", 2, constant(0.999))), square));
  const down = push(binary("add", push({ k: "unary", op: "sqrt", a: variance }), constant(1e-8)));
  const step = push(binary("mul", constant(1e-3), push(binary("div", mean, down))));
  const p = push(binary("sub", 0, step));
  const outs = [[1, p], [2, mean], [3, variance]].map(([slot, value]) => ({ view: view(slot, [1]), value }));
  return { op: "map", shape: [n], body, outs };
}

function unary(op: "exp" | "tanh" | "log", n: number): Kernel {
  const body: Inst[] = [load(1, [1]), { k: "unary", op, a: 0 }];
  return { op: "map", shape: [n], body, outs: [{ view: view(2, [1]), value: 1 }] };
}

function softmax(rows: number, n: number): Kernel {
  const body: Inst[] = [
    load(1, [n, 1]),
    { k: "reduce", kind: "max", a: 0 },
    binary("sub", 0, 1),
    { k: "unary", op: "exp", a: 2 },
    { k: "reduce", kind: "sum", a: 3 },
    binary("div", 3, 4),
  ];
  return { op: "reduce", outer: [rows], inner: [n], body, outs: [{ view: view(2, [n, 1]), value: 5, perRow: false }] };
}

function sum(outer: readonly number[], inner: readonly number[], strides: readonly number[]): Kernel {
  const body: Inst[] = [load(1, strides), { k: "reduce", kind: "sum", a: 0 }];
  const store = [...outer.map(() => 1), ...inner.map(() => 0)];
  return { op: "reduce", outer, inner, body, outs: [{ view: view(2, store), value: 1, perRow: true }] };
}

/** Patches of 3 x 3 with a border of zeros, [c, kh, kw, h, w]. */
function patches(c: number, h: number, w: number): Kernel {
  const guards = [
    { offset: -1, strides: [0, 1, 0, 1, 0], size: h },
    { offset: -1, strides: [0, 0, 1, 0, 1], size: w },
  ];
  const from: View = { ...view(1, [h * w, w, 1, w, 1]), offset: -w - 1 };
  const shape = [c, 3, 3, h, w], strides = [9 * h * w, 3 * h * w, h * w, w, 1];
  return { op: "map", shape, body: [{ k: "load", view: from, guards }], outs: [{ view: view(2, strides), value: 0 }] };
}

/** The largest elements of 3x3 windows, stride 2, with a border of 1, of `n` images of `size` x `size`. */
function maxPool(n: number, size: number): Kernel {
  const out = size / 2;
  const guards = [
    { offset: -1, strides: [0, 2, 0, 1, 0], size },
    { offset: -1, strides: [0, 0, 2, 0, 1], size },
  ];
  const x: View = { ...view(1, [size * size, 2 * size, 2, size, 1]), offset: -size - 1 };
  const body: Inst[] = [
    { k: "load", view: x, guards },
    { k: "load", view: view(3, [0, 0, 0, 0, 0]), guards },
    { k: "const", value: 0, type: "f32" },
    { k: "binary", op: "gt", a: 1, b: 2 },
    { k: "const", value: -Infinity, type: "f32" },
    { k: "select", cond: 3, a: 0, b: 4 },
    { k: "reduce", kind: "max", a: 5 },
  ];
  const outs = [{ view: view(2, [out * out, out, 1, 0, 0]), value: 6, perRow: true }];
  return { op: "reduce", outer: [n, out, out], inner: [3, 3], body, outs };
}

const counts = Deno.args.filter((arg) => /^\d+$/.test(arg)).map(Number);
const strategies = (["auto", ...STRATEGIES] as const).filter((strategy) => Deno.args.includes(strategy));
if (counts.length + strategies.length === 0) counts.push(1, 2);
const wasm = Deno.args.includes("wasm");
const names = Deno.args.filter((arg) =>
  arg !== "wasm" && !/^\d+$/.test(arg) && !strategies.some((strategy) => strategy === arg)
);
const devices: Device[] = [
  ...counts.map((threads) => openCpu({ threads, ...(wasm ? { native: false } : {}) })),
  ...await Promise.all(strategies.map((strategy) => openWebgpu({ strategy }))),
];
const row = async (name: string, unit: string, measure: (device: Device) => Promise<number>) => {
  if (names.length > 0 && !names.some((part) => name.includes(part))) return;
  const figures: string[] = [];
  for (const device of devices) figures.push((await measure(device)).toPrecision(3).padStart(9));
  console.log(`${name.padEnd(44)}${figures.join("")}  ${unit}`);
};

if (strategies.length > 0) {
  const { device, name } = await openAdapter({});
  const { gflops, gbytes } = await ceiling(device);
  console.log(`${name}: at most ${gflops.toPrecision(3)} GFLOP/s, copies ${gbytes.toPrecision(3)} GB/s`);
  device.destroy();
}
if (counts.length > 0) {
  const text = cpuCeilings().map(({ name, gflops }) => `${name} ${gflops.toPrecision(3)}`).join(", ");
  console.log(`at most, GFLOP/s a thread: ${text}`);
}
const heads = [...counts.map((count) => `${count} thr`), ...strategies].map((head) => head.padStart(9));
console.log(devices[0].name.padEnd(44) + heads.join(""));
for (const size of [128, 512, 1024]) {
  for (const layout of ["NN", "NT", "TN"] as const) {
    await row(`matmul ${layout} ${size}`, "GFLOP/s", (d) => gflops(d, layout, [size, size, size]));
  }
}
await row("fw1 NN 64 x 512 x 784, bias and relu", "GFLOP/s", (d) => gflops(d, "NN", [64, 512, 784], true));
await row("dW1 TN 784 x 512 x 64", "GFLOP/s", (d) => gflops(d, "TN", [784, 512, 64]));
await row("dH1 NT 64 x 512 x 256", "GFLOP/s", (d) => gflops(d, "NT", [64, 512, 256]));
await row("fw3 NN 64 x 10 x 256", "GFLOP/s", (d) => gflops(d, "NN", [64, 10, 256]));
await row("dW3 TN 256 x 10 x 64", "GFLOP/s", (d) => gflops(d, "TN", [256, 10, 64]));
await row("dH2 NT 64 x 256 x 10", "GFLOP/s", (d) => gflops(d, "NT", [64, 256, 10]));
await row("m = 1, NN 1 x 512 x 512", "GFLOP/s", (d) => gflops(d, "NN", [1, 512, 512]));
await row("n = 1, NN 512 x 1 x 512", "GFLOP/s", (d) => gflops(d, "NN", [512, 1, 512]));
const speed = async (d: Device, { kernel, lengths, flops }: ConvWork) =>
  1e-9 * flops / await timeKernels(d, lengths, [kernel]);
for (const [name, layer] of LAYERS) {
  await row(`conv ${name}`, "GFLOP/s", (d) => speed(d, forward(layer)));
  await row(`conv ${name}, bias and relu`, "GFLOP/s", (d) => speed(d, forward(layer, true)));
  await row(`conv ${name}, dW`, "GFLOP/s", (d) => speed(d, weightGradient(layer)));
  if ((layer.stride ?? 1) === 1) await row(`conv ${name}, dX`, "GFLOP/s", (d) => speed(d, inputGradient(layer)));
}
for (const n of [4096, 1 << 19]) {
  await row(`Adam of ${n}`, "ns/element", async (d) => 1e9 * await timeKernels(d, [n, n, n, n], [adam(n)]) / n);
}
for (const op of ["exp", "log", "tanh"] as const) {
  await row(
    `${op} of 65536`,
    "ns/element",
    async (d) => 1e9 * await timeKernels(d, [65536, 65536], [unary(op, 65536)]) / 65536,
  );
}
await row(
  "softmax [64, 10]",
  "ns/element",
  async (d) => 1e9 * await timeKernels(d, [640, 640], [softmax(64, 10)]) / 640,
);
await row(
  "softmax [256, 1000]",
  "ns/element",
  async (d) => 1e9 * await timeKernels(d, [256e3, 256e3], [softmax(256, 1000)]) / 256e3,
);
await row(
  "row sums [1000, 1000]",
  "ns/element",
  async (d) => 1e3 * await timeKernels(d, [1e6, 1e3], [sum([1000], [1000], [1000, 1])]),
);
await row(
  "column sums [1000, 1000]",
  "ns/element",
  async (d) => 1e3 * await timeKernels(d, [1e6, 1e3], [sum([1000], [1000], [1, 1000])]),
);
await row(
  "batch sums [16, 64, 256]",
  "ns/element",
  async (d) => 1e9 / 2 ** 18 * await timeKernels(d, [2 ** 18, 64], [sum([64], [16, 256], [256, 64 * 256, 1])]),
);
await row(
  "max pool 3x3, stride 2, [1024, 32, 32]",
  "ns/element",
  async (d) => 1e9 / 2 ** 20 * await timeKernels(d, [2 ** 20, 2 ** 18, 1], [maxPool(1024, 32)]),
);
await row("sum of 1e6", "ns/element", async (d) => 1e3 * await timeKernels(d, [1e6, 1], [sum([], [1e6], [1])]));
await row(
  "patches [64, 3, 3, 28, 28]",
  "ns/element",
  async (d) => 1e9 * await timeKernels(d, [64 * 784, 64 * 9 * 784], [patches(64, 28, 28)]) / (64 * 9 * 784),
);
await row(
  "five tiny maps",
  "us/run",
  async (d) => 1e6 * await timeKernels(d, [16, 16, 16, 16], Array(5).fill(adam(16))),
);
devices.forEach((device) => device.close());
