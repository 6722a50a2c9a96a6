/**
 * One process of a test: adds up arrays of many lengths with the others, and writes what is wrong.
 *
 * Argument: the folder for what it writes.
 *
 * @module
 */
import { join } from "@std/path";
import { openWorld } from "../../src/distrib/launched.ts";

const world = openWorld()!;
const { rank, size } = world;
// short ones, some that no number of processes divides, and some that are added up part by part
const lengths = [1, 22, 65_535, 65_536, 200_003, 2 ** 22 + 5];
const factor = size * (size + 1) / 2;
const wrong: string[] = [];

function check(array: Float32Array | Float64Array): void {
  const at = array.findIndex((v, i) => v !== factor * (i % 97 + 1));
  if (at >= 0) wrong.push(`${array.length} elements: got ${array[at]} at ${at}`);
}

const values = (n: number) => Array.from({ length: n }, (_, i) => (rank + 1) * (i % 97 + 1));
const arrays = [...lengths.map((n) => Float32Array.from(values(n))), Float64Array.from(values(300_001))];
for (const array of arrays) {
  await world.sumInPlace([array], "test");
  check(array);
}
// several at once, in the middle of a buffer
const shared = Float32Array.from(values(500_000));
const both = [shared.subarray(0, 97 * 2000), shared.subarray(97 * 4000)];
await world.sumInPlace(both, "test");
both.forEach(check);
if (shared[97 * 3000] !== rank + 1) wrong.push("what lies between was changed");
// beside the computing: more arrays than the thread takes at once, and one
const progress = new Int32Array(new SharedArrayBuffer(4));
if (await world.overlapped.prepare(0, progress) === 0) {
  for (const count of [1, 512, 1500]) {
    const many = Array.from(
      { length: count },
      (_, i) => Float32Array.from(values(count === 1 ? 300_001 : 1 + i % 211)),
    );
    world.overlapped.begin(many.map((a) => new Uint8Array(a.buffer)), () => 0);
    await world.overlapped.end();
    many.forEach(check);
  }
} else wrong.push("nothing is added up beside the computing");
await Deno.writeTextFile(join(Deno.args[0], `${rank}.json`), JSON.stringify(wrong));
