/**
 * Numbers that drivers have been seen to get wrong, computed by the kernels that everything else uses: an adapter that fails
 * is named when it is opened, and computes nothing.
 *
 * @module
 */
import type { BinaryOp, Device, Inst, Kernel, Program, UnaryOp, View } from "../contract.ts";

/** What an adapter is asked: `value` of the operands must be `want`, NaN included, up to a relative error. */
export interface Claim {
  /** As it is shown to the user. */
  readonly text: string;
  /** Instructions on load 0, `x`, and load 1, `y`; the last one is the result. */
  readonly body: readonly Inst[];
  readonly x: number;
  readonly y?: number;
  readonly want: number;
  readonly rel?: number;
}

const binary = (op: BinaryOp, a: number, b: number): Inst => ({ k: "binary", op, a, b });
const unary = (op: UnaryOp, a: number): Inst => ({ k: "unary", op, a });
const cast = (a: number, type: "f32" | "i32" | "u32"): Inst => ({ k: "cast", a, type });
const constant = (value: number): Inst => ({ k: "const", value, type: "f32" });
/** An integer operation on `x` and `y`, as f32 again. */
const whole = (
  op: BinaryOp,
  type: "i32" | "u32",
): Inst[] => [cast(0, type), cast(1, type), binary(op, 2, 3), cast(4, "f32")];

/** What is asked. */
export const CLAIMS: readonly Claim[] = [
  { text: "exp(20)", x: 20, body: [unary("exp", 0)], want: 485165195.4, rel: 1e-6 },
  { text: "log(1e-30)", x: 1e-30, body: [unary("log", 0)], want: -69.0775527898, rel: 1e-6 },
  { text: "sin(1000)", x: 1000, body: [unary("sin", 0)], want: 0.826879540532, rel: 1e-5 },
  { text: "tanh(0.001)", x: 0.001, body: [unary("tanh", 0)], want: 0.000999999666667, rel: 1e-5 },
  { text: "(-2) to the power of 3", x: -2, y: 3, body: [binary("pow", 0, 1)], want: -8, rel: 1e-6 },
  { text: "the remainder of -7 by 3", x: -7, y: 3, body: whole("mod", "i32"), want: -1 },
  { text: "the quotient of -7 by 2", x: -7, y: 2, body: whole("div", "i32"), want: -3 },
  { text: "3 shifted left by 4", x: 3, y: 4, body: whole("shl", "u32"), want: 48 },
  { text: "3e9 as i32", x: 3e9, body: [cast(0, "i32"), cast(2, "f32")], want: 2147483647, rel: 1e-6 },
  { text: "NaN as i32", x: NaN, body: [cast(0, "i32"), cast(2, "f32")], want: 0 },
  { text: "2.5 rounded", x: 2.5, body: [unary("round", 0)], want: 2 },
  { text: "the larger of NaN and 6", x: NaN, y: 6, body: [binary("max", 0, 1)], want: NaN },
  {
    text: "NaN where it is above 0, else 0",
    x: NaN,
    body: [constant(0), binary("le", 0, 2), { k: "select", cond: 3, a: 2, b: 0 }],
    want: NaN,
  },
  { text: "infinity minus itself", x: Infinity, body: [binary("sub", 0, 0)], want: NaN },
  { text: "the square of the root of -1", x: -1, body: [unary("sqrt", 0), binary("mul", 2, 2)], want: NaN },
];

/** The claims as one program: a value a claim. */
export function selfTestProgram(claims: readonly Claim[]): Program {
  const n = claims.length, bytes = Math.ceil(n / 4) * 16;
  const body: Inst[] = [], outs: { view: ReturnType<typeof place>; value: number }[] = [];
  claims.forEach((claim, i) => {
    const first = body.length;
    body.push({ k: "load", view: place(1, i) }, { k: "load", view: place(2, i) });
    body.push(...claim.body.map((inst) => moved(inst, first)));
    outs.push({ view: place(3, i), value: body.length - 1 });
  });
  return {
    label: "anneal self-test",
    slots: [
      { bytes: 16, kind: "params", written: false },
      { bytes, kind: "bound", written: false },
      { bytes, kind: "bound", written: false },
      { bytes, kind: "bound", written: true },
    ],
    kernels: [{ op: "map", shape: [1], body, outs }],
  };
}

function place(slot: number, offset: number) {
  return { slot, dtype: "f32" as const, offset, strides: [0] };
}

/** `inst` with its operands `by` further on. */
function moved(inst: Inst, by: number): Inst {
  switch (inst.k) {
    case "binary":
      return { ...inst, a: inst.a + by, b: inst.b + by };
    case "unary":
    case "cast":
      return { ...inst, a: inst.a + by };
    case "select":
      return { ...inst, cond: inst.cond + by, a: inst.a + by, b: inst.b + by };
    default:
      return inst;
  }
}

/** What `device` computes wrong, a text each; none where it is sound. */
export async function wrongNumbers(device: Device, claims: readonly Claim[]): Promise<string[]> {
  const program = selfTestProgram(claims);
  const bytes = program.slots[1].bytes;
  const operands = [claims.map(({ x }) => x), claims.map(({ y = 0 }) => y)];
  const buffers = [0, 1, 2].map(() => device.alloc(bytes));
  operands.forEach((values, i) => device.write(buffers[i], 0, Float32Array.from(values)));
  const executable = device.compile(program);
  try {
    device.run(executable, buffers, new Uint8Array(16));
    const [out] = await device.read([{ buffer: buffers[2], offset: 0, bytes }]);
    const got = new Float32Array(out.slice().buffer);
    return claims.flatMap(({ text, want, rel = 0 }, i) => {
      const right = Number.isNaN(want) ? Number.isNaN(got[i]) : Math.abs(got[i] - want) <= rel * Math.abs(want);
      return right ? [] : [`${text} is ${got[i]} for ${want}`];
    });
  } finally {
    executable.dispose();
    buffers.forEach((buffer) => device.free(buffer));
  }
}

/** Numbers of f16 that drivers may lose on the way to memory and back. */
export const HALVES: readonly number[] = [
  1,
  -2047,
  65504,
  2 ** -14,
  2 ** -15,
  -(2 ** -24),
  1023 * 2 ** -24,
  Infinity,
  -Infinity,
  NaN,
  -0,
  1,
];

/** What `device` does not give back of what it has stored as f16, a text each. */
export async function lostHalves(device: Device): Promise<string[]> {
  const n = HALVES.length;
  const at = (slot: number, dtype: "f32" | "f16", stride: number): View => ({
    slot,
    dtype,
    offset: 0,
    strides: [stride],
  });
  // by fours, and one by one
  const copy = (from: View, to: View): Kernel => ({
    op: "map",
    shape: [n],
    body: [{ k: "load", view: from }],
    outs: [{ view: to, value: 0 }],
  });
  const executable = device.compile({
    label: "anneal self-test of f16",
    slots: [
      { bytes: 16, kind: "params", written: false },
      { bytes: n * 4, kind: "bound", written: false },
      { bytes: n * 4, kind: "bound", written: true },
      { bytes: n * 4, kind: "bound", written: true },
      { bytes: n * 2, kind: "temporary", written: true },
      { bytes: n * 4, kind: "temporary", written: true },
    ],
    kernels: [
      copy(at(1, "f32", 1), at(4, "f16", 1)),
      copy(at(4, "f16", 1), at(2, "f32", 1)),
      copy(at(1, "f32", 1), at(5, "f16", 2)),
      copy(at(5, "f16", 2), at(3, "f32", 1)),
    ],
  });
  const buffers = [0, 1, 2].map(() => device.alloc(n * 4));
  try {
    device.write(buffers[0], 0, Float32Array.from(HALVES));
    device.run(executable, buffers, new Uint8Array(16));
    const read = await device.read([1, 2].map((i) => ({ buffer: buffers[i], offset: 0, bytes: n * 4 })));
    return read.flatMap((bytes) => {
      const got = new Float32Array(bytes.slice().buffer);
      return HALVES.flatMap((want, i) => Object.is(got[i], want) ? [] : [`${want} comes back as ${got[i]}`]);
    });
  } finally {
    executable.dispose();
    buffers.forEach((buffer) => device.free(buffer));
  }
}
