/**
 * Programs that stand for all products of a kind and class, by which tilings are tried.
 *
 * @module
 */
import type { Kernel, Program, View } from "../contract.ts";
import type { ProductShape, ShapeClass } from "./kernels/tiles.ts";

/** Sizes `[m, n, k]` of products. */
const PRODUCTS: Readonly<Record<ShapeClass, readonly [number, number, number]>> = {
  thin: [32, 4096, 1024],
  few: [512, 512, 2048],
  narrow: [64, 16384, 576],
  large: [2048, 2048, 1024],
};

/** Convolutions of `[images, channels, size, size]` by `channels` weights of 3 x 3, padded by 1. */
interface Images {
  readonly images: number;
  readonly channels: number;
  readonly size: number;
}

const FORWARD: Readonly<Record<Exclude<ShapeClass, "few">, Images>> = {
  thin: { images: 4, channels: 32, size: 56 },
  narrow: { images: 8, channels: 64, size: 56 },
  large: { images: 42, channels: 256, size: 14 },
};
/** Few tiles and many terms: the gradient of the weight. */
const WEIGHT: Images = { images: 16, channels: 64, size: 28 };

/** The program; its bound slots are the operands and the result. */
export function trialOf(kind: ProductShape["kind"], shape: ShapeClass): Program {
  if (kind === "matmul") return productOf(...PRODUCTS[shape]);
  return shape === "few" ? weightGradient(WEIGHT) : forward(FORWARD[shape]);
}

/** A product of two matrices, both row-major. */
export function productOf(m: number, n: number, k: number): Program {
  return programOf([m * k, k * n, m * n], {
    op: "matmul",
    ...{ batch: [], m, n, k, a: view(1, [k, 1]), b: view(2, [n, 1]) },
    body: [{ k: "acc" }],
    outs: [{ view: view(3, [n, 1]), value: 0 }],
  });
}

function forward({ images, channels, size }: Images): Program {
  const image = size * size, all = channels * image, taps = channels * 9;
  return programOf([channels * taps, images * all, images * all], {
    op: "conv",
    ...{ groups: 1, m: channels, k: [channels, 3, 3], n: [images, size, size] },
    a: view(1, [0, taps, 9, 3, 1]),
    b: view(2, [0, image, size, 1, all, size, 1], -size - 1),
    guards: [guard([0, 0, 1, 0, 0, 1, 0], size), guard([0, 0, 0, 1, 0, 0, 1], size)],
    body: [{ k: "acc" }],
    outs: [{ view: view(3, [0, image, all, size, 1]), value: 0 }],
  });
}

function weightGradient({ images, channels, size }: Images): Program {
  const image = size * size, all = channels * image, taps = channels * 9;
  return programOf([images * all, images * all, channels * taps], {
    op: "conv",
    ...{ groups: 1, m: channels, k: [images, size, size], n: [channels, 3, 3] },
    a: view(1, [0, image, all, size, 1]),
    b: view(2, [0, all, size, 1, image, size, 1], -size - 1),
    guards: [guard([0, 0, 1, 0, 0, 1, 0], size), guard([0, 0, 0, 1, 0, 0, 1], size)],
    body: [{ k: "acc" }],
    outs: [{ view: view(3, [0, taps, 9, 3, 1]), value: 0 }],
  });
}

function view(slot: number, strides: readonly number[], offset = 0): View {
  return { slot, dtype: "f32", offset, strides };
}

function guard(strides: readonly number[], size: number) {
  return { offset: -1, strides, size };
}

function programOf(sizes: readonly number[], kernel: Kernel): Program {
  const bound = sizes.map((size, i) => ({ bytes: size * 4, kind: "bound" as const, written: i === sizes.length - 1 }));
  return {
    label: `trial of ${kernel.op}`,
    slots: [{ bytes: 0, kind: "params", written: false }, ...bound],
    kernels: [kernel],
  };
}
