/**
 * Models of ratings against fastai's, and learners of ratings and tables.
 */
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  backward,
  CollabDataLoaders,
  collabLearner,
  ConfigError,
  DataError,
  DataLoaders,
  loadLearner,
  nn,
  Rng,
  setSeed,
  tabularLearner,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";
import { loadGolden } from "../support/golden.ts";

interface Case {
  readonly name: string;
  readonly yRange?: readonly [number, number];
  readonly state: readonly (readonly [string, readonly number[]])[];
  readonly y: readonly number[];
  readonly grads: Readonly<Record<string, readonly number[]>>;
}

const words = (n: number) => Array.from({ length: n }, (_, i) => `w${i}`);
const schema = { categorical: [{ name: "user", words: words(4) }, { name: "item", words: words(6) }] };
const near = (got: ArrayLike<number>, want: readonly number[], what: string) => {
  assertEquals(got.length, want.length, what);
  want.forEach((v, i) => assertAlmostEquals(got[i], v, 1e-5 * Math.max(1, Math.abs(v)), `${what} ${i}`));
};

for (const recorded of loadGolden<readonly Case[]>("collab.json")) {
  onDevices(`models of ratings are fastai's: ${recorded.name}`, async () => {
    const range = recorded.yRange === undefined ? {} : { yRange: recorded.yRange };
    const model = recorded.name.startsWith("dot")
      ? new nn.EmbeddingDotBias(recorded.state[0][1][1], 5, 7, range)
      : new nn.EmbeddingNN(schema, { layers: [6], ...range });
    // the layers of fastai's TabularModel lie one deeper
    const name = (text: string) => text.replace(/^layers(\.\d+)+/, "layers");
    assertEquals(
      [...model.namedParameters()].map(([own, { shape }]) => [name(own), [...shape]]),
      recorded.state.map(([theirs, shape]) => [name(theirs), [...shape]]),
    );
    [...model.namedParameters()].forEach(([, p], k) =>
      p.assign(tensor(fillF32(40 + k, p.size, 0.5), { shape: p.shape }))
    );
    const x = tensor(Int32Array.of(1, 2, 3, 0, 4, 6, 0, 1, 2, 5), { shape: [5, 2] });
    const y = (model as nn.Module<[Tensor, Tensor]>).forward(x, zeros([5, 0]));
    backward(y.mul(tensor(fillF32(3, y.size, 1), { shape: y.shape })).sum());
    near(await y.data(), recorded.y, "y");
    for (const [k, [own, p]] of [...model.namedParameters()].entries()) {
      near(await p.grad!.data(), recorded.grads[recorded.state[k][0]], own);
    }
  }, { kinds: ["cpu", "webgpu"] });
}

/** Ratings of users who like what is near them, and items that everybody likes more or less. */
function ratings(n: number): { user: string; movie: number; rating: number }[] {
  const rng = new Rng(3),
    taste = Array.from({ length: 12 }, () => rng.normal()),
    kind = Array.from({ length: 9 }, () => rng.normal());
  return Array.from({ length: n }, () => {
    const u = rng.integer(12), m = rng.integer(9);
    const rating = Math.min(5, Math.max(1, 3 + taste[u] * kind[m] + (m - 4) * 0.3));
    return { user: `user ${u}`, movie: 100 + m, rating };
  });
}

for (const useNN of [false, true]) {
  Deno.test(`collabLearner learns ratings, names what is liked, and comes back from a file${useNN ? ", by layers" : ""}`, async () => {
    setSeed(1);
    const dls = await CollabDataLoaders.fromTable(ratings(1500), { bs: 64, seed: 2 });
    assertEquals([dls.schema.target.name, dls.schema.numeric.length, dls.targetScale], ["rating", 0, undefined]);
    const folder = await Deno.makeTempDir();
    const learn = collabLearner(dls, { nFactors: 6, useNN, yRange: [0.5, 5.5], path: folder });
    const [[before]] = [await learn.validate()];
    await learn.fitOneCycle(8, { lrMax: 3e-2 });
    const [after] = await learn.validate();
    assert(Number(after) < 0.25 * Number(before), `${before} to ${after}`);
    const item = { user: "user 1", movie: 104 };
    const { pred } = await learn.predict(item);
    try {
      const again = await loadLearner(await learn.export("ratings"));
      assertEquals(await (await again.predict(item)).pred.data(), await pred.data());
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
    if (!(learn.model instanceof nn.EmbeddingDotBias)) return;
    const bias = await learn.model.bias(["100", "108"]).data();
    assert(bias[1] > bias[0] + 0.3, `everybody likes 108 more than 100: ${bias}`);
    assertEquals(learn.model.factors(["user 1"], { of: "user" }).shape, [1, 6]);
    assertThrows(
      () => (learn.model as nn.EmbeddingDotBias).bias(["200"]),
      DataError,
      'the item "200": training has not seen it',
    );
  });
}

Deno.test("users and items that training has not seen have a row of their own; options that make no sense are refused", async () => {
  const dls = await CollabDataLoaders.fromTable(ratings(200), { user: "user", item: "movie", rating: "rating" });
  const learn = collabLearner(dls, { nFactors: 3 });
  const { pred } = await learn.predict({ user: "nobody", movie: 1 });
  assert(Number.isFinite((await pred.data())[0]));
  assertThrows(() => collabLearner(dls, { layers: [3] }), ConfigError, "useNN: true");
  assertThrows(() => collabLearner({} as never), ConfigError, "TabularDataLoaders");
  assertThrows(() => new nn.EmbeddingDotBias(3, 4, 5).bias(["a"]), ConfigError, "fromSchema");
  assertThrows(() => new nn.EmbeddingDotBias(3, 4, 5, { yRange: [5, 1] }), ConfigError, "two rising numbers");
  await assertRejects(
    () => CollabDataLoaders.fromTable([{ a: "x", b: "y" }]),
    ConfigError,
    "three columns, got a, b, none",
  );
});

Deno.test("tabularLearner is a TabularModel of the table's columns", async () => {
  const rows = Array.from(
    { length: 80 },
    (_, i) => ({ color: ["red", "green"][i % 2], size: i % 7 + 0.5, label: ["no", "yes"][i % 2] }),
  );
  const dls = await DataLoaders.fromTable(rows, { target: "label" });
  const learn = tabularLearner(dls, { layers: [8], dropout: 0.1 });
  assertEquals(learn.model.layers.at(-1).constructor.name, "Linear");
  await learn.fit(3, { lr: 0.05 });
  assertEquals((await learn.predict({ color: "green", size: 1.5 })).label, "yes");
  assertThrows(() => tabularLearner({} as never), ConfigError, "TabularDataLoaders");
});
