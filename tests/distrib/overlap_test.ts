/**
 * How arrays are cut for the thread that adds them up beside the computing.
 */
import { assert, assertEquals } from "@std/assert";
import { cutParts } from "../../src/distrib/overlap.ts";

for (
  const [what, lengths] of Object.entries({
    "one long array": [2 ** 23 + 5],
    "511, 512, 513 arrays": Array.from({ length: 513 }, () => 48),
    "thousands of short arrays": Array.from({ length: 3000 }, (_, i) => 1 + i % 100),
    "a long one among many": [2 ** 22, ...Array.from({ length: 900 }, () => 17)],
    "empty ones": [0, 5, 0],
  })
) {
  Deno.test(`parts cover every element once, the last first: ${what}`, () => {
    for (const size of [2, 3, 7]) {
      const parts = cutParts(lengths, size);
      const open = [...lengths];
      let array = lengths.length;
      for (const part of parts) {
        assert(part.array <= array, "arrays come from the last on");
        array = part.array;
        assert(part.first < part.end, `elements ${part.first} to ${part.end} of array ${array}`);
        assertEquals(part.end, open[array]);
        open[array] = part.first;
      }
      assertEquals(open, lengths.map(() => 0));
    }
  });
}
