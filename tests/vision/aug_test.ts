/**
 * Random changes of batches: maps against plain loops, ranges and chances, and that only training images change.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/base/errors.ts";
import { Rng, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { drawMaps, type Map3, type MapOptions, warp } from "../../src/vision/data/aug_maps.ts";
import { type AugOptions, AugTransforms, augTransforms } from "../../src/vision/data/aug_transforms.ts";
import { fill } from "../support/fill.ts";
import { onDevices } from "../support/devices.ts";
import { assertGolden } from "../support/golden.ts";

const STILL: Required<Omit<AugOptions, "size">> = {
  mult: 1,
  doFlip: false,
  flipVert: false,
  maxRotate: 0,
  minZoom: 1,
  maxZoom: 1,
  maxLighting: 0,
  maxWarp: 0,
  pAffine: 0.75,
  pLighting: 0.75,
  mode: "bilinear",
  padMode: "reflection",
  batch: false,
  minScale: 1,
};

const pixels = (n: number, h: number, w: number) => fill(3, n * 3 * h * w).map((v) => (v + 1) / 2);
const images = (n: number, h: number, w: number): Tensor => tensor(pixels(n, h, w), { shape: [n, 3, h, w] });
const training = (seed: number) => ({ training: true, rng: new Rng(seed) });

const reflect = (p: number, n: number): number => {
  if (n === 1) return 0;
  const period = 2 * (n - 1), at = ((p % period) + period) % period;
  return at <= n - 1 ? at : period - at;
};

/** Every output pixel by its map, one after the other, in float64. */
function sampled(x: Float64Array, [n, c, h, w]: readonly number[], maps: readonly Map3[]): Float64Array {
  const out = new Float64Array(n * c * h * w);
  for (let i = 0; i < n; i++) {
    for (let y = 0; y < h; y++) {
      for (let k = 0; k < w; k++) {
        const m = maps[i], u = 2 * k / (w - 1) - 1, v = 2 * y / (h - 1) - 1, d = m[6] * u + m[7] * v + m[8];
        const px = reflect(((m[0] * u + m[1] * v + m[2]) / d + 1) / 2 * (w - 1), w);
        const py = reflect(((m[3] * u + m[4] * v + m[5]) / d + 1) / 2 * (h - 1), h);
        const x0 = Math.floor(px), y0 = Math.floor(py), fx = px - x0, fy = py - y0;
        for (let j = 0; j < c; j++) {
          const at = (a: number, b: number) => x[((i * c + j) * h + Math.min(b, h - 1)) * w + Math.min(a, w - 1)];
          const top = at(x0, y0) * (1 - fx) + at(x0 + 1, y0) * fx;
          const bottom = at(x0, y0 + 1) * (1 - fx) + at(x0 + 1, y0 + 1) * fx;
          out[((i * c + j) * h + y) * w + k] = top * (1 - fy) + bottom * fy;
        }
      }
    }
  }
  return out;
}

onDevices("images are sampled as plain loops over their maps do it", async () => {
  const shape = [5, 3, 9, 14];
  for (const options of [{}, { flipVert: true, maxWarp: 0, maxRotate: 180, maxZoom: 2 }]) {
    const all = { ...STILL, doFlip: true, maxRotate: 30, maxZoom: 1.5, maxWarp: 0.4, ...options };
    const got = await new AugTransforms(all).apply(images(5, 9, 14), training(8)).data();
    const maps = drawMaps(5, 9, 14, all, new Rng(8));
    assertGolden(got, sampled(pixels(5, 9, 14), shape, maps), JSON.stringify(options), { abs: 2e-5 });
  }
});

onDevices("brightness and contrast are those of fastai's formula", async () => {
  const x = pixels(4, 3, 5);
  const got = await new AugTransforms({ ...STILL, maxLighting: 0.5, pLighting: 1 }).apply(images(4, 3, 5), training(2))
    .data();
  const rng = new Rng(2);
  const draws = (f: (u: number) => number) =>
    Array.from({ length: 4 }, () => {
      const value = f(rng.uniform());
      rng.uniform(); // the chance
      return value;
    });
  const change = draws((u) => 0.25 + 0.5 * u), contrast = draws((u) => 0.5 ** (1 - 2 * u));
  const want = x.map((v, k) => {
    const i = Math.floor(k / 45), logit = Math.log(v / (1 - v)) + Math.log(change[i] / (1 - change[i]));
    return 1 / (1 + Math.exp(-contrast[i] * logit));
  });
  assertGolden(got, want, "lighting", { rel: 1e-5 });
});

onDevices(
  "half of the images are mirrored, exactly; validation images and those without changes stay as they are",
  async () => {
    const x = images(64, 4, 4), own = await x.data();
    const flipped = await new AugTransforms({ ...STILL, doFlip: true }).apply(x, training(5)).data();
    let mirrored = 0;
    for (let i = 0; i < 64; i++) {
      const same = [0, 1].map((flip) => {
        let worst = 0;
        for (let k = 0; k < 48; k++) {
          const from = flip === 0 ? k : k - k % 4 + 3 - k % 4;
          worst = Math.max(worst, Math.abs(flipped[i * 48 + k] - own[i * 48 + from]));
        }
        return worst < 1e-6;
      });
      assert(same[0] !== same[1], `image ${i}`);
      if (same[1]) mirrored++;
    }
    assert(mirrored > 18 && mirrored < 46, `${mirrored} of 64`);
    const [aug] = augTransforms();
    assertEquals(aug.apply(x, { training: false, rng: new Rng(1) }), x);
    assertEquals(new AugTransforms(STILL).apply(x, training(1)), x);
    const nothing = await new AugTransforms({ ...STILL, maxRotate: 20, maxWarp: 0.3, pAffine: 0 }).apply(x, training(1))
      .data();
    assertGolden(nothing, own, "no chance", { abs: 1e-5 });
  },
  { kinds: ["cpu"] },
);

Deno.test("a tilt puts corners where they belong; maps keep to their ranges and chances", () => {
  const m = warp(0.2, -0.1);
  const to = (x: number, y: number) => {
    const d = m[6] * x + m[7] * y + 1;
    return [(m[0] * x + m[1] * y + m[2]) / d, (m[3] * x + m[4] * y + m[5]) / d];
  };
  assertGolden(
    [...to(-1, -1), ...to(-1, 1), ...to(1, -1), ...to(1, 1)],
    [-0.9, -1.2, -1.1, 1.2, 0.9, -0.8, 1.1, 0.8],
    "corners",
  );
  const options: MapOptions = { ...STILL, maxRotate: 10 };
  const angles = drawMaps(4000, 8, 8, options, new Rng(1)).map((map) => Math.asin(map[1]) * 180 / Math.PI);
  const turned = angles.filter((a) => a !== 0);
  assert(Math.abs(turned.length / 4000 - 0.75) < 0.03, `${turned.length} of 4000`);
  assert(
    Math.max(...turned) <= 10 && Math.min(...turned) >= -10 && Math.max(...turned) > 9.8 && Math.min(...turned) < -9.8,
  );
  const zooms = drawMaps(4000, 8, 8, { ...options, maxRotate: 0, maxZoom: 1.1 }, new Rng(2));
  for (const map of zooms) {
    assert(1 / map[0] >= 1 && 1 / map[0] <= 1.1 + 1e-12);
    for (const end of [-1, 1]) assert(Math.abs(map[0] * end + map[2]) <= 1 + 1e-12, "zooming in stays inside");
  }
  const alike = drawMaps(
    5,
    8,
    8,
    { ...options, pAffine: 1, batch: true, doFlip: true, maxWarp: 0.1, maxZoom: 1.2 },
    new Rng(3),
  );
  for (const map of alike) assertEquals(map, alike[0]);
});

Deno.test("options that make no sense are refused", () => {
  assertThrows(() => augTransforms({ pAffine: 2 }), ConfigError, "a probability lies in [0, 1], got 2");
  assertThrows(() => augTransforms({ maxLighting: 0.6, mult: 2 }), ConfigError, "maxLighting lies in [0, 1), got 1.2");
  assertThrows(() => augTransforms({ minZoom: 0 }), ConfigError, "minZoom");
});
