/**
 * Convolutions for the CPU device, by hand and at random.
 *
 * @module
 */
import { fillF32 } from "../../support/fill.ts";
import { CaseBuilder, type ProgramCase, sumTolerance } from "../../support/programs_builder.ts";
import { forward, type Images, weightGradient } from "../../support/programs_conv.ts";

/** Convolutions large enough to wake threads; between them they go through every way of packing and of cutting up. */
export function largeConvs(): ProgramCase[] {
  const padding = [1, 1] as const, kernel = [3, 3] as const;
  const shapes = {
    "lines of 16": { batch: 4, cin: 16, cout: 21, size: [16, 16], kernel, padding },
    "lines of 7": { batch: 9, cin: 31, cout: 34, size: [7, 7], kernel, padding },
    "stride 2": { batch: 4, cin: 12, cout: 40, size: [27, 24], kernel, padding, stride: [2, 2] },
    "stride 3": { batch: 3, cin: 9, cout: 20, size: [25, 37], kernel, padding, stride: [3, 3] },
    "a first layer": { batch: 5, cin: 3, cout: 32, size: [33, 31], kernel, padding },
    "two blocks of rows": { batch: 2, cin: 8, cout: 260, size: [8, 9], kernel, padding },
    "groups": { batch: 6, groups: 5, cin: 6, cout: 9, size: [14, 15], kernel, padding },
    "depthwise": { batch: 8, groups: 40, cin: 1, cout: 1, size: [19, 16], kernel, padding },
    "depthwise, stride 2": { batch: 8, groups: 40, cin: 1, cout: 1, size: [19, 16], kernel, padding, stride: [2, 2] },
    "depthwise, 7x7": {
      batch: 6,
      groups: 24,
      cin: 1,
      cout: 1,
      size: [23, 27],
      kernel: [7, 7],
      padding: [3, 3],
      turned: true,
    },
    "two channels a group": { batch: 6, groups: 20, cin: 2, cout: 2, size: [15, 17], kernel, padding },
    "one place": { batch: 40, cin: 40, cout: 50, size: [3, 3], kernel },
    "blocks of 1024 places": { batch: 18, cin: 1, cout: 3, size: [32, 31], kernel, padding },
    "padding along one axis": { batch: 3, cin: 10, cout: 20, size: [17, 18], kernel, padding: [0, 1] },
  } as const;
  return [
    ...Object.entries(shapes).flatMap(([name, images]) => [
      forward(`forward, ${name}`, images),
      weightGradient(name, images),
    ]),
    forward("bias, residual and mask, stored where images lie", shapes["lines of 16"], (body, y) => {
      const strides = [0, 256, 21 * 256, 16, 1], size = 4 * 21 * 256;
      const [bias, rest] = [body.owner.input(fillF32(220, 21)), body.owner.input(fillF32(221, size))];
      const mask = body.owner.output("bool", size);
      const sum = body.binary("add", body.acc(), body.load(bias, { strides: [0, 1, 0, 0, 0] }));
      const value = body.binary("max", body.binary("add", sum, body.load(rest, { strides })), body.const(0));
      body.store(y, value, { strides });
      body.store(mask, body.binary("gt", value, body.const(0.5)), { strides });
    }),
    channelsLast(),
  ];
}

/** Depthwise convolutions of lines of 1 to 70 places: kernels of 3, 5 and 7, strides, dilation, borders of any width, or none. */
export function depthwiseConvs(): ProgramCase[] {
  return Array.from({ length: 140 }, (_, i) => {
    const width = 1 + (i >> 1), stride = 1 + i % 2, taps = [3, 5, 7][i % 3], wide = i % 7 === 3 ? 2 : 1;
    const border = i % 5 === 4 ? 0 : wide * (taps >> 1) + (i % 11 === 5 ? 2 : 0);
    // images of a size that gives lines of `width`
    const size = Math.max(1, (width - 1) * stride + wide * (taps - 1) + 1 - 2 * border);
    const images: Images = {
      batch: 1 + i % 4,
      groups: 3,
      cin: 1,
      cout: i % 6 === 5 ? 2 : 1,
      size: [Math.max(1, wide * (taps - 1) + 1 - 2 * border) + 4 + i % 9, size],
      kernel: [taps, taps],
      stride: [1 + i % 4 % 3, stride],
      padding: [border, border],
      dilation: [wide, wide],
      turned: i % 8 >= 6,
    };
    return forward(`depthwise ${i}: lines of ${width}, ${taps}x${taps}, strides ${images.stride}`, images);
  });
}

/** Images and results `[batch, height, width, channels]`. */
function channelsLast(): ProgramCase {
  const [batch, cin, cout, h, w] = [2, 13, 26, 17, 18];
  const c = new CaseBuilder("conv of images with channels last", sumTolerance(cin * 9));
  const [x, weight] = [c.input(fillF32(222, batch * h * w * cin)), c.input(fillF32(223, 9 * cin * cout))];
  const y = c.output("f32", batch * h * w * cout);
  const k = [cin, 3, 3], n = [batch, h, w];
  const a = c.view(weight, [1, cout, ...k], { strides: [0, 1, cout, 3 * cin * cout, cin * cout] });
  const b = c.view(x, [1, ...k, ...n], {
    offset: -w * cin - cin,
    strides: [0, 1, w * cin, cin, h * w * cin, w * cin, cin],
  });
  const guards = [
    { offset: -1, strides: [0, 0, 1, 0, 0, 1, 0], size: h },
    { offset: -1, strides: [0, 0, 0, 1, 0, 0, 1], size: w },
  ];
  return c.conv({ groups: 1, m: cout, k, n, a, b, guards }, (body) => {
    const v = body.binary("max", body.acc(), body.const(0));
    body.store(y, v, { strides: [0, 1, h * w * cout, w * cout, cout] });
  }).build();
}
