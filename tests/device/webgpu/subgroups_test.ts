/**
 * Folds through subgroups. Deno's own WebGPU has none: `deno task test:dawn` runs these tests, and so does Chromium.
 */
import { assert, assertEquals } from "@std/assert";
import { subgroupTrees } from "../../../src/device/webgpu/kernels/subgroup_trees.ts";
import { WebgpuDevice } from "../../../src/device/webgpu/device.ts";
import { openWebgpu } from "../../../src/device/webgpu/mod.ts";
import { planProgram } from "../../../src/device/webgpu/planner.ts";
import { bytesAfter, runConformance } from "../../support/conformance.ts";
import { LEAST_PROFILE } from "../../support/kernel_texts.ts";
import { type ProgramCase, programs } from "../../support/programs.ts";
import { adapter, sharedWebgpu } from "../../support/webgpu.ts";

const there = ([...adapter?.features ?? []] as string[]).includes("subgroups");

/** Programs with a fold of a workgroup, but for large ones, which take software long. */
const folding = programs.filter(({ program }) =>
  program.slots.every(({ bytes }) => bytes < 100_000) && program.kernels.every(({ op }) =>
    !op.startsWith("attention")
  ) &&
  texts(program, 0).some((text) => text.includes("fn tree_"))
);

function texts(program: ProgramCase["program"], lanes: number): string[] {
  return planProgram(program, { profile: LEAST_PROFILE, strategy: () => "shared", lanes }).dispatches.map(({ text }) =>
    text
  );
}

Deno.test("every fold of every kind takes its last steps within subgroups", () => {
  const kinds = new Set<string>();
  for (const { program } of folding) {
    for (const text of texts(program, 32)) {
      const trees = text.match(/fn tree_[^]*?\n}/g) ?? [];
      for (const tree of trees) {
        kinds.add(/fn (tree_\w+)/.exec(tree)![1]);
        assert(tree.includes("subgroupShuffleXor(own, s)") && tree.includes("s >= min(LANES, WG)"), tree);
        // whatever is combined is a register by now
        const step = tree.slice(tree.indexOf("subgroupShuffleXor"), tree.indexOf("if (t == 0u)"));
        assert(!/tree_\w+\[/.test(step.replace(/better_\w+/g, "")), tree);
      }
      assertEquals(text.startsWith("enable subgroups;"), trees.length > 0);
    }
  }
  assert(kinds.size >= 8, [...kinds].join());
  assertEquals(subgroupTrees("fn main() {}"), "fn main() {}");
});

Deno.test({
  name:
    "subgroups, where the adapter has them: folds through them are what the reference gives, and have the bits of those without",
  ignore: !there,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const plain = await openWebgpu({ subgroups: false });
    const device = await sharedWebgpu();
    assert(device instanceof WebgpuDevice && device.lanes >= 4, "the adapter's subgroups are used");
    const names = new Set(folding.map(({ name }) => name));
    await runConformance(device, { only: (name) => names.has(name) });
    for (const testCase of folding) {
      assertEquals(await bytesAfter(device, testCase), await bytesAfter(plain, testCase), testCase.name);
    }
    plain.close();
  },
});
