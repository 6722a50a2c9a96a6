import { STRATEGIES } from "../../../src/device/webgpu/kernels/plan.ts";
import { runConformance } from "../../support/conformance.ts";
import { openWebgpu } from "../../../src/device/webgpu/mod.ts";
import { webgpuTest } from "../../support/webgpu.ts";

for (const strategy of STRATEGIES) {
  webgpuTest(
    `every hand-made program gives what the reference gives (${strategy})`,
    (device) => runConformance(device),
    {
      strategy,
    },
  );
}

webgpuTest("programs with f16 give what the reference gives where adapters have no such type", async () => {
  const device = await openWebgpu({ halves: false });
  await runConformance(device, { only: (name) => name.startsWith("f16 ") });
  device.close();
});
