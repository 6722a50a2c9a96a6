/**
 * Products and convolutions by every tiling: edges, long sums in chunks, operands that lie in every way.
 */
import { assert, assertEquals } from "@std/assert";
import { FEWEST_LANES, type TilingName, TILINGS } from "../../../src/device/webgpu/kernels/tiles.ts";
import { WebgpuDevice } from "../../../src/device/webgpu/device.ts";
import { openWebgpu } from "../../../src/device/webgpu/mod.ts";
import { fitsLimits } from "../../../src/device/webgpu/tuning.ts";
import { planProgram } from "../../../src/device/webgpu/planner.ts";
import { bytesAfter, checkCase } from "../../support/conformance.ts";
import { LEAST_PROFILE } from "../../support/kernel_texts.ts";
import { type ProgramCase, programs } from "../../support/programs.ts";
import { adapter, own, webgpuTest } from "../../support/webgpu.ts";

/** What every tiling computes. */
const ALL = "matmul TN m 10 n 64 k 513";
/** What some compute, as a compiler for a CPU takes a second for each: on Dawn all of it. */
const SOME = [
  "conv gradient of the weight, a large sum",
  ...own ? [] : [
    "matmul NN m 1 n 64 k 100",
    "matmul NN m 64 n 1 k 100",
    "matmul NT m 100 n 513 k 64",
    "matmul batched [3,4]",
    "matmul with dynamic offsets of operands and output",
    "matmul carries NaN and infinity, zero times infinity is NaN",
    "conv depthwise",
    "conv bias and relu, stored where images lie",
  ],
];
/** The tilings that do: one where all threads bring as much, and one where they do not. */
const THOROUGH: readonly TilingName[] = ["32x128", "64x64"];

function named(names: readonly string[]): ProgramCase[] {
  const found = programs.filter(({ name }) => names.includes(name));
  assertEquals(found.length, names.length, "every name is a program's");
  return found;
}

const bits = new Map<string, Uint8Array[]>();

const there = ([...adapter?.features ?? []] as string[]).includes("subgroups");
const isShuffled = (name: TilingName) => name.endsWith("shuffled");

for (const tiling of Object.keys(TILINGS) as TilingName[]) {
  if (adapter !== null && !fitsLimits(TILINGS[tiling], adapter.limits)) continue;
  if (isShuffled(tiling) && !there) continue; // it would be the tiling that is not
  webgpuTest(`tiles of ${tiling} give what the reference gives, and the bits of all others`, async () => {
    const device = await openWebgpu({ strategy: "tiled", tiling });
    assert(device instanceof WebgpuDevice && device.strategy === "tiled");
    assertEquals(device.tiling({ kind: "matmul", batches: 1, m: 1, n: 1, k: 1 }), tiling);
    if (isShuffled(tiling)) assert(device.lanes >= FEWEST_LANES, "the adapter's subgroups are used");
    const wrong: string[] = [];
    for (const testCase of named([ALL, ...THOROUGH.includes(tiling) ? SOME : []])) {
      const message = await checkCase(device, testCase);
      if (message !== null) wrong.push(`${testCase.name}: ${message}`);
    }
    const [whole] = named([ALL]);
    const own = await bytesAfter(device, whole), first = bits.get(ALL) ?? own;
    bits.set(ALL, first);
    device.close();
    assertEquals(wrong, []);
    assertEquals(own, first);
  }, { opengl: false }); // Mesa takes minutes to compile one of these kernels there, and no GPU that gets tiles has OpenGL alone
}

Deno.test("shuffled tiles hand as many terms round as there are threads with the same rows in a subgroup", () => {
  const texts = (tiling: TilingName, lanes: number) => {
    const options = { profile: LEAST_PROFILE, strategy: () => "tiled" as const, lanes, tiling: () => tiling };
    return planProgram(named([ALL])[0].program, options).dispatches[0].text;
  };
  for (const [name, most] of [["64x64 shuffled", 8], ["128x128 shuffled", 16]] as const) {
    for (const lanes of [4, 8, 16, 32, 64, 128]) {
      const text = texts(name, lanes);
      assert(text.startsWith("enable subgroups;") && text.includes(`local % ${Math.min(lanes, most)}u);`), text);
    }
    assert(!texts(name, 0).includes("subgroup"));
  }
  assertEquals(texts("64x64 shuffled", 0), texts("64x64", 32));
});
