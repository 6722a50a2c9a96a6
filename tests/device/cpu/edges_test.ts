import { assertEquals } from "@std/assert";
import { openCpu } from "../../../src/device/cpu/mod.ts";
import { checkCase } from "../../support/conformance.ts";
import { fillF32 } from "../../support/fill.ts";
import { CaseBuilder, type ProgramCase, sumTolerance, TOLERANCE } from "../../support/programs_builder.ts";

// what the contract allows and the shared programs do not have
const cases: readonly (() => ProgramCase)[] = [
  function bytesAtDynamicOffset() {
    const c = new CaseBuilder("u8 rows at an offset from the parameters", TOLERANCE.exact);
    const x = c.input(Uint8Array.from({ length: 400 }, (_, i) => i * 7)), y = c.output("i32", 37);
    const at = c.words(Uint32Array.of(123));
    return c.map([37], (b) => b.store(y, b.load(x, { dyn: at }))).build();
  },
  function twoSegmentations() {
    const c = new CaseBuilder("two segmentations in one map", TOLERANCE.exact);
    const y = c.output("i32", 3000);
    return c.map([3000], (b) => {
      const coarse = b.segment([0, 1000, 1003, 1003, 2999]), fine = b.segment([0, 5, 999, 1001, 2000]);
      b.store(y, b.binary("add", b.binary("mul", coarse, b.const(100, "i32")), fine));
    }).build();
  },
  function segmentsInSegmentSum() {
    const c = new CaseBuilder("segment numbers of another segmentation inside segmentSum", sumTolerance(500, 5));
    const x = c.input(fillF32(1, 500)), y = c.output("f32", 3);
    return c.segmentSum(500, [0, 100, 333], (b) => {
      const n = b.cast(b.segment([0, 50, 150, 400]), "f32");
      b.store(y, b.binary("mul", b.load(x), n), { strides: [1] });
    }).build();
  },
  function emptyLastSegments() {
    const c = new CaseBuilder("segmentSum whose first and last segments are empty", sumTolerance(64));
    const x = c.input(fillF32(2, 64)), y = c.output("f32", 4);
    return c.segmentSum(64, [0, 0, 64, 64], (b) => b.store(y, b.load(x), { strides: [1] })).build();
  },
  function signOfZero() {
    const c = new CaseBuilder("functions that keep the sign of zero", TOLERANCE.exact);
    const x = c.input(Float32Array.of(-0, 0, -0, 0, -0)), y = c.output("f32", 5);
    return c.map([5], (b) => b.store(y, b.unary("reciprocal", b.unary("sin", b.load(x))))).build();
  },
  function oneByOneProduct() {
    const c = new CaseBuilder("product of one row and one column, operands strided", sumTolerance(300));
    const x = c.input(fillF32(3, 600)), w = c.input(fillF32(4, 900)), y = c.output("f32", 1);
    const a = c.view(x, [1, 300], { strides: [0, 2] }), b = c.view(w, [300, 1], { strides: [3, 0] });
    return c.matmul({ m: 1, n: 1, k: 300, a, b }, (body) => body.store(y, body.acc())).build();
  },
  function productIntoRowsOfWiderMatrix() {
    const c = new CaseBuilder("product stored into columns of a wider matrix", sumTolerance(20));
    const x = c.input(fillF32(5, 140)), w = c.input(fillF32(6, 220)), y = c.output("f32", 7 * 30);
    const a = c.view(x, [7, 20]), b = c.view(w, [20, 11]);
    return c.matmul({ m: 7, n: 11, k: 20, a, b }, (body) => {
      body.store(y, body.acc(), { strides: [30, 1], offset: 9 });
    }).build();
  },
  function boolFolds() {
    const c = new CaseBuilder("largest and smallest of bools, as any and all", TOLERANCE.exact);
    const x = c.input(Uint32Array.of(0, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1), "bool");
    const [any, all] = [c.output("i32", 3), c.output("i32", 3)];
    return c.reduce([3], [5], (b) => {
      const v = b.cast(b.load(x), "i32");
      b.store(any, b.reduce("max", v), { strides: [1, 0], perRow: true });
      b.store(all, b.reduce("min", v), { strides: [1, 0], perRow: true });
    }).build();
  },
  function infiniteArg() {
    const c = new CaseBuilder("argmax of rows that are all -infinity", TOLERANCE.exact);
    const x = c.input(new Float32Array(27).fill(-Infinity)), y = c.output("i32", 3);
    return c.reduce([3], [9], (b) => b.store(y, b.reduce("argmax", b.load(x)), { strides: [1, 0], perRow: true }))
      .build();
  },
  function integerExtremes() {
    const c = new CaseBuilder("quotients and remainders that would trap", TOLERANCE.exact);
    const low = -(2 ** 31);
    const x = c.input(Int32Array.of(low, low, 7, -7, low, 0, 5, -5));
    const w = c.input(Int32Array.of(-1, 0, 0, 0, 1, -1, -3, 3));
    const [q, r] = [c.output("i32", 8), c.output("i32", 8)];
    return c.map([8], (b) => {
      b.store(q, b.binary("div", b.load(x), b.load(w)));
      b.store(r, b.binary("mod", b.load(x), b.load(w)));
    }).build();
  },
];

for (const make of cases) {
  const testCase = make();
  Deno.test(`cpu: ${testCase.name}`, async () => {
    const device = openCpu({ threads: 1 });
    assertEquals(await checkCase(device, testCase), null);
    device.close();
  });
}
