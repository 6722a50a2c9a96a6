/**
 * Dropout of sequences: whole features, scaled, in training only.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError, ones, Rng, RNNDropout, ShapeError } from "../../mod.ts";

Deno.test("RNNDropout drops a feature at all positions of a text, other ones in other texts", async () => {
  const [b, n, features] = [3, 5, 64], drop = new RNNDropout(0.25, { rng: new Rng(1) });
  const y = await drop.forward(ones([b, n, features])).data();
  const at = (i: number, k: number, f: number) => y[(i * n + k) * features + f];
  let dropped = 0, differ = 0;
  for (let i = 0; i < b; i++) {
    for (let f = 0; f < features; f++) {
      for (let k = 1; k < n; k++) assertEquals(at(i, k, f), at(i, 0, f));
      assert(at(i, 0, f) === 0 || Math.abs(at(i, 0, f) - 4 / 3) < 1e-6);
      if (at(i, 0, f) === 0) dropped++;
      if (at(i, 0, f) !== at((i + 1) % b, 0, f)) differ++;
    }
  }
  assert(dropped > 20 && dropped < 76, `${dropped} of 192 features were dropped`);
  assert(differ > 0);
});

Deno.test("RNNDropout leaves inputs alone outside of training", () => {
  const x = ones([1, 2, 3]);
  assert(new RNNDropout(0.5).eval().forward(x) === x);
  assert(new RNNDropout(0).forward(x) === x);
});

Deno.test("RNNDropout refuses what is no probability, and no sequence", () => {
  assertThrows(() => new RNNDropout(1.5), ConfigError, "p is a probability from 0 to 1");
  assertThrows(() => new RNNDropout(0.5).forward(ones([2, 3])), ShapeError, "it takes [b, n, features]");
});
