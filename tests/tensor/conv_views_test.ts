/**
 * Convolutions of views in every direction: however an image lies in memory, its convolution is that of its elements.
 */
import { grad, readAll, Rng, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import {
  type Ref,
  ref,
  refConv,
  refConvTranspose,
  refConvWeight,
  refPlaces,
  type RefWindows,
  sizeOf,
} from "../support/ref.ts";
import { assertClose } from "./golden_cases.ts";

const rng = new Rng(5);
const numbers = (shape: readonly number[]) => rng.uniformArray(sizeOf(shape), -1, 1);
const SOURCE = [2, 4, 5, 4];

/** Ways to look at an array of the shape {@link SOURCE}, or a smaller one that is expanded. */
const VIEWS: Record<string, { from?: readonly number[]; view: (x: Tensor) => Tensor }> = {
  "as it lies": { view: (x) => x },
  "rows backwards": { view: (x) => x.flip([2]) },
  "columns backwards": { view: (x) => x.flip([3]) },
  "both backwards": { view: (x) => x.flip([2, 3]) },
  "items and channels backwards": { view: (x) => x.flip([0, 1]) },
  "channels and columns backwards": { view: (x) => x.flip([1, 3]) },
  "every other row, from the end": { from: [2, 4, 9, 4], view: (x) => x.slice([null, null, [null, null, -2]]) },
  "every other column": { from: [2, 4, 5, 8], view: (x) => x.slice([null, null, null, [null, null, 2]]) },
  "part of the rows and columns": { from: [2, 4, 8, 7], view: (x) => x.slice([null, null, [2, 7], [1, 5]]) },
  "transposed": { from: [2, 4, 4, 5], view: (x) => x.permute([0, 1, 3, 2]) },
  "transposed, then backwards": { from: [2, 4, 4, 5], view: (x) => x.permute([0, 1, 3, 2]).flip([2]) },
  "channels last": { from: [2, 5, 4, 4], view: (x) => x.permute([0, 3, 1, 2]) },
  "one row, repeated": { from: [2, 4, 1, 4], view: (x) => x.expand(SOURCE) },
  "one channel, repeated, columns backwards": { from: [2, 1, 5, 4], view: (x) => x.expand(SOURCE).flip([3]) },
};

const PADDINGS = [[0, 0], [0, 1], [1, 0], [2, 1]];
const STRIDES = [[1, 1], [2, 1], [1, 3]];
const DILATIONS = [[1, 1], [1, 2], [2, 1]];
const TAPS = [[2, 2], [3, 1]];

/** All windows that fit on the image. */
function allWindows(): { taps: readonly number[]; w: Required<RefWindows> }[] {
  return TAPS.flatMap((taps) =>
    PADDINGS.flatMap((padding) =>
      STRIDES.flatMap((stride) =>
        DILATIONS.flatMap((dilation) => [1, 2, 4].map((groups) => ({ taps, w: { stride, padding, dilation, groups } })))
      )
    )
  ).filter(({ taps, w }) => refPlaces(SOURCE.slice(2), taps, w).every((n) => n > 0));
}

type Claim = [what: string, got: Tensor, want: Ref];

/** The convolution of a view in all directions, and the transposed one. */
function claimsOf(what: string, x: Tensor, refX: Ref, taps: readonly number[], w: Required<RefWindows>): Claim[] {
  const [groups, d] = [w.groups, taps.length];
  const weightShape = [4, 4 / groups, ...taps], places = refPlaces(refX.shape.slice(2), taps, w);
  const weightData = numbers(weightShape), dyShape = [2, 4, ...places], dyData = numbers(dyShape);
  const weight = tensor(weightData, { shape: weightShape }), dy = tensor(dyData, { shape: dyShape });
  const refWeight = ref(weightShape, weightData), refDy = ref(dyShape, dyData);
  const y = d === 1 ? x.conv1d(weight, w) : x.conv2d(weight, w);
  const [dx, dw] = grad(y.mul(dy).sum(), [x, weight]);
  const size = refX.shape.slice(2);
  const claims: Claim[] = [
    [`${what}: forward`, y, refConv(refX, refWeight, w)],
    [`${what}: gradient of the input`, dx, refConvTranspose(refDy, refWeight, w, size)],
    [`${what}: gradient of the weight`, dw, refConvWeight(refX, refDy, weightShape, w)],
  ];
  if (d === 1) return claims;
  const spread = size.map((n, i) => (n - 1) * w.stride[i] - 2 * w.padding[i] + w.dilation[i] * (taps[i] - 1) + 1);
  if (spread.some((n) => n < 1)) return claims;
  claims.push([`${what}: transposed`, x.convTranspose2d(weight, w), refConvTranspose(refX, refWeight, w, spread)]);
  return claims;
}

/** Each view takes every so many-th of the windows, the next one those after them: a kernel takes long to compile. */
const EVERY = 8;

Object.entries(VIEWS).forEach(([label, { from = SOURCE, view }], number) => {
  onDevices(`convolutions of an image ${label}`, async () => {
    const base = tensor(numbers(from), { shape: from });
    // read from a view of its own: one that was read lies in memory like any other tensor
    const x = view(base), refX = ref(x.shape, (await view(base).data()) as Float32Array);
    const claims = allWindows().filter((_, i) => i % EVERY === (7 * number) % EVERY)
      .flatMap(({ taps, w }) => claimsOf(`${label}, taps ${taps}, ${JSON.stringify(w)}`, x, refX, taps, w));
    // and a sequence: its rows are as long as the image's columns
    const line = base.slice([null, null, [0, 1]]).squeeze(2).flip([2]),
      own = base.slice([null, null, [0, 1]]).squeeze(2).flip([2]);
    const refLine = ref(line.shape, (await own.data()) as Float32Array);
    const w = { stride: [1 + number % 2], padding: [number % 3], dilation: [1 + number % 2], groups: 1 };
    if (base.shape[1] === 4) claims.push(...claimsOf(`a sequence, ${JSON.stringify(w)}`, line, refLine, [2], w));
    const values = await readAll(claims.map(([, y]) => y));
    claims.forEach(([what, , want], i) => assertClose(values[i], want.data, what));
  }, { kinds: ["cpu"] }); // the copies with a border that are at stake here are that device's
});
