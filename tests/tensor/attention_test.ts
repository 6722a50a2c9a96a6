/**
 * Attention: what recordings do not show, such as rows that see nothing, dropout and errors.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError, DtypeError, ShapeError } from "../../src/base/errors.ts";
import {
  full,
  grad,
  ones,
  ops,
  Parameter,
  randn,
  readAll,
  Rng,
  type Tensor,
  tensor,
  zeros,
} from "../../src/tensor/mod.ts";
import { assertClose } from "./golden_cases.ts";
import { trace } from "../../src/tensor/trace.ts";
import { onDevices } from "../support/devices.ts";

const attend = ops.scaledDotProductAttention;
const draw = (seed: number, ...shape: number[]) => randn(shape, { rng: new Rng(seed) });

onDevices("a query that sees no key gets 0, and so do all gradients through it", async () => {
  const [q, k, v] = [draw(1, 1, 1, 2, 3), draw(2, 1, 1, 4, 3), draw(3, 1, 1, 4, 3)];
  for (const mask of [zeros([2, 4]).cast("bool"), full([2, 4], -Infinity), full([2, 4], -3.4028234663852886e38)]) {
    const y = attend(q, k, v, { mask });
    for (const t of [y, ...grad(y.sum(), [q, k, v])]) assertEquals(new Set(await t.data()), new Set([0]));
  }
  const half = attend(q, k, v, { mask: tensor([[1, 1, 0, 1], [0, 0, 0, 0]]).cast("bool") });
  const [first, second] = (await half.array() as number[][][][])[0][0];
  assert(first.every((x) => Number.isFinite(x) && x !== 0));
  assertEquals(second, [0, 0, 0]);
});

onDevices("sizes 0: no queries, no keys, no items", async () => {
  const sizes = async (b: number, n: number, m: number) => {
    const y = attend(ones([b, 2, n, 3]), ones([b, 2, m, 3]), ones([b, 2, m, 4]));
    return [y.shape, [...await y.data()]];
  };
  assertEquals(await sizes(0, 2, 2), [[0, 2, 2, 4], []]);
  assertEquals(await sizes(1, 0, 2), [[1, 2, 0, 4], []]);
  assertEquals(await sizes(1, 1, 0), [[1, 2, 1, 4], [0, 0, 0, 0, 0, 0, 0, 0]]);
}, { kinds: ["cpu"] });

onDevices("dropout drops weights and keeps their mean; 0 drops none", async () => {
  const same = (shape: number[]) => ones(shape);
  const run = (dropout: number, seed: number) =>
    attend(same([1, 1, 8, 2]), same([1, 1, 500, 2]), same([1, 1, 500, 1]), { dropout, rng: new Rng(seed) }).data();
  for (const y of await run(0, 1)) assert(Math.abs(y - 1) < 1e-5);
  const some = await run(0.25, 1);
  assertEquals(await run(0.25, 1), some, "the seed decides");
  assert(some.every((y) => Math.abs(y - 1) < 0.15 && y !== 1), `${some}`);
  assertEquals(new Set(await run(1, 1)), new Set([0]));
}, { kinds: ["cpu"] });

onDevices("a number as scale makes no new program", async (device) => {
  const [q, k] = [draw(1, 2, 3, 4), draw(2, 2, 3, 4)];
  await attend(q, k, k, { scale: 0.5 }).data();
  const { programs } = device.stats();
  await attend(q, k, k, { scale: 0.7 }).data();
  assertEquals(device.stats().programs, programs);
}, { kinds: ["cpu"] });

Deno.test("what does not fit is said", () => {
  const q = ones([2, 4, 3, 8]);
  const refused = (
    k: Tensor,
    v: Tensor,
    why: string,
    options = {},
    Class: typeof ShapeError | typeof DtypeError = ShapeError,
  ) => assertThrows(() => attend(q, k, v, options), Class, why);
  refused(ones([2, 4, 3, 7]), ones([2, 4, 3, 7]), "queries and keys have vectors of one size");
  refused(ones([2, 4, 5, 8]), ones([2, 4, 6, 8]), "there is a value for each key");
  refused(ones([2, 3, 5, 8]), ones([2, 3, 5, 8]), "may be a divisor of those of queries");
  refused(ones([4, 5, 8]), ones([4, 5, 8]), "all have the same axes");
  refused(ones([1, 4, 5, 8]), ones([1, 4, 5, 8]), "the sizes in front are equal");
  const k = ones([2, 4, 5, 8]);
  refused(k, k, "a mask of shape [5, 3]: it must broadcast to the scores, [2, 4, 3, 5]", { mask: ones([5, 3]) });
  refused(k, k, "a mask of type i32: it is bool", { mask: ones([3, 5]).cast("i32") }, DtypeError);
  assertThrows(() => attend(q, k, k, { dropout: 1.5 }), ConfigError, "a probability from 0 to 1");
  assertThrows(() => attend(q, k, k, { isCausal: true } as never), ConfigError, "did you mean causal?");
});

onDevices(
  "scores that are stored and scores that are not: values, gradients and second derivatives, with dropout and masks",
  async () => {
    const [q, k, v, by] = [draw(1, 2, 4, 9, 4), draw(2, 2, 2, 11, 4), draw(3, 2, 2, 11, 3), draw(4, 2, 4, 9, 3)];
    const bool = draw(5, 2, 1, 9, 11).gt(-0.5), added = draw(6, 9, 11);
    const choices: { mask?: Tensor; causal?: boolean; dropout?: number }[] = [
      {},
      { dropout: 0.4 },
      { causal: true, dropout: 0.2 },
      { mask: bool, dropout: 0.3 },
      { mask: added, dropout: 0.3 },
    ];
    for (const options of choices) {
      const given = options.mask ?? zeros([9, 11]);
      // the gradient of a mask that is trained needs the scores: they are stored
      const trained = new Parameter(given.dtype === "bool" ? ops.where(given, 0, -Infinity) : given);
      const results = [options, { ...options, mask: trained }].map((all) => {
        const y = attend(q, k, v, { ...all, rng: new Rng(8) }).mul(by).sum();
        const first = grad(y, [q, k, v]);
        return [y, ...first, ...grad(first.map((g) => g.square().sum()).reduce((a, b) => a.add(b)), [q, k, v])];
      });
      const [got, want] = await Promise.all(results.map((all) => readAll(all)));
      got.forEach((x, i) => assertClose(x, want[i], `result ${i} with ${Object.keys(options)}`));
    }
  },
  { kinds: ["cpu"] },
);

Deno.test("a trace has the operations that other formats know", () => {
  const q = tensor(new Float32Array(2 * 8 * 4), { shape: [2, 8, 4] });
  const { ops: all } = trace([q], new Map(), () => [attend(q, q, q, { causal: true })]);
  const names = all.map(({ op }) => op);
  assert(names.includes("matmul") && !names.includes("attention"), `${names}`);
});
