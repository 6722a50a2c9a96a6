/**
 * The reference device against numbers worked out by hand, and its refusal of programs that break the contract.
 */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import type { HostArray } from "../../src/base/dtype.ts";
import type { Program } from "../../src/device/contract.ts";
import { runConformance } from "../support/conformance.ts";
import { erf, philox, powC, roundHalfEven } from "../support/math.ts";
import { programs } from "../support/programs.ts";
import { CaseBuilder, type ProgramCase, TOLERANCE } from "../support/programs_builder.ts";
import { ReferenceDevice } from "../support/reference_device.ts";

const builder = (name = "test"): CaseBuilder => new CaseBuilder(name, TOLERANCE.exact);

/** Runs a case on a new reference device; gives the bytes of every bound slot as numbers of its array's type. */
function run({ program, bound, params }: ProgramCase): number[][] {
  const device = new ReferenceDevice();
  const buffers = bound.map((data) => device.alloc(data.byteLength));
  bound.forEach((data, i) => device.write(buffers[i], 0, data));
  device.run(device.compile(program), buffers, params);
  return bound.map((data, i) => {
    const [bytes] = device.readSync([{ buffer: buffers[i], offset: 0, bytes: Math.ceil(data.byteLength / 4) * 4 }]);
    const make = data.constructor as unknown as { new (buffer: ArrayBufferLike): HostArray };
    return Array.from(new make(bytes.buffer));
  });
}

Deno.test("the reference device adds in f32", () => {
  const c = builder();
  const [x, y] = [c.input(Float32Array.of(1, 16777216)), c.output("f32", 2)];
  c.map([2], (b) => b.store(y, b.binary("add", b.load(x), b.const(1))));
  assertEquals(run(c.build())[1], [2, 16777216]); // 2^24 + 1 has no f32
});

Deno.test("the reference device reduces rows, in levels", () => {
  const c = builder();
  const [x, y, at] = [c.input(Float32Array.of(1, 2, 3, 6, 5, 1)), c.output("f32", 6), c.output("i32", 2)];
  c.reduce([2], [3], (b) => {
    const v = b.load(x);
    const share = b.binary("div", v, b.reduce("sum", v)); // 1/6 2/6 3/6 and 6/12 5/12 1/12
    b.store(y, b.binary("div", share, b.reduce("max", share)));
    b.store(at, b.reduce("argmax", v), { strides: [1, 0], perRow: true });
  });
  const [, quotients, indices] = run(c.build());
  [1 / 3, 2 / 3, 1, 1, 5 / 6, 1 / 6].forEach((want, i) => assertAlmostEquals(quotients[i], want, 1e-7));
  assertEquals(indices, [2, 0]);
});

Deno.test("the reference device multiplies matrices of any strides", () => {
  const c = builder();
  const [x, w, y] = [c.input(Float32Array.of(1, 2, 3, 4)), c.input(Float32Array.of(5, 6, 7, 8)), c.output("f32", 4)];
  const a = c.view(x, [2, 2]);
  c.matmul({ m: 2, n: 2, k: 2, a, b: c.view(w, [2, 2], { strides: [1, 2] }) }, (b) => {
    b.store(y, b.binary("add", b.acc(), b.cast(b.coord([10, 1]), "f32")));
  });
  // [1 2; 3 4] times the transpose of [5 6; 7 8], plus 10 row + column
  assertEquals(run(c.build())[2], [17, 24, 49, 64]);
});

Deno.test("the reference device gathers, guards and scatters", () => {
  const c = builder();
  const [x, index] = [c.input(Float32Array.of(10, 20, 30)), c.input(Int32Array.of(2, 5, 0, 2))];
  const [y, z] = [c.output("f32", 4), c.output("f32", 3)];
  c.map([4], (b) => {
    const value = b.load(index);
    b.store(y, b.load(x, { strides: [0], index: { value, stride: 1, size: 3 } }));
  });
  c.kernel({
    op: "scatterAdd",
    outer: 1,
    n: 4,
    inner: 1,
    size: 3,
    src: { slot: x, dtype: "f32", offset: 0, strides: [0, 0, 0] },
    index: c.view(index, [1, 4, 1]),
    out: c.view(z, [1, 3, 1]),
  });
  const [, , gathered, scattered] = run(c.build());
  assertEquals(gathered, [30, NaN, 10, 30]);
  assertEquals(scattered, [10, 0, 20]);
});

Deno.test("the reference device sums segments, an empty one included", () => {
  const c = builder();
  const [x, y] = [c.input(Float32Array.of(1, 2, 3, 4, 5)), c.output("f32", 4)];
  c.segmentSum(5, [0, 2, 2, 3], (b) => b.store(y, b.load(x), { strides: [1] }));
  assertEquals(run(c.build())[1], [3, 0, 3, 9]);
});

Deno.test("philox gives the words of its authors' known answers", () => {
  const ones = 0xffffffff;
  assertEquals(philox([0, 0, 0, 0], [0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  assertEquals(philox([ones, ones, ones, ones], [ones, ones]), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
  const pi: [number, number, number, number] = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];
  assertEquals(philox(pi, [0xa4093822, 0x299f31d0]), [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]);
});

Deno.test("special functions", () => {
  // Abramowitz and Stegun, table 7.1, and mpmath
  const table = [[0.5, 0.5204998778130465], [1, 0.8427007929497149], [2.9, 0.9999589021219005], [
    3.1,
    0.9999883513426328,
  ]];
  for (const [x, want] of table) {
    assertAlmostEquals(erf(x), want, 1e-14);
    assertAlmostEquals(erf(-x), -want, 1e-14);
  }
  assertEquals([0.5, 1.5, 2.5, -0.5, -1.5].map(roundHalfEven), [0, 2, 2, 0, -2]);
  assertEquals([powC(1, NaN), powC(-1, Infinity), powC(NaN, 0), powC(2, 3)], [1, 1, 1, 8]);
});

/** Builds a program with one map over [4] from a fresh builder with an input, an output and a temporary of 4 f32. */
function mapOf(write: (c: CaseBuilder, slots: { x: number; y: number; t: number }) => void): ProgramCase {
  const c = builder("faulty");
  const slots = { x: c.input(new Float32Array(4)), y: c.output("f32", 4), t: c.temporary("f32", 4) };
  c.map([4], (b) => b.store(slots.t, b.load(slots.x)));
  write(c, slots);
  return c.build();
}

type Faults = Record<string, [RegExp, (c: CaseBuilder, slots: { x: number; y: number; t: number }) => void]>;

const FAULTS: Faults = {
  "a load outside its slot": [/kernel 1 \(map\): instruction 0 \(load\) reaches elements 1 to 4/, (c, { x, y }) => {
    c.map([4], (b) => b.store(y, b.load(x, { offset: 1 })));
  }],
  "a dynamic load outside its slot": [/kernel 1 .*it loads element 4 of slot 1/, (c, { x, y }) => {
    const dyn = c.words(Uint32Array.of(1));
    c.map([4], (b) => b.store(y, b.load(x, { dyn })));
  }],
  "a guarded load outside its slot": [/it loads element 4 of slot 1/, (c, { x, y }) => {
    c.map([4], (b) => b.store(y, b.load(x, { offset: 2, guards: [{ offset: 0, strides: [1], size: 3 }] })));
  }],
  "a store outside its slot": [/out 0 reaches elements -1 to 2 of slot 2/, (c, { x, y }) => {
    c.map([4], (b) => b.store(y, b.load(x), { offset: -1 }));
  }],
  "an element stored twice": [/out 0: it stores element 0 of slot 2 twice/, (c, { x, y }) => {
    c.map([4], (b) => b.store(y, b.load(x), { strides: [0] }));
  }],
  "a slot stored to that is not written": [/stores to slot 1, which is marked not written/, (c, { x, y }) => {
    c.map([4], (b) => b.store(x, b.load(y)));
  }],
  "a map that loads what another element stores": [
    /out 0: 0 stores element 0 of slot 2, which element or row 3 loaded/,
    (c, { y }) => {
      c.map([4], (b) => b.store(y, b.load(y, { strides: [-1], offset: 3 })));
    },
  ],
  "a map that loads what an earlier block has stored": [/an earlier element of the same kernel has stored/, (c) => {
    const z = c.inout(new Float32Array(9096));
    c.map([5000], (b) => b.store(z, b.load(z), { offset: 4096 }));
  }],
  "a reduce that loads what another row stores": [/stores element 0 of slot 2/, (c, { y }) => {
    c.reduce([2], [2], (b) => b.store(y, b.reduce("sum", b.load(y)), { strides: [0, 1] }));
  }],
  "operands of two types": [/instruction 2 \(binary\) add: its operands are f32 and i32/, (c, { x, y }) => {
    c.map([4], (b) => b.store(y, b.binary("add", b.load(x), b.coord())));
  }],
  "an instruction that is not earlier": [/refers to instruction 7/, (c, { x, y }) => {
    c.map([4], (b) => b.store(y, b.binary("add", b.load(x), 7)));
  }],
  "strides of another rank": [/has 2 strides for the 1 axes of \[4\]/, (c, { x, y }) => {
    c.map([4], (b) => b.store(y, b.load(x, { strides: [1, 1] })));
  }],
  "a matmul that stores to its operand's slot": [
    /operand b shares slot 2 with an output of this matmul/,
    (c, { x, y }) => {
      c.matmul(
        { m: 1, n: 1, k: 2, a: c.view(x, [1, 2]), b: c.view(y, [2, 1]) },
        (b) => b.store(y, b.acc(), { offset: 3 }),
      );
    },
  ],
  "a per-row out that varies in its row": [/stored per row, but instruction 0 varies/, (c, { x, y }) => {
    c.reduce([2], [2], (b) => {
      b.reduce("sum", b.load(x));
      b.store(y, 0, { strides: [1, 0], perRow: true });
    });
  }],
  "a sum in a map": [/instruction 1 \(reduce\): it stands in a kernel that is no reduce/, (c, { x, y }) => {
    c.map([4], (b) => b.store(y, b.reduce("sum", b.load(x))));
  }],
  "a domain without elements": [/an axis has size 0/, (c, { x, y }) => {
    c.map([0, 4], (b) => b.store(y, b.load(x)));
  }],
  "bool memory that holds no bool": [/is 77, which is no bool/, (c, { y }) => {
    const raw = c.inout(Uint32Array.of(0, 1, 77, 0), "bool");
    c.map([4], (b) => b.store(raw, b.unary("not", b.load(raw))));
    c.map([4], (b) => b.store(y, b.const(0)));
  }],
};

for (const [what, [message, write]] of Object.entries(FAULTS)) {
  Deno.test(`the reference device refuses ${what}`, () => {
    const error = assertThrows(() =>
      run(mapOf((c, slots) => {
        write(c, slots);
        if (what !== "a store outside its slot") c.map([4], (b) => b.store(slots.y, b.load(slots.t)));
      }))
    );
    assert(error instanceof Error && message.test(error.message), `unexpected message: ${(error as Error).message}`);
  });
}

Deno.test("the reference device refuses a temporary that is read before it is written", () => {
  const c = builder("early");
  const [t, y] = [c.temporary("f32", 4), c.output("f32", 4)];
  c.map([3], (b) => b.store(t, b.const(1)));
  c.map([4], (b) => b.store(y, b.load(t)));
  const test = c.build();
  const message = 'program "early", kernel 1 (map), instruction 0 (load): it loads element 3 of temporary slot 1';
  assertThrows(() => run(test), Error, message);
});

Deno.test("the reference device refuses wrong buffers and parameters", () => {
  const c = builder("p");
  const [x, y] = [c.input(new Float32Array(8)), c.output("f32", 8)];
  const { program } = c.map([8], (b) => b.store(y, b.load(x))).build();
  const device = new ReferenceDevice();
  const executable = device.compile(program);
  const [small, a, b] = [device.alloc(4), device.alloc(32), device.alloc(32)];
  const none = new Uint8Array(0);
  assertThrows(() => device.run(executable, [a], none), Error, "it has 2 bound slots, got 1 buffers");
  assertThrows(() => device.run(executable, [small, a], none), Error, "slot 1 needs 32 bytes");
  assertThrows(() => device.run(executable, [a, a], none), Error, "slots 1 and 2 are one buffer");
  assertThrows(() => device.run(executable, [a, b], new Uint8Array(4)), Error, "takes 0 bytes of parameters, got 4");
  device.free(a);
  assertThrows(() => device.run(executable, [a, b], none), Error, "it has been freed");
  assertEquals(device.stats().liveBytes, 48);
});

Deno.test("the reference device holds programs to the profile's number of slots", () => {
  const c = builder("wide");
  const inputs = [1, 2, 3].map((v) => c.input(Float32Array.of(v)));
  const y = c.output("f32", 1);
  const test = c.map([1], (b) => {
    b.store(y, inputs.map((slot) => b.load(slot)).reduce((p, q) => b.binary("add", p, q)));
  }).build();
  assertEquals(run(test)[3], [6]);
  const narrow = new ReferenceDevice({ profile: { maxSlotsPerKernel: 3, maxBufferBytes: 1024 } });
  assertThrows(() => narrow.compile(test.program), Error, "touches 4 slots, more than the profile's 3");
});

Deno.test("every hand-made program keeps the contract and has a name of its own", async () => {
  assertEquals(new Set(programs.map(({ name }) => name)).size, programs.length);
  await runConformance(new ReferenceDevice());
});

Deno.test("the conformance check sees a wrong device", async () => {
  class Wrong extends ReferenceDevice {
    override compile(program: Program): ReturnType<ReferenceDevice["compile"]> {
      const kernels = program.kernels.map((kernel) =>
        kernel.op === "map"
          ? {
            ...kernel,
            body: kernel.body.map((i) => i.k === "unary" && i.op === "cos" ? { ...i, op: "sin" as const } : i),
          }
          : kernel
      );
      return super.compile({ ...program, kernels });
    }
  }
  const error = await runConformance(new Wrong(), { only: (name) => name.includes("unary") }).catch((e: unknown) => e);
  assert(error instanceof Error);
  assert(
    /^1 programs failed on reference:\nmap unary cos f32: bound slot 1: \d+ of 502 elements differ/.test(error.message),
  );
});
