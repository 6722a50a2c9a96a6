/**
 * Nodes without inputs: values in memory, numbers that travel with each run, constants, counters and random numbers.
 *
 * @module
 */
import { type Dtype, type HostArray, isFloat, type StoredArray } from "../base/dtype.ts";
import type { Shape } from "../base/shape.ts";
import { Node } from "./node.ts";
import { defineOp } from "./registry.ts";
import { Storage } from "./storage.ts";

/** A value that lies in memory. Inputs, if any, are the pending assignments that put it there. */
export const LEAF = defineOp({ name: "leaf", kind: "leaf", cost: 0 });
/** A number that travels with each run: its value is no part of the program. */
export const SCALAR = defineOp({ name: "scalar", kind: "leaf", cost: 0 });
/** A small array that travels with each run. */
export const ARRAY = defineOp({ name: "array", kind: "leaf", cost: 0 });
/** A number that is part of the program. */
export const CONST = defineOp({ name: "const", kind: "leaf", cost: 0 });

/** Most elements of an {@link array} leaf; larger data lies in memory of its own. */
export const MAX_ARRAY = 16384;

/** The value in `storage` from element `offset` on, as of `version`; `after` are assignments that must run first. */
export function leaf(
  storage: Storage,
  shape: Shape,
  dtype: Dtype,
  { offset = 0, version = storage.version, after = [] }: {
    offset?: number;
    version?: number;
    after?: readonly Node[];
  } = {},
): Node {
  const node = new Node(LEAF, after, shape, dtype);
  node.storage = storage;
  node.offset = offset;
  node.version = version;
  (node as { depth: number }).depth = 0; // also while assignments wait: the next launch carries them out
  return node;
}

/** Bytes up to which whole numbers stay on the host beside the device: a million labels. */
const MOST_KEPT = 2 ** 22;

/** A leaf over numbers on the host, uploaded when first needed. `data` is kept, not copied. */
export function fromHost(data: StoredArray, shape: Shape, dtype: Dtype): Node {
  const storage = new Storage(data.byteLength, data);
  const node = leaf(storage, shape, dtype);
  if (dtype === "u8" && data.length > MOST_KEPT) node.bounds = [0, 255]; // images, say: looking at each would take longer than the upload
  else if (!isFloat(dtype) && data.length > 0) {
    if (data.byteLength <= MOST_KEPT) storage.known = data as HostArray;
    let low = data[0], high = data[0];
    for (let i = 1; i < data.length; i++) {
      const v = data[i];
      if (v < low) low = v;
      if (v > high) high = v;
    }
    node.bounds = [low, high];
    node.tight = true;
  }
  return node;
}

/** A number whose value may change from run to run without a new program. */
export function scalar(value: number, dtype: "f32" | "i32" | "u32" | "bool" = "f32"): Node {
  const node = new Node(SCALAR, [], [], dtype);
  node.value = value;
  return node;
}

/** A small array whose values may change from run to run without a new program; at most {@link MAX_ARRAY} elements. */
export function array(data: HostArray, shape: Shape, dtype: "f32" | "i32" | "u32"): Node {
  const node = new Node(ARRAY, [], shape, dtype);
  node.array = data;
  return node;
}

/** A constant of the program; broadcasts to anything. */
export function constant(value: number, dtype: "f32" | "i32" | "u32" | "bool" = "f32"): Node {
  const node = new Node(CONST, [], [], dtype);
  node.value = value;
  return node;
}

/** The coordinate along `attr[0]`, i32. */
export const COORD = defineOp({ name: "coord", kind: "leaf", cost: 1 });

/** `[0, 1, 2, ...]` along `axis` of `shape`, i32. */
export function coord(shape: Shape, axis: number): Node {
  return new Node(COORD, [], shape, "i32", [axis]);
}

/** The number of the segment an element belongs to; `attr` holds the segments' starts. */
export const SEGMENT = defineOp({ name: "segment", kind: "leaf", cost: 2 });

/** For each of `n` elements the number of the last entry of `starts` that is not behind it, i32 `[n]`. */
export function segmentOf(n: number, starts: readonly number[]): Node {
  return new Node(SEGMENT, [], [n], "i32", starts);
}

/** Random numbers; inputs are the key (u32 `[2]`, an array leaf) and the stream (a u32 scalar leaf). */
export const RANDOM = defineOp({ name: "random", kind: "elementwise", cost: 40 });

/** The distributions of {@link random}, in the order of their numbers. */
export const DISTRIBUTIONS = ["bits", "uniform", "normal"] as const;

/** Random numbers of `shape`: element `i`, row-major, of stream `stream` under `key`. */
export function random(shape: Shape, dist: "bits" | "uniform" | "normal", key: Node, stream: Node): Node {
  return new Node(RANDOM, [key, stream], shape, dist === "bits" ? "u32" : "f32", [DISTRIBUTIONS.indexOf(dist)]);
}
