/**
 * Values and gradients at special points, against PyTorch: 0, the smallest numbers, kinks, 1 - 2^-24, large, infinite, NaN,
 * equal elements. A gradient is finite wherever PyTorch's is, and each value has as many digits.
 */
import { assertEquals } from "@std/assert";
import { onDevices } from "../support/devices.ts";
import { failures, recordedCases } from "../support/recorded.ts";

const cases = recordedCases("special.json");

for (const fn of new Set(cases.map((c) => c.fn))) {
  onDevices(`${fn} at special points`, async () => {
    assertEquals(await failures(cases.filter((c) => c.fn === fn), { rel: 2e-6 }), []);
  });
}
