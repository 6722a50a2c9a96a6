import { assertEquals } from "@std/assert";
import type {
  Device,
  DeviceBuffer,
  Kernel,
  MapKernel,
  MatmulKernel,
  Program,
  View,
} from "../../../src/device/contract.ts";
import type { CpuOptions } from "../../../src/device/cpu/device.ts";
import { openCpu } from "../../../src/device/cpu/mod.ts";
import { packedOperands } from "../../../src/device/cpu/packed_operand.ts";
import { fillF32 } from "../../support/fill.ts";
import { LEVELS } from "./native/support.ts";

const [A, W, Y] = [1, 2, 3], STEPS = 4;

function view(slot: number, strides: readonly number[], offset = 0): View {
  return { slot, dtype: "f32", offset, strides };
}

interface Size {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Whether the rows of W lie along memory, or its columns. */
  readonly turned: boolean;
}

/** `Y[t] = A[t] W` for four steps, W being doubled after the second; the last with an epilogue. */
function steps({ m, n, k, turned }: Size): Program {
  const products = Array.from({ length: STEPS }, (_, t): MatmulKernel => ({
    op: "matmul",
    batch: [],
    m,
    n,
    k,
    a: view(A, [k, 1], t * m * k),
    b: view(W, turned ? [1, k] : [n, 1]),
    body: t < STEPS - 1 ? [{ k: "acc" }] : [{ k: "acc" }, { k: "unary", op: "neg", a: 0 }],
    outs: [{ view: view(Y, [n, 1], t * m * n), value: t < STEPS - 1 ? 0 : 1 }],
  }));
  const doubled: MapKernel = {
    op: "map",
    shape: [k * n],
    body: [{ k: "load", view: view(W, [1]) }, { k: "binary", op: "add", a: 0, b: 0 }],
    outs: [{ view: view(W, [1]), value: 1 }],
  };
  const bound = (size: number, written: boolean) => ({ kind: "bound", bytes: size * 4, written } as const);
  const slots = [bound(STEPS * m * k, false), bound(k * n, true), bound(STEPS * m * n, true)];
  const kernels: Kernel[] = [...products.slice(0, 2), doubled, ...products.slice(2)];
  return { label: "steps", slots: [{ kind: "params", bytes: 16, written: false }, ...slots], kernels };
}

/** The bits of Y after two runs of each of `programs`, one after the other. */
async function run(device: Device, { m, n, k }: Size, programs: readonly Program[]): Promise<Uint8Array> {
  const buffers: DeviceBuffer[] = programs[0].slots.slice(1).map(({ bytes }) => device.alloc(bytes));
  device.write(buffers[0], 0, fillF32(1, STEPS * m * k));
  device.write(buffers[1], 0, fillF32(2, k * n));
  const executables = programs.map((program) => device.compile(program));
  for (let time = 0; time < 2; time++) for (const e of executables) device.run(e, buffers, new Uint8Array(16));
  const [bytes] = await device.read([{ buffer: buffers[2], offset: 0, bytes: STEPS * m * n * 4 }]);
  executables.forEach((e) => e.dispose());
  buffers.forEach((buffer) => device.free(buffer));
  return bytes;
}

const SIZES: Size[] = [
  { m: 32, n: 256, k: 300, turned: true },
  { m: 3, n: 33, k: 513, turned: false },
  { m: 17, n: 17, k: 40, turned: true },
  { m: 101, n: 130, k: 257, turned: false },
  { m: 6, n: 7, k: 1, turned: true },
];
const DEVICES: CpuOptions[] = [
  { native: false, threads: 1 },
  { native: false, threads: 3 },
  { simd: "plain", threads: 2 },
  ...LEVELS.flatMap(({ level, missing }) => missing === null ? [{ native: level, threads: 3 }] : []),
];

Deno.test("products that share a packed operand have the bits of products by themselves, and see when it changes", async () => {
  for (const options of DEVICES) {
    const device = openCpu(options);
    for (const size of SIZES) {
      const program = steps(size);
      assertEquals([...packedOperands(program, 8).of.keys()], [0, 1, 3, 4]);
      const alone = program.kernels.map((kernel): Program => ({ ...program, kernels: [kernel] }));
      assertEquals(
        await run(device, size, [program]),
        await run(device, size, alone),
        `${JSON.stringify(size)} ${device.name}`,
      );
    }
    device.close();
  }
});

Deno.test("operands that one product takes, and those of many rows, are not packed for others", () => {
  const keys = (program: Program) => [...packedOperands(program, 8).of.keys()];
  const program = steps({ m: 8, n: 16, k: 16, turned: false });
  assertEquals(keys({ ...program, kernels: program.kernels.slice(1, 4) }), []);
  assertEquals(keys(steps({ m: 300, n: 300, k: 4, turned: false })), []);
  assertEquals(keys(steps({ m: 2, n: 300, k: 4, turned: false })), []);
  const [first, second] = program.kernels as MatmulKernel[];
  const moved = { ...second, b: { ...second.b, offset: 1 } };
  assertEquals(keys({ ...program, kernels: [first, moved] }), []);
});
