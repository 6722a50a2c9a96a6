/**
 * Items become batches: types that differ, labels that are no numbers, integers that do not fit.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { DataError, DataLoader, type Dtype, type ItemPart, tensor } from "../../mod.ts";
import { onDevices } from "../support/devices.ts";

const here = { kinds: ["cpu"] } as const;

async function batch(items: unknown[][], dtypes?: Dtype[]) {
  const dataset = {
    length: items.length,
    get: (i: number) => items[i] as ItemPart[],
    ...(dtypes === undefined ? {} : { dtypes }),
  };
  const tensors = (await new DataLoader({ dataset, bs: items.length }).peek())!;
  return await Promise.all(tensors.map(async (t) => [t.dtype, await t.array()]));
}

onDevices("arrays of different types become one that holds them all", async () => {
  const f = Float32Array.of(0.5, 300.25);
  assertEquals(await batch([[Uint8Array.of(1, 2)], [f]]), [["f32", [[1, 2], [0.5, 300.25]]]]);
  assertEquals(await batch([[Int32Array.of(-1, 2)], [f]]), [["f32", [[-1, 2], [0.5, 300.25]]]]);
  assertEquals(await batch([[f], [Float64Array.of(1, 2)]]), [["f32", [[0.5, 300.25], [1, 2]]]]);
  assertEquals(await batch([[Uint8Array.of(255)], [Int16Array.of(-300)]]), [["i32", [[255], [-300]]]]);
  assertEquals(await batch([[BigInt64Array.of(7n)], [Uint8Array.of(2)]]), [["i32", [[7], [2]]]]);
  assertEquals(await batch([[tensor([1, 2])], [Uint8Array.of(3, 4)]]), [["f32", [[1, 2], [3, 4]]]]);
  assertEquals(await batch([[Uint8Array.of(3, 4)], [tensor([1, 2])]]), [["f32", [[3, 4], [1, 2]]]]);
  assertEquals(await batch([[Uint8Array.of(3)], [Uint8Array.of(4)]], ["f32"]), [["f32", [[3], [4]]]]);
  assertEquals(await batch([[tensor([0.5]).half()], [Uint8Array.of(4)]]), [["f32", [[0.5], [4]]]]);
}, here);

onDevices("truth values, nested and plain arrays are numbers", async () => {
  assertEquals(await batch([[1, true], [2, false]]), [["i32", [1, 2]], ["i32", [1, 0]]]);
  assertEquals(await batch([[1, 0], [2.5, true]]), [["f32", [1, 2.5]], ["i32", [0, 1]]]);
  assertEquals(await batch([[[[1, 2], [3, 4]], 0]]), [["f32", [[[1, 2], [3, 4]]]], ["i32", [0]]]);
  assertEquals(await batch([[[true, false]], [[false, false]]]), [["i32", [[1, 0], [0, 0]]]]);
  assertEquals(await batch([[{ data: [1, 2], shape: [2, 1] }]]), [["f32", [[[1], [2]]]]]);
}, here);

onDevices("what is no number, or does not fit, is told with its item", async () => {
  const told = (items: unknown[][], message: string, dtypes?: Dtype[]) =>
    assertRejects(() => batch(items, dtypes), DataError, message);
  await told([[1, 0], [1, "cat"]], 'Cannot batch item 1: its part 1, counted from 0, is the text "cat"');
  await told([[1, 0], [1, null]], "Cannot batch item 1: its part 1, counted from 0, is null");
  await told([[undefined]], "item 0: its part 0, counted from 0, is undefined");
  await told([[new Map()]], "is no number, array, tensor or { data, shape }");
  await told([[[[1, 2], [3]]]], "cannot be used: Cannot make a tensor of ragged arrays");
  await told([[["a", "b"]]], "Cannot make a tensor of string values");
  await told([[{ data: Float32Array.of(1, 2, 3), shape: [2] }]], "of shape [2] does not fit its 3 numbers");
  await told([[1], [3e9]], "Cannot batch item 1: its part 0, counted from 0, holds 3000000000, beyond i32");
  await told([[BigInt64Array.of(1n)], [BigInt64Array.of(3_000_000_000n)]], "Cannot batch item 1");
  await told([[Uint32Array.of(3_000_000_000)], [Int32Array.of(1)]], "Cannot batch item 0");
  await told([[Float32Array.of(1)], [Float32Array.of(NaN)]], "item 1: its part 0, counted from 0, holds NaN", ["i32"]);
  await told([[[1, 2]], [[1, 2, 3]]], "Cannot batch items 0 and 1: one has shape [2], the other [3]");
  assertEquals(await batch([[1], [3e9]], ["f32"]), [["f32", [1, 3e9]]]);
}, here);
