/**
 * Making and reading tensors: element types, shapes, edge sizes, what is refused.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError, DataError, DtypeError, ShapeError } from "../../src/base/errors.ts";
import {
  arange,
  cat,
  full,
  type Nested,
  oneHot,
  ones,
  ops,
  stack,
  type Tensor,
  tensor,
  where,
  zeros,
} from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

const facts = async (t: Tensor) => [t.dtype, [...t.shape], await t.array()];

onDevices("tensors of nested and typed arrays take their type and shape from the data", async () => {
  assertEquals(await facts(tensor(5)), ["f32", [], 5]);
  assertEquals(await facts(tensor(true)), ["bool", [], true]);
  assertEquals(await facts(tensor([[1, 2], [3, 4]])), ["f32", [2, 2], [[1, 2], [3, 4]]]);
  assertEquals(await facts(tensor([[true], [false]])), ["bool", [2, 1], [[true], [false]]]);
  assertEquals(await facts(tensor([])), ["f32", [0], []]);
  assertEquals(await facts(tensor([[], []])), ["f32", [2, 0], [[], []]]);
  assertEquals(await facts(tensor(Float64Array.of(1, 2))), ["f32", [2], [1, 2]]);
  assertEquals(await facts(tensor(Uint8Array.of(1, 255, 3), { shape: [3, 1] })), ["u8", [3, 1], [[1], [255], [3]]]);
  assertEquals(await facts(tensor(Int8Array.of(-1))), ["i32", [1], [-1]]);
  assertEquals(await facts(tensor(Uint32Array.of(2 ** 32 - 1))), ["u32", [1], [2 ** 32 - 1]]);
  assertEquals(await facts(tensor(BigInt64Array.of(-5n, 7n))), ["i32", [2], [-5, 7]]);
  assertEquals(await facts(tensor([0, 2, NaN], { dtype: "bool" })), ["bool", [3], [false, true, true]]);
  assertEquals(await facts(tensor([1.9, -1.9], { dtype: "i32" })), ["i32", [2], [1, -1]]);
});

onDevices("the data is copied", async () => {
  const data = Float32Array.of(1, 2);
  const t = tensor(data);
  data[0] = 9;
  assertEquals(await t.array(), [1, 2]);
});

onDevices("data, array and item", async () => {
  const b = tensor([true, false]);
  assertEquals(await b.data(), Uint8Array.of(1, 0));
  assertEquals(await tensor(true).item(), 1);
  assertEquals(await tensor([[3]]).item(), 3);
  assertEquals(await tensor([[1, 2]]).data(), Float32Array.of(1, 2));
  assertEquals(await zeros([0, 3]).data(), new Float32Array(0));
  assertEquals(await zeros([2, 0]).add(1).array(), [[], []]);
});

onDevices("filled tensors", async () => {
  assertEquals(await facts(zeros([2])), ["f32", [2], [0, 0]]);
  assertEquals(await facts(ones([1, 2], { dtype: "i32" })), ["i32", [1, 2], [[1, 1]]]);
  assertEquals(await facts(full([2], 2.5)), ["f32", [2], [2.5, 2.5]]);
  assertEquals(await facts(full([2], 7, { dtype: "bool" })), ["bool", [2], [true, true]]);
  assertEquals(await facts(full([3], 200, { dtype: "u8" })), ["u8", [3], [200, 200, 200]]);
  assertEquals(await facts(full([], 4, { dtype: "u32" })), ["u32", [], 4]);
});

onDevices("arange", async () => {
  assertEquals(await facts(arange(4)), ["i32", [4], [0, 1, 2, 3]]);
  assertEquals(await facts(arange(0)), ["i32", [0], []]);
  assertEquals(await facts(arange(2, 5)), ["i32", [3], [2, 3, 4]]);
  assertEquals(await facts(arange(5, 0, { step: -2 })), ["i32", [3], [5, 3, 1]]);
  assertEquals(await facts(arange(0, 1, { step: 0.25 })), ["f32", [4], [0, 0.25, 0.5, 0.75]]);
  assertEquals(await facts(arange(3, { dtype: "f32" })), ["f32", [3], [0, 1, 2]]);
});

onDevices("element types of results follow NumPy", async () => {
  const i = tensor(Int32Array.of(-7, 4)), u = tensor(Uint8Array.of(200, 100)), b = tensor([true, true]);
  const f = tensor([0.5, 2]);
  assertEquals(await facts(i.div(2)), ["f32", [2], [-3.5, 2]]);
  assertEquals(await facts(i.add(2)), ["i32", [2], [-5, 6]]);
  assertEquals(await facts(i.add(0.5)), ["f32", [2], [-6.5, 4.5]]);
  assertEquals(await facts(i.mul(f)), ["f32", [2], [-3.5, 8]]);
  assertEquals(await facts(u.add(u)), ["i32", [2], [400, 200]]);
  assertEquals(await facts(b.add(b)), ["i32", [2], [2, 2]]);
  assertEquals(await facts(b.mul(3)), ["i32", [2], [3, 3]]);
  assertEquals(await facts(i.gt(0)), ["bool", [2], [false, true]]);
  assertEquals(await facts(i.gt(3.5)), ["bool", [2], [false, true]]);
  assertEquals(await facts(f.and(i)), ["bool", [2], [true, true]]);
  assertEquals(await facts(i.not()), ["bool", [2], [false, false]]);
  assertEquals(await facts(i.mean()), ["f32", [], -1.5]);
  assertEquals(await facts(b.mean()), ["f32", [], 1]);
  assertEquals(await facts(b.sum()), ["i32", [], 2]);
  assertEquals(await facts(u.sum()), ["i32", [], 300]);
  assertEquals(await facts(u.max({ axis: 0 })), ["i32", [], 200]);
  assertEquals(await facts(b.min()), ["bool", [], true]);
  assertEquals(await facts(i.square()), ["i32", [2], [49, 16]]);
  assertEquals(await facts(i.abs()), ["i32", [2], [7, 4]]);
  assertEquals(await facts(i.sqrt().cast("i32")), ["i32", [2], [0, 2]]);
  assertEquals(await facts(i.relu()), ["f32", [2], [0, 4]]);
  assertEquals(await facts(i.cumsum()), ["i32", [2], [-7, -3]]);
  assertEquals(await facts(b.cumsum()), ["i32", [2], [1, 2]]);
  assertEquals(await facts(i.clamp({ min: -2 })), ["i32", [2], [-2, 4]]);
  assertEquals(await facts(cat([i, f])), ["f32", [4], [-7, 4, 0.5, 2]]);
  assertEquals(await facts(where(b, i, 0)), ["i32", [2], [-7, 4]]);
  assertEquals(await facts(where(b, 1, 0)), ["f32", [2], [1, 1]]);
  assertEquals(await facts(ops.sub(1, i)), ["i32", [2], [8, -3]]);
  assertEquals(await facts(ops.div(1, f)), ["f32", [2], [2, 0.5]]);
  assertEquals(await facts(u.indexSelect(tensor([1], { dtype: "i32" }))), ["i32", [1], [100]]);
});

onDevices("reductions of nothing", async () => {
  const none = zeros([0, 3]);
  assertEquals(await none.sum({ axis: 0 }).array(), [0, 0, 0]);
  assertEquals(await none.sum().item(), 0);
  assertEquals(await none.mean({ axis: 0 }).array(), [NaN, NaN, NaN]);
  assertEquals(await none.var({ axis: 0 }).array(), [NaN, NaN, NaN]);
  assertEquals(await tensor([5]).var().item(), NaN);
  assertEquals(await tensor([5]).var({ correction: 0 }).item(), 0);
  assertEquals(await none.any().array(), false);
  assertEquals(await none.all().array(), true);
  assertEquals(await none.softmax({ axis: 0 }).array(), []);
  assertEquals(await none.max({ axis: 1 }).array(), []);
  assertThrows(() => none.max(), ShapeError, "Cannot take the maximum of [0, 3]: there is no element along axis 0, 1");
  assertThrows(() => none.argmin({ axis: 0 }), ShapeError, "Cannot find the minimum of [0, 3]");
  assertThrows(() => none.logsumexp(), ShapeError, "Cannot take the logsumexp of [0, 3]");
});

onDevices("scalars", async () => {
  const s = tensor(3);
  assertEquals(await s.sum().item(), 3);
  assertEquals(await s.argmax().item(), 0);
  assertEquals(await s.mul(tensor([1, 2])).array(), [3, 6]);
  assertEquals(await s.expand([2, 1]).array(), [[3], [3]]);
  assertEquals(await s.unsqueeze(0).array(), [3]);
  assertEquals(await stack([s, s]).array(), [3, 3]);
  assertEquals(await s.max().item(), 3);
});

onDevices("infinities and NaN", async () => {
  const x = tensor([[1, Infinity, 2], [NaN, 1, 2], [-Infinity, -Infinity, -Infinity]]);
  assertEquals(await x.cumsum().array(), [[1, Infinity, Infinity], [NaN, NaN, NaN], [-Infinity, -Infinity, -Infinity]]);
  assertEquals(await x.max({ axis: 1 }).array(), [Infinity, NaN, -Infinity]);
  assertEquals(await x.logsumexp({ axis: 1 }).array(), [Infinity, NaN, -Infinity]);
  assertEquals(await x.topk(2).indices.array(), [[1, 2], [0, 2], [0, 1]]);
  assertEquals(await x.relu6().array(), [[1, 6, 2], [NaN, 1, 2], [0, 0, 0]]);
  assertEquals(await x.clamp({ min: 0, max: 1.5 }).array(), [[1, 1.5, 1.5], [NaN, 1, 1.5], [0, 0, 0]]);
});

onDevices("oneHot and any, all", async () => {
  assertEquals(await oneHot(tensor(Uint8Array.of(2, 0)), 3).array(), [[0, 0, 1], [1, 0, 0]]);
  const t = tensor([[1, 0], [0, 0], [NaN, 2]]);
  assertEquals(await t.any({ axis: 1 }).array(), [true, false, true]);
  assertEquals(await t.all({ axis: 1, keepdim: true }).array(), [[false], [false], [true]]);
});

Deno.test("making tensors refuses what makes no sense", () => {
  assertThrows(() => tensor([[1, 2], [3]]), ShapeError, "Cannot make a tensor of ragged arrays");
  assertThrows(() => tensor([[1], 2]), ShapeError, "Cannot make a tensor of ragged arrays");
  assertThrows(() => tensor([1, [2]]), ShapeError, "Cannot make a tensor of ragged arrays");
  assertThrows(() => tensor([1, true]), DtypeError, "Cannot make a tensor of numbers and booleans together");
  assertThrows(() => tensor(["a"] as unknown as Nested), DtypeError, "Cannot make a tensor of string values");
  assertThrows(() => tensor([1, 2, 3], { shape: [2, 2] }), ShapeError, "it has 4 elements, got 3");
  assertThrows(() => tensor([1], { shape: [-1] }), ShapeError, "sizes are whole numbers from 0, got -1");
  assertThrows(
    () => tensor([300], { dtype: "u8" }),
    DataError,
    "Cannot store 300 as u8: whole numbers from 0 to 255 fit",
  );
  assertThrows(() => tensor([NaN], { dtype: "i32" }), DataError, "Cannot store NaN as i32");
  assertThrows(
    () => tensor(BigInt64Array.of(2n ** 40n)),
    DataError,
    "Cannot store the 64-bit integer 1099511627776 as i32",
  );
  assertThrows(() => zeros([1.5]), ShapeError, "Cannot fill a tensor of shape [1.5]");
  assertThrows(() => arange(0, 5, { step: 0 }), ConfigError, "Cannot count from 0 to 5 in steps of 0");
  assertThrows(() => tensor(Uint32Array.of(1)).sub(-1), DtypeError, "Cannot combine a tensor of u32 with -1");
  assertThrows(() => tensor([1]).cast("u8"), DtypeError, "Cannot cast to u8");
  assertThrows(() => oneHot(tensor(Int32Array.of(3)), 3), ShapeError, "Cannot encode element 3 of 3");
  assertThrows(() => oneHot(tensor([1]), 3), DtypeError, "Cannot encode by f32 indices");
  assertThrows(() => oneHot(tensor(Int32Array.of(0)), 0), ShapeError, "Cannot encode 0 classes");
});

Deno.test("tensors print without being read", () => {
  const t = tensor([[1, 2]]).mul(3);
  assertEquals([`${t}`, Deno.inspect(t)], ["Tensor f32 [1, 2]", "Tensor f32 [1, 2]"]);
  assertEquals([t.shape, t.size, t.rank, t.dtype], [[1, 2], 2, 2, "f32"]);
});

onDevices("whole numbers that a type does not reach are refused, and never another number", async () => {
  const i = tensor(Int32Array.of(5, -5)), u = tensor(Uint32Array.of(4, 4e9));
  const past: [string, () => unknown][] = [
    ["i32", () => i.lt(3e9)],
    ["i32", () => i.maximum(2 ** 31)],
    ["i32", () => i.clamp({ min: 0, max: 3e9 })],
    ["i32", () => i.mul(2 ** 33)],
    ["i32", () => i.pad([[1, 0]], { value: -3e9 })],
    ["i32", () => where(i, i, 3e9)],
    ["u8", () => tensor(Uint8Array.of(1)).eq(2 ** 32 + 1)],
    ["u32", () => u.lt(2 ** 32)],
    ["u32", () => u.add(-1)],
  ];
  for (const [type, f] of past) assertThrows(f, DtypeError, `Cannot combine a tensor of ${type} with `);
  assertThrows(() => full([2], 3e9, { dtype: "i32" }), DataError, "whole numbers from -2147483648 to 2147483647 fit");
  assertThrows(() => full([2], NaN, { dtype: "u32" }), DataError, "Cannot fill with NaN as u32");
  assertThrows(() => arange(3e9, 3e9 + 2), DataError, "Cannot count with 3000000000 as i32");
  assertEquals(await i.div(2 ** 33).array(), [5 * 2 ** -33, -5 * 2 ** -33]);
  assertEquals(await ops.div(2 ** 33, tensor(Int32Array.of(4))).array(), [2 ** 31]);
  assertEquals(await i.lt(2 ** 31 - 1).array(), [true, true]);
  assertEquals(await facts(u.abs()), ["u32", [2], [4, 4e9]]);
  assertEquals(await u.sign().array(), [1, 1]);
});
