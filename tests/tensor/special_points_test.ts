/**
 * Values and gradients at special points, against PyTorch: 0, the smallest numbers, kinks, 1 - 2^-24, large, infinite, NaN,
 * equal elements. A gradient is finite wherever PyTorch's is, and each value has as many digits.
 */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { type Tensor, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { failures, recordedCases } from "../support/recorded.ts";

const cases = recordedCases("special.json");

for (const fn of new Set(cases.map((c) => c.fn))) {
  onDevices(`${fn} at special points`, async () => {
    assertEquals(await failures(cases.filter((c) => c.fn === fn), { rel: 2e-6 }), []);
  });
}

// Mesa's compiler got this wrong in one kernel
onDevices("the arc tangent of what a tanh has a part in", async () => {
  const x = tensor([2.0371, 0.3, 0.5, 1, -2, 2.5, 10, -0.1, 0]);
  for (const f of [(t: Tensor) => t.tanh(), (t: Tensor) => t.elu(), (t: Tensor) => t.mul(0.2).expm1()]) {
    const want = Array.from(await f(x).data(), Math.atan);
    (await f(x).atan().data()).forEach((v, i) => assertAlmostEquals(v, want[i], 1e-6));
  }
});

onDevices("sines and cosines of large numbers stay in [-1, 1]", async () => {
  const x = Float32Array.of(99999.9, -65432.1, 1e6, 1e8, 1e9, -3e9, 1e10, 1e12, -1e20, 1e30, 3e38);
  for (const [name, f] of [["sin", Math.sin], ["cos", Math.cos]] as const) {
    const y = await tensor(x)[name]().data();
    assertEquals([...y].filter((v) => !(Math.abs(v) <= 1)), []);
    for (const i of [0, 1]) assertAlmostEquals(y[i], f(x[i]), 2e-6);
  }
});
