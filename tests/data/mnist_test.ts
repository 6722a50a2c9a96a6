import { assert, assertEquals, assertThrows } from "@std/assert";
import { DataError } from "../../src/base/errors.ts";
import { loadMnist } from "../../src/data/mnist.ts";
import { checkDigits } from "../../src/data/mnist_files.ts";

Deno.test("loadMnist() gives all of MNIST", async () => {
  const { x, y, xValid, yValid } = await loadMnist();
  assertEquals([x, y, xValid, yValid].map((a) => a.shape), [[60000, 28, 28], [60000], [10000, 28, 28], [10000]]);
  assertEquals([...y.data.subarray(0, 10)], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
  assertEquals([...yValid.data.subarray(0, 10)], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
  const counts = new Array(10).fill(0);
  for (const digit of y.data) counts[digit]++;
  assertEquals(counts, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
  let sum = 0;
  for (const pixel of x.data) sum += pixel;
  assert(Math.abs(sum / x.data.length / 255 - 0.1307) < 5e-5, "the mean that everyone normalises by");
});

const images = { shape: [2, 28, 28], data: new Uint8Array(2 * 784) };
for (
  const [title, call, message] of [
    ["other sizes", () => checkDigits({ ...images, shape: [2, 32, 28] }, images, "test set"), "must be [n, 28, 28]"],
    ["too few labels", () => checkDigits(images, { shape: [1], data: new Uint8Array(1) }, "test set"), "2 labels"],
    [
      "a label above 9",
      () => checkDigits(images, { shape: [2], data: Uint8Array.of(9, 10) }, "test set"),
      "got 10 at 1",
    ],
  ] as const
) {
  Deno.test(`${title} in MNIST is a DataError`, () => {
    assertThrows(call, DataError, message);
  });
}
