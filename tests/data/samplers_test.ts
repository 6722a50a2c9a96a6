/**
 * Loaders whose items are drawn: by weights, or some of them; resumed in the middle of an epoch, and in parts.
 */
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  Checkpoint,
  ConfigError,
  DataBlock,
  DataError,
  DataLoader,
  DataLoaders,
  IndexSplitter,
  partialDataloaders,
  PartialDL,
  PartialSampler,
  Rng,
  TextDataLoaders,
  weightedDataloaders,
  WeightedDL,
  WeightedSampler,
} from "../../mod.ts";
import { CheckpointError } from "../../src/base/errors.ts";
import { arange, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { bitsOf, Crash, netLearner } from "../durability/support.ts";
import { onDevices } from "../support/devices.ts";

const here = { kinds: ["cpu"] } as const;
const columns = (n: number) => [{ tensor: arange(n).cast("f32") }, { tensor: arange(n).cast("i32") }];

async function items(dl: AsyncIterable<readonly Tensor[]>): Promise<number[][]> {
  const out: number[][] = [];
  for await (const batch of dl) out.push(Array.from(await batch[1].data(), Number));
  return out;
}

Deno.test("items are drawn in proportion to their weights, as often as there are items", () => {
  const weights = [0, 1, 3, 0, 6], sampler = new WeightedSampler(weights), counts = [0, 0, 0, 0, 0], rng = new Rng(4);
  for (let k = 0; k < 8000; k++) sampler.draw(5, rng).forEach((i) => counts[i]++);
  assertEquals([counts[0], counts[3]], [0, 0]);
  // chi-squared of 2 degrees of freedom: above 18.4 once in 10,000
  const chi = [1, 2, 4].reduce((sum, i) => sum + (counts[i] - 4000 * weights[i]) ** 2 / (4000 * weights[i]), 0);
  assert(chi < 18.4, `${counts}`);
  assertEquals(sampler.draw(5, new Rng(1)), new WeightedSampler(weights.map((w) => 7 * w)).draw(5, new Rng(1)));
  for (const bad of [[-1, 2], [NaN], [Infinity], [0, 0], [], ["1"] as never]) {
    assertThrows(() => new WeightedSampler(bad), DataError, "weights");
  }
  const some = new PartialSampler(3), seen = new Set<number>();
  for (let k = 0; k < 30; k++) {
    const order = some.draw(6, rng);
    assertEquals(new Set(order).size, 3);
    order.forEach((i) => seen.add(i));
  }
  assertEquals([seen.size, some.size(2), some.draw(2, rng).length], [6, 2, 2]);
  for (const bad of [0, 1.5, -1, NaN]) assertThrows(() => new PartialSampler(bad), ConfigError, "partialN");
});

onDevices("loaders give what is drawn, another draw each epoch, and go on in the middle of one", async () => {
  const dataset = { length: 40, get: (i: number) => [Float32Array.of(i), i] };
  const wgts = Array.from({ length: 40 }, (_, i) => i % 4);
  const make = [
    (seed: number) => new WeightedDL({ columns: columns(40), bs: 6, wgts, seed }),
    (seed: number) => new WeightedDL({ dataset, bs: 6, wgts, seed }),
    (seed: number) => new PartialDL({ columns: columns(40), bs: 6, partialN: 26, seed }),
    (seed: number) => new PartialDL({ dataset, bs: 6, partialN: 26, seed }),
  ];
  for (const [k, loader] of make.entries()) {
    const dl = loader(9), first = await items(dl), n = k < 2 ? 40 : 26;
    assertEquals([first.flat().length, first.length, dl.length, dl.size], [n, Math.ceil(n / 6), Math.ceil(n / 6), 40]);
    if (k < 2) assert(first.flat().every((i) => i % 4 !== 0));
    else assertEquals(new Set(first.flat()).size, 26);
    let state = dl.state;
    const second: number[][] = [];
    for await (const [, y] of dl) {
      second.push(Array.from(await y.data(), Number));
      if (second.length === 2) state = JSON.parse(JSON.stringify(dl.state));
    }
    assert(JSON.stringify(first) !== JSON.stringify(second));
    const other = loader(1);
    other.restore(state);
    assertEquals(await items(other), second.slice(2));
    assertEquals(await items(other), await items(dl), "the epoch after it");
    assertEquals((await items(dl.inOrder({ bs: 40 })))[0], Array.from({ length: 40 }, (_, i) => i));
    // parts of several processes make up the epoch
    const parts = [0, 1].map((rank) => {
      const own = loader(9);
      own.shard = { rank, size: 2, pad: true };
      return own;
    });
    const got = await Promise.all(parts.map(items));
    assertEquals([...got[0].flat(), ...got[1].flat()].sort(), first.flat().sort());
    assertEquals(parts.map((p) => p.length), got.map((g) => g.length));
  }
  assertEquals((await items(new PartialDL({ columns: columns(4), bs: 3, partialN: 9, seed: 1 }))).flat().sort(), [
    0,
    1,
    2,
    3,
  ]);
  assertEquals(new PartialDL({ columns: columns(9), bs: 4, partialN: 6, dropLast: true }).length, 1);
}, here);

onDevices("a run with drawn items that is cut goes on to the same bits; with other weights it is refused", async () => {
  const weights = (k: number) => Float64Array.from({ length: 40 }, (_, i) => 1 + i % k);
  const changes = [
    (dls: DataLoaders) => weightedDataloaders(dls, weights(5)),
    (dls: DataLoaders) => partialDataloaders(dls, 24),
  ];
  for (const change of changes) {
    const learner = () => {
      const learn = netLearner();
      change(learn.dls as never);
      return learn;
    };
    const whole = learner();
    await whole.fitOneCycle(2, { lrMax: 1e-2 });
    const want = await bitsOf(whole), dir = await Deno.makeTempDir();
    const cbs = [new Checkpoint({ dir, everySteps: 1, best: null })], cut = learner();
    await assertRejects(() => cut.fitOneCycle(2, { lrMax: 1e-2, cbs: [...cbs, new Crash(4)] }), Error, "crashed");
    const other = netLearner();
    weightedDataloaders(other.dls as never, weights(3));
    const refused = () => other.fitOneCycle(2, { lrMax: 1e-2, cbs, resume: true });
    await assertRejects(refused, CheckpointError, "training data: sampler");
    const on = learner();
    await on.fitOneCycle(2, { lrMax: 1e-2, cbs, resume: true });
    const { "recorder": _, ...got } = await bitsOf(on), { "recorder": __, ...wanted } = want;
    assertEquals(got, wanted);
    await Deno.remove(dir, { recursive: true });
  }
}, here);

onDevices("data blocks draw by the weights of all items, of which those of training count", async () => {
  const pairs = Array.from({ length: 12 }, (_, i) => ({ x: i, y: i }));
  type Pair = (typeof pairs)[number];
  const splitter = IndexSplitter([0, 1, 2]);
  const numbers = {
    name: "numbers",
    read: (x: number) => Promise.resolve(x),
    // deno-lint-ignore require-await
    async loaders(set: { readonly x: readonly number[]; readonly split: readonly (readonly number[])[] }) {
      const of = (at: readonly number[]) => tensor(Int32Array.from(at, (i) => set.x[i]));
      const [x, xValid] = set.split.map(of);
      return DataLoaders.fromArrays({ x, y: x, xValid, yValid: xValid }, { bs: 4, seed: 2 });
    },
    async *walk() {},
  };
  const labels = { name: "labels", setup: () => ({}) as never };
  const block = new DataBlock({ blocks: [numbers, labels], getX: (p: Pair) => p.x, getY: (p: Pair) => p.y, splitter });
  const wgts = pairs.map(({ x }) => x === 1 || x === 7 ? 1 : 0);
  const dls = await block.weightedDataloaders(pairs, wgts);
  assertEquals(await items(dls.train), [[7, 7, 7, 7], [7, 7, 7, 7], [7]]);
  assertEquals(await items(dls.valid), [[0, 1, 2]]);
  const other = await block.weightedDataloaders(pairs, (p) => p.x === 5 ? 2 : 0);
  assertEquals((await items(other.train)).flat().every((i) => i === 5), true);
  assertEquals((await items((await block.partialDataloaders(pairs, 5)).train)).map((b) => b.length), [4, 1]);
  await assertRejects(() => block.weightedDataloaders(pairs, [1, 2]), DataError, "there are 2 weights");
}, here);

onDevices("what can't be drawn is refused", async () => {
  const texts = await TextDataLoaders.fromTexts(["a b", "b c", "c d", "d e"], ["x", "y", "x", "y"], {
    validPct: 0,
    bs: 2,
  });
  assertThrows(() => partialDataloaders(texts, 2), ConfigError, "as those of texts");
  const dl = new DataLoader({ columns: columns(6), bs: 2, shuffle: true, seed: 1 });
  assertThrows(() => dl.sampleBy(new WeightedSampler([1, 2])), DataError, "6 items by 2 weights");
  assertThrows(() => dl.sampleBy({} as never), ConfigError, "new WeightedSampler");
  for (const _ of dl) {
    assertThrows(() => dl.sampleBy(new PartialSampler(2)), ConfigError, "in the middle of an epoch");
    break;
  }
  dl.sampleBy({ facts: "wrong", size: () => 3, draw: () => Int32Array.of(0, 6, 1) });
  await assertRejects(() => items(dl), DataError, "it says 3 and gives 3, among them 6");
  dl.sampleBy(null);
  assertAlmostEquals((await items(dl)).flat().length, 6);
  assertThrows(() => new PartialDL({ columns: columns(6) } as never), ConfigError, "partialN");
}, here);
