import { assert, assertEquals } from "@std/assert";
import type { Device, DeviceBuffer, Kernel, Program, View } from "../../../src/device/contract.ts";
import { fillF32 } from "../../support/fill.ts";
import { webgpuTest } from "../../support/webgpu.ts";

function view(slot: number, strides: number[], offset = 0): View {
  return { slot, dtype: "f32", offset, strides };
}

/** y = relu(x w + b), its row sums, and a scaled copy: one of each of the usual kernels. */
function layer(rows: number, wide: number, deep: number): Program {
  const kernels: Kernel[] = [
    {
      op: "matmul",
      batch: [],
      m: rows,
      n: wide,
      k: deep,
      a: view(1, [deep, 1]),
      b: view(2, [wide, 1]),
      body: [
        { k: "acc" },
        { k: "load", view: view(3, [0, 1]) },
        { k: "binary", op: "add", a: 0, b: 1 },
        { k: "const", value: 0, type: "f32" },
        { k: "binary", op: "max", a: 2, b: 3 },
      ],
      outs: [{ view: view(4, [wide, 1]), value: 4 }],
    },
    {
      op: "reduce",
      outer: [rows],
      inner: [wide],
      body: [{ k: "load", view: view(4, [wide, 1]) }, { k: "reduce", kind: "sum", a: 0 }],
      outs: [{ view: view(5, [1, 0]), value: 1, perRow: true }],
    },
    {
      op: "map",
      shape: [rows],
      body: [
        { k: "load", view: view(5, [1]) },
        { k: "const", value: 1 / rows, type: "f32" },
        { k: "binary", op: "mul", a: 0, b: 1 },
        { k: "scalar", word: 0, type: "f32" },
        { k: "binary", op: "mul", a: 2, b: 3 },
      ],
      outs: [{ view: view(6, [1]), value: 4 }],
    },
  ];
  const bound = (floats: number, written: boolean) => ({ bytes: floats * 4, kind: "bound" as const, written });
  return {
    label: `layer of ${rows} rows`,
    slots: [
      { bytes: 16, kind: "params", written: false },
      bound(rows * deep, false),
      bound(deep * wide, false),
      bound(wide, false),
      { bytes: rows * wide * 4, kind: "temporary", written: true },
      { bytes: rows * 4, kind: "temporary", written: true },
      bound(rows, true),
    ],
    kernels,
  };
}

function buffersOf(device: Device, program: Program): DeviceBuffer[] {
  return program.slots.filter(({ kind }) => kind === "bound").map(({ bytes }, i) => {
    const buffer = device.alloc(bytes);
    device.write(buffer, 0, fillF32(i + 1, bytes / 4));
    return buffer;
  });
}

const PARAMS = new Uint8Array(new Float32Array([0.5, 0, 0, 0]).buffer);

webgpuTest("a program in steady state makes no object on the device", (device) => {
  const program = layer(64, 256, 128);
  const executable = device.compile(program);
  const buffers = buffersOf(device, program);
  for (let i = 0; i < 20; i++) device.run(executable, buffers, PARAMS);
  const before = device.stats();
  for (let i = 0; i < 100; i++) device.run(executable, buffers, PARAMS);
  const { pipelines, bindings, buffers: made, programs, liveBytes, runs, submits, dispatches, writes } = device.stats();
  assertEquals([pipelines, bindings, made, programs, liveBytes], [
    before.pipelines,
    before.bindings,
    before.buffers,
    before.programs,
    before.liveBytes,
  ]);
  assertEquals([runs, dispatches, writes].map((n, i) => n - [before.runs, before.dispatches, before.writes][i]), [
    100,
    300,
    100,
  ]);
  assert(submits - before.submits <= 100);
  executable.dispose();
  buffers.forEach((buffer) => device.free(buffer));
});

webgpuTest("results that go round in buffers of the pool make no new bindings", (device) => {
  const program = layer(32, 64, 64);
  const executable = device.compile(program);
  const [x, w, b, out] = buffersOf(device, program);
  device.free(out);
  const step = () => {
    const y = device.alloc(out.bytes);
    device.run(executable, [x, w, b, y], PARAMS);
    device.free(y);
  };
  for (let i = 0; i < 20; i++) step();
  const before = device.stats();
  for (let i = 0; i < 20; i++) step();
  assertEquals(device.stats().bindings, before.bindings);
  assertEquals(device.stats().buffers, before.buffers);
  executable.dispose();
  [x, w, b].forEach((buffer) => device.free(buffer));
});

webgpuTest("a last, shorter batch compiles nothing new", async (device) => {
  const first = device.compile(layer(64, 256, 128));
  const before = device.stats().pipelines;
  for (const rows of [50, 37, 6]) {
    const program = layer(rows, 256, 128);
    const last = device.compile(program);
    assertEquals(device.stats().pipelines, before, `${rows} rows`);
    const buffers = buffersOf(device, program);
    device.run(last, buffers, PARAMS);
    const [bytes] = await device.read([{ buffer: buffers[3], offset: 0, bytes: rows * 4 }]);
    const got = new Float32Array(bytes.slice().buffer);
    const [x, w, b] = [[1, rows * 128], [2, 128 * 256], [3, 256]].map(([seed, n]) => fillF32(seed, n));
    for (const row of [0, rows >> 1, rows - 1]) {
      let sum = 0;
      for (let n = 0; n < 256; n++) {
        let acc = b[n];
        for (let k = 0; k < 128; k++) acc += x[row * 128 + k] * w[k * 256 + n];
        sum += Math.max(acc, 0);
      }
      const want = sum * 0.5 / rows;
      assert(Math.abs(got[row] - want) < 2e-4, `row ${row} of ${rows}: got ${got[row]}, want ${want}`);
    }
    last.dispose();
    buffers.forEach((buffer) => device.free(buffer));
  }
  first.dispose();
});

webgpuTest("kernels with fewer constants follow ones with more, in one pass", async (device) => {
  const square = (from: number, to: number, strides: number[]): Kernel => ({
    op: "map",
    shape: strides.map(() => 4),
    body: [{ k: "load", view: view(from, strides) }, { k: "binary", op: "mul", a: 0, b: 0 }],
    outs: [{ view: view(to, strides), value: 1 }],
  });
  const slot = { bytes: 1024, kind: "bound" as const, written: true };
  const program: Program = {
    label: "constants",
    slots: [{ bytes: 0, kind: "params", written: false }, slot, slot],
    kernels: [square(1, 2, [64, 2, 16, 8]), square(2, 1, [3])],
  };
  const buffers = buffersOf(device, program);
  const executable = device.compile(program);
  device.run(executable, buffers, new Uint8Array(0));
  const [bytes] = await device.read([{ buffer: buffers[0], offset: 0, bytes: 64 }]);
  const got = new Float32Array(bytes.slice().buffer);
  const [first, second] = [fillF32(1, 256), fillF32(2, 256)];
  // 0 and 6 are squares of slot 1, 3 and 9 what slot 2 held
  [first[0] ** 4, second[3] ** 2, first[6] ** 4, second[9] ** 2].forEach((w, i) =>
    assert(Math.abs(got[3 * i] - w) < 1e-6)
  );
  executable.dispose();
  buffers.forEach((buffer) => device.free(buffer));
});

webgpuTest("a look-up by a single segment, and by a constant, in a kernel of whole vectors", async (device) => {
  const look = (value: number, from: number) =>
    ({ k: "load", view: view(from, [0]), index: { value, stride: 1, size: 4 } }) as const;
  const program: Program = {
    label: "single segment",
    slots: [
      { bytes: 0, kind: "params", written: false },
      { bytes: 16, kind: "bound", written: false },
      { bytes: 64, kind: "bound", written: true },
    ],
    kernels: [{
      op: "map",
      shape: [16],
      body: [
        { k: "segment", starts: [0] },
        look(0, 1),
        { k: "const", value: 1, type: "i32" },
        look(2, 1),
        { k: "binary", op: "sub", a: 1, b: 3 },
      ],
      outs: [{ view: view(2, [1]), value: 4 }],
    }],
  };
  const buffers = buffersOf(device, program);
  const executable = device.compile(program);
  device.run(executable, buffers, new Uint8Array(0));
  const [bytes] = await device.read([{ buffer: buffers[1], offset: 0, bytes: 64 }]);
  const [x] = [fillF32(1, 4)];
  assertEquals([...new Float32Array(bytes.slice().buffer)], new Array(16).fill(Math.fround(x[0] - x[1])));
  executable.dispose();
  buffers.forEach((buffer) => device.free(buffer));
});

webgpuTest(
  "runs that are handed over together have their own parameters, and see writes in their order",
  async (device) => {
    const program = layer(16, 8, 8);
    const executable = device.compile(program);
    const [x, w, b, ...outs] = [...buffersOf(device, program), ...Array.from({ length: 11 }, () => device.alloc(64))];
    const scaleOf = (scale: number) => new Uint8Array(new Float32Array([scale, 0, 0, 0]).buffer);
    const results = () => device.read(outs.map((buffer) => ({ buffer, offset: 0, bytes: 64 })));
    outs.forEach((out, i) => device.run(executable, [x, w, b, out], scaleOf(i + 1)));
    const together = (await results()).map((bytes) => new Float32Array(bytes.slice().buffer));
    for (const [i, out] of outs.entries()) {
      device.run(executable, [x, w, b, out], scaleOf(i + 1));
      device.flush();
    }
    const alone = (await results()).map((bytes) => new Float32Array(bytes.slice().buffer));
    assertEquals(together, alone);
    assertEquals(together[3], together[0].map((value) => Math.fround(value * 4)));
    // what is written after a run is not seen by it, though it has not been handed over
    device.run(executable, [x, w, b, outs[0]], scaleOf(1));
    device.write(x, 0, new Float32Array(16 * 8));
    device.write(b, 0, new Float32Array(8));
    device.run(executable, [x, w, b, outs[1]], scaleOf(1));
    const [before, after] = (await results()).map((bytes) => new Float32Array(bytes.slice().buffer));
    assertEquals(before, together[0]);
    assertEquals(after, new Float32Array(16));
    // memory given back and taken again between two runs
    device.run(executable, [x, w, b, outs[2]], scaleOf(1));
    device.free(outs[2]);
    const again = device.alloc(64);
    device.write(again, 0, new Float32Array(16).fill(7));
    const [seven] = await device.read([{ buffer: again, offset: 0, bytes: 64 }]);
    assertEquals(new Float32Array(seven.slice().buffer), new Float32Array(16).fill(7));
    // a program that is given up right after its run
    device.run(executable, [x, w, b, outs[4]], scaleOf(1));
    executable.dispose();
    const [zeros] = await device.read([{ buffer: outs[4], offset: 0, bytes: 64 }]);
    assertEquals(new Float32Array(zeros.slice().buffer), new Float32Array(16));
    [x, w, b, again, ...outs.filter((_, i) => i !== 2)].forEach((buffer) => device.free(buffer));
  },
);

webgpuTest("a run that nobody looks at is handed over when the script's task is over", async (device) => {
  const program = layer(16, 8, 8);
  const executable = device.compile(program);
  const buffers = buffersOf(device, program);
  device.flush();
  const before = device.stats().submits;
  device.run(executable, buffers, PARAMS);
  assertEquals(device.stats().submits, before);
  await new Promise((wake) => setTimeout(wake, 0));
  assertEquals(device.stats().submits, before + 1);
  // ... not before others that wait for the same have had their turn: runs of one task go together
  for (let i = 0; i < 3; i++) {
    device.run(executable, buffers, PARAMS);
    await Promise.resolve();
  }
  assert(device.stats().submits <= before + 3);
  await new Promise((wake) => setTimeout(wake, 0));
  const all = device.stats().submits;
  assert(all > before + 1);
  await new Promise((wake) => setTimeout(wake, 5));
  assertEquals(device.stats().submits, all);
  executable.dispose();
  buffers.forEach((buffer) => device.free(buffer));
});
