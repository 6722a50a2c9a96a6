/**
 * Mean and variance of channels over the batches of several processes: the one place where building an expression meets
 * the other processes, in the middle of the forward pass and again, for the gradient, in the middle of the backward pass.
 *
 * @module
 */
import { DeviceError } from "../base/errors.ts";
import { type Shape, sizeOf } from "../base/shape.ts";
import { add, mul, sub } from "./elementwise.ts";
import { array, fromHost } from "./leaves.ts";
import { momentsOf } from "./moments.ts";
import { Node } from "./node.ts";
import { defineOp } from "./registry.ts";
import { keep, readSync } from "./runtime.ts";
import { cat } from "./products.ts";
import { reshape, slice } from "./views.ts";

/** The processes that share moments. Both calls are made by all of them, in the same order. */
export interface MomentPeers {
  /** Numbers of all processes, one list each. */
  gather(mine: Float64Array): readonly Float64Array[];
  /** Sums over all processes. */
  sum(mine: Float32Array): Float32Array;
}

/** What a moments node needs for its gradient. */
interface Shared {
  readonly peers: MomentPeers;
  /** Values of a channel, in all processes. */
  readonly count: number;
  readonly mean: Node;
}

const shared = new WeakMap<Node, Shared>();

/** `[2, c]`: means, then variances. In memory from the start: no device ever computes it. */
const MOMENTS = defineOp({
  name: "sharedMoments",
  kind: "opaque",
  cost: 0,
  // m = sum x / n, v = sum (x - m)^2 / n over all processes, whose losses add up: dx = (dm + 2 (x - m) dv) / n, with dm
  // and dv the sums of what each process's loss says
  vjp: (dy, node) => {
    const { peers, count, mean } = shared.get(node)!;
    const [x] = node.inputs;
    const c = x.shape[1];
    const total = peers.sum(now(dy));
    const wide = wideOf(x.shape);
    const part = (from: number, factor: number) =>
      array(total.slice(from, from + c).map((v) => v * factor / count), wide, "f32");
    return [add(mul(sub(x, mean), part(c, 2)), part(0, 1))];
  },
});

/** The input itself; its gradient is computed with the next program, as several later ones need it. */
const KEEP_GRAD = defineOp({
  name: "keepGrad",
  kind: "elementwise",
  cost: 0,
  emit: (_e, [x]) => x,
  vjp: (dy) => {
    keep(dy);
    return [dy];
  },
});

/** `[1, c, 1, ...]` */
function wideOf(shape: Shape): number[] {
  return shape.map((n, i) => i === 1 ? n : 1);
}

/** Numbers of a small node, computed now. */
function now(node: Node): Float32Array {
  const values = readSync([node]);
  if (values === null) {
    throw new DeviceError(
      "Cannot share the statistics of batch norms: this device cannot be read without waiting; use { syncBn: false }",
    );
  }
  return Float32Array.from(values[0]);
}

/** The moments of `x` `[n, c, ...]`, and a way to pass on what is made of them. */
export interface SharedMoments {
  /** Means over everything but the channels, `[c]`. */
  readonly mean: Node;
  /** Biased variances, `[c]`. */
  readonly variance: Node;
  /** Values of a channel, in all processes. */
  readonly count: number;
}

/**
 * Mean and variance of each channel (axis 1) of `x` over the batches of all processes, each of whose numbers of items may
 * differ. Computes what `x` depends on now.
 */
export function sharedMoments(x: Node, peers: MomentPeers): SharedMoments {
  const { shape } = x;
  const c = shape[1];
  const axes = shape.map((_, i) => i).filter((i) => i !== 1);
  const n = sizeOf(shape) / c;
  const { near, above, variance } = momentsOf(x, axes);
  keep(x); // the rest of the step needs it again
  const local = now(cat([near, above, variance].map((v) => reshape(v, [c])), 0));
  const mine = new Float64Array(1 + 2 * c);
  mine[0] = n;
  for (let j = 0; j < c; j++) {
    mine[1 + j] = local[j] + local[c + j];
    mine[1 + c + j] = local[2 * c + j];
  }
  const { count, moments } = combine(peers.gather(mine), c);
  const y = new Node(MOMENTS, [x], [2, c], "f32");
  const place = fromHost(moments, [2, c], "f32");
  y.settle(place.storage!, 0, place.version); // which keeps the input where a gradient may flow
  shared.set(y, { peers, count, mean: array(moments.slice(0, c), wideOf(shape), "f32") });
  const row = (i: number) => reshape(slice(y, [i, 0], [1, c]), [c]);
  return { mean: row(0), variance: row(1), count };
}

/** Moments of parts put together (Chan, Golub and LeVeque 1979). */
function combine(parts: readonly Float64Array[], c: number): { count: number; moments: Float32Array } {
  let count = 0;
  for (const [n] of parts) count += n;
  const moments = new Float32Array(2 * c);
  for (let j = 0; j < c; j++) {
    let mean = 0, squares = 0;
    for (const p of parts) mean += p[0] * p[1 + j] / count;
    for (const p of parts) squares += p[0] * (p[1 + c + j] + (p[1 + j] - mean) ** 2);
    moments[j] = mean;
    moments[c + j] = squares / count;
  }
  return { count, moments };
}

/** `x`, whose gradient several programs of the backward pass need. */
export function keepGrad(x: Node): Node {
  return new Node(KEEP_GRAD, [x], x.shape, x.dtype);
}
