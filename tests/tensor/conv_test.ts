/**
 * Convolutions and pools of random shapes against float64, and what they say of bad input.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError, ShapeError } from "../../src/base/errors.ts";
import { readAll, Rng, type Tensor, tensor, zeros } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import {
  type Ref,
  ref,
  refConv,
  refConvTranspose,
  refMaxPool,
  refPlaces,
  type RefWindows,
  sizeOf,
} from "../support/ref.ts";
import { assertClose } from "./golden_cases.ts";

const SEEDS = 10;

/** A tensor of numbers in [-1, 1), and the same for the reference. */
function some(rng: Rng, shape: readonly number[]): [Tensor, Ref] {
  const data = rng.uniformArray(sizeOf(shape), -1, 1);
  return [tensor(data, { shape }), ref(shape, data)];
}

const pick = (rng: Rng, low: number, high: number) => low + rng.integer(high - low + 1);

/** Windows that fit on an image, and the image's size. */
function someWindows(rng: Rng, d: number): { size: number[]; taps: number[]; w: RefWindows } {
  const axes = Array.from({ length: d }, () => {
    const [k, dilation, padding] = [pick(rng, 1, 4), pick(rng, 1, 3), pick(rng, 0, 3)];
    const least = Math.max(1, dilation * (k - 1) + 1 - 2 * padding);
    return { k, dilation, padding, stride: pick(rng, 1, 4), n: pick(rng, least, least + 9) };
  });
  const of = <K extends keyof (typeof axes)[0]>(key: K) => axes.map((a) => a[key]);
  return {
    size: of("n"),
    taps: of("k"),
    w: { stride: of("stride"), padding: of("padding"), dilation: of("dilation") },
  };
}

onDevices("convolutions of random shapes", async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const rng = new Rng(seed);
    const claims: [string, Tensor, Ref][] = [];
    for (const d of [1, 2]) {
      const { size, taps, w } = someWindows(rng, d);
      const groups = pick(rng, 1, 3);
      const [batch, cin, cout] = [pick(rng, 1, 3), pick(rng, 1, 5), groups * pick(rng, 1, 9)];
      const [x, refX] = some(rng, [batch, groups * cin, ...size]);
      const [k, refK] = some(rng, [cout, cin, ...taps]);
      const options = { ...w, groups };
      const y = d === 1 ? x.conv1d(k, options) : x.conv2d(k, options);
      claims.push([`conv${d}d ${JSON.stringify(options)}`, y, refConv(refX, refK, options)]);
      if (d === 1) continue;
      const [z, refZ] = some(rng, [batch, groups * cin, ...refPlaces(size, taps, w)]);
      const [t, refT] = some(rng, [groups * cin, pick(rng, 1, 4), ...taps]);
      const full = z.shape.slice(2).map((n, i) =>
        (n - 1) * w.stride[i] - 2 * w.padding[i] + w.dilation[i] * (taps[i] - 1) + 1
      );
      if (full.some((n) => n < 1)) continue;
      const spread = refConvTranspose(refZ, refT, options, full);
      claims.push([`convTranspose2d ${JSON.stringify(options)}`, z.convTranspose2d(t, options), spread]);
    }
    const values = await readAll(claims.map(([, y]) => y));
    claims.forEach(([what, y, want], i) => {
      assertEquals([...y.shape], [...want.shape], `seed ${seed}: ${what}`);
      assertClose(values[i], want.data, `seed ${seed}: ${what} to [${want.shape}]`);
    });
  }
});

onDevices("the largest of windows of random shapes", async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const rng = new Rng(seed);
    const { size, taps, w } = someWindows(rng, 2);
    const padding = taps.map((k, i) => Math.min(w.padding[i], Math.floor(((k - 1) * w.dilation[i] + 1) / 2)));
    const windows = { ...w, padding };
    if (refPlaces(size, taps, windows).some((n) => n < 1)) continue;
    const [x, refX] = some(rng, [2, 3, ...size]);
    const y = x.sub(2).maxPool2d(taps, windows); // all below 0: padding never wins
    const want = refMaxPool(ref(refX.shape, refX.data.map((v) => Math.fround(v - 2))), taps, windows);
    assertEquals([...y.shape], [...want.shape]);
    assertClose(await y.data(), want.data, `seed ${seed}`);
  }
});

onDevices("bias and relu are part of the convolution's kernel", async (device) => {
  const [[x], [w], [bias]] = [[2, 3, 8, 8], [4, 3, 3, 3], [4]].map((shape) => some(new Rng(1), shape));
  const before = device.stats().dispatches;
  await x.conv2d(w, { bias, padding: 1 }).relu().data();
  assertEquals(device.stats().dispatches - before, 1);
}, { kinds: ["reference", "cpu"] }); // a GPU may split long sums in two dispatches

const image = zeros([2, 4, 8, 8]), weight = zeros([6, 4, 3, 3]);

const REFUSED: [string, () => unknown, typeof ShapeError | typeof ConfigError, string][] = [
  ["rank", () => zeros([4, 8, 8]).conv2d(weight), ShapeError, "the input has the shape [n, c, h, w]"],
  ["weight's rank", () => image.conv2d(zeros([6, 4, 3])), ShapeError, "[cout, cin / groups, kh, kw]"],
  ["channels", () => image.conv2d(zeros([6, 3, 3, 3])), ShapeError, "is for 3 input channels, got 4"],
  ["groups", () => image.conv2d(weight, { groups: 4 }), ShapeError, "must divide the channels, got 6"],
  ["no groups", () => image.conv2d(weight, { groups: 0 }), ConfigError, "groups is a whole number from 1"],
  ["stride 0", () => image.conv2d(weight, { stride: 0 }), ConfigError, "a whole number from 1, or 2 of them"],
  ["three paddings", () => image.conv2d(weight, { padding: [1, 1, 1] }), ConfigError, "from 0, or 2 of them"],
  ["a large kernel", () => image.conv2d(zeros([6, 4, 9, 9])), ShapeError, "larger than the padded input"],
  ["bias", () => image.conv2d(weight, { bias: zeros([4]) }), ShapeError, "one number for each of 6 channels"],
  ["outputPadding", () => image.convTranspose2d(zeros([4, 2, 3, 3]), { outputPadding: 1 }), ConfigError, "below the"],
  ["pool padding", () => image.maxPool2d(2, { padding: 2 }), ConfigError, "at most half the kernel"],
  ["pool size", () => image.avgPool2d(9), ShapeError, "larger than the padded image"],
  ["adaptive size", () => image.adaptiveAvgPool2d(0), ConfigError, "a whole number from 1"],
  ["no image", () => zeros([0, 4, 8, 8]).maxPool2d(2), ShapeError, "there is no element"],
];

for (const [what, run, error, message] of REFUSED) {
  Deno.test(`convolutions and pools refuse a wrong ${what}`, () => {
    assertThrows(run, error, message);
  });
}
