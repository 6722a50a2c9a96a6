/**
 * Numbers that travel with a launch: other ones in each step, one program for all.
 */
import { assert, assertEquals } from "@std/assert";
import { isLaunched, isMemory, stepInput, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

onDevices("inputs of a step are what tensors of the same numbers are", async () => {
  const cases: Parameters<typeof stepInput>[] = [
    [3],
    [[1, 2.5, -3]],
    [[[1, 2], [3, 4]]],
    [Int32Array.of(1, -2, 3), {}],
    [Uint32Array.of(1, 2 ** 31), {}],
    [new Float64Array([0.5, 0.25]), { shape: [2, 1] }],
    [[1, 2, 3], { dtype: "i32" }],
    [Uint8Array.of(1, 255), {}],
    [[true, false], {}],
    [[], {}],
    [Float32Array.from({ length: 20_000 }, (_, i) => i), {}],
  ];
  for (const [data, options = {}] of cases) {
    const a = stepInput(data, options), b = tensor(data, options);
    assertEquals([a.dtype, a.shape], [b.dtype, b.shape]);
    assertEquals(await a.array(), await b.array());
  }
});

onDevices(
  "other numbers need no other program, no memory and no copy that can be changed from outside",
  async (device) => {
    const x = tensor([1, 2, 3]);
    const numbers = Float32Array.of(1, 1, 1);
    const at = (k: number) => {
      numbers.fill(k);
      const y = x.mul(stepInput(numbers)).add(stepInput(k)).sum();
      numbers.fill(NaN);
      return y.item();
    };
    assertEquals(await at(1), 9);
    const { programs } = device.stats();
    for (let k = 2; k < 10; k++) assertEquals(await at(k), 9 * k);
    assertEquals(device.stats().programs, programs);
    const input = stepInput([1, 2]);
    assert(!isMemory(input) && !isLaunched(input));
  },
);
