/**
 * The copy with a border of every small convolution: where it is inside, it has the source's element; where a guard
 * fails, it has a zero. In plain loops, so that all combinations of views, windows and directions are cheap.
 */
import { assertEquals } from "@std/assert";
import type { ConvKernel, Guard } from "../../../src/device/contract.ts";
import { type Padding, planPadding } from "../../../src/device/cpu/conv_plan.ts";
import { forEachCoord, sizeOf } from "../../support/ref.ts";

/** Strides of an image's rows and columns, by how it is looked at; the image has 4 rows and 3 columns. */
const VIEWS: Record<string, readonly [number, number]> = {
  "as it lies": [3, 1],
  "rows backwards": [-3, 1],
  "columns backwards": [3, -1],
  "both backwards": [-3, -1],
  "every other row from the end": [-6, 1],
  "every other column from the end": [6, -2],
  "transposed": [1, 4],
  "transposed, rows backwards": [-1, 4],
  "one row, repeated": [0, 1],
  "one column, repeated, backwards": [-1, 0],
  "one element": [0, 0],
};
const SIZE = [4, 3];

/** The kernel of a convolution forwards (`n` are batch and places) or of its weight's gradient (`k` are those). */
function kernelOf(
  [row, column]: readonly [number, number],
  { taps, stride, padding, dilation, weight }: Record<"taps" | "stride" | "padding" | "dilation", readonly number[]> & {
    weight: boolean;
  },
): ConvKernel | null {
  const places = SIZE.map((n, i) => Math.floor((n + 2 * padding[i] - dilation[i] * (taps[i] - 1) - 1) / stride[i]) + 1);
  if (places.some((n) => n < 1)) return null;
  const [groups, channels, batch] = [2, 2, 2], lie = [row, column];
  const spread = [29, 101, 211]; // groups, channels, batch lie far apart
  const window = [[channels, ...taps], [batch, ...places]];
  const strides = [[spread[1], ...lie.map((s, i) => s * dilation[i])], [
    spread[2],
    ...lie.map((s, i) => s * stride[i]),
  ]];
  const order = weight ? [1, 0] : [0, 1];
  const guards = SIZE.map((size, axis): Guard => {
    const own = [dilation[axis], stride[axis]];
    const along = order.flatMap((which) => [0, 1, 2].map((i) => i === axis + 1 ? own[which] : 0));
    return { offset: -padding[axis], strides: [0, ...along], size };
  });
  const b = {
    slot: 1,
    dtype: "f32" as const,
    offset: 1000 - lie.reduce((sum, s, i) => sum + s * padding[i], 0),
    strides: [spread[0], ...order.flatMap((which) => strides[which])],
  };
  const a = { slot: 2, dtype: "f32" as const, offset: 0, strides: [] };
  const [k, n] = order.map((which) => window[which]);
  return { op: "conv", groups, m: 4, k, n, a, b, guards, body: [], outs: [] };
}

/** Where each element of the copy comes from: an offset of the source, or null for a zero. */
function copied({ axes, source }: Padding, b: ConvKernel["b"]): (number | null)[] {
  const out: (number | null)[] = [];
  forEachCoord(axes.map(({ size }) => size), (c) => {
    const inside = axes.every(({ from, to }, i) => c[i] >= from && c[i] < to);
    out.push(inside ? b.offset + source + axes.reduce((sum, { stride }, i) => sum + c[i] * stride, 0) : null);
  });
  return out;
}

for (const [label, lie] of Object.entries(VIEWS)) {
  Deno.test(`the copy with a border of every small convolution of an image ${label}`, () => {
    let tried = 0;
    const pairs = (list: readonly number[]) => list.flatMap((a) => list.map((b) => [a, b]));
    for (const taps of pairs([1, 2, 3])) {
      for (const padding of pairs([0, 1, 2])) {
        for (const stride of pairs([1, 2])) {
          for (const dilation of pairs([1, 2])) {
            for (const weight of [false, true]) {
              const kernel = kernelOf(lie, { taps, stride, padding, dilation, weight });
              const plan = kernel && planPadding(kernel);
              if (kernel === null || plan === null) continue;
              tried++;
              const copy = copied(plan, kernel.b);
              assertEquals(copy.length, plan.elements);
              const { b, guards } = kernel, what = JSON.stringify({ taps, padding, stride, dilation, weight });
              forEachCoord([kernel.groups, ...kernel.k, ...kernel.n], (c) => {
                const dot = (strides: readonly number[]) => strides.reduce((sum, s, i) => sum + s * c[i], 0);
                const inside = guards.every((g) =>
                  g.offset + dot(g.strides) >= 0 && g.offset + dot(g.strides) < g.size
                );
                const got = copy[plan.offset + dot(plan.strides)];
                const want = inside ? b.offset + dot(b.strides) : null;
                if (got !== want) {
                  assertEquals(got, want, `${what} at [${c}] of [${sizeOf(kernel.k)}, ${sizeOf(kernel.n)}]`);
                }
              });
            }
          }
        }
      }
    }
    assertEquals(tried > 300, true);
  });
}
