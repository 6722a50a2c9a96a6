import { runConformance } from "../../support/conformance.ts";
import { webgpuTest } from "../../support/webgpu.ts";

for (const family of ["register", "texel", "shared"] as const) {
  webgpuTest(`every hand-made program gives what the reference gives (${family})`, (device) => runConformance(device), {
    family,
  });
}
