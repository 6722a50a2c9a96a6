/**
 * Memory that is larger than what an adapter binds at once, and more than 65,535 workgroups. The adapter's limits are lowered, so
 * that small tensors meet them.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { DeviceError } from "../../../src/base/errors.ts";
import type { Kernel, Program, View } from "../../../src/device/contract.ts";
import type { LowerLimits } from "../../../src/device/webgpu/device.ts";
import { openWebgpu } from "../../../src/device/webgpu/mod.ts";
import { planProgram } from "../../../src/device/webgpu/planner.ts";
import { DataLoaders } from "../../../src/data/mod.ts";
import { session } from "../../../src/graph/session.ts";
import { Learner } from "../../../src/learner/mod.ts";
import * as nn from "../../../src/nn/mod.ts";
import { grad, ops, Parameter, readAll, setSeed, type Tensor, tensor } from "../../../src/tensor/mod.ts";
import { silentLogger } from "../../../src/train/mod.ts";
import { checkCase, compareElements, runConformance } from "../../support/conformance.ts";
import { type ProgramCase, programs } from "../../support/programs.ts";
import { sumTolerance } from "../../support/programs_builder.ts";
import { fillF32, fillInts } from "../../support/fill.ts";
import { sharedWebgpu, webgpuTest } from "../../support/webgpu.ts";

/** One program for each way a kernel is cut: by rows, within rows, by terms, by rows of a table, between segments. */
const CUT = [
  "map gather rows",
  "map in place with momentum",
  "map loads one range of a slot and stores another",
  "map segment, one of them empty, with a table lookup",
  "map over six axes of mixed strides",
  "reduce argmax of 100000 equal numbers but one",
  "reduce argmin of [3, 1027]",
  "reduce argmin with ties gives the first",
  "reduce max of 3x3 windows, 70x1x7x7 of them",
  "reduce softmax of [3, 5000]",
  "reduce softmax in place, and its log-sum per row",
  "reduce variance far from 0: two passes, not a difference of squares",
  "matmul TN m 10 n 64 k 513",
  "matmul NN m 2 n 3 k 5000",
  "matmul stores transposed, inside a larger slot",
  "matmul accumulates in place: c = c + a b",
  "matmul of memory that changes between two products",
  "conv bias and relu, stored where images lie",
  "conv gradient of the weight, depthwise",
  "scatterAdd along the middle",
  "scatterAdd in place, one index for a whole row",
  "segmentSum of 2100 in 300 segments, two outs",
  "segmentSum of 100003 in 2 segments, two outs",
  "gradient of attention of 67 rows, causal",
];

/** Programs with offsets that only a run knows. */
const MOVING = programs.filter(({ program }) => JSON.stringify(program).includes('"dyn":'));

for (const strategy of ["shared", "texel"] as const) {
  webgpuTest(`bindings of 8 KiB do for every kind of kernel (${strategy})`, async () => {
    const limits = { maxStorageBufferBindingSize: 2 ** 13, maxBufferSize: 2 ** 23 };
    const device = await openWebgpu({ strategy, limits });
    const only = strategy === "shared" ? CUT : CUT.filter((name) => /conv|matmul TN|changes/.test(name));
    await runConformance(device, { only: (name) => only.includes(name) });
    device.close();
  });
}

/** A case whose memory has its content at both ends, `by` elements apart; so far lies what is read and stored by dynamic offsets. */
function far(testCase: ProgramCase, by: number): ProgramCase {
  const { program, params } = testCase;
  const bound = testCase.bound.map((data) => {
    const long = new (data.constructor as Float32ArrayConstructor)(by + data.length);
    long.set(data as Float32Array);
    long.set(data as Float32Array, by);
    return long;
  });
  let next = 0;
  const slots = program.slots.map((slot) =>
    slot.kind === "bound" ? { ...slot, bytes: Math.ceil(bound[next++].byteLength / 16) * 16 } : slot
  );
  const words = new Uint32Array(params.slice().buffer).map((word) => word + by);
  return { ...testCase, program: { ...program, slots }, bound, params: new Uint8Array(words.buffer) };
}

webgpuTest(
  "what lies at an offset that only a run knows is read and stored in memory above the largest binding",
  async () => {
    const limits = { maxStorageBufferBindingSize: 2 ** 12, maxBufferSize: 2 ** 23 };
    const device = await openWebgpu({ strategy: "shared", limits });
    const cases = MOVING.map((each) => far(each, 5000));
    assertEquals(new Set(cases.map(({ program }) => program.kernels[0].op)).size, 4, "every kind that has one");
    const wrong: string[] = [];
    for (const each of cases) wrong.push(`${each.name}: ${await checkCase(device, each)}`);
    device.close();
    assertEquals(wrong.filter((line) => !line.endsWith(": null")), []);
  },
);

webgpuTest("more is read at once than a buffer holds, in the order that it was asked for", async () => {
  for (const awaits of [false, true]) {
    const device = await openWebgpu({ awaits, limits: { maxBufferSize: 4096 } });
    const data = [0, 1, 2].map((i) => Uint8Array.from({ length: 4096 }, (_, j) => i + j * 7));
    const ranges = data.map((bytes, i) => {
      const buffer = device.alloc(4096);
      device.write(buffer, 0, bytes);
      return { buffer, offset: 4 * i, bytes: 4096 - 8 * i };
    });
    const none = { buffer: ranges[0].buffer, offset: 0, bytes: 0 };
    const got = await device.read([ranges[0], none, ...ranges.slice(1)]);
    const want = data.map((bytes, i) => bytes.subarray(4 * i, 4096 - 4 * i));
    assertEquals(got.map((bytes) => [...bytes]), [want[0], new Uint8Array(0), ...want.slice(1)].map((b) => [...b]));
    assertThrows(() => device.alloc(4112), DeviceError, "one tensor has at most 4096");
    device.close();
  }
});

/** Computes on a device of lower limits what it does on the adapter's own. */
async function compareOn(limits: LowerLimits, compute: () => Promise<Float32Array[]>): Promise<void> {
  const whole = await sharedWebgpu();
  const device = await openWebgpu({ limits });
  const results: Float32Array[][] = [];
  try {
    for (const on of [whole, device]) {
      session.useDevice(on);
      results.push(await compute());
    }
  } finally {
    session.useDevice(whole);
    device.close();
  }
  const [want, got] = results;
  // sums of parts have another order
  want.forEach((numbers, i) => assertEquals(compareElements(got[i], numbers, sumTolerance(1000)), null, `${i}`));
}

webgpuTest(
  "tensors above the largest binding train, are looked up, reduced and read",
  () => compareOn({ maxStorageBufferBindingSize: 2 ** 18, maxBufferSize: 2 ** 21 }, trained),
);

webgpuTest(
  "what is joined, cut, gathered, scattered and convolved may be above the largest binding, and so may its gradients",
  () => compareOn({ maxStorageBufferBindingSize: 2 ** 12, maxBufferSize: 2 ** 22 }, joined),
);

/** Numbers that come of tables of 60 kB, each 15 times what is bound at once. */
async function joined(): Promise<Float32Array[]> {
  const parameter = (seed: number, ...shape: number[]) =>
    new Parameter(tensor(fillF32(seed, shape.reduce((a, b) => a * b)), { shape }));
  const [x, y, z] = [parameter(1, 300, 50), parameter(2, 300, 50), parameter(3, 4, 50)];
  const rows = tensor(Int32Array.from(fillInts(4, 20, 300)), { shape: [20] });
  const where = tensor(Int32Array.from(fillInts(5, 200, 300)), { shape: [4, 50] });
  const [weight, images] = [parameter(6, 16, 32, 3, 3), parameter(7, 2, 32, 6, 6)];
  const square = (t: Tensor) => t.mul(t).sum();
  const values = [
    ops.cat([x, y, x]),
    ops.stack([y, x]).sum({ axis: 0 }),
    x.slice([[5, 290], [3, 47]]),
    x.indexSelect(rows).mul(y.indexSelect(rows)), // more windows than are bound at once
    x.gather(where),
    y.scatterAdd(where, z),
    ops.conv2d(images, weight, { padding: 1 }),
  ];
  const loss = values.map(square).reduce((a, b) => a.add(b));
  const slopes = grad(loss, [x, y, z, weight, images]);
  return (await readAll([...values, ...slopes])).map((data) => Float32Array.from(data));
}

/** Numbers that come of data of 1.2 MB and a table of 400 kB. */
async function trained(): Promise<Float32Array[]> {
  setSeed(3);
  const n = 300, y = { data: Int32Array.from(fillInts(4, n, 3)), shape: [n] };
  const x = { data: fillF32(5, n * 1000), shape: [n, 1000] };
  const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 50, seed: 2 });
  const learn = new Learner(dls, new nn.Linear(1000, 3), {
    lossFunc: new nn.CrossEntropyLoss(),
    logger: silentLogger,
  });
  await learn.fit(1);
  const table = new Parameter(tensor(fillF32(6, 1000 * 100), { shape: [1000, 100] }));
  const other = tensor(fillF32(7, 1000 * 100), { shape: [1000, 100] });
  const ids = tensor(Int32Array.from([0, 999, 5, 500, 999]), { shape: [5] });
  const rows = table.indexSelect(ids);
  const [slope] = grad(rows.mul(rows).sum(), [table]);
  const numbers = [
    rows,
    slope,
    table.sum(),
    table.max({ axis: 0 }),
    table.softmax({ axis: 0 }),
    table.sum({ axis: 1 }),
    table.transpose().matmul(other),
  ];
  return [...await readAll(learn.model.parameters()), ...await readAll(numbers)].map((data) => Float32Array.from(data));
}

const view = (slot: number, strides: readonly number[], more: Partial<View> = {}): View => ({
  ...{ slot, dtype: "f32", offset: 0, strides },
  ...more,
});

function programOf(slots: readonly number[], kernel: Kernel): Program {
  const bound = slots.map((bytes) => ({ bytes, kind: "bound" as const, written: true }));
  return { label: "large", slots: [{ bytes: 16, kind: "params", written: false }, ...bound], kernels: [kernel] };
}

Deno.test("no grid has more than 65,535 workgroups along an axis, nor a binding more than 128 MiB", () => {
  const rows = 5_000_000, width = 40, long = rows * width * 4;
  const [x, y] = [view(1, [width, 1]), view(2, [width, 1])];
  const load = [{ k: "load", view: x }] as const;
  const kernels: Kernel[] = [
    { op: "map", shape: [rows, width], body: load, outs: [{ view: y, value: 0 }] },
    {
      op: "reduce",
      outer: [rows],
      inner: [width],
      body: [...load, { k: "reduce", kind: "sum", a: 0 }],
      outs: [{ view: view(2, [1, 0]), value: 1, perRow: true }],
    },
    {
      op: "matmul",
      ...{ batch: [], m: rows, n: width, k: width, a: x, b: view(3, [width, 1]) },
      body: [{ k: "acc" }],
      outs: [{ view: y, value: 0 }],
    },
    {
      op: "matmul",
      ...{ batch: [], m: width, n: width, k: rows, a: view(1, [1, width]), b: view(2, [width, 1]) },
      body: [{ k: "acc" }],
      outs: [{ view: view(3, [width, 1]), value: 0 }],
    },
    {
      op: "conv",
      ...{ groups: 1, m: 8, k: [8, 3], n: [200, 100_000] },
      a: view(3, [0, 24, 3, 1]),
      b: view(1, [0, 100_000, 1, 800_000, 1]),
      guards: [{ offset: -1, strides: [0, 0, 1, 0, 1], size: 100_000 }],
      body: [{ k: "acc" }],
      outs: [{ view: view(2, [0, 100_000, 800_000, 1]), value: 0 }],
    },
    {
      op: "scatterAdd",
      ...{ outer: 1, n: rows, inner: width, size: rows },
      ...{ src: view(1, [0, width, 1]), index: view(3, [0, 1, 0], { dtype: "i32" }), out: view(2, [0, width, 1]) },
    },
    {
      op: "segmentSum",
      n: rows,
      starts: Array.from({ length: rows / 50 }, (_, i) => 50 * i),
      body: [{ k: "load", view: view(1, [1]) }],
      outs: [{ view: view(2, [1]), value: 0 }],
    },
  ];
  const limits = { bytes: 2 ** 27, count: 8 }, profile = { maxSlotsPerKernel: 8, maxBufferBytes: 2 ** 32 };
  for (const kernel of kernels) {
    for (const strategy of ["shared", "register", "texel"] as const) {
      const program = programOf([long, long, 2 ** 25], kernel);
      const { dispatches, extra } = planProgram(program, { profile, strategy: () => strategy, limits });
      const bytes = [...program.slots, ...extra].map((slot) => "bytes" in slot ? slot.bytes : 0);
      for (const { grid, bindings, label } of dispatches) {
        assert(Math.max(...grid) <= 65535, `${label}: ${grid}`);
        for (const { slot, texture } of bindings) {
          if (texture === undefined) assert(bytes[slot] <= limits.bytes, `${label} binds ${bytes[slot]} bytes`);
        }
      }
    }
  }
});

Deno.test("what cannot be cut is refused by the limit's name", () => {
  const limits = { bytes: 2 ** 12, count: 3 }, profile = { maxSlotsPerKernel: 8, maxBufferBytes: 2 ** 20 };
  const plan = (program: Program) => planProgram(program, { profile, strategy: () => "shared", limits });
  // the row is known within the kernel alone
  const looked: Kernel = {
    op: "reduce",
    outer: [4],
    inner: [4],
    body: [
      { k: "load", view: view(3, [4, 1]) },
      { k: "reduce", kind: "argmax", a: 0 },
      { k: "load", view: view(1, [0, 0]), index: { value: 1, stride: 1, size: 4096 } },
    ],
    outs: [{ view: view(2, [1, 0]), value: 2, perRow: true }],
  };
  assertThrows(() => plan(programOf([2 ** 14, 64, 64], looked)), DeviceError, "maxStorageBuffersPerShaderStage, got 7");
});
