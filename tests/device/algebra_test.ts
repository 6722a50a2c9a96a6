/**
 * Forms that compilers know by heart, on the values that tell them apart: infinities, NaN, -0, and sums that round.
 */
import { assertEquals } from "@std/assert";
import type { BinaryOp } from "../../src/device/contract.ts";
import { checkCase } from "../support/conformance.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";
import { type BodyBuilder, CaseBuilder, type ProgramCase, TOLERANCE } from "../support/programs_builder.ts";

const VALUES = [0, -0, NaN, Infinity, -Infinity, 1, -1, 2.5, 1e-9, -1e9, 3e38, -3e38, 1e30, ...fillF32(1, 7, 3)];

/** What is made of three values, f32; each gives one or more results. */
type Form = (b: BodyBuilder, x: number, y: number, z: number) => number | number[];

const choices = (op: BinaryOp): Form => (b, x, y) => {
  const [chosen, zero, one] = [b.binary(op, x, y), b.const(0), b.const(1)];
  const sign = b.binary(op, x, zero);
  return [
    b.select(chosen, x, y),
    b.select(chosen, y, x),
    b.select(sign, x, zero),
    b.select(sign, zero, x),
    b.select(b.binary(op, one, x), x, one),
    b.select(b.unary("not", sign), x, zero),
    b.select(b.binary("and", chosen, sign), y, x),
  ];
};

/** Forms, and whether the reference rounds as floats do: it does after every instruction. */
const FORMS: Readonly<Record<string, Form>> = {
  "choices by lt": choices("lt"),
  "choices by le": choices("le"),
  "choices by gt": choices("gt"),
  "choices by ge": choices("ge"),
  "choices by eq": choices("eq"),
  "choices by ne": choices("ne"),
  "x - x": (b, x) => b.binary("sub", x, x),
  "x / x": (b, x) => b.binary("div", x, x),
  "x + y - x": (b, x, y) => b.binary("sub", b.binary("add", x, y), x),
  "x + (y - x)": (b, x, y) => b.binary("add", x, b.binary("sub", y, x)),
  "x + y + (-x)": (b, x, y) => b.binary("add", b.binary("add", x, y), b.unary("neg", x)),
  "-x + x": (b, x) => b.binary("add", b.unary("neg", x), x),
  "|x| - x": (b, x) => b.binary("sub", b.unary("abs", x), x),
  "sqrt x sqrt x": (b, x) => b.binary("mul", b.unary("sqrt", x), b.unary("sqrt", x)),
  "(sqrt x)^2": (b, x) => [x].map((v) => b.unary("sqrt", v)).map((root) => b.binary("mul", root, root)),
  "1 / (1 / x)": (b, x) => b.unary("reciprocal", b.unary("reciprocal", x)),
  "1 / (1 / sqrt x)": (b, x) => b.unary("reciprocal", b.unary("rsqrt", x)),
  "x / y y": (b, x, y) => b.binary("mul", b.binary("div", x, y), y),
  "x y + x z": (b, x, y, z) => b.binary("add", b.binary("mul", x, y), b.binary("mul", x, z)),
  "x y - x z": (b, x, y, z) => b.binary("sub", b.binary("mul", x, y), b.binary("mul", x, z)),
  "x y + (x z + y)": (b, x, y, z) => b.binary("add", b.binary("mul", x, y), b.binary("add", b.binary("mul", x, z), y)),
  "x y + x": (b, x, y) => b.binary("add", b.binary("mul", x, y), x),
  "0 x": (b, x) => b.binary("mul", b.const(0), x),
  "x 1": (b, x) => b.binary("mul", x, b.const(1)),
  "x + 0, 0 - x": (b, x) => [b.binary("add", x, b.const(0)), b.binary("sub", b.const(0), x)],
  "x 2 - x": (b, x) => b.binary("sub", b.binary("mul", x, b.const(2)), x),
  "1 - (1 - x)": (b, x) => b.binary("sub", b.const(1), b.binary("sub", b.const(1), x)),
  "max(min(x, 1), 0)": (b, x) => b.binary("max", b.binary("min", x, b.const(1)), b.const(0)),
  "min(max(x, y), y)": (b, x, y) => b.binary("min", b.binary("max", x, y), y),
  "x + y against x": (b, x, y) =>
    (["lt", "le", "gt", "ge", "eq", "ne"] as const).map((op) => b.cast(b.binary(op, b.binary("add", x, y), x), "f32")),
  "x - y against x": (b, x, y) =>
    (["lt", "le", "gt", "ge", "eq", "ne"] as const).map((op) => b.cast(b.binary(op, b.binary("sub", x, y), x), "f32")),
  "x y against 0": (b, x, y) =>
    (["lt", "ge", "eq"] as const).map((op) => b.cast(b.binary(op, b.binary("mul", x, y), b.const(0)), "f32")),
  "x - y against 0": (b, x, y) =>
    (["lt", "ge", "eq"] as const).map((op) => b.cast(b.binary(op, b.binary("sub", x, y), b.const(0)), "f32")),
  "mask times x": (b, x, y) => b.binary("mul", b.cast(b.binary("gt", y, b.const(0)), "f32"), x),
  "x - floor x": (b, x) => b.binary("sub", x, b.unary("floor", x)),
};

/** All triples of the first values, and pairs of all. */
function triples(): [Float32Array, Float32Array, Float32Array] {
  const all: number[][] = [];
  VALUES.forEach((x, i) => VALUES.forEach((y, j) => all.push([x, y, VALUES[(3 * i + 5 * j) % VALUES.length]])));
  while (all.length % 12 !== 3) all.push([1, 2, 3]);
  const column = (at: number) => Float32Array.from(all, (triple) => triple[at]);
  return [column(0), column(1), column(2)];
}

/** @param wide Whether four neighbours may be computed at once. */
function formCase(name: string, form: Form, wide: boolean): ProgramCase {
  const columns = triples(), n = columns[0].length;
  const c = new CaseBuilder(
    `${name}${wide ? ", by fours" : ""}`,
    /\/|sqrt/.test(name) ? TOLERANCE.division : TOLERANCE.exact,
  );
  const [x, y, z] = columns.map((column) => c.input(column));
  // as many results as the form gives, each a block of its own
  const block = Math.ceil(n / 4) * 4, out = c.output("f32", 8 * block);
  return c.map(wide ? [n] : [n / 3, 3], (b) => {
    const results = [form(b, b.load(x), b.load(y), b.load(z))].flat();
    results.forEach((value, i) => b.store(out, value, { offset: i * block }));
  }).build();
}

onDevices("no compiler takes algebra for granted that floats do not have", async (device) => {
  const faults: string[] = [];
  for (const [name, form] of Object.entries(FORMS)) {
    for (const wide of [true, false]) {
      const test = formCase(name, form, wide);
      const fault = await checkCase(device, test);
      if (fault !== null) faults.push(`${test.name}: ${fault}`);
    }
  }
  assertEquals(faults, []);
}, { kinds: ["cpu", "webgpu"] });
