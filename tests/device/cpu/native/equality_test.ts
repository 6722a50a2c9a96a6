import { assertEquals } from "@std/assert";
import type { Device } from "../../../../src/device/contract.ts";
import { openCpu } from "../../../../src/device/cpu/mod.ts";
import { checkCase, runConformance } from "../../../support/conformance.ts";
import { type ProgramCase, programs } from "../../../support/programs.ts";
import { depthwiseConvs, largeConvs } from "../conv_cases.ts";
import { firstDifference, largeCases, resultBytes } from "../support.ts";
import { randomConv, randomProduct } from "./random_cases.ts";
import { onLevels } from "./support.ts";

/** Runs cases on WebAssembly and on machine code with 1, 2 and 3 threads; their bits must be the same. */
async function compare(level: "AVX-512" | "AVX2", cases: readonly ProgramCase[]): Promise<void> {
  const wasm = openCpu({ native: false, threads: 1 });
  const devices: Device[] = [1, 2, 3].map((threads) => openCpu({ native: level, threads }));
  const wrong: string[] = [];
  for (const testCase of cases) {
    const want = await resultBytes(wasm, testCase);
    for (const device of devices) {
      const difference = firstDifference(await resultBytes(device, testCase), want);
      if (difference !== null) wrong.push(`${testCase.name} on ${device.name}: ${difference}`);
    }
  }
  for (const device of [wasm, ...devices]) device.close();
  assertEquals(wrong, []);
}

onLevels("every hand-made program gives what the reference gives", async (level) => {
  const device = openCpu({ native: level, threads: 2 });
  await runConformance(device);
  device.close();
});

onLevels("hand-made programs have the bits of WebAssembly, on any number of threads", async (level) => {
  await compare(level, programs);
});

onLevels("so have large ones, and convolutions in every direction", async (level) => {
  await compare(level, [...largeCases(), ...largeConvs()]);
});

onLevels("so have products at random, whatever their operands lie like", async (level) => {
  await compare(level, Array.from({ length: 300 }, (_, i) => randomProduct(1000 + i)));
});

onLevels("so have convolutions at random", async (level) => {
  await compare(level, Array.from({ length: 120 }, (_, i) => randomConv(5000 + i)));
});

onLevels("so have depthwise convolutions of lines of any length", async (level) => {
  await compare(level, depthwiseConvs());
});

onLevels("what is drawn at random is right, too", async (level) => {
  const device = openCpu({ native: level, threads: 2 }), depthwise = depthwiseConvs();
  for (let i = 0; i < 25; i++) {
    for (const testCase of [randomProduct(1000 + 7 * i), randomConv(5000 + 3 * i), depthwise[5 * i]]) {
      assertEquals(await checkCase(device, testCase), null, testCase.name);
    }
  }
  device.close();
});

onLevels("memory that grows while threads sleep is seen by their machine code", async (level) => {
  const device = openCpu({ native: level, threads: 3 }), wasm = openCpu({ native: false, threads: 1 });
  const [small, large] = [largeCases()[0], largeConvs()[0]];
  const want = await Promise.all([small, large].map((testCase) => resultBytes(wasm, testCase)));
  assertEquals(firstDifference(await resultBytes(device, small), want[0]), null);
  for (let i = 0; i < 3; i++) {
    const held = device.alloc(2 ** 26); // what is allocated from now on lies where nothing was when the threads began
    for (const [j, testCase] of [small, large].entries()) {
      assertEquals(firstDifference(await resultBytes(device, testCase), want[j]), null, `${testCase.name} after ${i}`);
    }
    if (i === 1) device.free(held);
  }
  device.close();
  wasm.close();
});
