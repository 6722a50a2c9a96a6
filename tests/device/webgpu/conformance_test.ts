import { FAMILIES } from "../../../src/device/webgpu/kernels/plan.ts";
import { runConformance } from "../../support/conformance.ts";
import { webgpuTest } from "../../support/webgpu.ts";

for (const family of FAMILIES) {
  webgpuTest(`every hand-made program gives what the reference gives (${family})`, (device) => runConformance(device), {
    family,
  });
}
