import { assertEquals } from "@std/assert";
import { openCpu } from "../../../src/device/cpu/mod.ts";
import type { Device } from "../../../src/device/contract.ts";
import { checkCase } from "../../support/conformance.ts";
import { convCases } from "../../support/programs_conv.ts";
import { largeConvs } from "./conv_cases.ts";
import { firstDifference, resultBytes } from "./support.ts";

// helper threads belong to the device, which lives as long as the process
const options = { sanitizeOps: false, sanitizeResources: false };

/** Opens a device whose memory no threads share, as in an engine without shared memory. */
function openUnshared(simd: "relaxed" | "plain"): Device {
  const real = globalThis.SharedArrayBuffer;
  globalThis.SharedArrayBuffer = class {} as unknown as typeof real;
  try {
    return openCpu({ simd, threads: 4 });
  } finally {
    globalThis.SharedArrayBuffer = real;
  }
}

for (const simd of ["relaxed", "plain"] as const) {
  Deno.test({
    ...options,
    name: `cpu: convolutions give what the reference gives without shared memory (${simd})`,
    fn: async (t) => {
      const device = openUnshared(simd);
      for (const testCase of convCases()) {
        await t.step(testCase.name, async () => assertEquals(await checkCase(device, testCase), null));
      }
      device.close();
    },
  });

  Deno.test({
    ...options,
    name: `cpu: large convolutions are right, with the same bits on 1, 2 and 4 threads and without sharing (${simd})`,
    fn: async (t) => {
      const one = openCpu({ simd, threads: 1 });
      const others = [openCpu({ simd, threads: 2 }), openCpu({ simd, threads: 4 }), openUnshared(simd)];
      for (const testCase of largeConvs()) {
        await t.step(testCase.name, async () => {
          assertEquals(await checkCase(one, testCase), null);
          const want = await resultBytes(one, testCase);
          for (const device of others) {
            assertEquals(firstDifference(await resultBytes(device, testCase), want), null, device.name);
          }
        });
      }
      for (const device of [one, ...others]) device.close();
    },
  });
}
