/**
 * Programs with convolutions: each direction, over images and over sequences, in every layout that the graph asks for.
 *
 * @module
 */
import { contiguousStrides, sizeOf } from "../../src/base/shape.ts";
import type { Guard } from "../../src/device/contract.ts";
import { fillF32 } from "./fill.ts";
import { type BodyBuilder, CaseBuilder, type ProgramCase, sumTolerance } from "./programs_builder.ts";

/** A convolution of images `[batch, groups * cin, height, width]` by weights `[groups * cout, cin, kh, kw]`. */
export interface Images {
  readonly batch: number;
  readonly groups?: number;
  readonly cin: number;
  readonly cout: number;
  readonly size: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly stride?: readonly [number, number];
  readonly padding?: readonly [number, number];
  readonly dilation?: readonly [number, number];
  /** Whether the weight is read backwards, as the gradient of an input reads it. */
  readonly turned?: boolean;
}

const plain: BodyOf = (body, y) => body.store(y, body.acc());

/** Writes the epilogue, which stores to `y`. */
export type BodyOf = (body: BodyBuilder, y: number) => void;

/** All conv cases. */
export function convCases(): ProgramCase[] {
  const shapes: [string, Images][] = [
    ["3x3 same", { batch: 2, cin: 3, cout: 8, size: [9, 7], kernel: [3, 3], padding: [1, 1] }],
    ["3x3 of 16 to 32 channels", { batch: 3, cin: 16, cout: 32, size: [8, 8], kernel: [3, 3], padding: [1, 1] }],
    ["3x3 stride 2", { batch: 4, cin: 5, cout: 6, size: [15, 14], kernel: [3, 3], stride: [2, 2], padding: [1, 1] }],
    ["7x7 stride 2 stem", {
      batch: 1,
      cin: 3,
      cout: 20,
      size: [32, 32],
      kernel: [7, 7],
      stride: [2, 2],
      padding: [3, 3],
    }],
    ["1x1", { batch: 2, cin: 24, cout: 10, size: [5, 6], kernel: [1, 1] }],
    ["1x1, of vectors of four", { batch: 3, cin: 24, cout: 20, size: [6, 6], kernel: [1, 1] }],
    ["1x1 stride 2", { batch: 2, cin: 9, cout: 12, size: [7, 8], kernel: [1, 1], stride: [2, 2] }],
    ["no padding", { batch: 1, cin: 1, cout: 1, size: [5, 5], kernel: [5, 5] }],
    ["dilated, odd strides", {
      batch: 2,
      cin: 2,
      cout: 3,
      size: [11, 13],
      kernel: [3, 2],
      stride: [2, 1],
      padding: [3, 2],
      dilation: [2, 3],
    }],
    ["3 groups", { batch: 2, groups: 3, cin: 4, cout: 5, size: [6, 7], kernel: [3, 3], padding: [1, 1] }],
    ["depthwise", { batch: 2, groups: 17, cin: 1, cout: 1, size: [9, 9], kernel: [3, 3], padding: [1, 1] }],
    ["depthwise, stride 2, dilated", {
      batch: 3,
      groups: 5,
      cin: 1,
      cout: 1,
      size: [23, 18],
      kernel: [5, 3],
      stride: [2, 2],
      padding: [4, 1],
      dilation: [2, 1],
    }],
    ["depthwise, 7x7, rows of 7", {
      batch: 2,
      groups: 6,
      cin: 1,
      cout: 1,
      size: [7, 7],
      kernel: [7, 7],
      padding: [3, 3],
    }],
    ["depthwise, a long sum", {
      batch: 2,
      groups: 3,
      cin: 1,
      cout: 1,
      size: [40, 37],
      kernel: [3, 3],
      padding: [1, 1],
    }],
    ["depthwise, several of each", {
      batch: 2,
      groups: 4,
      cin: 1,
      cout: 3,
      size: [6, 5],
      kernel: [3, 3],
      padding: [1, 1],
    }],
    ["more padding than image", { batch: 1, cin: 2, cout: 2, size: [2, 3], kernel: [5, 5], padding: [4, 4] }],
    ["a large sum", { batch: 1, cin: 300, cout: 7, size: [4, 4], kernel: [3, 3], padding: [1, 1] }],
  ];
  return [
    ...shapes.map(([name, images]) => forward(name, images)),
    ...shapes.map(([name, images]) => weightGradient(name, images)),
    forward("bias and relu, stored where images lie", shapes[1][1], (body, y) => {
      const bias = body.owner.input(fillF32(210, 32));
      const v = body.binary("add", body.acc(), body.load(bias, { strides: [0, 1, 0, 0, 0] }));
      body.store(y, body.binary("max", v, body.const(0)), { strides: [0, 64, 32 * 64, 8, 1] });
    }),
    forward("accumulates in place", shapes[2][1], (body, y) => {
      body.store(y, body.binary("add", body.load(y), body.acc()));
    }),
    forward("two outs, one of bool", shapes[0][1], (body, y) => {
      const mask = body.owner.output("bool", sizeOf(body.shape));
      body.store(y, body.acc());
      body.store(mask, body.binary("gt", body.acc(), body.const(0)));
    }),
    sequence(),
    turnedWeight(),
    turnedPoints(),
    dynamicOperands(),
    notFinite(),
    chain(),
  ];
}

function output({ size, kernel, stride = [1, 1], padding = [0, 0], dilation = [1, 1] }: Images): [number, number] {
  const along = (i: 0 | 1) =>
    Math.floor((size[i] + 2 * padding[i] - dilation[i] * (kernel[i] - 1) - 1) / stride[i]) + 1;
  return [along(0), along(1)];
}

/** Address and guards of the input over `[groups, cin, kh, kw, batch, oh, ow]`. */
function windows(images: Images): { offset: number; strides: number[]; guards: Guard[] } {
  const { groups = 1, cin, size: [h, w], stride = [1, 1], padding = [0, 0], dilation = [1, 1] } = images;
  const channel = h * w;
  const guard = (axis: 0 | 1): Guard => {
    const strides = [0, 0, 0, 0, 0, 0, 0];
    strides[2 + axis] = dilation[axis];
    strides[5 + axis] = stride[axis];
    return { offset: -padding[axis], strides, size: images.size[axis] };
  };
  return {
    offset: -padding[0] * w - padding[1],
    strides: [
      cin * channel,
      channel,
      dilation[0] * w,
      dilation[1],
      groups * cin * channel,
      stride[0] * w,
      stride[1],
    ],
    guards: ([0, 1] as const).filter((axis) => padding[axis] > 0).map(guard),
  };
}

/** A forward convolution; `y` is laid out as its domain, `[groups, cout, batch, oh, ow]`, where the epilogue says nothing else. */
export function forward(name: string, images: Images, write: BodyOf = plain): ProgramCase {
  const { batch, groups = 1, cin, cout, size: [h, w], kernel: [kh, kw], turned = false } = images;
  const [oh, ow] = output(images);
  const c = new CaseBuilder(`conv ${name}`, sumTolerance(cin * kh * kw));
  const x = c.input(fillF32(200, batch * groups * cin * h * w));
  const weight = c.input(fillF32(201, groups * cout * cin * kh * kw));
  const y = c.inout(fillF32(202, groups * cout * batch * oh * ow));
  const { offset, strides, guards } = windows(images);
  const k = [cin, kh, kw], n = [batch, oh, ow];
  const backwards = { offset: kh * kw - 1, strides: [cout * cin * kh * kw, cin * kh * kw, kh * kw, -kw, -1] };
  const a = c.view(weight, [groups, cout, ...k], turned ? backwards : {});
  const b = c.view(x, [groups, ...k, ...n], { offset, strides });
  return c.conv({ groups, m: cout, k, n, a, b, guards }, (body) => write(body, y)).build();
}

/** The gradient of a convolution's weight. */
export function weightGradient(name: string, images: Images): ProgramCase {
  const { batch, groups = 1, cin, cout, size: [h, w], kernel: [kh, kw] } = images;
  const [oh, ow] = output(images);
  const c = new CaseBuilder(`conv gradient of the weight, ${name}`, sumTolerance(batch * oh * ow));
  const x = c.input(fillF32(203, batch * groups * cin * h * w));
  const dy = c.input(fillF32(204, batch * groups * cout * oh * ow));
  const dw = c.output("f32", groups * cout * cin * kh * kw);
  const { offset, strides: [sg, sc, sy, sx, ...places], guards } = windows(images);
  const turned = ([g, ...rest]: readonly number[]) => [g, ...rest.slice(3), ...rest.slice(0, 3)];
  const k = [batch, oh, ow], n = [cin, kh, kw];
  const [sample, out] = [groups * cout * oh * ow, oh * ow];
  const a = c.view(dy, [groups, cout, ...k], { strides: [cout * out, out, sample, ow, 1] });
  const b = c.view(x, [groups, ...k, ...n], { offset, strides: [sg, ...places, sc, sy, sx] });
  const size = {
    groups,
    m: cout,
    k,
    n,
    a,
    b,
    guards: guards.map((guard) => ({ ...guard, strides: turned(guard.strides) })),
  };
  return c.conv(size, (body) => plain(body, dw)).build();
}

function sequence(): ProgramCase {
  const [batch, cin, cout, length, taps, stride] = [3, 4, 5, 23, 5, 2];
  const out = Math.floor((length + 2 * 2 - taps) / stride) + 1;
  const c = new CaseBuilder("conv over sequences, stride 2", sumTolerance(cin * taps));
  const [x, w] = [c.input(fillF32(205, batch * cin * length)), c.input(fillF32(206, cout * cin * taps))];
  const y = c.output("f32", cout * batch * out);
  const k = [cin, taps], n = [batch, out];
  const a = c.view(w, [1, cout, ...k]);
  const b = c.view(x, [1, ...k, ...n], { offset: -2, strides: [0, length, 1, cin * length, stride] });
  const guards = [{ offset: -2, strides: [0, 0, 1, 0, stride], size: length }];
  return c.conv({ groups: 1, m: cout, k, n, a, b, guards }, (body) => plain(body, y)).build();
}

/** The gradient of the input of a 3x3 convolution: the weight is turned round, its channels exchanged. */
function turnedWeight(): ProgramCase {
  const [batch, cin, cout, h, w] = [2, 6, 11, 7, 8];
  const c = new CaseBuilder("conv gradient of the input, 3x3 same", sumTolerance(cout * 9));
  const [dy, weight] = [c.input(fillF32(207, batch * cout * h * w)), c.input(fillF32(208, cout * cin * 9))];
  const dx = c.output("f32", batch * cin * h * w);
  const k = [cout, 3, 3], n = [batch, h, w];
  const a = c.view(weight, [1, cin, ...k], { offset: 8, strides: [0, 9, cin * 9, -3, -1] });
  const b = c.view(dy, [1, ...k, ...n], { offset: -w - 1, strides: [0, h * w, w, 1, cout * h * w, w, 1] });
  const guards = [
    { offset: -1, strides: [0, 0, 1, 0, 0, 1, 0], size: h },
    { offset: -1, strides: [0, 0, 0, 1, 0, 0, 1], size: w },
  ];
  return c.conv({ groups: 1, m: cin, k, n, a, b, guards }, (body) => {
    body.store(dx, body.acc(), { strides: [0, h * w, cin * h * w, w, 1] });
  }).build();
}

/** The gradient of the input of a 1x1 convolution: rows of the weight lie beside each other. */
function turnedPoints(): ProgramCase {
  const [batch, cin, cout, places] = [2, 20, 7, 12];
  const c = new CaseBuilder("conv gradient of the input, 1x1", sumTolerance(cout));
  const [dy, weight] = [c.input(fillF32(213, batch * cout * places)), c.input(fillF32(214, cout * cin))];
  const dx = c.output("f32", cin * batch * places), k = [cout], n = [batch, places];
  const a = c.view(weight, [1, cin, ...k], { strides: [0, 1, cin] });
  const b = c.view(dy, [1, ...k, ...n], { strides: [0, places, cout * places, 1] });
  return c.conv({ groups: 1, m: cin, k, n, a, b, guards: [] }, (body) => plain(body, dx)).build();
}

function dynamicOperands(): ProgramCase {
  const images: Images = { batch: 1, cin: 2, cout: 3, size: [4, 5], kernel: [2, 2] };
  const [oh, ow] = output(images);
  const c = new CaseBuilder("conv with dynamic offsets of operands and output", sumTolerance(8));
  const word = c.words(Uint32Array.of(7, 3, 11));
  const [x, w, y] = [c.input(fillF32(211, 100)), c.input(fillF32(212, 100)), c.output("f32", 64)];
  const k = [2, 2, 2], n = [oh, ow];
  const b = c.view(x, [1, ...k, ...n], { strides: [0, 20, 5, 1, 5, 1], dyn: word + 1 });
  const a = c.view(w, [1, 3, ...k], { dyn: word });
  return c.conv({ groups: 1, m: 3, k, n, a, b, guards: [] }, (body) => {
    body.store(y, body.acc(), { dyn: word + 2 });
  }).build();
}

function notFinite(): ProgramCase {
  const [h, w] = [6, 6];
  const c = new CaseBuilder("conv carries NaN and infinity; padding times infinity is NaN", sumTolerance(9));
  const data = fillF32(213, h * w);
  [data[8], data[20]] = [NaN, Infinity];
  const weight = fillF32(214, 9);
  weight[0] = Infinity;
  const [x, a, y] = [c.input(data), c.input(weight), c.output("f32", h * w)];
  const k = [3, 3], n = [h, w];
  const guards = [
    { offset: -1, strides: [0, 1, 0, 1, 0], size: h },
    { offset: -1, strides: [0, 0, 1, 0, 1], size: w },
  ];
  const b = c.view(x, [1, ...k, ...n], { offset: -w - 1, strides: [0, w, 1, w, 1] });
  return c.conv({ groups: 1, m: 1, k, n, a: c.view(a, [1, 1, ...k]), b, guards }, (body) => plain(body, y)).build();
}

/** Two convolutions through a temporary, relu between. */
function chain(): ProgramCase {
  const [batch, h, w] = [2, 6, 5];
  const c = new CaseBuilder("conv chain through a temporary, relu between", { rel: 1e-5, abs: 3e-5 });
  const [x, w1, w2] = [
    c.input(fillF32(215, batch * 3 * h * w)),
    c.input(fillF32(216, 8 * 3 * 9)),
    c.input(fillF32(217, 4 * 8 * 9)),
  ];
  const [t, y] = [c.temporary("f32", batch * 8 * h * w), c.output("f32", batch * 4 * h * w)];
  const layer = (from: number, weight: number, cin: number, cout: number, to: number, relu: boolean) => {
    const images: Images = { batch, cin, cout, size: [h, w], kernel: [3, 3], padding: [1, 1] };
    const { offset, strides, guards } = windows(images);
    const k = [cin, 3, 3], n = [batch, h, w];
    const [a, b] = [c.view(weight, [1, cout, ...k]), c.view(from, [1, ...k, ...n], { offset, strides })];
    c.conv({ groups: 1, m: cout, k, n, a, b, guards }, (body) => {
      const value = relu ? body.binary("max", body.acc(), body.const(0)) : body.acc();
      const image = contiguousStrides([batch, cout, h, w]);
      body.store(to, value, { strides: [0, image[1], image[0], image[2], image[3]] });
    });
  };
  layer(x, w1, 3, 8, t, true);
  layer(t, w2, 8, 4, y, false);
  return c.build();
}
