/**
 * A graph of ONNX in the making.
 *
 * @module
 */
import type { Dtype } from "../../base/dtype.ts";
import type { TensorData } from "../../tensor/mod.ts";
import { type AttributeProto, ELEMENT, type NodeProto, type TensorProto } from "./schema.ts";
import { type Dim, isFixed, ITEMS, LENGTH, sameDim } from "./symbolic.ts";

/** What an attribute may be: whole numbers are written as such, others as `float(…)`. */
export type Attr = number | string | readonly number[] | readonly string[] | { readonly float: number };

/** A number that is written as a float even where it is whole. */
export function float(value: number): Attr {
  return { float: value };
}

const FLOAT = 1, INT = 2, STRING = 3, INTS = 7, STRINGS = 8;

function attribute(name: string, value: Attr): AttributeProto {
  if (typeof value === "number") return { name, type: INT, i: value };
  if (typeof value === "string") return { name, type: STRING, s: new TextEncoder().encode(value) };
  if ("float" in value) return { name, type: FLOAT, f: value.float };
  const strings = value.filter((v) => typeof v === "string");
  if (strings.length > 0) return { name, type: STRINGS, strings: strings.map((v) => new TextEncoder().encode(v)) };
  return { name, type: INTS, ints: value as readonly number[] };
}

/** An axis of an input. */
export interface Axis {
  readonly input: string;
  readonly axis: number;
}

/** Nodes and numbers of a graph. Methods give the name of the value that they made. */
export class GraphWriter {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly #names = new Set<string>();
  readonly #numbers = new Map<string, string>();
  readonly #known = new Map<string, string>();
  readonly #several = new Map<string, readonly string[]>();

  /**
   * Begins a graph.
   *
   * @param opset Version of ONNX's operators.
   * @param items An input's axis whose size is the number of items; null where that is fixed.
   * @param length An input's axis whose size is their length; null where that is fixed.
   */
  constructor(readonly opset: number, readonly items: Axis | null, readonly length: Axis | null) {}

  /** A name that no other value has, as like `wanted` as may be. */
  reserve(wanted: string): string {
    let name = wanted;
    for (let i = 1; this.#names.has(name); i++) name = `${wanted}_${i}`;
    this.#names.add(name);
    return name;
  }

  /** One operation with one result. */
  node(opType: string, input: readonly string[], attrs: Readonly<Record<string, Attr>> = {}, named?: string): string {
    return this.nodeOf(opType, input, attrs, 1, named)[0];
  }

  /** One operation with `count` results. */
  nodeOf(
    opType: string,
    input: readonly string[],
    attrs: Readonly<Record<string, Attr>>,
    count: number,
    named?: string,
  ): string[] {
    const attribs = Object.entries(attrs).map(([name, value]) => attribute(name, value));
    const name = this.reserve(named ?? `${opType.toLowerCase()}_${this.nodes.length}`);
    const output = Array.from({ length: count }, (_, i) => i === 0 ? name : this.reserve(`${name}.${i}`));
    this.nodes.push({ opType, name, input: trimmed(input), output, attribute: attribs });
    return output;
  }

  /** The results of an operation that several values are taken from: those of the first time. */
  once(key: string, make: () => readonly string[]): readonly string[] {
    const known = this.#several.get(key) ?? make();
    this.#several.set(key, known);
    return known;
  }

  /** Numbers under a name. */
  initializer(wanted: string, dtype: Dtype, dims: readonly number[], data: TensorData): string {
    const name = this.reserve(wanted);
    this.initializers.push({ name, dims, dataType: elementType(dtype), rawData: bytesOf(dtype, data) });
    return name;
  }

  /** f16 numbers under a name, given as their bits. */
  half(wanted: string, dims: readonly number[], bits: Uint16Array): string {
    const name = this.reserve(wanted),
      rawData = new Uint8Array(bits.buffer as ArrayBuffer, bits.byteOffset, bits.byteLength);
    this.initializers.push({ name, dims, dataType: ELEMENT.f16, rawData });
    return name;
  }

  /** One number, of a shape without axes. */
  scalar(value: number, dtype: Dtype): string {
    return this.#shared(`${dtype} ${Object.is(value, -0) ? "-0" : value}`, () => {
      const one = dtype === "f32"
        ? Float32Array
        : dtype === "i32"
        ? Int32Array
        : dtype === "u32"
        ? Uint32Array
        : Uint8Array;
      return this.initializer(`number_${String(value).replace(/[^\w.-]/g, "_")}`, dtype, [], one.of(value));
    });
  }

  /** Whole numbers, i64 `[values.length]`, as shapes and axes are given. */
  ints(values: readonly number[]): string {
    return this.#shared(
      `ints ${values.join(" ")}`,
      () => this.#int64(`ints_${values.join("_")}`, [values.length], values),
    );
  }

  /** One whole number of i64 without axes. */
  int(value: number): string {
    return this.#shared(`int ${value}`, () => this.#int64(`int_${value}`, [], [value]));
  }

  #int64(wanted: string, dims: readonly number[], values: readonly number[]): string {
    const name = this.reserve(wanted);
    const rawData = new Uint8Array(BigInt64Array.from(values, (v) => BigInt(v)).buffer);
    this.initializers.push({ name, dims, dataType: ELEMENT.i64, rawData });
    return name;
  }

  #shared(key: string, make: () => string): string {
    const known = this.#numbers.get(key) ?? make();
    this.#numbers.set(key, known);
    return known;
  }

  /** A size, i64 `[1]`. */
  size(dim: Dim): string {
    if (isFixed(dim)) return this.ints([dim.rest]);
    const key = `${dim.items} ${dim.length} ${dim.both} ${dim.rest}`;
    const known = this.#known.get(key) ?? this.#size(dim);
    this.#known.set(key, known);
    return known;
  }

  #size(dim: Dim): string {
    const sizeOf = ({ input, axis }: Axis, name: string) =>
      this.node("Shape", [input], { start: axis, end: axis + 1 }, name);
    if (sameDim(dim, ITEMS)) return sizeOf(this.items!, "batch_size");
    if (sameDim(dim, LENGTH)) return sizeOf(this.length!, "length");
    const scaled = (k: number, value: () => string) =>
      k === 0 ? [] : [k === 1 ? value() : this.node("Mul", [value(), this.ints([k])])];
    const terms = [
      ...scaled(dim.both, () => this.node("Mul", [this.size(ITEMS), this.size(LENGTH)])),
      ...scaled(dim.items, () => this.size(ITEMS)),
      ...scaled(dim.length, () => this.size(LENGTH)),
      ...(dim.rest === 0 ? [] : [this.ints([dim.rest])]),
    ];
    return terms.reduce((a, b) => this.node("Add", [a, b]));
  }

  /** A shape, i64 `[rank]`. */
  shape(dims: readonly Dim[]): string {
    if (dims.every(isFixed)) return this.ints(dims.map((d) => d.rest));
    return dims.length === 1 ? this.size(dims[0]) : this.node("Concat", dims.map((d) => this.size(d)), { axis: 0 });
  }

  /** `x` under another shape with as many elements. */
  reshape(x: string, from: readonly Dim[], to: readonly Dim[]): string {
    const open = to.filter((d) => !isFixed(d)).length;
    if (from.length > 2 && to.length === 2 && open === 1 && sameDim(from[0], to[0])) {
      return this.node("Flatten", [x], { axis: 1 });
    }
    // one size that depends on the batch is worked out
    const shape = open <= 1 && to.every((d) => !isFixed(d) || d.rest !== 0)
      ? this.ints(to.map((d) => isFixed(d) ? d.rest : -1))
      : this.shape(to);
    return this.node("Reshape", [x, shape]);
  }

  /** A number that may depend on the batch, without axes. */
  number(value: Dim, dtype: Dtype): string {
    if (isFixed(value)) return this.scalar(value.rest, dtype);
    const size = this.node("Squeeze", [this.size(value)]);
    return this.node("Cast", [size], { to: elementType(dtype) });
  }
}

/** The layer that a weight belongs to, as its node is called. */
export function layerName(weight: string): string | undefined {
  return weight.endsWith(".weight") ? weight.slice(0, -".weight".length) : undefined;
}

/** Optional operands at the end are left out. */
function trimmed(input: readonly string[]): readonly string[] {
  let end = input.length;
  while (end > 0 && input[end - 1] === "") end--;
  return input.slice(0, end);
}

/** The element type that stands for `dtype`: unsigned numbers are i64, which all operators take. */
export function elementType(dtype: Dtype): number {
  return dtype === "u32" ? ELEMENT.i64 : ELEMENT[dtype];
}

function bytesOf(dtype: Dtype, data: TensorData): Uint8Array {
  if (dtype === "bool") return Uint8Array.from(data);
  if (dtype === "u32") return new Uint8Array(BigInt64Array.from(data, (v) => BigInt(v)).buffer);
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}
