/**
 * Loaders: which items come in which batch, from memory on the device and from data sets.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConfigError, DataError, ShapeError } from "../../src/base/errors.ts";
import { DataLoader, DataLoaders, type ItemPart } from "../../src/data/mod.ts";
import { setSeed, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

const count = (n: number) => Float32Array.from({ length: n }, (_, i) => i);

async function epoch(dl: DataLoader): Promise<number[][]> {
  const batches: number[][] = [];
  for await (const [xb] of dl) batches.push(Array.from(await xb.reshape([-1]).data()));
  return batches;
}

function loaders(n: number, options: Parameters<typeof DataLoaders.fromArrays>[1]): DataLoaders {
  return DataLoaders.fromArrays({ x: { data: count(n), shape: [n, 1] }, y: { data: count(n), shape: [n] } }, options);
}

onDevices("in order, the last batch is shorter or dropped", async () => {
  const { train } = loaders(7, { bs: 3, shuffle: false });
  assertEquals(train.length, 3);
  assertEquals(await epoch(train), [[0, 1, 2], [3, 4, 5], [6]]);
  const dropping = loaders(7, { bs: 3, shuffle: false, dropLast: true }).train;
  assertEquals(dropping.length, 2);
  assertEquals(await epoch(dropping), [[0, 1, 2], [3, 4, 5]]);
});

onDevices("shuffled: every item once, another order each epoch, the same for the same seed", async () => {
  const a = loaders(50, { bs: 8, seed: 4 }).train, b = loaders(50, { bs: 8, seed: 4 }).train;
  const first = await epoch(a), second = await epoch(a);
  assertEquals(first.flat().sort((x, y) => x - y), Array.from(count(50)));
  assert(first.flat().some((v, i) => v !== second.flat()[i]));
  assertEquals([await epoch(b), await epoch(b)], [first, second]);
  const { state } = a;
  const third = await epoch(a);
  a.restore(state);
  assertEquals(await epoch(a), third);
});

onDevices("setSeed decides the order of loaders without a seed", async () => {
  const order = async () => {
    setSeed(11);
    return await epoch(loaders(20, { bs: 5 }).train);
  };
  assertEquals(await order(), await order());
});

onDevices("a plain loop gives the same batches, inputs and targets together", async () => {
  const { train } = loaders(10, { bs: 4, seed: 1 });
  const { state } = train;
  const waited = await epoch(train);
  train.restore(state);
  const batches = [...train];
  for (const [i, [xb, yb]] of batches.entries()) {
    assertEquals(Array.from(await xb.reshape([-1]).data()), waited[i]);
    assertEquals(Array.from(await yb.data()), waited[i]);
  }
});

onDevices("u8 pictures are scaled on the device by the training set's mean and deviation", async () => {
  const data = Uint8Array.from({ length: 12 }, (_, i) => i * 20);
  const labels = Uint8Array.of(0, 1, 2);
  const dls = DataLoaders.fromArrays({
    x: { data, shape: [3, 2, 2] },
    y: { data: labels, shape: [3] },
    xValid: { data, shape: [3, 2, 2] },
    yValid: { data: labels, shape: [3] },
  }, { bs: 3, shuffle: false, normalize: true });
  const { xb, yb } = await dls.oneBatch();
  const mean = 110, std = Math.sqrt(data.reduce((s, v) => s + (v - mean) ** 2, 0) / 12);
  const got = await xb.data();
  got.forEach((v, i) => assert(Math.abs(v - (data[i] - mean) / std) < 1e-5, `${v}`));
  assertEquals(xb.dtype, "f32");
  assertEquals([yb.dtype, ...await yb.data()], ["i32", 0, 1, 2]);
  assertEquals(yb.node.bounds, [0, 2], "labels can be checked without reading them");
  const plain = DataLoaders.fromArrays({ x: { data, shape: [3, 4] }, y: { data: labels, shape: [3] } }, {
    bs: 1,
    shuffle: false,
  });
  assertEquals((await plain.oneBatch()).xb.dtype, "f32");
});

Deno.test("oneBatch does not move the loader on", async () => {
  const dls = loaders(20, { bs: 5, seed: 9 });
  const { xb } = await dls.oneBatch();
  assertEquals(Array.from(await xb.reshape([-1]).data()), (await epoch(dls.train))[0]);
});

Deno.test("a data set's items are got ahead of time, in order, and collated", async () => {
  let running = 0, most = 0;
  const dataset = {
    length: 10,
    async get(i: number): Promise<ItemPart[]> {
      most = Math.max(most, ++running);
      await new Promise((r) => setTimeout(r, 5 - i % 5));
      running--;
      return [Float32Array.of(i, -i), i % 2];
    },
  };
  const dl = new DataLoader({ dataset, bs: 4 });
  const seen: number[][] = [];
  for await (const [xb, yb] of dl) {
    assertEquals(xb.shape[1], 2);
    assertEquals(yb.dtype, "i32");
    seen.push(Array.from(await yb.data()));
  }
  assertEquals(seen, [[0, 1, 0, 1], [0, 1, 0, 1], [0, 1]]);
  assert(most > 4, "several batches are under way at once");
  assertThrows(() => [...dl], ConfigError, "use for await");
});

Deno.test("a data set that fails names the item; parts that differ name both", async () => {
  const failing = { length: 5, get: (i: number) => i === 3 ? Promise.reject(new Error("bad file")) : [i] };
  await assertRejects(
    () => epoch(new DataLoader({ dataset: failing, bs: 2 })),
    DataError,
    "Cannot get item 3: bad file",
  );
  const ragged = { length: 2, get: (i: number) => [new Float32Array(i + 1)] };
  await assertRejects(() => epoch(new DataLoader({ dataset: ragged, bs: 2 })), DataError, "Cannot batch items 0 and 1");
});

Deno.test("misuse", () => {
  assertThrows(() => loaders(4, { bs: 0 }), ConfigError, "bs is a whole number from 1, got 0".slice(0, 26));
  assertThrows(
    () => DataLoaders.fromArrays({ x: [[1], [2]], y: [1] }),
    DataError,
    "Cannot pair x with y: they have 2 and 1 items",
  );
  assertThrows(
    () =>
      DataLoaders.fromArrays({
        x: { data: new Float32Array(0), shape: [0, 2] },
        y: { data: new Float32Array(0), shape: [0] },
      }),
    DataError,
    "no items",
  );
  assertThrows(
    () => DataLoaders.fromArrays({ x: { data: new Float32Array(3), shape: [2, 2] }, y: [1, 2] }),
    ShapeError,
    "needs 4 numbers, got 3",
  );
  assertThrows(() => DataLoaders.fromArrays({ x: tensor(3), y: [1] }), ShapeError, "first axis");
  assertThrows(
    () => DataLoaders.fromArrays({ x: [1, 2], y: [1, 2], xValid: [1] }),
    ConfigError,
    "both xValid and yValid",
  );
  assertThrows(
    () => DataLoaders.fromArrays({ x: [1, NaN], y: [1, 2] }, { checkFinite: true }),
    DataError,
    "item 1 holds NaN",
  );
  assertThrows(
    () => DataLoaders.fromArrays({ x: [3, 3], y: [1, 2] }, { normalize: true }),
    DataError,
    "standard deviation is 0",
  );
  assertThrows(() => new DataLoader({}), ConfigError, "either a dataset or columns");
});
