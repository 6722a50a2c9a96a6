/**
 * Resizing: the pixels that fastai and Pillow give, and what random crops may be.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/base/errors.ts";
import type { PixelImage } from "../../src/plot/mod.ts";
import { Rng } from "../../src/tensor/mod.ts";
import {
  type ItemTransform,
  itemTransformFromJson,
  RandomResizedCrop,
  Resize,
} from "../../src/vision/data/item_tfms.ts";
import { steady, transformed } from "../../src/vision/data/image_dataset.ts";
import type { PadMode } from "../../src/vision/data/pixel_ops.ts";
import { resizeBilinear } from "../../src/vision/data/resample.ts";
import { fill } from "../support/fill.ts";
import { loadGolden } from "../support/golden.ts";

interface Recorded {
  readonly w: number;
  readonly h: number;
  readonly seed: number;
  readonly shape: readonly [number, number, number];
  readonly pixels: readonly number[];
}

interface Images {
  readonly resize: readonly (Recorded & {
    readonly size: number;
    readonly method: "crop" | "pad" | "squish";
    readonly padMode: PadMode | null;
  })[];
  readonly pilResizeBilinear: readonly (Recorded & { readonly to: readonly [number, number] })[];
}

const golden = loadGolden<Images>("images.json");

/** The image that the recordings were made of. */
function source({ w, h, seed }: { w: number; h: number; seed: number }): PixelImage {
  const data = Uint8Array.from(fill(seed, w * h * 3, 1), (v) => Math.floor((v + 1) * 127.999));
  return { data, width: w, height: h, channels: 3 };
}

/** @param allowed 1 where Pillow may scale columns first; the recordings' own tolerance. */
function assertPixels(got: PixelImage, { shape: [h, w, c], pixels }: Recorded, what: string, allowed = 0): void {
  assertEquals([got.height, got.width, got.channels], [h, w, c], what);
  const worst = pixels.reduce((most, v, i) => Math.max(most, Math.abs(v - got.data[i])), 0);
  assert(worst <= allowed, `${what}: a pixel is off by ${worst} of 255`);
}

const valid = () => ({ training: false, rng: new Rng(1) });
const train = (seed: number) => ({ training: true, rng: new Rng(seed) });

Deno.test("resizing gives Pillow's pixels", () => {
  for (const recorded of golden.pilResizeBilinear) {
    const [w, h] = recorded.to;
    assertPixels(resizeBilinear(source(recorded), w, h), recorded, `${recorded.w} x ${recorded.h} to ${w} x ${h}`);
  }
});

/** Sums of weighted pixels of one axis, in plain arithmetic; the axis lies first. */
function weigh(read: (i: number) => number, size: number, out: number): number[] {
  const scale = size / out, stretch = Math.max(1, scale);
  return Array.from({ length: out }, (_, i) => {
    const center = (i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(center - stretch + 0.5));
    const taps = Array.from({ length: Math.min(size, Math.trunc(center + stretch + 0.5)) - low }, (_, k) => low + k);
    const raw = taps.map((k) => Math.max(0, 1 - Math.abs((k - center + 0.5) / stretch)));
    const total = raw.reduce((a, b) => a + b, 0);
    const sum = taps.reduce((t, k, n) => t + read(k) * Math.trunc(0.5 + raw[n] / total * 2 ** 22), 2 ** 21);
    return Math.min(255, Math.max(0, Math.floor(sum / 2 ** 22)));
  });
}

Deno.test("resizing gives the pixels of plain arithmetic, of whole images and of windows", () => {
  const rng = new Rng(7);
  for (let trial = 0; trial < 40; trial++) {
    const [w, h, width, height] = Array.from({ length: 4 }, () => 1 + rng.integer(40));
    const left = rng.integer(w), top = rng.integer(h);
    const window = { left, top, width: 1 + rng.integer(w - left), height: 1 + rng.integer(h - top) };
    const image = source({ w, h, seed: trial });
    const got = resizeBilinear(image, width, height, window);
    const at = (x: number, y: number, c: number) => image.data[((top + y) * w + left + x) * 3 + c];
    for (let c = 0; c < 3; c++) {
      const rows = Array.from(
        { length: window.height },
        (_, y) =>
          window.width === width
            ? Array.from({ length: width }, (_, x) => at(x, y, c))
            : weigh((x) => at(x, y, c), window.width, width),
      );
      for (let x = 0; x < width; x++) {
        const column = window.height === height
          ? rows.map((row) => row[x])
          : weigh((y) => rows[y][x], window.height, height);
        for (let y = 0; y < height; y++) assertEquals(got.data[(y * width + x) * 3 + c], column[y]);
      }
    }
  }
});

Deno.test("Resize gives fastai's pixels in validation: crop, pad and squish", () => {
  for (const recorded of golden.resize) {
    const { size, method, padMode, w, h } = recorded;
    const tfm = new Resize(size, { method, ...(padMode === null ? {} : { padMode }) });
    const what = `${w} x ${h} ${method} ${padMode ?? ""}`;
    const allowed = method === "squish" ? 1 : 0, again = itemTransformFromJson(tfm.toJSON());
    assertPixels(transformed(source(recorded), [tfm], valid()), recorded, what, allowed);
    assertPixels(transformed(source(recorded), [again], valid()), recorded, `${what}, from JSON`, allowed);
  }
});

Deno.test("in training Resize crops at random, the same again with the same numbers; square images stay as they are", () => {
  const image = source({ w: 37, h: 23, seed: 1 }), tfm = new Resize(23);
  const crops = Array.from({ length: 20 }, (_, seed) => transformed(image, [tfm], train(seed)));
  const lefts = crops.map((crop) => {
    assertEquals([crop.width, crop.height], [23, 23]);
    for (let left = 0; left <= 37 - 23; left++) {
      let same = true;
      for (let y = 0; y < 23 && same; y++) {
        for (let i = 0; i < 69 && same; i++) same = crop.data[y * 69 + i] === image.data[(y * 37 + left) * 3 + i];
      }
      if (same) return left;
    }
    throw new Error("no window of the image");
  });
  assert(new Set(lefts).size > 5, `lefts ${lefts}`);
  assertEquals(transformed(image, [tfm], train(3)).data, crops[3].data);
  assertEquals([steady(image, [tfm]), steady(source({ w: 23, h: 23, seed: 1 }), [tfm])], [false, true]);
});

Deno.test("RandomResizedCrop keeps to its shares and proportions, and takes the middle in validation", () => {
  const size = { width: 320, height: 200 };
  const tfm = new RandomResizedCrop([32, 48], { minScale: 0.2, maxScale: 0.5 });
  const shares = Array.from({ length: 500 }, (_, seed) => {
    const [crop, resize] = tfm.plan(size, train(seed));
    assert(crop.op === "crop" && resize.op === "resize");
    assertEquals([resize.height, resize.width], [32, 48]);
    assert(crop.left >= 0 && crop.top >= 0 && crop.left + crop.width <= 320 && crop.top + crop.height <= 200);
    const ratio = crop.width / crop.height;
    assert(ratio > 0.74 && ratio < 1.35, `ratio ${ratio}`);
    return crop.width * crop.height / (320 * 200);
  });
  assert(Math.min(...shares) > 0.195 && Math.max(...shares) < 0.505);
  const mean = shares.reduce((a, b) => a + b) / shares.length;
  assert(Math.abs(mean - 0.35) < 0.02, `mean share ${mean}`);
  assertEquals(tfm.plan(size, valid()), [
    { op: "resize", width: 56, height: 40 },
    { op: "crop", left: 4, top: 4, width: 48, height: 32 },
  ]);
});

Deno.test("RandomResizedCrop falls back to the middle where nothing fits", () => {
  const tfm = new RandomResizedCrop(8, { minScale: 0.9 });
  for (
    const [size, crop] of [
      [{ width: 400, height: 10 }, { op: "crop", left: 193, top: 0, width: 13, height: 10 }],
      [{ width: 10, height: 400 }, { op: "crop", left: 0, top: 193, width: 10, height: 13 }],
    ] as const
  ) assertEquals(tfm.plan(size, train(1))[0], crop);
});

Deno.test("sizes of one pixel, in and out", () => {
  const dot = source({ w: 1, h: 1, seed: 3 });
  for (const method of ["crop", "pad", "squish"] as const) {
    for (const padMode of ["reflection", "zeros", "border"] as const) {
      const tfm: ItemTransform = new Resize([3, 5], { method, padMode });
      for (const context of [valid(), train(1)]) {
        const out = transformed(dot, [tfm], context);
        assertEquals([out.width, out.height, out.data.length], [5, 3, 45]);
      }
    }
  }
  assertEquals(transformed(source({ w: 99, h: 2, seed: 1 }), [new Resize(1)], valid()).data.length, 3);
});

Deno.test("options of transforms that make no sense are refused", () => {
  assertThrows(() => new Resize(0), ConfigError, "sizes are whole numbers from 1");
  assertThrows(() => new Resize([224, 1.5]), ConfigError, "resize to 224 x 1.5");
  assertThrows(() => new RandomResizedCrop(8, { minScale: 0 }), ConfigError, "shares rise");
  assertThrows(() => new RandomResizedCrop(8, { ratio: [2, 1] }), ConfigError, "proportions");
});
