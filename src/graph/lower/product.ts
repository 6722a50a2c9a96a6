/**
 * Convolutions as products over windows: which axes are summed, which are laid out, and how the operands run along them.
 *
 * @module
 */
import type { Shape } from "../../base/shape.ts";
import type { ConvKernel, Guard, Inst, View } from "../../device/contract.ts";
import { CONV } from "../conv.ts";
import { windowSpec } from "../windows.ts";
import type { KernelBody } from "./kernel_body.ts";
import { compact } from "./compact.ts";
import { type Form, reach, zeroForm } from "./coords.ts";
import type { Item } from "./graph.ts";

/** The product of one convolution, before its axes are folded. */
export interface Product extends Pick<ConvKernel, "groups" | "m" | "k" | "n" | "a" | "b" | "guards"> {
  /** `[groups, m, ...n]` */
  readonly domain: Shape;
  /** Coordinates of the result along its own axes. */
  readonly axes: readonly Form[];
}

/** The product that computes `item`, a `conv` or `convWeight`; throws what must be stored first. */
export function convProduct(item: Item, body: KernelBody): Product {
  const forward = item.op === CONV;
  const [x, other] = forward ? item.inputs : [item.inputs[1], item.inputs[0]];
  const [groups, m, cin, ...taps] = forward ? other.shape : item.shape;
  const places = forward ? item.shape.slice(2) : other.shape.slice(2);
  const { stride, before, dilation } = windowSpec(item.node.attr);
  const image = body.strided(x);
  const [batchStride, channel, ...along] = image.strides;

  // the input over [groups, cin, taps..., batch, places...], each a stride of `image` and of one guard
  let { offset } = image;
  before.forEach((n, i) => offset -= n * along[i]);
  const windows = {
    group: cin * channel,
    taps: [channel, ...along.map((s, i) => s * dilation[i])],
    places: [batchStride, ...along.map((s, i) => s * stride[i])],
  };
  const summed = forward ? "taps" : "places";
  const laid = forward ? "places" : "taps";
  const sizes = { taps: [cin, ...taps], places: [x.shape[0], ...places] };
  const k = sizes[summed], n = sizes[laid];
  const guards: Guard[] = [];
  taps.forEach((_, i) => {
    const at = (first: number) => k.map((_, axis) => axis === i + 1 ? first : 0);
    const [inner, outer] = forward ? [dilation[i], stride[i]] : [stride[i], dilation[i]];
    const guard = { offset: -before[i], strides: [0, ...at(inner), ...at(outer)], size: x.shape[2 + i] };
    const [low, high] = reach(guard, [groups, ...k, ...n]);
    if (low < 0 || high >= guard.size) guards.push(guard);
  });
  const domain = [groups, m, ...n];
  const axis = (i: number, factor = 1): Form => {
    const form = zeroForm(domain.length);
    return { offset: 0, strides: form.strides.map((_, j) => j === i ? factor : 0) };
  };
  const rows = { offset: 0, strides: domain.map((_, j) => j === 0 ? m : j === 1 ? 1 : 0) };
  const rest = n.slice(1).map((_, i) => axis(i + 3));
  const left = body.strided(other);
  const [w0, w1, ...wTaps] = left.strides;
  return {
    groups,
    m,
    k,
    n,
    // the weight lies as [groups, m, cin, taps...], the result's gradient as [batch, groups * m, places...]
    a: { ...left, strides: forward ? left.strides : [w1 * m, w1, w0, ...wTaps] },
    b: { ...image, offset, strides: [windows.group, ...windows[summed], ...windows[laid]] },
    guards,
    domain,
    axes: forward ? [axis(2), rows, ...rest] : [axis(0), axis(1), axis(2), ...rest],
  };
}

/** The product with axes of size 1 left out and neighbouring axes joined where all addresses allow it. */
export function foldProduct(
  { groups, m, k, n, a, b, guards }: Product,
  body: readonly Inst[],
  views: readonly View[],
): {
  product: Pick<ConvKernel, "groups" | "m" | "k" | "n" | "a" | "b" | "guards">;
  body: readonly Inst[];
  views: readonly View[];
} {
  const of = (view: View, strides: readonly number[]): View => ({ ...view, strides });
  const form = (strides: readonly number[]): View => of(b, strides); // only its strides matter
  const inner = (s: readonly number[]) => s.slice(1, 1 + k.length);
  const outer = (s: readonly number[]) => s.slice(1 + k.length);
  const sum = compact({
    sizes: k,
    folds: [[0, k.length]],
    keepOne: 0,
    body: [],
    views: [of(a, a.strides.slice(2)), of(b, inner(b.strides)), ...guards.map((g) => form(inner(g.strides)))],
  });
  const lay = compact({
    sizes: [groups, m, ...n],
    folds: [[2, 2 + n.length]],
    keepOne: 0,
    body,
    views: [
      ...views,
      of(b, [b.strides[0], 0, ...outer(b.strides)]),
      ...guards.map((g) => form([0, 0, ...outer(g.strides)])),
    ],
  });
  const [aK, bK, ...guardK] = sum.views.map((v) => v.strides);
  const results = lay.views.slice(0, views.length);
  const [bN, ...guardN] = lay.views.slice(views.length).map((v) => v.strides.slice(2));
  return {
    product: {
      groups,
      m,
      k: sum.folded[0],
      n: lay.folded[0],
      a: of(a, [a.strides[0], a.strides[1], ...aK]),
      b: of(b, [b.strides[0], ...bK, ...bN]),
      guards: guards.map((g, i) => ({ ...g, strides: [0, ...guardK[i], ...guardN[i]] })),
    },
    body: lay.body,
    views: results,
  };
}
