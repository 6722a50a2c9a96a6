import { assertEquals } from "@std/assert";
import { openCpu } from "../../../src/device/cpu/mod.ts";
import { checkCase, runConformance } from "../../support/conformance.ts";
import { firstDifference, largeCases, resultBytes } from "./support.ts";

// helper threads belong to the device, which lives as long as the process
const options = { sanitizeOps: false, sanitizeResources: false };

for (const simd of ["relaxed", "plain"] as const) {
  Deno.test({
    ...options,
    name: `cpu: every hand-made program gives what the reference gives (${simd})`,
    fn: async () => {
      const device = openCpu({ simd, threads: 1 });
      await runConformance(device);
      device.close();
    },
  });

  for (const testCase of largeCases()) {
    Deno.test({
      ...options,
      name: `cpu: same bits on 1, 2 and 4 threads, right ones: ${testCase.name} (${simd})`,
      fn: async () => {
        const one = openCpu({ simd, threads: 1 });
        assertEquals(await checkCase(one, testCase), null);
        const want = await resultBytes(one, testCase);
        for (const threads of [2, 4]) {
          const many = openCpu({ simd, threads });
          assertEquals(firstDifference(await resultBytes(many, testCase), want), null, `on ${threads} threads`);
          many.close();
        }
        one.close();
      },
    });
  }
}

Deno.test({
  ...options,
  name: "cpu: a run repeated 300 times on 4 threads gives the same bits each time",
  fn: async () => {
    const [testCase] = largeCases().filter(({ name }) => name.includes("channel means"));
    const device = openCpu({ threads: 4 });
    const want = await resultBytes(device, testCase);
    const executable = device.compile(testCase.program);
    const buffers = testCase.bound.map((data) => device.alloc(data.byteLength));
    testCase.bound.forEach((data, i) => device.write(buffers[i], 0, data));
    for (let run = 0; run < 300; run++) device.run(executable, buffers, testCase.params);
    const got = await device.read(
      testCase.bound.map((data, i) => ({ buffer: buffers[i], offset: 0, bytes: data.byteLength })),
    );
    assertEquals(firstDifference(got, want), null);
    device.close();
  },
});
