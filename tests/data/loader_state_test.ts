/**
 * Loaders: where they stand in an epoch, what data they take, and what they refuse.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConfigError, DataError, ShapeError } from "../../src/base/errors.ts";
import { DataLoader, DataLoaders, type Dataset } from "../../src/data/mod.ts";
import { session } from "../../src/graph/session.ts";
import { arange, defaultRng, Parameter, Rng, setSeed, type Tensor, tensor, zeros } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

const rows = (n: number) => tensor(Float32Array.from({ length: 2 * n }, (_, i) => i), { shape: [n, 2] });
const labels = (n: number) => tensor(Int32Array.from({ length: n }, (_, i) => i));

/** A loader over `n` items whose target is their number. */
const counted = (n: number, options: { bs?: number; shuffle?: boolean; dropLast?: boolean; seed?: number } = {}) =>
  new DataLoader({ columns: [{ tensor: rows(n) }, { tensor: labels(n) }], ...options });

/** Items that are got one by one: `[2 i, 2 i + 1]` and `i`. */
function items(n: number, get?: (i: number) => void): Dataset & { readonly asked: number[] } {
  const asked: number[] = [];
  return {
    length: n,
    asked,
    get(i) {
      asked.push(i);
      get?.(i);
      return [Float32Array.of(2 * i, 2 * i + 1), i];
    },
  };
}

async function targets(dl: AsyncIterable<readonly Tensor[]>): Promise<number[][]> {
  const all: number[][] = [];
  for await (const batch of dl) all.push(Array.from(await batch[1].data()));
  return all;
}

const sorted = (all: readonly number[][]) => all.flat().sort((a, b) => a - b);
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

onDevices("a loader without a seed follows setSeed, also when that comes after it is made", async () => {
  const dl = counted(30, { bs: 8, shuffle: true });
  setSeed(11);
  const first = await targets(dl);
  await targets(dl);
  setSeed(11);
  assertEquals(await targets(dl), first);
}, { kinds: ["reference"] });

onDevices("loaders that do not shuffle, or have a seed, draw nothing from the default generator", async () => {
  setSeed(1);
  await targets(counted(6, { bs: 2 }));
  const x = rows(4), y = labels(4);
  await targets(DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 2, seed: 5 }).train);
  assertEquals(defaultRng().uniform(), new Rng(1).uniform());
}, { kinds: ["reference"] });

onDevices("a loader goes on in the middle of an epoch, resident or not", async () => {
  for (const make of [counted, (n: number, o: object) => new DataLoader({ dataset: items(n), ...o })]) {
    const dl = make(40, { bs: 8, shuffle: true, seed: 9 });
    await targets(dl);
    const all: number[][] = [];
    let state = dl.state;
    for await (const [, yb] of dl) {
      all.push(Array.from(await yb.data()));
      if (all.length === 2) state = JSON.parse(JSON.stringify(dl.state));
    }
    const next = await targets(dl);
    assertEquals(state.position, 2);

    const other = make(40, { bs: 8, shuffle: true, seed: 0 });
    other.restore(state);
    assertEquals(await targets(other), all.slice(2), "the rest of the epoch");
    assertEquals(await targets(other), next, "the epoch after it");
    dl.restore(state);
    assertEquals(await targets(dl), all.slice(2), "the same loader");
  }
}, { kinds: ["reference"] });

onDevices("a state from between two epochs starts the next epoch", async () => {
  const dl = counted(20, { bs: 8, shuffle: true, seed: 2 });
  await targets(dl);
  const { state } = dl;
  assertEquals([state.epoch, state.position], [null, 0]);
  const next = await targets(dl);
  for await (const _ of dl) break; // an epoch that is given up
  assertEquals(dl.state.position, 0);
  dl.restore(state);
  assertEquals(await targets(dl), next);
}, { kinds: ["reference"] });

onDevices("one batch is the next epoch's first, and moves nothing", async () => {
  const x = rows(20), y = labels(20);
  for (const seed of [7, undefined]) {
    setSeed(4);
    const dls = DataLoaders.fromArrays({ x, y }, { bs: 4, ...(seed === undefined ? {} : { seed }) });
    const { xb, yb } = await dls.oneBatch();
    const once = await dls.oneBatch();
    const [first] = await targets(dls.train);
    assertEquals(Array.from(await yb.data()), first);
    assertEquals(Array.from(await once.yb.data()), first);
    assertEquals(Array.from(await xb.data()), first.flatMap((i) => [2 * i, 2 * i + 1]));
  }
}, { kinds: ["reference"] });

onDevices("validation data is scaled by the training set's numbers, or by those given", async () => {
  const x = { data: Uint8Array.from({ length: 12 }, (_, i) => 10 * i), shape: [3, 4] }, y = labels(3);
  const xValid = { data: Uint8Array.of(55, 255, 0, 1), shape: [1, 4] }, yValid = labels(1);
  const std = 10 * Math.sqrt((12 ** 2 - 1) / 12); // of 0, 10, ..., 110, whose mean is 55
  const dls = DataLoaders.fromArrays({ x, y, xValid, yValid }, { normalize: true });
  for (const [xb] of dls.valid) {
    const got = await xb.data();
    [0, 200 / std, -55 / std, -54 / std].forEach((v, i) => assert(Math.abs(got[i] - v) < 1e-5, `${got[i]} for ${v}`));
  }
  const given = DataLoaders.fromArrays({ x, y, xValid, yValid }, { normalize: { mean: 1, std: 2 } });
  for (const [xb] of given.valid) assertEquals(await xb.array(), [[27, 127, -0.5, 0]]);
});

onDevices("large batches do not fit into the step's write and are looked up all the same", async () => {
  const n = 20000;
  const dl = new DataLoader({
    columns: [{ tensor: labels(n) }, { tensor: labels(n) }],
    bs: 18000,
    shuffle: true,
    seed: 1,
  });
  assertEquals(sorted(await targets(dl)), upTo(n));
});

onDevices("data may be expressions and parameters, which are taken as they are now", async () => {
  const p = new Parameter(tensor([[1], [2], [3]]));
  const y = arange(3);
  const dl = new DataLoader({ columns: [{ tensor: p }, { tensor: p.mul(2) }, { tensor: y }], bs: 3 }) as DataLoader<
    [Tensor, Tensor, Tensor]
  >;
  p.assign(p.add(100));
  session.endStep();
  for (const [a, b, c] of dl) {
    assertEquals(await Promise.all([a, b, c].map((t) => t.array())), [[[1], [2], [3]], [[2], [4], [6]], [0, 1, 2]]);
  }
});

onDevices("data stays when the tensor that it came from is disposed", async () => {
  const x = rows(4), y = labels(4);
  const dls = DataLoaders.fromArrays({ x, y }, { bs: 4, shuffle: false });
  x.dispose();
  y.dispose();
  assertEquals(await (await dls.oneBatch()).yb.array(), [0, 1, 2, 3]);
});

onDevices("items that are got one by one come in the loader's order, made ahead of time", async () => {
  const dataset = items(9);
  const dl = new DataLoader({ dataset, bs: 2, prefetch: 2 });
  assertEquals([dl.length, dl.resident], [5, false]);
  const got: number[][] = [];
  for await (const [xb, yb] of dl) {
    if (got.length === 0) assertEquals(dataset.asked.length, 6, "the batch itself and two ahead");
    const y = Array.from(await yb.data());
    assertEquals(Array.from(await xb.data()), y.flatMap((i) => [2 * i, 2 * i + 1]));
    got.push(y);
  }
  assertEquals(got, [[0, 1], [2, 3], [4, 5], [6, 7], [8]]);
  assertEquals(dataset.asked, upTo(9));
  assertThrows(() => [...dl], ConfigError, "use for await");
});

onDevices("items may be asynchronous, of shapes, types and tensors", async () => {
  const dataset: Dataset = {
    length: 3,
    dtypes: [undefined, undefined, "f32"],
    get: async (i) => {
      await new Promise((done) => setTimeout(done, 3 - i)); // later items are ready first
      return [{ data: Uint8Array.of(i, i + 1, i + 2, i + 3), shape: [2, 2] }, tensor([i, i]), i];
    },
  };
  for await (const [a, b, c] of new DataLoader<[Tensor, Tensor, Tensor]>({ dataset, bs: 3 })) {
    assertEquals([a.shape, b.shape, c.shape], [[3, 2, 2], [3, 2], [3]]);
    assertEquals([b.dtype, c.dtype], ["f32", "f32"]);
    assertEquals(await a.array(), [0, 1, 2].map((i) => [[i, i + 1], [i + 2, i + 3]]));
    assertEquals(await b.array(), [[0, 0], [1, 1], [2, 2]]);
    assertEquals(await c.array(), [0, 1, 2]);
  }
});

onDevices("an error in an item names it, and comes when its batch is asked for", async () => {
  const dataset = items(10, (i) => {
    if (i === 5) throw new Error("the file is torn");
  });
  const seen: number[][] = [];
  const error = await assertRejects(
    async () => {
      for await (const [, yb] of new DataLoader({ dataset, bs: 2 })) seen.push(Array.from(await yb.data()));
    },
    DataError,
    "Cannot get item 5: the file is torn",
  );
  assertEquals((error.cause as Error).message, "the file is torn");
  assertEquals(seen, [[0, 1], [2, 3]]);
}, { kinds: ["reference"] });

Deno.test("items that do not fit together are DataErrors naming them", async () => {
  const first = async (dataset: Dataset) => {
    for await (const _ of new DataLoader({ dataset, bs: 4 }));
  };
  const vector = (i: number) => new Float32Array(i === 3 ? 5 : 2);
  await assertRejects(
    () => first({ length: 4, get: (i) => [vector(i)] }),
    DataError,
    "Cannot batch items 0 and 3: one has shape [2], the other [5]",
  );
  await assertRejects(
    () => first({ length: 4, get: (i) => i === 2 ? [1] : [1, 2] }),
    DataError,
    "Cannot batch items 0 and 2: one has 2 parts, the other 1",
  );
  await assertRejects(
    () => first({ length: 4, get: () => [{ data: new Float32Array(3), shape: [2] }] }),
    DataError,
    "of shape [2] does not fit its 3 numbers",
  );
  await assertRejects(() => first({ length: 4, get: () => [] }), DataError, "Cannot batch item 0: get() gives a list");
});

Deno.test("arrays that do not fit together are refused before any work", () => {
  const x = { data: new Float32Array(8), shape: [4, 2] }, y = { data: new Float32Array(4), shape: [4, 1] };
  const load = (arrays: Partial<Parameters<typeof DataLoaders.fromArrays>[0]>, options = {}) => () =>
    DataLoaders.fromArrays({ x, y, ...arrays }, options);
  assertThrows(load({ y: [1, 2, 3] }), DataError, "Cannot pair x with y: they have 4 and 3 items");
  assertThrows(load({ xValid: x, yValid: [1] }), DataError, "Cannot pair xValid with yValid: they have 4 and 1 items");
  assertThrows(load({ x: zeros([0, 2]), y: zeros([0]) }), DataError, "it has no items");
  assertThrows(load({ x: { data: new Float32Array(7), shape: [4, 2] } }), ShapeError, "needs 8 numbers, got 7");
  assertThrows(load({ x: tensor(1) }), ShapeError, "needs a first axis");
  assertThrows(load({ xValid: x }), ConfigError, "both xValid and yValid");
  assertThrows(load({ xValid: zeros([4, 3]), yValid: y }), DataError, "shape [3]: those of x have [2]");
  assertThrows(load({}, { bs: 0 }), ConfigError, "bs is a whole number from 1");
  assertThrows(load({}, { bs: 2.5 }), ConfigError, "Cannot make batches of 2.5");
  assertThrows(load({}, { normalize: true }), DataError, "standard deviation is 0");
  const torn = { data: Float32Array.of(0, 1, 2, 3, 4, NaN, 6, 7), shape: [4, 2] };
  assertThrows(load({ x: torn }, { checkFinite: true }), DataError, "Cannot use x: item 2 holds NaN");
  load({ x: torn })();
  assertThrows(() => new DataLoader({ bs: 4 }), ConfigError, "either a dataset or columns");
  assertThrows(
    () => new DataLoader({ columns: [{ tensor: zeros([3]) }, { tensor: zeros([4]) }] }),
    DataError,
    "they have 3 and 4 items",
  );
  assertThrows(() => new DataLoader({ dataset: items(3), prefetch: -1 }), ConfigError, "prefetch");
});

onDevices("without validation data the validation loader is empty", async () => {
  const dls = DataLoaders.fromArrays({ x: [[1], [2]], y: [[3], [4]] }, { path: "here" });
  assertEquals([dls.valid.length, dls.path, dls.nInp], [0, "here", undefined]);
  assertEquals(await targets(dls.valid), []);
}, { kinds: ["reference"] });

onDevices("a loader in the data's order gives every item, also those that dropLast leaves out", async () => {
  const dl = counted(10, { bs: 4, shuffle: true, dropLast: true, seed: 1 });
  assertEquals(await targets(dl.inOrder()), [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]);
  assertEquals(await targets(dl.inOrder({ bs: 10 })), [upTo(10)]);
}, { kinds: ["reference"] });
