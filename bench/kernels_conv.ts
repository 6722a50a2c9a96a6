/**
 * Convolution kernels for the benchmark of the CPU device: images in NCHW, every direction.
 *
 * @module
 */
import type { ConvKernel, Guard, Inst, View } from "../src/device/contract.ts";

/** A convolution of `[batch, groups * cin, height, width]` by `[groups * cout, cin, taps, taps]`, padded by `taps >> 1`. */
export interface Layer {
  readonly batch: number;
  readonly groups?: number;
  readonly cin: number;
  readonly cout: number;
  readonly size: number;
  readonly taps: number;
  readonly stride?: number;
}

/** A kernel with the lengths of its slots, which are numbered from 1. */
export interface ConvWork {
  readonly kernel: ConvKernel;
  readonly lengths: readonly number[];
  /** Multiplications and additions. */
  readonly flops: number;
}

const view = (slot: number, strides: readonly number[], offset = 0): View => ({ slot, dtype: "f32", offset, strides });
const places = ({ size, taps, stride = 1 }: Layer) => Math.floor((size + 2 * (taps >> 1) - taps) / stride) + 1;

/** The windows of slot `slot`, `[batch, groups * channels, size, size]`, over `[groups, channels, y, x, batch, oy, ox]`. */
function windows(slot: number, channels: number, { groups = 1, size, taps, stride = 1 }: Layer) {
  const area = size * size, before = taps >> 1;
  const strides = [channels * area, area, size, 1, groups * channels * area, stride * size, stride];
  const guard = (axis: number): Guard => {
    const own = [0, 0, 0, 0, 0, 0, 0];
    own[2 + axis] = 1;
    own[5 + axis] = stride;
    return { offset: -before, strides: own, size };
  };
  return { b: view(slot, strides, -before * (size + 1)), guards: before > 0 ? [guard(0), guard(1)] : [] };
}

/** The forward convolution, with bias and relu if asked for. */
export function forward(layer: Layer, relu = false): ConvWork {
  const { batch, groups = 1, cin, cout, size, taps } = layer;
  const out = places(layer), area = out * out;
  const body: Inst[] = [{ k: "acc" }];
  if (relu) {
    body.push({ k: "load", view: view(4, [cout, 1, 0, 0, 0]) }, { k: "binary", op: "add", a: 0, b: 1 });
    body.push({ k: "const", value: 0, type: "f32" }, { k: "binary", op: "max", a: 2, b: 3 });
  }
  const kernel: ConvKernel = {
    op: "conv",
    groups,
    m: cout,
    k: [cin, taps, taps],
    n: [batch, out, out],
    a: view(2, [cout * cin * taps * taps, cin * taps * taps, taps * taps, taps, 1]),
    ...windows(1, cin, layer),
    body,
    outs: [{ view: view(3, [cout * area, area, groups * cout * area, out, 1]), value: body.length - 1 }],
  };
  const lengths = [batch * groups * cin * size * size, groups * cout * cin * taps * taps, batch * groups * cout * area];
  return { kernel, lengths: [...lengths, groups * cout], flops: 2 * lengths[2] * cin * taps * taps };
}

/** The gradient of the weight. */
export function weightGradient(layer: Layer): ConvWork {
  const { batch, groups = 1, cin, cout, taps } = layer;
  const out = places(layer), area = out * out;
  const { b, guards } = windows(1, cin, layer);
  const turned = ([g, c, y, x, ...rest]: readonly number[]) => [g, ...rest, c, y, x];
  const { kernel, lengths, flops } = forward(layer);
  return {
    kernel: {
      ...kernel,
      k: [batch, out, out],
      n: [cin, taps, taps],
      a: view(3, [cout * area, area, groups * cout * area, out, 1]),
      b: { ...b, strides: turned(b.strides) },
      guards: guards.map((g) => ({ ...g, strides: turned(g.strides) })),
      outs: [{
        view: view(2, [cout * cin * taps * taps, cin * taps * taps, taps * taps, taps, 1]),
        value: 0,
      }],
    },
    lengths,
    flops,
  };
}

/** The gradient of the input, for stride 1: a forward convolution by the weight turned round. */
export function inputGradient(layer: Layer): ConvWork {
  const { groups = 1, cin, cout, size, taps } = layer;
  const square = taps * taps, area = size * size;
  const { kernel, lengths, flops } = forward(layer);
  return {
    kernel: {
      ...kernel,
      m: cin,
      k: [cout, taps, taps],
      a: view(2, [cout * cin * square, square, cin * square, -taps, -1], square - 1),
      ...windows(3, cout, layer),
      outs: [{ view: view(1, [cin * area, area, groups * cin * area, size, 1]), value: 0 }],
    },
    lengths,
    flops,
  };
}

/** Layers of small and large nets, by name. */
export const LAYERS: readonly (readonly [name: string, layer: Layer])[] = [
  ["1-16 28x28 s2 b64", { batch: 64, cin: 1, cout: 16, size: 28, taps: 3, stride: 2 }],
  ["16-32 14x14 s2 b64", { batch: 64, cin: 16, cout: 32, size: 14, taps: 3, stride: 2 }],
  ["32-64 7x7 s2 b64", { batch: 64, cin: 32, cout: 64, size: 7, taps: 3, stride: 2 }],
  ["3-32 32x32 b16", { batch: 16, cin: 3, cout: 32, size: 32, taps: 3 }],
  ["64-64 16x16 b16", { batch: 16, cin: 64, cout: 64, size: 16, taps: 3 }],
  ["64-64 14x14 b16", { batch: 16, cin: 64, cout: 64, size: 14, taps: 3 }],
  ["128-128 8x8 b16", { batch: 16, cin: 128, cout: 128, size: 8, taps: 3 }],
  ["512-512 7x7 b4", { batch: 4, cin: 512, cout: 512, size: 7, taps: 3 }],
  ["64-128 16x16 s2 b16", { batch: 16, cin: 64, cout: 128, size: 16, taps: 3, stride: 2 }],
  ["3-64 7x7 64x64 s2 b4", { batch: 4, cin: 3, cout: 64, size: 64, taps: 7, stride: 2 }],
  ["64-64 1x1 16x16 b16", { batch: 16, cin: 64, cout: 64, size: 16, taps: 1 }],
  ["depthwise 128 16x16 b16", { batch: 16, groups: 128, cin: 1, cout: 1, size: 16, taps: 3 }],
];
