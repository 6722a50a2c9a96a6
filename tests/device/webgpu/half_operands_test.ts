/**
 * Operands of f16 are read where they lie: the bits are those of copies as f32, and there are no such copies.
 */
import { assert, assertEquals } from "@std/assert";
import { openWebgpu } from "../../../src/device/webgpu/mod.ts";
import type { KernelStrategy } from "../../../src/device/webgpu/kernels/plan.ts";
import { bytesAfter } from "../../support/conformance.ts";
import { halved, widened } from "../../support/halved.ts";
import { programs } from "../../support/programs.ts";
import { own, webgpuTest } from "../../support/webgpu.ts";

/** Programs that have a kernel of every family between them, operands that lie in every way, and numbers that are none. */
const NAMES = [
  "matmul NN m 100 n 513 k 64",
  "matmul NT m 64 n 100 k 10",
  "matmul TN m 10 n 64 k 513",
  "matmul with dynamic offsets of operands and output",
  "matmul carries NaN and infinity, zero times infinity is NaN",
  "conv 3x3 of 16 to 32 channels",
  "conv 3x3 stride 2",
  "conv depthwise, stride 2, dilated",
  "conv gradient of the weight, a large sum",
  "scatterAdd rows repeated",
  "gradient of attention with added numbers",
];

/** Of tiles, compilers for CPUs take a second for each. */
const TILED = ["matmul NT m 64 n 100 k 10", "conv gradient of the weight, a large sum"];

const DEVICES: readonly (readonly [KernelStrategy, boolean])[] = [
  ["shared", true],
  ["register", false],
  ["texel", true],
  ...own ? [] : [["shared", false], ["tiled", true]] as const,
];

for (const [strategy, halves] of DEVICES) {
  const type = halves ? "" : ", where adapters have no such type";
  webgpuTest(`operands of f16 give the bits of their copies (${strategy}${type})`, async () => {
    const device = await openWebgpu({ strategy, halves, ...strategy === "tiled" ? { tiling: "64x64" } : {} });
    const names = strategy === "tiled" ? TILED : NAMES;
    const cases = programs.filter(({ name }) => names.includes(name));
    assertEquals(cases.length, names.length);
    for (const testCase of cases) {
      const direct = halved(testCase), { testCase: wide, copies } = widened(direct);
      assert(copies > 0, testCase.name);
      const { dispatches: start } = device.stats();
      const got = await bytesAfter(device, direct), { dispatches: between } = device.stats();
      assertEquals(got, await bytesAfter(device, wide), testCase.name);
      const [few, many] = [between - start, device.stats().dispatches - between];
      // with textures an operand is laid anew in any case
      assert(strategy === "texel" ? few <= many : few < many, `${testCase.name}: ${few} and ${many} dispatches`);
    }
    device.close();
  }, { opengl: strategy !== "shared" }); // which Mesa's OpenGL compiles for a minute
}
