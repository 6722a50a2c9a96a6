/**
 * Products and convolutions by every tiling: edges, long sums in chunks, operands that lie in every way.
 */
import { assert, assertEquals } from "@std/assert";
import { FEWEST_LANES, type TilingName, TILINGS } from "../../../src/device/webgpu/kernels/tiles.ts";
import { WebgpuDevice } from "../../../src/device/webgpu/device.ts";
import { windowBlocks } from "../../../src/device/webgpu/kernels/window_blocks.ts";
import { openWebgpu } from "../../../src/device/webgpu/mod.ts";
import { fitsLimits } from "../../../src/device/webgpu/tuning.ts";
import { planProgram } from "../../../src/device/webgpu/planner.ts";
import { DataLoaders } from "../../../src/data/mod.ts";
import { session } from "../../../src/graph/session.ts";
import { Learner } from "../../../src/learner/mod.ts";
import * as nn from "../../../src/nn/mod.ts";
import { readAll, setSeed } from "../../../src/tensor/mod.ts";
import { silentLogger } from "../../../src/train/mod.ts";
import { bytesAfter, checkCase } from "../../support/conformance.ts";
import { fillF32, fillInts } from "../../support/fill.ts";
import { LEAST_PROFILE } from "../../support/kernel_texts.ts";
import { type ProgramCase, programs } from "../../support/programs.ts";
import { adapter, own, webgpuTest } from "../../support/webgpu.ts";

/** What every tiling computes. */
const ALL = "matmul TN m 10 n 64 k 513";
/** What some compute, as a compiler for a CPU takes a second for each: on Dawn all of it. */
const SOME = ["conv gradient of the weight, a large sum"];
/** What one of them does there. */
const MORE = [
  "conv 1x1, of vectors of four",
  "conv gradient of the input, 1x1",
  ...own ? [] : [
    "matmul NN m 1 n 64 k 100",
    "matmul NN m 64 n 1 k 100",
    "matmul NT m 100 n 513 k 64",
    "matmul batched [3,4]",
    "matmul with dynamic offsets of operands and output",
    "matmul carries NaN and infinity, zero times infinity is NaN",
    "conv gradient of the weight, 1x1, of vectors of four",
    "conv gradient of the input, 3x3 same",
    "conv gradient of the weight, 3x3 stride 2",
    "conv 7x7 stride 2 stem",
    "conv 3 groups",
    "conv depthwise",
    "conv bias and relu, stored where images lie",
  ],
];
/** Tilings that do: one where all threads bring as much, and one where they do not. */
const PROGRAMS: Partial<Record<TilingName, readonly string[]>> = {
  "32x128": own ? SOME : [...SOME, ...MORE],
  "64x64": [...SOME, ...MORE],
};

function named(names: readonly string[]): ProgramCase[] {
  const found = programs.filter(({ name }) => names.includes(name));
  assertEquals(found.length, names.length, "every name is a program's");
  return found;
}

const bits = new Map<string, Uint8Array[]>();

const there = ([...adapter?.features ?? []] as string[]).includes("subgroups");
const isShuffled = (name: TilingName) => name.endsWith("shuffled");

/** Tilings that the adapter takes; without subgroups, those that are shuffled would be others once more. */
const TRIED = (Object.keys(TILINGS) as TilingName[]).filter((name) =>
  (adapter === null || fitsLimits(TILINGS[name], adapter.limits)) && (there || !isShuffled(name))
);

for (const tiling of TRIED) {
  webgpuTest(`tiles of ${tiling} give what the reference gives, and the bits of all others`, async () => {
    const device = await openWebgpu({ strategy: "tiled", tiling });
    assert(device instanceof WebgpuDevice && device.strategy === "tiled");
    assertEquals(device.tiling({ kind: "matmul", batches: 1, m: 1, n: 1, k: 1 }), tiling);
    if (isShuffled(tiling)) assert(device.lanes >= FEWEST_LANES, "the adapter's subgroups are used");
    const wrong: string[] = [];
    for (const testCase of named([ALL, ...PROGRAMS[tiling] ?? []])) {
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

Deno.test("operands of convolutions are read as vectors where four terms or four elements across lie beside each other", () => {
  const blocks = (name: string) => {
    const [kernel] = named([name])[0].program.kernels;
    assert(kernel.op === "conv");
    const { a, b } = windowBlocks(kernel);
    return [a, b].map(({ vectors, termsFirst }) => `${vectors}, ${termsFirst ? "terms" : "places"} first`);
  };
  assertEquals(blocks("conv 1x1, of vectors of four"), ["terms, terms first", "across, places first"]);
  assertEquals(blocks("conv gradient of the weight, 1x1, of vectors of four"), Array(2).fill("terms, terms first"));
  assertEquals(blocks("conv gradient of the input, 1x1")[0], "across, places first");
  assertEquals(blocks("conv 3x3 of 16 to 32 channels"), ["terms, terms first", "none, places first"]);
  assertEquals(
    blocks("conv gradient of the weight, 3x3 of 16 to 32 channels"),
    Array(2).fill("none, terms first")
      .with(0, "terms, terms first"),
  );
  assertEquals(blocks("conv with dynamic offsets of operands and output").map((text) => text.slice(0, 4)), [
    "none",
    "none",
  ]);
});

/** Those by which whole steps train here: the others take a compiler for a CPU too long. */
const STEPS: readonly TilingName[] = own ? ["64x64", "32x128", "128x128"] : TRIED;

/** Weights after an epoch of four steps, of which three are replayed. */
async function trained(): Promise<Float32Array[]> {
  setSeed(7);
  const x = { data: fillF32(1, 64 * 4 * 64), shape: [64, 4, 8, 8] };
  const y = { data: Int32Array.from(fillInts(2, 64, 4)), shape: [64] };
  const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 16, seed: 3 });
  const model = new nn.Sequential(new nn.Conv2d(4, 16, 3, { padding: 1 }), new nn.ReLU(), new nn.Flatten());
  const net = new nn.Sequential(model, new nn.Linear(16 * 64, 4));
  const learn = new Learner(dls, net, { lossFunc: new nn.CrossEntropyLoss(), logger: silentLogger });
  await learn.fit(1);
  return (await readAll(net.parameters())).map((data) => Float32Array.from(data));
}

webgpuTest("a network that is trained has the same bits whichever tiling is chosen", async (whole) => {
  const results = new Map<TilingName, Float32Array[]>();
  try {
    for (const tiling of STEPS) {
      const device = await openWebgpu({ strategy: "tiled", tiling });
      session.useDevice(device);
      results.set(tiling, await trained());
      session.useDevice(whole);
      device.close();
    }
  } finally {
    session.useDevice(whole);
  }
  const [first, ...others] = STEPS;
  for (const name of others) assertEquals(results.get(name), results.get(first), name);
}, { opengl: false });
