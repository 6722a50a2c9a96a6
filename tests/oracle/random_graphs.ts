/**
 * Random calls of functions and layers on random views, for comparison of the devices with each other and of views with the
 * same numbers in memory of their own.
 *
 * @module
 */
import type { Device } from "../../src/device/contract.ts";
import { session } from "../../src/graph/session.ts";
import { readAll, Rng } from "../../src/tensor/mod.ts";
import { build, type CaseInput, difference, nameOf, type RecordedCase, seenAs } from "../support/recorded.ts";
import type { Json } from "../support/golden.ts";

type Shape = readonly number[];

/** Draws what a case is made of. */
class Draw {
  #seed: number;

  constructor(readonly rng: Rng, seed: number) {
    this.#seed = seed;
  }

  /** A whole number from `low` to `high`. */
  int(low: number, high: number): number {
    return low + this.rng.integer(high - low + 1);
  }

  /** One of `list`. */
  of<T>(list: readonly T[]): T {
    return list[this.rng.integer(list.length)];
  }

  /** `rank` sizes. */
  shape(rank: number, low = 1, high = 7): number[] {
    return Array.from({ length: rank }, () => this.int(low, high));
  }

  /** A pair for two axes, often unlike. */
  pair(low: number, high: number): [number, number] {
    return [this.int(low, high), this.int(low, high)];
  }

  /** An f32 input that is seen in `shape`; `apart`: no two elements are one, where some gradients would be nothing but rounding. */
  look(shape: Shape, scale = 1, offset = 0, apart = false): CaseInput {
    const [s, view] = this.#views(shape, apart);
    return { s, f: [this.#seed++, scale, offset], ...(view.length > 0 ? { view } : {}) };
  }

  /** Whole numbers below `below`, seen in `shape`. */
  index(shape: Shape, below: number): CaseInput {
    const [s, view] = this.#views(shape);
    const v = Array.from({ length: s.reduce((a, b) => a * b, 1) }, () => this.rng.integer(below));
    return { s, d: this.of(["i32", "u8"] as const), v, ...(view.length > 0 ? { view } : {}) };
  }

  /** The shape of a base, and the views that lead from it to `want`. */
  #views(want: Shape, apart = false): [number[], [string, Json][]] {
    let shape = [...want];
    const views: [string, Json][] = [];
    for (let left = this.int(0, 3); left > 0 && shape.length > 0; left--) {
      const axis = this.rng.integer(shape.length);
      switch (this.of(["flip", "permute", "slice", apart ? "slice" : "expand"])) {
        case "flip":
          views.unshift(["flip", [axis]]);
          break;
        case "permute": {
          const order = shape.map((_, i) => i);
          for (let i = order.length - 1; i > 0; i--) {
            const j = this.rng.integer(i + 1);
            [order[i], order[j]] = [order[j], order[i]];
          }
          shape = shape.map((_, a) => shape[order.indexOf(a)]);
          views.unshift(["permute", order]);
          break;
        }
        case "slice": {
          const step = this.of([1, 2, 3, -1, -2]), before = this.int(0, 2), after = this.int(0, 2);
          const span = (shape[axis] - 1) * Math.abs(step) + 1, end = before + span;
          const range = step > 0 ? [before, end, step] : [end - 1, before > 0 ? before - 1 : null, step];
          views.unshift(["slice", shape.map((_, i) => i === axis ? range : null)]);
          shape = shape.map((n, i) => i === axis ? end + after : n);
          break;
        }
        case "expand":
          views.unshift(["expand", shape]);
          shape = shape.map((n, i) => i === axis ? 1 : n);
      }
    }
    return [shape, views];
  }
}

/** A call: the function, its arguments, its inputs. */
interface Call {
  readonly fn: string;
  readonly args: readonly Json[];
  readonly x: readonly CaseInput[];
  readonly new?: readonly Json[];
  readonly train?: boolean;
}

const UNARY = ["exp", "tanh", "sigmoid", "erf", "silu", "mish", "gelu", "softplus", "square", "sin", "neg"];
const BINARY = ["add", "sub", "mul"];

const CALLS: Record<string, (d: Draw) => Call> = {
  unary: (d) => ({ fn: `ops.${d.of(UNARY)}`, args: ["$0"], x: [d.look(d.shape(d.int(1, 4)), 2)] }),
  binary: (d) => {
    const full = d.shape(d.int(1, 4));
    const thin = full.slice(d.int(0, full.length - 1)).map((n) => d.int(0, 2) === 0 ? 1 : n);
    return { fn: `ops.${d.of(BINARY)}`, args: ["$0", "$1"], x: [d.look(full), d.look(thin)] };
  },
  fold: (d) => {
    const rank = d.int(1, 4), axis = d.rng.integer(rank);
    const fn = d.of(["sum", "mean", "var", "logsumexp", "softmax", "logSoftmax", "cumsum"]);
    return { fn: `ops.${fn}`, args: ["$0", { axis }], x: [d.look(d.shape(rank, 2, 40), 2, 0, true)] };
  },
  matmul: (d) => {
    const [m, k, n] = d.shape(3, 1, 40), batch = d.of([[], [], [3], [2, 2]]);
    return {
      fn: "ops.matmul",
      args: ["$0", "$1"],
      x: [d.look([...batch, m, k]), d.look([...d.of([[], batch]), k, n])],
    };
  },
  gather: (d) => {
    const shape = d.shape(d.int(1, 3)), axis = d.rng.integer(shape.length);
    const want = shape.map((n, i) => i === axis ? d.int(1, 9) : d.int(1, n));
    return { fn: "ops.gather", args: ["$0", "$1", { axis }], x: [d.look(shape), d.index(want, shape[axis])] };
  },
  scatterAdd: (d) => {
    const shape = d.shape(d.int(1, 3)), axis = d.rng.integer(shape.length);
    const want = shape.map((n, i) => i === axis ? d.int(1, 9) : d.int(1, n));
    const x = [d.look(shape), d.index(want, shape[axis]), d.look(want)];
    return { fn: "ops.scatterAdd", args: ["$0", "$1", "$2", { axis }], x };
  },
  indexSelect: (d) => {
    const shape = d.shape(d.int(1, 3)), axis = d.rng.integer(shape.length);
    return {
      fn: "ops.indexSelect",
      args: ["$0", "$1", { axis }],
      x: [d.look(shape), d.index([d.int(1, 9)], shape[axis])],
    };
  },
  conv1d: (d) => convolution(d, "conv1d", 1),
  conv2d: (d) => convolution(d, "conv2d", 2),
  convTranspose2d: (d) => {
    const groups = d.of([1, 1, 2]), [cin, cout] = [groups * d.int(1, 4), groups * d.int(1, 4)];
    const kernel = d.shape(2, 1, 4), stride = d.pair(1, 3), dilation = d.pair(1, 2);
    const image = d.shape(2, 2, 8);
    const padding = kernel.map((k, i) =>
      d.int(0, Math.min(2, ((image[i] - 1) * stride[i] + dilation[i] * (k - 1)) >> 1))
    );
    const outputPadding = stride.map((s, i) => d.int(0, Math.max(s, dilation[i]) - 1));
    return {
      fn: "ops.convTranspose2d",
      args: ["$0", "$1", { stride, padding, dilation, groups, outputPadding }],
      x: [d.look([d.int(1, 3), cin, ...image]), d.look([cin, cout / groups, ...kernel])],
    };
  },
  pool: (d) => {
    const kernel = d.pair(1, 3), padding = kernel.map((k) => d.int(0, k >> 1));
    const options = { stride: d.pair(1, 3), padding, ceilMode: d.of([true, false]) };
    const image = [d.int(1, 3), d.int(1, 3), d.int(3, 9), d.int(3, 9)];
    return { fn: `ops.${d.of(["maxPool2d", "avgPool2d"])}`, args: ["$0", kernel, options], x: [d.look(image)] };
  },
  pad: (d) => {
    const shape = d.shape(d.int(1, 4), 3, 6), mode = d.of(["constant", "reflect", "replicate", "circular"]);
    return { fn: "ops.pad", args: ["$0", shape.map(() => d.pair(0, 2)), { mode }], x: [d.look(shape)] };
  },
  cat: (d) => {
    const shape = d.shape(d.int(1, 3)), axis = d.rng.integer(shape.length), n = d.int(2, 4);
    const part = () => d.look(shape.map((m, i) => i === axis ? d.int(1, 4) : m));
    return {
      fn: "ops.cat",
      args: [Array.from({ length: n }, (_, i) => `$${i}`), { axis }],
      x: Array.from({ length: n }, part),
    };
  },
  interpolate: (d) => ({
    fn: "ops.interpolate",
    args: ["$0", { size: d.pair(1, 9), mode: d.of(["nearest", "bilinear"]) }],
    x: [d.look(d.shape(4, 1, 5))],
  }),
  gridSample: (d) => ({
    fn: "ops.gridSample",
    args: ["$0", "$1", { paddingMode: d.of(["zeros", "border"]) }],
    x: [d.look([2, d.int(1, 3), ...d.shape(2, 3, 6)]), d.look([2, ...d.shape(2, 1, 4), 2], 0.9)],
  }),
  norm: (d) => {
    const c = d.int(1, 6), x = [d.look([d.int(3, 9), c, ...d.shape(2, 2, 6)], 1, d.of([0, 0, 10]), true)];
    return d.of([
      { fn: "nn.BatchNorm2d", args: ["$0"], new: [c], train: true, x },
      { fn: "nn.GroupNorm", args: ["$0"], new: [1, c], x },
      { fn: "nn.InstanceNorm2d", args: ["$0"], new: [c], x },
    ]);
  },
  crossEntropy: (d) => {
    const [n, c] = [d.int(2, 9), d.int(2, 9)], tail = d.of([[], [], [3]]);
    const options = { labelSmoothing: d.of([0, 0.2]), reduction: d.of(["mean", "sum", "none"]) };
    const x = [d.look([n, c, ...tail], 2, 0, true), d.index([n, ...tail], c)];
    return { fn: "nn.CrossEntropyLoss", args: ["$0", "$1"], new: [options], x };
  },
};

function convolution(d: Draw, fn: string, axes: number): Call {
  const groups = d.of([1, 1, 1, 2, 3]), [cin, cout] = [groups * d.int(1, 5), groups * d.int(1, 5)];
  const kernel = d.shape(axes, 1, 4), dilation = d.shape(axes, 1, 2);
  const image = kernel.map((k, i) => (k - 1) * dilation[i] + d.int(1, 9));
  return {
    fn: `ops.${fn}`,
    args: ["$0", "$1", { stride: d.shape(axes, 1, 3), padding: d.shape(axes, 0, 2), dilation, groups }],
    x: [d.look([d.int(1, 3), cin, ...image]), d.look([cout, cin / groups, ...kernel])],
  };
}

/** The names of the kinds of calls. */
export const KINDS: readonly string[] = Object.keys(CALLS);

/** A call of the `n`-th kind, from a seed that draws it again. */
export function randomCase(n: number, seed: number): RecordedCase {
  const call = CALLS[KINDS[n % KINDS.length]](new Draw(new Rng(seed), seed * 16));
  const g = Object.fromEntries(
    call.x.map((x, i): [string, string] => [`${i}`, x.f === undefined ? "" : "f32"]).filter(([, v]) => v !== ""),
  );
  return { ...call, shape: [], seed: seed % 1000, y: "", g };
}

/** Values and gradients of a case on a device; `whole`: its inputs in memory of their own, gradients by those. */
async function compute(c: RecordedCase, device: Device, whole = false): Promise<[string, Float32Array][]> {
  session.useDevice(device);
  const { y, gradients } = build(whole ? await inMemory(c) : c);
  const results = await readAll([y, ...gradients.values()]);
  return ["value", ...[...gradients.keys()].map((k) => `gradient of input ${k}`)].map((
    name,
    i,
  ) => [name, Float32Array.from(results[i])]);
}

/** The case with what its views show as numbers. */
async function inMemory(c: RecordedCase): Promise<RecordedCase> {
  const seen = c.x.map((x) => seenAs(x));
  const values = await readAll(seen);
  return {
    ...c,
    x: c.x.map((x, i) => ({ s: seen[i].shape, ...(x.d === undefined ? {} : { d: x.d }), v: [...values[i]] })),
  };
}

/**
 * What disagrees: every device with the first one, and on each the value for views with that for the same numbers in memory.
 * Empty if all agree.
 */
export async function disagreements(
  c: RecordedCase,
  devices: readonly (readonly [string, Device])[],
): Promise<string[]> {
  const wrong: string[] = [];
  const compare = (got: Float32Array, want: Float32Array, what: string) => {
    const off = difference(got, want, want, { rel: 2e-5, whole: true });
    if (off !== null) wrong.push(`${nameOf(c)}: ${what}: ${off}`);
  };
  let first: [string, Float32Array][] | null = null;
  for (const [name, device] of devices) {
    const got = await compute(c, device);
    const [[, plain]] = await compute(c, device, true);
    compare(got[0][1], plain, `${name}, views against numbers in memory`);
    if (first === null) first = got;
    else got.forEach(([what, v], i) => compare(v, first![i][1], `${what}, ${name} against ${devices[0][0]}`));
  }
  return wrong;
}
