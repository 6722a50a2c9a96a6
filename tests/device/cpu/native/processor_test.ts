import { assertEquals } from "@std/assert";
import { type Features, levelOf } from "../../../../src/device/cpu/native/processor.ts";

/** A processor of 2022, and the system under it. */
const WHOLE: Features = { leaf1: 0xfffa3203 | 0, leaf7: 0xf1bf07ab | 0, saved: 0xe7 };
const without = (word: number, bit: number) => word & ~(1 << bit);

Deno.test("processor: the widest vectors are taken", () => {
  assertEquals(levelOf(WHOLE), "AVX-512");
});

for (const [name, bit] of [["F", 16], ["DQ", 17], ["BW", 30], ["VL", 31]] as const) {
  Deno.test(`processor: without AVX-512 ${name} it is AVX2`, () => {
    assertEquals(levelOf({ ...WHOLE, leaf7: without(WHOLE.leaf7, bit) }), "AVX2");
  });
}

Deno.test("processor: registers that the system does not save are not used", () => {
  for (const bit of [5, 6, 7]) assertEquals(levelOf({ ...WHOLE, saved: without(WHOLE.saved, bit) }), "AVX2");
  for (const bit of [1, 2]) assertEquals(levelOf({ ...WHOLE, saved: without(WHOLE.saved, bit) }), null);
  assertEquals(levelOf({ ...WHOLE, saved: 0 }), null);
  assertEquals(levelOf({ ...WHOLE, leaf1: without(WHOLE.leaf1, 27) }), null, "it cannot even be asked");
});

for (const [name, bit] of [["fused multiply-add", 12], ["AVX", 28]] as const) {
  Deno.test(`processor: without ${name} it is none`, () => {
    assertEquals(levelOf({ ...WHOLE, leaf1: without(WHOLE.leaf1, bit) }), null);
  });
}

Deno.test("processor: without AVX2, or without leaf 7, it is none", () => {
  assertEquals(levelOf({ ...WHOLE, leaf7: without(WHOLE.leaf7, 5) }), null);
  assertEquals(levelOf({ ...WHOLE, leaf7: 0 }), null);
});
