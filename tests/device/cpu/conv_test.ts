import { assertEquals } from "@std/assert";
import { openCpu } from "../../../src/device/cpu/mod.ts";
import { checkCase } from "../../support/conformance.ts";
import { convCases } from "../../support/programs_conv.ts";
import { firstDifference, resultBytes } from "./support.ts";

// helper threads belong to the device, which lives as long as the process
const options = { sanitizeOps: false, sanitizeResources: false };

for (const simd of ["relaxed", "plain"] as const) {
  for (const testCase of convCases()) {
    Deno.test({
      ...options,
      name: `cpu: ${testCase.name} (${simd})`,
      fn: async () => {
        const one = openCpu({ simd, threads: 1 });
        assertEquals(await checkCase(one, testCase), null);
        one.close();
      },
    });
  }
}
