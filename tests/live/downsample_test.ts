/**
 * Long records as few points.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { downsample } from "../../src/live/downsample.ts";

Deno.test("downsample keeps short records whole, from an entry on", () => {
  assertEquals(downsample([5, 6, 7], 0, 10), [0, 1, 2]);
  assertEquals(downsample([5, 6, 7], 2, 10), [2]);
  assertEquals(downsample([5, 6, 7], 3, 10), []);
  assertEquals(downsample([], 0, 10), []);
});

Deno.test("downsample keeps spikes, order, the last entry and NaN", () => {
  const values = Array.from({ length: 10_000 }, (_, i) => Math.sin(i / 500));
  values[1234] = 100;
  values[4321] = -100;
  values[7777] = NaN;
  const at = downsample(values, 0, 200);
  assert(at.length <= 202, `${at.length}`);
  for (const i of [1234, 4321, 7777, 9999]) assert(at.includes(i), `${i} is missing`);
  at.forEach((v, i) => assert(i === 0 || v > at[i - 1]));
  assert(downsample(values, 9000, 200).every((i) => i >= 9000));
});
