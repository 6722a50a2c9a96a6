import { STRATEGIES } from "../../../src/device/webgpu/kernels/plan.ts";
import { runConformance } from "../../support/conformance.ts";
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
