/**
 * Shared by the CPU device's tests: running a case, larger programs that are worth several threads, subprocesses.
 *
 * @module
 */
import type { Device } from "../../../src/device/contract.ts";
import { fillF32, fillInts } from "../../support/fill.ts";
import { CaseBuilder, type ProgramCase, sumTolerance, TOLERANCE } from "../../support/programs_builder.ts";

/** The bytes of all bound slots after one run of `testCase`. */
export async function resultBytes(device: Device, { program, bound, params }: ProgramCase): Promise<Uint8Array[]> {
  const buffers = bound.map((data) => device.alloc(Math.ceil(data.byteLength / 4) * 4));
  const executable = device.compile(program);
  try {
    bound.forEach((data, i) => device.write(buffers[i], 0, data));
    device.run(executable, buffers, params);
    return await device.read(bound.map((data, i) => ({ buffer: buffers[i], offset: 0, bytes: data.byteLength })));
  } finally {
    executable.dispose();
    buffers.forEach((buffer) => device.free(buffer));
  }
}

/** The first element in which two lists of results differ in their bits, in words; null if there is none. */
export function firstDifference(a: readonly Uint8Array[], b: readonly Uint8Array[]): string | null {
  for (let slot = 0; slot < a.length; slot++) {
    for (let i = 0; i < a[slot].length; i++) {
      if (a[slot][i] !== b[slot][i]) return `bound slot ${slot}, byte ${i}: ${a[slot][i]} and ${b[slot][i]}`;
    }
  }
  return null;
}

/** Programs large enough that the device wakes its threads; together they use every kind of kernel. */
export function largeCases(): ProgramCase[] {
  return [
    product("NN", [301, 517, 700]),
    product("NT", [517, 130, 300]),
    product("TN", [130, 517, 1030]),
    batchedProduct(),
    epilogue(),
    adam(),
    randoms(),
    softmax(),
    columnMoments(),
    longSum(),
    fewRows([40, 1003]),
    fewRows([2, 30001]),
    scatter(),
    segmentNorms(),
    guardedPatches(),
  ];
}

function product(layout: "NN" | "NT" | "TN", [m, n, k]: readonly number[]): ProgramCase {
  const c = new CaseBuilder(`large matmul ${layout} ${m} x ${n} x ${k}`, sumTolerance(k));
  const [x, w, y] = [c.input(fillF32(1, m * k)), c.input(fillF32(2, k * n)), c.output("f32", m * n)];
  const a = c.view(x, [m, k], { strides: layout[0] === "N" ? [k, 1] : [1, m] });
  const b = c.view(w, [k, n], { strides: layout[1] === "N" ? [n, 1] : [1, k] });
  return c.matmul({ m, n, k, a, b }, (body) => body.store(y, body.acc())).build();
}

function batchedProduct(): ProgramCase {
  const [batch, m, n, k] = [[3, 5], 70, 61, 90];
  const c = new CaseBuilder("large batched matmul, operand b shared by a batch axis", sumTolerance(k));
  const x = c.input(fillF32(3, 15 * m * k)), w = c.input(fillF32(4, 5 * k * n)), y = c.output("f32", 15 * m * n);
  const a = c.view(x, [...batch, m, k]);
  const b = c.view(w, [...batch, k, n], { strides: [0, k * n, n, 1] });
  return c.matmul({ batch, m, n, k, a, b }, (body) => {
    body.store(y, body.unary("tanh", body.acc()));
  }).build();
}

function epilogue(): ProgramCase {
  const [m, n, k] = [260, 390, 410];
  const c = new CaseBuilder("large matmul, bias and residual, also stored transposed", sumTolerance(k));
  const [x, w, bias, rest] = [m * k, k * n, n, m * n].map((size, i) => c.input(fillF32(5 + i, size)));
  const [y, t] = [c.output("f32", m * n), c.output("f32", m * n)];
  return c.matmul({ m, n, k, a: c.view(x, [m, k]), b: c.view(w, [k, n]) }, (body) => {
    const sum = body.binary("add", body.acc(), body.load(bias, { strides: [0, 1] }));
    const value = body.binary("max", body.binary("add", sum, body.load(rest)), body.const(0));
    body.store(y, value);
    body.store(t, value, { strides: [1, m] });
  }).build();
}

function adam(): ProgramCase {
  const n = 600007;
  const c = new CaseBuilder("large Adam step", TOLERANCE.rounded);
  const [p, m, v] = [9, 10, 11].map((seed) => c.inout(fillF32(seed, n).map(Math.abs)));
  const g = c.input(fillF32(12, n));
  const lr = c.words(Float32Array.of(1e-3));
  return c.map([n], (b) => {
    const grad = b.load(g);
    const mean = b.binary("add", b.binary("mul", b.load(m), b.const(0.9)), b.binary("mul", grad, b.const(0.1)));
    const square = b.binary("mul", b.binary("mul", grad, grad), b.const(0.001));
    const variance = b.binary("add", b.binary("mul", b.load(v), b.const(0.999)), square);
    const down = b.binary("add", b.unary("sqrt", variance), b.const(1e-8));
    const step = b.binary("mul", b.scalar(lr), b.binary("div", mean, down));
    b.store(m, mean);
    b.store(v, variance);
    b.store(p, b.binary("sub", b.load(p), step));
  }).build();
}

function randoms(): ProgramCase {
  const n = 200003;
  const c = new CaseBuilder("large normal and uniform numbers", TOLERANCE.normal);
  const seed = c.words(Uint32Array.of(0x12345678, 0x9abcdef0, 7));
  const [y, u] = [c.output("f32", n), c.output("f32", n)];
  return c.map([n], (b) => {
    b.store(y, b.random("normal", seed, seed + 2, b.coord()));
    b.store(u, b.random("uniform", seed, seed + 2, b.coord()));
  }).build();
}

function softmax(): ProgramCase {
  const [rows, columns] = [301, 1003];
  const c = new CaseBuilder("large softmax with its row sums", sumTolerance(columns));
  const [x, y, s] = [c.input(fillF32(13, rows * columns)), c.output("f32", rows * columns), c.output("f32", rows)];
  return c.reduce([rows], [columns], (b) => {
    const v = b.load(x);
    const e = b.unary("exp", b.binary("sub", v, b.reduce("max", v)));
    const sum = b.reduce("sum", e);
    b.store(y, b.binary("div", e, sum));
    b.store(s, sum, { strides: [1, 0], perRow: true });
  }).build();
}

function columnMoments(): ProgramCase {
  const [n, channels, area] = [64, 37, 121];
  const c = new CaseBuilder("large channel means and variances of [64, 37, 121]", sumTolerance(n * area));
  const x = c.input(fillF32(14, n * channels * area));
  const [mean, variance] = [c.output("f32", channels), c.output("f32", channels)];
  return c.reduce([channels], [n, area], (b) => {
    const v = b.load(x, { strides: [area, channels * area, 1] });
    const mu = b.binary("div", b.reduce("sum", v), b.const(n * area));
    const d = b.binary("sub", v, mu);
    b.store(mean, mu, { strides: [1, 0, 0], perRow: true });
    b.store(variance, b.reduce("sum", b.binary("mul", d, d)), { strides: [1, 0, 0], perRow: true });
  }).build();
}

function longSum(): ProgramCase {
  const n = 1_000_003;
  const c = new CaseBuilder("large sum to one number, and its largest element's place", sumTolerance(n));
  const [x, y, at] = [c.input(fillF32(15, n)), c.output("f32", 1), c.output("i32", 1)];
  return c.reduce([], [n], (b) => {
    const v = b.load(x);
    b.store(y, b.reduce("sum", v), { strides: [0], perRow: true });
    b.store(at, b.reduce("argmax", v), { strides: [0], perRow: true });
  }).build();
}

/** Three rows of every kind of fold, with ties and a NaN; one out is added to in place, one is scaled by an element of its row. */
function fewRows([lines, length]: readonly number[]): ProgramCase {
  const rows = 3, size = lines * length;
  const c = new CaseBuilder(`large folds of three rows of [${lines}, ${length}]`, sumTolerance(size));
  const data = fillF32(24, rows * size).map((v) => Math.round(v * 50) / 64);
  data[size + 7] = NaN;
  const x = c.input(data), scale = c.input(fillF32(25, rows)), total = c.inout(fillF32(26, rows));
  const outs = ["f32", "f32", "i32", "i32", "i32"] as const;
  const [most, product, at, last, counted] = outs.map((dtype) => c.output(dtype, rows));
  return c.reduce([rows], [lines, length], (b) => {
    const row = { strides: [1, 0, 0], perRow: true };
    const v = b.load(x), s = b.load(scale, { strides: [1, 0, 0] });
    b.store(total, b.binary("add", b.load(total, { strides: [1, 0, 0] }), b.reduce("sum", b.binary("mul", v, s))), row);
    b.store(most, b.reduce("max", v), row);
    b.store(product, b.reduce("prod", b.binary("add", b.const(1), b.binary("mul", v, b.const(1e-5)))), row);
    b.store(at, b.reduce("argmin", v), row);
    b.store(
      last,
      b.reduce("max", b.select(b.binary("gt", v, b.const(0.7)), b.coord([0, length, 1]), b.const(0, "i32"))),
      row,
    );
    b.store(counted, b.reduce("sum", b.cast(b.binary("gt", v, b.const(0)), "i32")), row);
  }).build();
}

function scatter(): ProgramCase {
  const [outer, n, inner, size] = [1, 5000, 65, 300];
  const c = new CaseBuilder("large scatterAdd of rows", sumTolerance(n));
  const src = c.view(c.input(fillF32(16, n * inner)), [outer, n, inner]);
  const index = c.view(c.input(fillInts(17, n, size)), [outer, n, inner], { strides: [0, 1, 0] });
  const out = c.view(c.output("f32", size * inner), [outer, size, inner]);
  return c.kernel({ op: "scatterAdd", outer, n, inner, size, src, index, out }).build();
}

function segmentNorms(): ProgramCase {
  const starts = [0, 7, 7, 100_000, 100_001, 400_000], n = 500_009;
  const c = new CaseBuilder("large segment sums of squares", sumTolerance(n));
  const [x, y] = [c.input(fillF32(18, n)), c.output("f32", starts.length)];
  return c.segmentSum(n, starts, (b) => {
    const v = b.load(x);
    b.store(y, b.binary("mul", v, v), { strides: [1] });
  }).build();
}

function guardedPatches(): ProgramCase {
  // patches of 3 x 3 with a border of zeros: [c, kh, kw, y, x] from [c, y, x]
  const [channels, height, width] = [16, 57, 61];
  const shape = [channels, 3, 3, height, width];
  const c = new CaseBuilder("large patches for a convolution", TOLERANCE.exact);
  const x = c.input(fillF32(19, channels * height * width)), y = c.output("f32", channels * 9 * height * width);
  return c.map(shape, (b) => {
    const guards = [
      { offset: -1, strides: [0, 1, 0, 1, 0], size: height },
      { offset: -1, strides: [0, 0, 1, 0, 1], size: width },
    ];
    b.store(y, b.load(x, { strides: [height * width, width, 1, width, 1], offset: -width - 1, guards }));
  }).build();
}

/** What a script, run by `deno run` with these permissions (none by default), wrote and how it ended. */
export async function runScript(
  body: string,
  timeoutMs: number,
  permissions: readonly string[] = [],
): Promise<{ readonly code: number; readonly output: string; readonly timedOut: boolean }> {
  const root = new URL("../../../", import.meta.url);
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, body.replaceAll("$ROOT", root.href));
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--no-prompt", ...permissions, "--config", new URL("deno.json", root).pathname, path],
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, timeoutMs);
    const { code, stdout, stderr } = await child.output();
    clearTimeout(timer);
    const decoder = new TextDecoder();
    return { code, output: decoder.decode(stdout) + decoder.decode(stderr), timedOut };
  } finally {
    await Deno.remove(path);
  }
}
