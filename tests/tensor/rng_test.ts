/**
 * Random numbers: the same on host and device, restorable, well distributed.
 */
import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/base/errors.ts";
import { defaultRng, rand, randn, readAll, Rng, setSeed } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { normalOf, philox, uniformOf } from "../support/math.ts";

Deno.test("philox gives the published blocks", () => {
  // Random123, kat_vectors: philox4x32-10 of zeros, and of the digits of pi
  assertEquals(philox([0, 0, 0, 0], [0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  assertEquals(
    philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  );
});

Deno.test("host numbers are 53 bits of the blocks with third word 1", () => {
  const seed = 7 + 5 * 2 ** 32;
  const rng = new Rng(seed);
  for (let n = 0; n < 100; n++) {
    const [x, y] = philox([n, 0, 1, 0], [7, 5]);
    assertEquals(rng.uniform(), ((x >>> 5) * 2 ** 26 + (y >>> 6)) / 2 ** 53);
  }
});

onDevices("device numbers are those of the contract: element = logical index, one stream a tensor", async () => {
  const rng = new Rng(3 + 9 * 2 ** 32);
  const [u, n] = await readAll([rand([5, 201], { rng }), randn([1005], { rng })]);
  for (let i = 0; i < 1005; i++) {
    assertEquals(u[i], uniformOf(philox([i, 0, 0, 0], [3, 9])[0]), `uniform ${i}`);
    const [x0, x1] = philox([i, 1, 0, 0], [3, 9]);
    assertAlmostEquals(n[i], normalOf(x0, x1), 2e-5, `normal ${i}`);
  }
});

onDevices("the stream is drawn when the expression is built, not when it is computed", async () => {
  const a = new Rng(5), b = new Rng(5);
  const [a1, a2] = [rand([3], { rng: a }), rand([3], { rng: a })];
  const [b1, b2] = [rand([3], { rng: b }), rand([3], { rng: b })];
  const second = await b2.data();
  assertEquals([await a1.data(), await a2.data()], [await b1.data(), second]);
  assertNotEquals(await a1.data(), await a2.data());
});

onDevices("setSeed starts the default generator anew", async () => {
  const held = defaultRng();
  setSeed(42);
  const first = await randn([4]).data();
  setSeed(42);
  assertEquals(await randn([4]).data(), first);
  assert(held === defaultRng());
});

Deno.test("state and restore go on with the same numbers", () => {
  const rng = new Rng(1);
  rng.uniform();
  rng.nextStream();
  const state = JSON.parse(JSON.stringify(rng.state));
  const take = (r: Rng) => [r.uniform(), r.normal(), r.nextStream(), [...r.permutation(10)], [...r.normalArray(3)]];
  const want = take(rng);
  const other = new Rng(99);
  other.restore(state);
  assertEquals(take(other), want);
});

Deno.test("arrays, permutations and forks", () => {
  const rng = new Rng(2);
  const u = rng.uniformArray(40001, -2, 6), n = rng.normalArray(40001, 3, 2);
  const mean = (a: Float32Array) => a.reduce((s, x) => s + x, 0) / a.length;
  assertAlmostEquals(mean(u), 2, 0.05);
  assertAlmostEquals(mean(u.map((x) => (x - 2) ** 2)), 64 / 12, 0.1);
  assertAlmostEquals(mean(n), 3, 0.05);
  assertAlmostEquals(mean(n.map((x) => (x - 3) ** 2)), 4, 0.1);
  assertAlmostEquals(mean(n.map((x) => ((x - 3) / 2) ** 4)), 3, 0.15);
  assert(u.every((x) => x >= -2 && x <= 6));
  assertEquals([...rng.permutation(1000)].sort((a, b) => a - b), Array.from({ length: 1000 }, (_, i) => i));
  assertEquals([...rng.permutation(0)], []);
  const counts = new Array(5).fill(0);
  for (let i = 0; i < 5000; i++) counts[rng.integer(5)]++;
  assert(counts.every((c) => c > 850 && c < 1150), `${counts}`);
  const child = rng.fork();
  assertNotEquals(child.uniform(), rng.uniform());
  assertNotEquals(rng.fork().uniform(), rng.fork().uniform());
});

Deno.test("generators refuse what is no seed or bound", () => {
  assertThrows(() => new Rng(-1), ConfigError, "Cannot seed random numbers by -1");
  assertThrows(() => setSeed(0.5), ConfigError, "Cannot seed random numbers by 0.5");
  assertThrows(() => new Rng(1).integer(0), ConfigError, "Cannot draw a whole number below 0");
});
