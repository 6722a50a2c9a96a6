/**
 * Shapes: what moves where, against plain index arithmetic, and what is refused.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError, DtypeError, ShapeError } from "../../src/base/errors.ts";
import { arange, cat, stack, type Tensor, tensor, zeros } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

/** 0, 1, 2, ... in a shape. */
const counting = (...shape: number[]): Tensor => arange(shape.reduce((a, b) => a * b, 1)).reshape(shape).cast("f32");

onDevices("slices follow Python", async () => {
  const x = counting(5);
  const of = async (...r: (number | null)[]) => await x.slice([r as [number | null, number | null, number]]).array();
  assertEquals(await of(1, 3), [1, 2]);
  assertEquals(await of(-2, null), [3, 4]);
  assertEquals(await of(null, -2), [0, 1, 2]);
  assertEquals(await of(0, 99), [0, 1, 2, 3, 4]);
  assertEquals(await of(3, 1), []);
  assertEquals(await of(-99, 2), [0, 1]);
  assertEquals(await of(null, null, 2), [0, 2, 4]);
  assertEquals(await of(null, null, -1), [4, 3, 2, 1, 0]);
  assertEquals(await of(3, null, -2), [3, 1]);
  assertEquals(await of(1, 1), []);
  assertEquals(await counting(2, 3).slice([null, [1]]).array(), [[1, 2], [4, 5]]);
});

onDevices("reshape, squeeze, unsqueeze, transpose", async () => {
  const x = counting(2, 1, 3);
  assertEquals(await x.reshape([3, -1]).array(), [[0, 1], [2, 3], [4, 5]]);
  assertEquals(x.squeeze().shape, [2, 3]);
  assertEquals(x.squeeze(1).shape, [2, 3]);
  assertEquals(x.squeeze([-2]).shape, [2, 3]);
  assertEquals(x.unsqueeze(-1).shape, [2, 1, 3, 1]);
  assertEquals(x.unsqueeze(0).shape, [1, 2, 1, 3]);
  assertEquals(await x.transpose(0, 2).array(), [[[0, 3]], [[1, 4]], [[2, 5]]]);
  assertEquals(await counting(2, 3).transpose().array(), [[0, 3], [1, 4], [2, 5]]);
  assertEquals(await x.permute([-1, 0, 1]).array(), [[[0], [3]], [[1], [4]], [[2], [5]]]);
  assertEquals(zeros([0, 3]).reshape([3, 0]).shape, [3, 0]);
  assertEquals(x.expand([4, -1, 5, 3]).shape, [4, 2, 5, 3]);
});

onDevices("flip, roll, tril, split", async () => {
  const x = counting(2, 3);
  assertEquals(await x.flip(1).array(), [[2, 1, 0], [5, 4, 3]]);
  assertEquals(await x.flip().array(), [[5, 4, 3], [2, 1, 0]]);
  assertEquals(await x.roll(1, { axis: 1 }).array(), [[2, 0, 1], [5, 3, 4]]);
  assertEquals(await x.roll([-1, 5], { axis: [0, -1] }).array(), [[4, 5, 3], [1, 2, 0]]);
  assertEquals(await x.roll(0).array(), [[0, 1, 2], [3, 4, 5]]);
  const o = counting(3, 3).add(1);
  assertEquals(await o.tril().array(), [[1, 0, 0], [4, 5, 0], [7, 8, 9]]);
  assertEquals(await o.tril(-1).array(), [[0, 0, 0], [4, 0, 0], [7, 8, 0]]);
  assertEquals(await o.tril(9).array(), await o.array());
  const [a, b] = counting(5).split(3);
  assertEquals([await a.array(), await b.array()], [[0, 1, 2], [3, 4]]);
  assertEquals(await Promise.all(x.split([1, 0, 2], { axis: 1 }).map((t) => t.array())), [
    [[0], [3]],
    [[], []],
    [[1, 2], [4, 5]],
  ]);
});

onDevices("pad in every mode, on both sides", async () => {
  const x = counting(4);
  assertEquals(await x.pad([[1, 2]]).array(), [0, 0, 1, 2, 3, 0, 0]);
  assertEquals(await x.pad([[1, 0]], { value: -1 }).array(), [-1, 0, 1, 2, 3]);
  assertEquals(await x.pad([[3, 2]], { mode: "reflect" }).array(), [3, 2, 1, 0, 1, 2, 3, 2, 1]);
  assertEquals(await x.pad([[2, 1]], { mode: "replicate" }).array(), [0, 0, 0, 1, 2, 3, 3]);
  assertEquals(await x.pad([[4, 3]], { mode: "circular" }).array(), [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2]);
  assertEquals(await x.pad([[-1, -2]]).array(), [1]);
  assertEquals(await x.pad([[-1, 1]], { mode: "replicate" }).array(), [1, 2, 3, 3]);
  assertEquals(await tensor([true]).pad([[1, 0]], { value: 1 }).array(), [1, 1]);
  assertEquals(await counting(2, 2).pad([[0, 1], [1, 0]], { value: 9 }).array(), [[9, 0, 1], [9, 2, 3], [9, 9, 9]]);
});

onDevices("cat and stack", async () => {
  const a = counting(1, 2), b = counting(2, 2).mul(10), none = zeros([0, 2]);
  assertEquals(await cat([a, none, b]).array(), [[0, 1], [0, 10], [20, 30]]);
  assertEquals(cat([none, none]).shape, [0, 2]);
  assertEquals(await stack([a, a], { axis: -1 }).array(), [[[0, 0], [1, 1]]]);
});

onDevices("gather and scatterAdd over part of the other axes", async () => {
  const x = counting(3, 4), index = tensor([[2, 0], [1, 1]], { dtype: "i32" });
  assertEquals(await x.gather(index).array(), [[8, 1], [4, 5]]);
  assertEquals(await x.gather(index, { axis: 1 }).array(), [[2, 0], [5, 5]]);
  const src = tensor([[100, 200, 7], [300, 400, 7]]);
  assertEquals(await zeros([3, 4]).scatterAdd(index, src).array(), [[0, 200, 0, 0], [300, 400, 0, 0], [100, 0, 0, 0]]);
});

onDevices("interpolate by whole and broken factors", async () => {
  const x = counting(1, 1, 2, 3);
  assertEquals(await x.interpolate({ size: [1, 2] }).array(), [[[[0, 1]]]]);
  assertEquals(await x.interpolate({ scale: [1, 2] }).array(), [[[[0, 0, 1, 1, 2, 2], [3, 3, 4, 4, 5, 5]]]]);
  assertEquals(await x.interpolate({ size: [2, 2], mode: "bilinear" }).array(), [[[[0.25, 1.75], [3.25, 4.75]]]]);
});

onDevices("interpolate by a scale that leads to the same or twice the size is exact, as in PyTorch", async () => {
  const x = counting(1, 1, 1, 5), same = [0, 1, 2, 3, 4], twice = same.flatMap((v) => [v, v]);
  const at = async (scale: number, mode: "nearest" | "bilinear", alignCorners = false) =>
    Array.from(await x.interpolate({ scale: [1, scale], mode, alignCorners }).data());
  for (const scale of [1.1, 1.19]) {
    assertEquals(await at(scale, "nearest"), same);
    assertEquals(await at(scale, "bilinear"), same);
    assertEquals(await at(scale, "bilinear", true), same);
  }
  assertEquals(await at(2.1, "nearest"), twice);
  assertEquals(await at(3.1, "nearest"), [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4]); // other sizes go by the scale
});

const misuses: [string, () => unknown, new (message: string) => Error, string][] = [
  [
    "reshape",
    () => zeros([6]).reshape([4]),
    ShapeError,
    "Cannot reshape [6] to [4]: the number of elements must stay, got 6 and 4",
  ],
  ["reshape -1", () => zeros([6]).reshape([-1, 4]), ShapeError, "6 elements do not fill it"],
  [
    "reshape twice -1",
    () => zeros([6]).reshape([-1, -1]),
    ShapeError,
    "sizes are whole numbers, one of them -1, got -1",
  ],
  ["expand", () => zeros([2]).expand([3]), ShapeError, "Cannot expand [2] to [3]: only sizes of 1 can grow"],
  [
    "permute",
    () => zeros([2, 3]).permute([0, 0]),
    ShapeError,
    "Cannot permute [2, 3] by [0, 0]: every axis must come once",
  ],
  ["transpose", () => zeros([2]).transpose(), ShapeError, "Cannot transpose along axis -2: the tensor has 1 axes"],
  ["squeeze", () => zeros([2, 1]).squeeze(0), ShapeError, "Cannot squeeze axis 0 of [2, 1]: its size is not 1"],
  ["slice", () => zeros([2]).slice([null, null]), ShapeError, "Cannot slice [2] along 2 axes: it has 1"],
  ["slice step", () => zeros([2]).slice([[0, 1, 0]]), ShapeError, "Cannot slice by [0, 1, 0]"],
  [
    "split",
    () => zeros([5]).split([2, 2]),
    ShapeError,
    "Cannot split 5 elements into [2, 2]: the sizes must add up to 5",
  ],
  ["split 0", () => zeros([5]).split(0), ShapeError, "Cannot split into pieces of 0"],
  ["roll", () => zeros([5]).roll([1, 2]), ShapeError, "Cannot roll by 2 shifts along 1 axes"],
  ["tril", () => zeros([5]).tril(), ShapeError, "Cannot take the triangle of [5]: it needs two axes"],
  ["pad", () => zeros([5]).pad([]), ShapeError, "Cannot pad [5] by 0 pairs: each axis needs [before, after]"],
  ["pad reflect", () => zeros([2]).pad([[2, 0]], { mode: "reflect" }), ShapeError, "at most 1 on a side"],
  ["pad crop", () => zeros([2]).pad([[-2, -1]]), ShapeError, "Cannot cut [-2] and [-1] off [2]"],
  ["pad mode", () => zeros([2]).pad([[1, 0]], { mode: "no" as "constant" }), ConfigError, 'with mode "no"'],
  ["add", () => zeros([2]).add(zeros([3])), ShapeError, "Cannot add [2] and [3]: sizes must be equal or 1"],
  ["matmul", () => zeros([2, 3]).matmul(zeros([2, 3])), ShapeError, "the inner sizes must match, got 3 and 2"],
  ["dot", () => zeros([2]).matmul(zeros([3])), ShapeError, "Cannot multiply [2] by [3]: the inner sizes must match"],
  ["matmul scalar", () => zeros([]).matmul(zeros([3])), ShapeError, "a scalar is multiplied by mul()"],
  ["sum axis", () => zeros([2]).sum({ axis: 1 }), ShapeError, "Cannot sum along axis 1: the tensor has 1 axes"],
  ["sum twice", () => zeros([2]).sum({ axis: [0, -1] }), ShapeError, "Cannot sum along axis 0 twice"],
  ["softmax", () => zeros([]).softmax(), ShapeError, "Cannot take the softmax along axis -1: the tensor has 0 axes"],
  ["topk", () => zeros([2]).topk(3), ShapeError, "Cannot find the 3 largest of 2 elements"],
  ["clamp", () => zeros([2]).clamp({}), ConfigError, "Cannot clamp without a bound"],
  ["gelu", () => zeros([2]).gelu({ approximate: "x" as "none" }), ConfigError, 'with approximate "x"'],
  ["cat", () => cat([zeros([2]), zeros([1, 2])]), ShapeError, "Cannot concatenate [2] and [1, 2] along axis 0"],
  ["cat nothing", () => cat([]), ShapeError, "Cannot concatenate nothing"],
  ["stack", () => stack([zeros([2]), zeros([3])]), ShapeError, "Cannot stack [2] and [3]: the shapes must be equal"],
  ["stack nothing", () => stack([]), ShapeError, "Cannot stack nothing"],
  ["select", () => zeros([2]).indexSelect(tensor(Int32Array.of(2))), ShapeError, "Cannot select element 2 of 2"],
  ["select -1", () => zeros([2]).indexSelect(tensor(Int32Array.of(-1))), ShapeError, "Cannot select element -1 of 2"],
  ["select f32", () => zeros([2]).indexSelect(tensor([0])), DtypeError, "Cannot select by f32 indices"],
  [
    "select shape",
    () => zeros([2]).indexSelect(tensor([[0]], { dtype: "i32" })),
    ShapeError,
    "they must have one axis",
  ],
  ["gather", () => zeros([2]).gather(tensor([[0]], { dtype: "i32" })), ShapeError, "Cannot gather along axis 0 of [2]"],
  [
    "scatter",
    () => zeros([2]).scatterAdd(tensor([0, 1], { dtype: "i32" }), zeros([1])),
    ShapeError,
    "Cannot scatter [1] by indices of shape [2]: every index needs an element",
  ],
  ["interpolate", () => zeros([2, 2]).interpolate({ size: 2 }), ShapeError, "images have the shape [n, c, h, w]"],
  [
    "interpolate both",
    () => zeros([1, 1, 2, 2]).interpolate({ size: 2, scale: 2 }),
    ConfigError,
    "give either size or scale",
  ],
  ["interpolate 0", () => zeros([1, 1, 2, 2]).interpolate({ size: 0 }), ShapeError, "sizes are whole numbers from 1"],
  [
    "grid",
    () => zeros([1, 1, 2, 2]).gridSample(zeros([1, 2, 2])),
    ShapeError,
    "Cannot sample [1, 1, 2, 2] at [1, 2, 2]",
  ],
  ["affine", () => zeros([1, 2]).affineGrid([1, 1, 2, 2]), ShapeError, "Cannot make a grid of maps of shape [1, 2]"],
  ["affine size", () => zeros([1, 2, 3]).affineGrid([2, 1, 2, 2]), ShapeError, "Cannot make a grid for [2, 1, 2, 2]"],
];

for (const [name, fn, type, message] of misuses) {
  Deno.test(`${name} refuses`, () => {
    assertThrows(fn, type, message);
  });
}
