/**
 * Short forms for writing programs by hand.
 *
 * @module
 */
import type { Dtype, StoredArray as HostArray, ValueType } from "../../src/base/dtype.ts";
import { bytesPerElement, hostArray } from "../../src/base/dtype.ts";
import { contiguousStrides } from "../../src/base/shape.ts";
import type {
  BinaryOp,
  ConvKernel,
  Guard,
  Inst,
  Kernel,
  Program,
  ReduceKind,
  Slot,
  Store,
  UnaryOp,
  View,
} from "../../src/device/contract.ts";

/** How far a device's f32 results may be from the reference: `|got - want| <= abs + rel * |want|`. */
export interface Tolerance {
  readonly rel: number;
  readonly abs: number;
}

/** A program with everything needed to run it. */
export interface ProgramCase {
  readonly name: string;
  readonly program: Program;
  /** Contents of the bound slots before the run, in slot order; those of outputs are a pattern that must not survive. */
  readonly bound: readonly HostArray[];
  readonly params: Uint8Array;
  readonly tolerance: Tolerance;
}

/** Where a body's loads and stores lie; contiguous over the domain where nothing is said. */
export interface Place {
  readonly strides?: readonly number[];
  readonly offset?: number;
  readonly dyn?: number;
}

/** Collects the instructions of one kernel; every method gives the new instruction's number. */
export class BodyBuilder {
  readonly body: Inst[] = [];
  readonly outs: (Store & { perRow: boolean })[] = [];

  constructor(readonly owner: CaseBuilder, readonly shape: readonly number[]) {}

  #add(inst: Inst): number {
    return this.body.push(inst) - 1;
  }

  load(
    slot: number,
    place: Place & { guards?: Guard[]; index?: { value: number; stride: number; size: number } } = {},
  ): number {
    const { guards, index, ...rest } = place;
    return this.#add({ k: "load", view: this.owner.view(slot, this.shape, rest), guards, index });
  }

  const(value: number, type: ValueType = "f32"): number {
    return this.#add({ k: "const", value, type });
  }

  scalar(word: number, type: ValueType = "f32"): number {
    return this.#add({ k: "scalar", word, type });
  }

  coord(strides: readonly number[] = contiguousStrides(this.shape), offset = 0): number {
    return this.#add({ k: "coord", offset, strides });
  }

  segment(starts: readonly number[]): number {
    return this.#add({ k: "segment", starts });
  }

  random(dist: "bits" | "uniform" | "normal", seed: number, stream: number, index: number): number {
    return this.#add({ k: "random", dist, seed, stream, index });
  }

  cast(a: number, type: ValueType): number {
    return this.#add({ k: "cast", a, type });
  }

  unary(op: UnaryOp, a: number): number {
    return this.#add({ k: "unary", op, a });
  }

  binary(op: BinaryOp, a: number, b: number): number {
    return this.#add({ k: "binary", op, a, b });
  }

  select(cond: number, a: number, b: number): number {
    return this.#add({ k: "select", cond, a, b });
  }

  reduce(kind: ReduceKind, a: number): number {
    return this.#add({ k: "reduce", kind, a });
  }

  acc(): number {
    return this.#add({ k: "acc" });
  }

  /** Stores `value`; with `perRow`, once a row (strides must be given, and be 0 over the inner axes). */
  store(slot: number, value: number, place: Place & { perRow?: boolean } = {}): void {
    const { perRow = false, ...rest } = place;
    this.outs.push({ view: this.owner.view(slot, this.shape, rest), value, perRow });
  }
}

/** Builds one {@link ProgramCase}: slots first, then kernels in order. */
export class CaseBuilder {
  readonly #slots: Slot[] = [];
  readonly #dtypes: Dtype[] = ["u32"];
  readonly #bound: HostArray[] = [];
  readonly #kernels: Kernel[] = [];
  readonly #words: number[] = [];

  constructor(readonly name: string, readonly tolerance: Tolerance) {}

  #slot(kind: Slot["kind"], dtype: Dtype, length: number, written: boolean): number {
    this.#slots.push({ kind, bytes: Math.ceil(length * bytesPerElement(dtype) / 4) * 4, written });
    this.#dtypes.push(dtype);
    return this.#slots.length;
  }

  /** A bound slot that is only read. A `Uint32Array` may be taken as bool with `dtype`. */
  input(data: HostArray, dtype: Dtype = dtypeOf(data)): number {
    this.#bound.push(data);
    return this.#slot("bound", dtype, data.length, false);
  }

  /** A bound slot that holds `data` and is written. */
  inout(data: HostArray, dtype: Dtype = dtypeOf(data)): number {
    this.#bound.push(data);
    return this.#slot("bound", dtype, data.length, true);
  }

  /** A bound slot for results, full of 77 at the start (1 where it is bool). */
  output(dtype: Dtype, length: number): number {
    return this.inout(hostArray(dtype, length).fill(dtype === "bool" ? 1 : 77), dtype);
  }

  temporary(dtype: Dtype, length: number): number {
    return this.#slot("temporary", dtype, length, true);
  }

  /** Appends parameter words; gives the first one's number. */
  words(values: HostArray): number {
    const bits = new Uint32Array(values.slice().buffer);
    this.#words.push(...bits);
    return this.#words.length - bits.length;
  }

  view(slot: number, shape: readonly number[], place: Place & { dtype?: Dtype } = {}): View {
    const { strides = contiguousStrides(shape), offset = 0, dyn, dtype = this.#dtypes[slot] } = place;
    return dyn === undefined ? { slot, dtype, offset, strides } : { slot, dtype, offset, strides, dyn };
  }

  map(shape: readonly number[], write: (b: BodyBuilder) => void): this {
    const b = new BodyBuilder(this, shape);
    write(b);
    const outs = b.outs.map(({ view, value }) => ({ view, value }));
    return this.kernel({ op: "map", shape, body: b.body, outs });
  }

  reduce(outer: readonly number[], inner: readonly number[], write: (b: BodyBuilder) => void): this {
    const b = new BodyBuilder(this, [...outer, ...inner]);
    write(b);
    return this.kernel({ op: "reduce", outer, inner, body: b.body, outs: b.outs });
  }

  matmul(
    size: { batch?: readonly number[]; m: number; n: number; k: number; a: View; b: View },
    write: (b: BodyBuilder) => void,
  ): this {
    const { batch = [], m, n, k, a, b } = size;
    const builder = new BodyBuilder(this, [...batch, m, n]);
    write(builder);
    const outs = builder.outs.map(({ view, value }) => ({ view, value }));
    return this.kernel({ op: "matmul", batch, m, n, k, a, b, body: builder.body, outs });
  }

  conv(
    size: Pick<ConvKernel, "groups" | "m" | "k" | "n" | "a" | "b" | "guards">,
    write: (b: BodyBuilder) => void,
  ): this {
    const builder = new BodyBuilder(this, [size.groups, size.m, ...size.n]);
    write(builder);
    const outs = builder.outs.map(({ view, value }) => ({ view, value }));
    return this.kernel({ op: "conv", ...size, body: builder.body, outs });
  }

  segmentSum(n: number, starts: readonly number[], write: (b: BodyBuilder) => void): this {
    const b = new BodyBuilder(this, [n]);
    write(b);
    const outs = b.outs.map(({ view, value }) => ({ view, value }));
    return this.kernel({ op: "segmentSum", n, starts, body: b.body, outs });
  }

  kernel(kernel: Kernel): this {
    this.#kernels.push(kernel);
    return this;
  }

  build(): ProgramCase {
    const params = new Uint8Array(Uint32Array.from(this.#words).buffer);
    const slots: Slot[] = [{ kind: "params", bytes: params.byteLength, written: false }, ...this.#slots];
    const program = { label: this.name, slots, kernels: this.#kernels };
    return { name: this.name, program, bound: this.#bound, params, tolerance: this.tolerance };
  }
}

function dtypeOf(data: HostArray): Dtype {
  if (data instanceof Float32Array) return "f32";
  if (data instanceof Int32Array) return "i32";
  if (data instanceof Uint16Array) return "f16";
  return data instanceof Uint8Array ? "u8" : "u32";
}

/**
 * The tolerances, each with its reason. A device's add, subtract, multiply and every integer operation are exact; WGSL
 * grants 2.5 ulp to division, and more to the functions.
 */
export const TOLERANCE = {
  /** Copies, integers, comparisons, one correctly rounded operation. */
  exact: { rel: 0, abs: 0 },
  /** A handful of rounded operations, possibly fused or reordered: about 16 ulp. */
  rounded: { rel: 2e-6, abs: 1e-6 },
  /** Division, roots and reciprocals: 2.5 to 4 ulp. */
  division: { rel: 5e-7, abs: 0 },
  /** exp over [-10, 10]: WGSL grants 3 + 2 |x| ulp. */
  exponential: { rel: 4e-6, abs: 0 },
  /** Logarithms: relative far from 1, absolute near it. */
  logarithm: { rel: 1e-6, abs: 5e-7 },
  /** Functions that must keep relative precision near 0 (log1p, tanh). */
  nearZero: { rel: 1e-5, abs: 1e-9 },
  /** sin and cos over [-10, 10], whose argument is reduced in f32; erf by an approximation. */
  absolute: { rel: 1e-6, abs: 2e-6 },
  /** pow is exp2(y log2 x): the exponent's rounding is magnified by its size, up to 40 here. */
  power: { rel: 2e-5, abs: 1e-12 },
  /** Normal numbers: sqrt of a logarithm near 1, times a cosine. */
  normal: { rel: 1e-5, abs: 2e-5 },
} as const satisfies Record<string, Tolerance>;

/** Sums of `n` numbers of size up to `scale`: the error of pairwise or blocked f32 sums stays below `eps * sqrt(n)`-ish. */
export function sumTolerance(n: number, scale = 1): Tolerance {
  return { rel: 1e-6, abs: 1e-6 + 2.5e-7 * scale * Math.sqrt(n) * Math.log2(n + 1) };
}
